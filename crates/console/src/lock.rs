use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the locks guard is whole between any two statements, whoever panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
