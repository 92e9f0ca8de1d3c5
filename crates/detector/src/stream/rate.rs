//! Heart rate tracked through noise: a Bayes filter over the logarithm of the rate. Each
//! interval between two peaks is evidence for its rate, or noise; belief spreads slowly. What
//! single intervals leave open, the run of them tells, so that the rate of a moving wrist is
//! seen where clean intervals are few. After the grid filters of Kitagawa G (1987)
//! Non-Gaussian state-space modeling of nonstationary time series. J Am Stat Assoc 82: 1032.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

const POINTS: usize = 74;
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
/// Without an interval for so long the rate is not known, s.
const LOST_S: u32 = 20;

static GRID: LazyLock<[f64; POINTS]> = LazyLock::new(|| {
    let step = step();
    let mut next = SLOWEST.ln() - step;
    std::array::from_fn(|_| {
        next += step;
        next
    })
});

/// What is believed of the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RateTracker {
    #[serde(with = "crate::fixed")]
    belief: [f64; POINTS],
    /// Seconds since the last interval.
    without: u32,
}

impl Default for RateTracker {
    fn default() -> Self {
        let start = |log: f64| (-0.5 * ((log - START.0.ln()) / START.1).powi(2)).exp();
        Self { belief: normal(GRID.map(start)), without: LOST_S }
    }
}

impl RateTracker {
    /// Takes an interval between two beats, s.
    pub(super) fn interval(&mut self, seconds: f64) {
        if !PLAUSIBLE_S.contains(&seconds) {
            return;
        }
        self.without = 0;
        let log = (60.0 / seconds).ln();
        for (belief, grid) in self.belief.iter_mut().zip(GRID.iter()) {
            *belief *= NOISE + (-0.5 * ((grid - log) / WIDTH).powi(2)).exp();
        }
        self.belief = normal(self.belief);
    }

    /// Lets a second pass.
    pub(super) fn pass_second(&mut self) {
        self.without = self.without.saturating_add(1);
        let side = (-0.5 * (step() / WANDER).powi(2)).exp();
        let [before, last] = [self.belief, [0.0; POINTS]];
        let even = ANEW / f64::from(u32::try_from(POINTS).unwrap_or(1));
        let mut spread = last;
        for (at, spread) in spread.iter_mut().enumerate() {
            let sides = [at.checked_sub(1), Some(at + 1).filter(|next| *next < POINTS)];
            let (mut sum, mut weight) = (before[at], 1.0);
            for neighbour in sides.into_iter().flatten() {
                sum += side * before[neighbour];
                weight += side;
            }
            *spread = sum / weight * (1.0 - ANEW) + even;
        }
        self.belief = normal(spread);
    }

    /// The rate, beats/min; none where no interval came lately.
    pub(super) fn rate(&self) -> Option<f64> {
        let mean: f64 = self.belief.iter().zip(GRID.iter()).map(|(b, log)| b * log).sum();
        (self.without < LOST_S).then(|| mean.exp())
    }
}

fn step() -> f64 {
    (FASTEST / SLOWEST).ln() / f64::from(u32::try_from(POINTS - 1).unwrap_or(1))
}

fn normal(belief: [f64; POINTS]) -> [f64; POINTS] {
    let sum: f64 = belief.iter().sum();
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
    fn without_intervals_nothing_is_known() {
        assert_eq!(RateTracker::default().rate(), None);
        let mut tracker = after(std::iter::repeat_n(0.8, 30));
        assert!(tracker.rate().is_some_and(|rate| (rate - 75.0).abs() < 1.0));
        (0..LOST_S).for_each(|_| tracker.pass_second());
        assert_eq!(tracker.rate(), None);
    }
}
