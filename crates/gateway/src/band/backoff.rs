use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that held this long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// How long to leave a band alone after a connection that failed or did not hold.
#[derive(Debug)]
pub(crate) struct Backoff {
    wait: Duration,
    until: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { wait: FIRST, until: None }
    }

    /// An attempt failed.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.until = Some(now + self.wait);
        self.wait = (self.wait * 2).min(LONGEST);
    }

    /// A connection ended. A band that went out of range is taken back at once.
    pub(crate) fn ended(&mut self, connected_at: Instant, now: Instant) {
        if now.duration_since(connected_at) >= GOOD {
            *self = Self::new();
        } else {
            self.failed(now);
        }
    }

    /// The moment before which not to try.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_make_it_patient_and_a_good_connection_eager() {
        let start = Instant::now();
        let mut backoff = Backoff::new();
        let mut waits = Vec::new();
        for _ in 0..7 {
            backoff.failed(start);
            waits.push((backoff.until(start).expect("it failed") - start).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        backoff.ended(start, start + GOOD);
        assert_eq!(backoff.until(start + GOOD), None);
        backoff.ended(start, start + Duration::from_secs(5));
        assert!(backoff.until(start + Duration::from_secs(5)).is_some());
    }
}
