//! Sustained inactivity of an arm, which mostly is sleep, after van Hees VT et al. (2015) A Novel,
//! Open Access Method to Assess Sleep Duration Using a Wrist-Worn Accelerometer. PLoS ONE 10(11):
//! e0142533: the arm does not turn by more than 5 degrees.
//!
//! In 22 recordings of people who sit, talk and work at a desk an arm has not turned for ten
//! minutes in 1 of 760 hops, and has turned in fewer than 4 of the last five minutes' in 1 of 16.

use serde::{Deserialize, Serialize};

use crate::features::angle_between;
use crate::hops::HOP_S;

/// An arm that turns by more than this has turned.
const TURN_DEG: f64 = 5.0;
/// An arm rests once it has not turned for so many hops: ten minutes.
const STILL: u32 = 60;
/// It rests no longer once it has turned in so many of the last hops: a sleeper turns over in a
/// few.
const TURNS: f64 = 4.0;
/// A turn counts for this part of itself a hop later: for five minutes.
const KEEP: f64 = 0.967;

/// Whether an arm rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rest {
    /// Gravity when the arm turned last.
    direction: Option<[f64; 3]>,
    /// Hops since then.
    still: u32,
    /// In how many of the last hops it turned.
    turns: f64,
    /// For how many hops it has rested.
    rested: u32,
}

impl Rest {
    /// Takes the direction of gravity at the end of a hop.
    pub(super) fn pass_hop(&mut self, gravity: [f64; 3]) {
        let turned = self.direction.is_none_or(|direction| {
            angle_between(direction, gravity).is_none_or(|angle| angle > TURN_DEG)
        });
        self.turns *= KEEP;
        self.still = self.still.saturating_add(1);
        if turned {
            (self.direction, self.still) = (Some(gravity), 0);
            self.turns += 1.0;
        }
        let rests = if self.rested > 0 { self.turns < TURNS } else { self.still >= STILL };
        self.rested = if rests { self.rested.saturating_add(1) } else { 0 };
    }

    /// For how long the arm has rested, turned over now and then, s; 0 where it does not.
    pub(super) fn rested_s(&self) -> i64 {
        i64::from(self.rested) * HOP_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes so many hops, of which each of `turns` turns the arm; tells when it rests.
    fn rests(rest: &mut Rest, hops: u32, turns: impl Fn(u32) -> bool) -> Vec<bool> {
        let mut towards = rest.direction.map_or(0.0, |direction| direction[0].atan2(direction[2]));
        let hop = |hop: u32| {
            towards += if turns(hop) { 0.2 } else { 0.0 };
            // It trembles, by less than a degree.
            let angle = towards + 0.01 * f64::from(hop % 3);
            rest.pass_hop([angle.sin(), 0.0, angle.cos()]);
            rest.rested_s() > 0
        };
        (0..hops).map(hop).collect()
    }

    #[test]
    fn an_arm_rests_after_ten_minutes_and_through_a_sleepers_turns() {
        let mut rest = Rest::default();
        let found = rests(&mut rest, 60, |_| false);
        assert_eq!(found.iter().position(|it| *it), None);
        // Every 25 min somebody who sleeps turns over for half a minute.
        let night = rests(&mut rest, 2880, |hop| hop % 150 > 146);
        assert_eq!(night.iter().position(|it| !it), None);
        // Who gets up is up within a minute or so.
        let day = rests(&mut rest, 360, |hop| hop % 5 != 3);
        let up = day.iter().position(|it| !it);
        assert!(up.is_some_and(|hop| (3..8).contains(&hop)), "{up:?}");
        assert!(day[8..].iter().all(|it| !it));
    }

    #[test]
    fn somebody_who_moves_each_few_minutes_does_not_rest() {
        let mut rest = Rest::default();
        assert!(rests(&mut rest, 4000, |hop| hop % 50 == 9).iter().all(|it| !it));
    }
}
