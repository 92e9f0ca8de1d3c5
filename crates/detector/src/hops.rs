use std::collections::VecDeque;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};

/// Seconds from one hop to the next.
pub(crate) const HOP_S: i64 = 10;
/// Hops kept: the last twelve minutes.
const KEPT: usize = 72;
const COUNT: usize = Feature::ALL.len();

/// Spreads are kept in steps of 2^-23: finer than any sensor, and sums of them are exact.
const STEPS: f64 = 8_388_608.0;
/// What a step adds to a mean over so many hops.
const PARTS: [f64; KEPT + 1] = {
    let mut parts = [0.0; KEPT + 1];
    let mut count = 0;
    let mut hops = 0.0;
    while count < KEPT {
        count += 1;
        hops += 1.0;
        parts[count] = 1.0 / (hops * STEPS);
    }
    parts
};
/// Stands where a feature is missing.
const MISSING: i32 = i32::MIN;

/// The features of the last twelve minutes, hop by hop, in the population's spreads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hops(VecDeque<Hop>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hop(#[serde(with = "crate::fixed")] [i32; COUNT]);

/// Sums over some of the hops, and how many hops have the feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    sums: [i32; COUNT],
    counts: [i32; COUNT],
}

impl Hops {
    /// Whether a hop ends with a second.
    pub(crate) const fn ends_with(second: i64) -> bool {
        (second + 1).rem_euclid(HOP_S) == 0
    }

    /// Adds the newest, of values within 4.
    pub(crate) fn push(&mut self, spreads: &FeatureVector) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Hop::of(spreads));
    }

    /// Fills in one that came late, by its age in hops, where nothing is known yet.
    pub(crate) fn fill(&mut self, age: usize, spreads: &FeatureVector) {
        if age >= KEPT {
            return;
        }
        while self.0.len() <= age {
            self.0.push_front(Hop([MISSING; COUNT]));
        }
        let place = self.0.len() - 1 - age;
        if self.0[place].0 == [MISSING; COUNT] {
            self.0[place] = Hop::of(spreads);
        }
    }

    /// The sums over hops of these ages; the newest has the age 0.
    pub(crate) fn sums(&self, ages: RangeInclusive<usize>) -> Sums {
        let mut sums = Sums::default();
        let until = self.0.len().saturating_sub(*ages.start());
        let from = self.0.len().saturating_sub(1 + ages.end());
        for hop in self.0.range(from..until.max(from)) {
            sums.take(hop);
        }
        sums
    }
}

impl Hop {
    #[expect(clippy::cast_possible_truncation, reason = "values within 4 in steps of 2^-23")]
    fn of(spreads: &FeatureVector) -> Self {
        let steps = |value: f64| (value * STEPS + 0.5_f64.copysign(value)) as i32;
        Self(Feature::ALL.map(|feature| spreads.of(feature).map_or(MISSING, steps)))
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self { sums: [0; COUNT], counts: [0; COUNT] }
    }
}

impl Sums {
    /// With a hop more.
    pub(crate) fn with(mut self, spreads: &FeatureVector) -> Self {
        self.take(&Hop::of(spreads));
        self
    }

    /// The mean of a feature; none where it is there in too few hops.
    pub(crate) fn mean(&self, feature: Feature, fewest: i32) -> Option<f64> {
        let (sum, count) = (self.sums[feature as usize], self.counts[feature as usize]);
        let part = usize::try_from(count).ok().and_then(|count| PARTS.get(count))?;
        (count >= fewest.max(1)).then(|| f64::from(sum) * part)
    }

    fn take(&mut self, hop: &Hop) {
        for ((sum, count), step) in self.sums.iter_mut().zip(&mut self.counts).zip(hop.0) {
            let there = i32::from(step != MISSING);
            *sum += step & -there;
            *count += there;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(value: f64) -> FeatureVector {
        let mut hop = FeatureVector::default();
        hop.set(Feature::Scl, Some(value));
        hop
    }

    #[test]
    fn means_are_of_what_is_there() {
        let mut hops = Hops::default();
        for at in 0..82 {
            hops.push(&hop(f64::from(at) / 32.0));
        }
        let mean = |ages, fewest| hops.sums(ages).mean(Feature::Scl, fewest);
        assert_eq!(mean(0..=0, 1), Some(81.0 / 32.0));
        assert_eq!(mean(0..=2, 1), Some(80.0 / 32.0));
        assert_eq!(mean(70..=90, 2), Some(10.5 / 32.0));
        assert_eq!(mean(70..=90, 3), None);
        assert_eq!(mean(80..=90, 1), None);
        assert_eq!(hops.sums(0..=2).mean(Feature::HeartRate, 1), None);
        let more = hops.sums(0..=1).with(&hop(1.0));
        assert_eq!(more.mean(Feature::Scl, 3), Some((81.0 + 80.0 + 32.0) / 96.0));
    }

    #[test]
    fn what_came_late_fills_holes_only() {
        let mut hops = Hops::default();
        hops.push(&hop(1.0));
        hops.fill(0, &hop(3.5));
        hops.fill(2, &hop(3.0));
        hops.fill(KEPT, &hop(2.5));
        assert_eq!(hops.sums(0..=71).mean(Feature::Scl, 1), Some(2.0));
    }
}
