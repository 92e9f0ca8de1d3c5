use std::time::{SystemTime, UNIX_EPOCH};

use biosignal::Timestamp;

/// The present: the one place of the gateway where the wall clock is read.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
