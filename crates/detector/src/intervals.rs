use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::second::Interval;

/// Intervals that a heart can have, s.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.3..=2.0;
/// Further off the median of the last intervals is an error of detection.
const TOLERANCE: f64 = 0.25;
const MEMORY: usize = 11;

/// Sorts out intervals that no heart made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cleaner {
    /// The last plausible intervals, accepted or not, so that a true change is followed.
    recent: VecDeque<f64>,
    /// The interval right before, where it was accepted.
    before: Option<f64>,
}

impl Cleaner {
    /// Forgets the interval before: what comes does not follow on it.
    pub(crate) fn interrupt(&mut self) {
        self.before = None;
    }

    /// Takes an interval; gives it back where it counts.
    pub(crate) fn take(&mut self, seconds: f64) -> Option<Interval> {
        if !PLAUSIBLE.contains(&seconds) {
            self.before = None;
            return None;
        }
        self.recent.push_back(seconds);
        if self.recent.len() > MEMORY {
            self.recent.pop_front();
        }
        let usual = median(&mut self.recent.iter().copied().collect::<Vec<_>>())?;
        if (seconds - usual).abs() > TOLERANCE * usual {
            self.before = None;
            return None;
        }
        let change = self.before.map(|before| seconds - before);
        self.before = Some(seconds);
        Some(Interval { seconds, change })
    }
}

/// The median; none of nothing.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_beat_does_not_count_and_breaks_the_chain() {
        let mut cleaner = Cleaner::default();
        for _ in 0..5 {
            assert!(cleaner.take(0.8).is_some());
        }
        assert_eq!(cleaner.take(1.6), None);
        assert_eq!(cleaner.take(0.8).map(|interval| interval.change), Some(None));
        assert_eq!(cleaner.take(3.0), None);
    }
}
