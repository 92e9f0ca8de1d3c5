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

/// The features of the last twelve minutes, hop by hop, in the population's spreads.
///
/// Each hop is kept as the sums over all hops up to it, so that those over any stretch are
/// the difference of two. They wrap around; what is true of a stretch is far from that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hops(VecDeque<Sums>);

/// Sums over hops, and how many hops have the feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    #[serde(with = "crate::fixed")]
    sums: [i32; COUNT],
    #[serde(with = "crate::fixed")]
    counts: [u8; COUNT],
}

impl Hops {
    /// Without any.
    pub(crate) const fn none() -> Self {
        Self(VecDeque::new())
    }

    /// Whether a hop ends with a second.
    pub(crate) const fn ends_with(second: i64) -> bool {
        (second + 1).rem_euclid(HOP_S) == 0
    }

    /// Adds the newest, of values within 4.
    pub(crate) fn push(&mut self, spreads: &FeatureVector) {
        if self.0.len() == KEPT + 1 {
            self.0.pop_front();
        }
        let before = self.0.back().copied().unwrap_or_default();
        if self.0.is_empty() {
            self.0.push_back(before);
        }
        self.0.push_back(before.with(spreads));
    }

    /// Fills in one that came late, by its age in hops, where nothing is known yet.
    pub(crate) fn fill(&mut self, age: usize, spreads: &FeatureVector) {
        if age >= KEPT {
            return;
        }
        let oldest = self.0.front().copied().unwrap_or_default();
        while self.0.len() <= age + 1 {
            self.0.push_front(oldest);
        }
        if self.sums(age..=age).counts == [0; COUNT] {
            let place = self.0.len() - 1 - age;
            self.0.range_mut(place..).for_each(|sums| *sums = sums.with(spreads));
        }
    }

    /// The sums over hops of these ages; the newest has the age 0.
    pub(crate) fn sums(&self, ages: RangeInclusive<usize>) -> Sums {
        let Some(newest) = self.0.len().checked_sub(1) else { return Sums::default() };
        let until = &self.0[newest.saturating_sub(*ages.start())];
        until.since(&self.0[newest.saturating_sub(1 + ages.end())])
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self { sums: [0; COUNT], counts: [0; COUNT] }
    }
}

impl Sums {
    /// With a hop more.
    #[expect(clippy::cast_possible_truncation, reason = "values within 4 in steps of 2^-23")]
    pub(crate) fn with(mut self, spreads: &FeatureVector) -> Self {
        for feature in Feature::ALL {
            if let Some(value) = spreads.of(feature) {
                let steps = (value * STEPS + 0.5_f64.copysign(value)) as i32;
                let (sum, count) =
                    (&mut self.sums[feature as usize], &mut self.counts[feature as usize]);
                (*sum, *count) = (sum.wrapping_add(steps), count.wrapping_add(1));
            }
        }
        self
    }

    /// The mean of a feature; none where it is there in too few hops.
    pub(crate) fn mean(&self, feature: Feature, fewest: u8) -> Option<f64> {
        let (sum, count) = (self.sums[feature as usize], self.counts[feature as usize]);
        let part = PARTS.get(usize::from(count))?;
        (count >= fewest.max(1)).then(|| f64::from(sum) * part)
    }

    /// With those of other hops.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            sums: std::array::from_fn(|at| self.sums[at].wrapping_add(other.sums[at])),
            counts: std::array::from_fn(|at| self.counts[at].wrapping_add(other.counts[at])),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            sums: std::array::from_fn(|at| self.sums[at].wrapping_sub(before.sums[at])),
            counts: std::array::from_fn(|at| self.counts[at].wrapping_sub(before.counts[at])),
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
        let more = hops.sums(0..=1).and(&Sums::default().with(&hop(1.0)));
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
