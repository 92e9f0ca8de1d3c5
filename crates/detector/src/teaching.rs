use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::Level;

/// After the strongest signs nothing is taken for usual for half an hour, s.
const REST_S: i64 = 1800;
/// What lasts for longer than an hour is the person's usual after all, in hops.
const LONGEST: u32 = 360;
const GOOD_ENOUGH: f64 = 0.5;
/// Aroused stretches that are remembered, for what comes late.
const KEPT: usize = 64;

/// Whether a window may teach what is usual: not while arousal rises, not soon after it was
/// high, not on a poor signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Teaching {
    /// When the level was high last, unix seconds.
    high: Option<i64>,
    /// For how many hops nothing could be learned for arousal.
    held: u32,
    /// Since when the last hop that was judged is aroused, unix seconds.
    since: Option<i64>,
    /// When arousal held before, up to the first hop that was judged without it.
    before: VecDeque<(i64, i64)>,
}

impl Teaching {
    /// Judges the hop that ends with a second, at which a level is held and the score may be
    /// above RISING.
    pub(crate) fn may(&mut self, second: i64, level: Level, above: bool, quality: f64) -> bool {
        if level == Level::High {
            self.high = Some(second);
        }
        let rests = self.high.is_some_and(|high| (0..REST_S).contains(&(second - high)));
        let aroused = above || level >= Level::Rising || rests;
        self.held = if aroused { self.held.saturating_add(1) } else { 0 };
        if aroused {
            self.since.get_or_insert(second);
        } else if let Some(since) = self.since.take() {
            if self.before.len() == KEPT {
                self.before.pop_front();
            }
            self.before.push_back((since, second));
        }
        let waited = self.held > LONGEST;
        (!aroused || waited) && quality >= GOOD_ENOUGH
    }

    /// The same of a window that comes late: what could not be seen between two aroused hops,
    /// or after the last one, is none that teaches.
    pub(crate) fn may_late(&self, second: i64, quality: f64) -> bool {
        let aroused = self.since.is_some_and(|since| since <= second)
            || self.before.iter().any(|(from, until)| (*from..*until).contains(&second));
        !aroused && quality >= GOOD_ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges hops from a second on.
    fn each(from: i64, count: i64) -> impl Iterator<Item = i64> {
        (0..count).map(move |hop| from + 10 * hop)
    }

    #[test]
    fn arousal_and_the_half_hour_after_it_teach_nothing() {
        let mut teaching = Teaching::default();
        assert!(teaching.may(9, Level::Settled, false, 0.9));
        assert!(!teaching.may(19, Level::Settled, false, 0.4));
        assert!(!teaching.may(29, Level::Settled, true, 0.9));
        assert!(!teaching.may(39, Level::High, true, 0.9));
        let mut rest = each(49, 179);
        assert!(rest.all(|second| !teaching.may(second, Level::Settled, false, 0.9)));
        assert!(teaching.may(1839, Level::Settled, false, 0.9));
    }

    #[test]
    fn what_lasts_for_hours_is_usual() {
        let mut teaching = Teaching::default();
        let first = each(9, 1000).position(|second| teaching.may(second, Level::High, true, 0.9));
        assert_eq!(first, Some(LONGEST as usize));
    }

    #[test]
    fn what_comes_late_teaches_where_no_arousal_was_around_it() {
        let mut teaching = Teaching::default();
        teaching.may(9, Level::Settled, false, 0.9);
        teaching.may(19, Level::Rising, true, 0.9);
        // Nothing is seen for five minutes; then the signs are gone.
        let late = |teaching: &Teaching, second| teaching.may_late(second, 0.9);
        assert!(!late(&teaching, 200));
        teaching.may(329, Level::Settled, false, 0.9);
        assert_eq!([5, 19, 200, 328].map(|at| late(&teaching, at)), [true, false, false, false]);
        assert!(late(&teaching, 400) && !teaching.may_late(400, 0.4));
    }

    #[test]
    fn a_clock_that_was_a_day_ahead_stops_no_learning() {
        let mut teaching = Teaching::default();
        teaching.may(86_400, Level::High, true, 0.9);
        assert!(teaching.may(9, Level::Settled, false, 0.9));
    }
}
