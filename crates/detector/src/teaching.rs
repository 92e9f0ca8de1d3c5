use serde::{Deserialize, Serialize};

use crate::Level;

/// After the strongest signs nothing is taken for usual for half an hour, in hops.
const REST: u32 = 180;
/// What lasts for longer than an hour is the person's usual after all, in hops.
const LONGEST: u32 = 360;
const GOOD_ENOUGH: f64 = 0.5;

/// Whether a window may teach what is usual: not while arousal rises, not soon after it was
/// high, not on a poor signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Teaching {
    rest: u32,
    held: u32,
}

impl Teaching {
    /// Judges the hop at which a level is held and the score may be above RISING.
    pub(crate) fn may(&mut self, level: Level, above: bool, quality: f64) -> bool {
        if level == Level::High {
            self.rest = REST;
        } else {
            self.rest = self.rest.saturating_sub(1);
        }
        let aroused = above || level >= Level::Rising || self.rest > 0;
        self.held = if aroused { self.held.saturating_add(1) } else { 0 };
        let waited = self.held > LONGEST;
        (!aroused || waited) && quality >= GOOD_ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arousal_and_the_half_hour_after_it_teach_nothing() {
        let mut teaching = Teaching::default();
        assert!(teaching.may(Level::Settled, false, 0.9));
        assert!(!teaching.may(Level::Settled, false, 0.4));
        assert!(!teaching.may(Level::Settled, true, 0.9));
        assert!(!teaching.may(Level::High, true, 0.9));
        let rests = (0..REST - 1).all(|_| !teaching.may(Level::Settled, false, 0.9));
        assert!(rests && teaching.may(Level::Settled, false, 0.9));
    }

    #[test]
    fn what_lasts_for_hours_is_usual() {
        let mut teaching = Teaching::default();
        let first = (0..1000).position(|_| teaching.may(Level::High, true, 0.9));
        assert_eq!(first, Some(LONGEST as usize));
    }
}
