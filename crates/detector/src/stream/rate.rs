//! Heart rate tracked through noise: a Bayes filter over the logarithm of the rate. Each
//! interval between two peaks is evidence for its rate, or noise; belief spreads slowly. What
//! single intervals leave open, the run of them tells, so that the rate of a moving wrist is
//! seen where clean intervals are few. After the grid filters of Kitagawa G (1987)
//! Non-Gaussian state-space modeling of nonstationary time series. J Am Stat Assoc 82: 1032.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::sum::sum;

const POINTS: usize = 74;
/// The place of the grid's middle.
const MIDDLE: f64 = 36.5;
/// Points that are worked on side by side.
const LANES: usize = 4;
const SLOWEST: f64 = 42.0;
const FASTEST: f64 = 180.0;
/// What a rate is before anything is known, and the spread of its logarithm.
const START: (f64, f64) = (75.0, 0.25);
/// Spread of the logarithm of one interval around the rate.
const WIDTH: f64 = 0.08;
/// How likely noise is against a true interval.
const NOISE: f64 = 2.0;
/// Spread by which the logarithm of a rate wanders in a second.
const WANDER: f64 = 0.005;
/// Part of belief that starts anew each second.
const ANEW: f64 = 0.005;
const PLAUSIBLE_S: std::ops::RangeInclusive<f64> = 0.3..=2.0;
/// Belief grows no further before it is made to add up to 1 again.
const MOST: f64 = 1e100;
/// Without an interval for so long the rate is not known, s.
const LOST_S: u32 = 20;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// What is the same for all: a grid of logarithms of rates, and the parts of the evidence and
/// of the wandering that depend on it alone.
struct Tables {
    /// From one point of the grid to the next.
    step: f64,
    middle: f64,
    grid: [f64; POINTS],
    /// exp(-d^2 / 2) where d is the distance of a point from the middle in widths.
    bell: [f64; POINTS],
    /// How much of a point's belief stays when it shares with its sides.
    stays: [f64; POINTS],
    /// How much of each side's belief comes.
    comes: [f64; POINTS],
}

/// What is believed of the rate. Belief counts in proportion; it adds up to about 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RateTracker {
    #[serde(with = "crate::fixed")]
    belief: [f64; POINTS],
    /// Seconds since the last interval.
    without: u32,
}

impl Tables {
    fn new() -> Self {
        let step = (FASTEST / SLOWEST).ln() / count(POINTS - 1);
        let middle = SLOWEST.ln() + MIDDLE * step;
        let grid = std::array::from_fn(|at| SLOWEST.ln() + step * count(at));
        let side = (-0.5 * (step / WANDER).powi(2)).exp();
        let sides = |at: usize| if at == 0 || at + 1 == POINTS { 1.0 } else { 2.0 };
        let stays = std::array::from_fn(|at| 1.0 / (1.0 + sides(at) * side));
        Self {
            step,
            middle,
            grid,
            bell: grid.map(|log| (-0.5 * ((log - middle) / WIDTH).powi(2)).exp()),
            stays,
            comes: stays.map(|stays| side * stays),
        }
    }
}

impl Default for RateTracker {
    fn default() -> Self {
        let start = |log: f64| (-0.5 * ((log - START.0.ln()) / START.1).powi(2)).exp();
        Self { belief: normal(TABLES.grid.map(start)), without: LOST_S }
    }
}

impl RateTracker {
    /// Takes an interval between two beats, s.
    pub(super) fn interval(&mut self, seconds: f64) {
        if !PLAUSIBLE_S.contains(&seconds) {
            return;
        }
        self.without = 0;
        // exp(-(g - x)^2 / 2) = exp(-g^2 / 2) exp(-x^2 / 2) exp(x)^g: one exponential for all
        // points, since they are evenly spaced.
        let Tables { step, middle, .. } = *TABLES;
        let off = ((60.0 / seconds).ln() - middle) / WIDTH;
        let ratio = (off * step / WIDTH).exp();
        let first = (-0.5 * off * off - off * step / WIDTH * MIDDLE).exp();
        let mut powers = [first; LANES];
        for lane in 1..LANES {
            powers[lane] = powers[lane - 1] * ratio;
        }
        let stride = (ratio * ratio) * (ratio * ratio);
        let bells = TABLES.bell.chunks(LANES);
        for (beliefs, bells) in self.belief.chunks_mut(LANES).zip(bells) {
            for ((belief, bell), power) in beliefs.iter_mut().zip(bells).zip(&powers) {
                *belief *= NOISE + bell * power;
            }
            powers = powers.map(|power| power * stride);
        }
        // No heart beats so often, but a device may say so.
        if self.belief.iter().any(|belief| *belief > MOST) {
            self.belief = normal(self.belief);
        }
    }

    /// Lets a second pass.
    pub(super) fn pass_second(&mut self) {
        self.without = self.without.saturating_add(1);
        let even = ANEW / count(POINTS);
        let whole = (1.0 - ANEW) / sum(&self.belief, |part| *part);
        let mut padded = [0.0; POINTS + 2];
        padded[1..=POINTS].copy_from_slice(&self.belief);
        let Tables { stays, comes, .. } = &*TABLES;
        for at in 0..POINTS {
            let sides = padded[at] + padded[at + 2];
            self.belief[at] = (padded[at + 1] * stays[at] + sides * comes[at]) * whole + even;
        }
    }

    /// The rate, beats/min; none where no interval came lately.
    pub(super) fn rate(&self) -> Option<f64> {
        let logs: [f64; POINTS] = std::array::from_fn(|at| self.belief[at] * TABLES.grid[at]);
        (self.without < LOST_S)
            .then(|| (sum(&logs, |log| *log) / sum(&self.belief, |part| *part)).exp())
    }
}

fn count(points: usize) -> f64 {
    f64::from(u32::try_from(points).unwrap_or(1))
}

fn normal(belief: [f64; POINTS]) -> [f64; POINTS] {
    let sum = sum(&belief, |part| *part);
    belief.map(|part| part / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(intervals: impl Iterator<Item = f64>) -> RateTracker {
        let mut tracker = RateTracker::default();
        for interval in intervals {
            tracker.interval(interval);
            tracker.pass_second();
        }
        tracker
    }

    #[test]
    fn a_rate_is_found_among_noise() {
        // Every third interval is true, the others are anything.
        let mixed = (0..90_u32)
            .map(|at| if at % 3 == 0 { 0.6 } else { 0.35 + f64::from(at * 7919 % 101) / 100.0 });
        let rate = after(mixed).rate().unwrap();
        assert!((rate - 100.0).abs() < 4.0, "{rate}");
    }

    #[test]
    fn a_thousand_intervals_in_a_second_are_no_end_of_it() {
        let mut tracker = RateTracker::default();
        for _ in 0..2 {
            (0..1000).for_each(|_| tracker.interval(0.8));
            tracker.pass_second();
        }
        assert!(tracker.rate().is_some_and(|rate| (rate - 75.0).abs() < 1.0), "{tracker:?}");
    }

    #[test]
    fn without_intervals_nothing_is_known() {
        assert_eq!(RateTracker::default().rate(), None);
        let mut tracker = after(std::iter::repeat_n(0.8, 30));
        assert!(tracker.rate().is_some_and(|rate| (rate - 75.0).abs() < 1.0));
        (0..LOST_S).for_each(|_| tracker.pass_second());
        assert_eq!(tracker.rate(), None);
    }
}
