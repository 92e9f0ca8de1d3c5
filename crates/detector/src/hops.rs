use std::collections::VecDeque;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};

/// Seconds from one hop to the next.
pub(crate) const HOP_S: i64 = 10;
/// Hops kept: the last twelve minutes.
const KEPT: usize = 72;

/// The features of the last twelve minutes, hop by hop, in the population's spreads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hops(VecDeque<FeatureVector>);

impl Hops {
    /// Whether a hop ends with a second.
    pub(crate) const fn ends_with(second: i64) -> bool {
        (second + 1).rem_euclid(HOP_S) == 0
    }

    /// Adds the newest; gives the one that it drives out.
    pub(crate) fn push(&mut self, spreads: FeatureVector) -> Option<FeatureVector> {
        self.0.push_back(spreads);
        if self.0.len() > KEPT { self.0.pop_front() } else { None }
    }

    /// Undoes a push that drove out this one.
    pub(crate) fn take_back(&mut self, driven_out: Option<FeatureVector>) {
        self.0.pop_back();
        if let Some(oldest) = driven_out {
            self.0.push_front(oldest);
        }
    }

    /// Fills in one that came late, by its age in hops, where nothing is known yet.
    pub(crate) fn fill(&mut self, age: usize, spreads: FeatureVector) {
        if age >= KEPT {
            return;
        }
        while self.0.len() <= age {
            self.0.push_front(FeatureVector::default());
        }
        let place = self.0.len() - 1 - age;
        if self.0[place] == FeatureVector::default() {
            self.0[place] = spreads;
        }
    }

    /// The newest value of a feature.
    pub(crate) fn newest(&self, feature: Feature) -> Option<f64> {
        self.0.back()?.of(feature)
    }

    /// The mean of a feature over hops of these ages; none where it is there in too few.
    pub(crate) fn mean(
        &self,
        feature: Feature,
        ages: RangeInclusive<usize>,
        fewest: usize,
    ) -> Option<f64> {
        let newest = self.0.len().checked_sub(1 + ages.start())?;
        let oldest = self.0.len().saturating_sub(1 + ages.end());
        let (mut sum, mut count) = (0.0, 0);
        for value in self.0.range(oldest..=newest).filter_map(|hop| hop.of(feature)) {
            sum += value;
            count += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let mean = sum / count as f64;
        (count >= fewest.max(1)).then_some(mean)
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
            hops.push(hop(f64::from(at)));
            let driven_out = hops.push(hop(-1.0));
            hops.take_back(driven_out);
        }
        assert_eq!(hops.newest(Feature::Scl), Some(81.0));
        assert_eq!(hops.mean(Feature::Scl, 0..=2, 1), Some(80.0));
        assert_eq!(hops.mean(Feature::Scl, 70..=90, 2), Some(10.5));
        assert_eq!(hops.mean(Feature::Scl, 70..=90, 3), None);
        assert_eq!(hops.mean(Feature::HeartRate, 0..=2, 1), None);
    }

    #[test]
    fn what_came_late_fills_holes_only() {
        let mut hops = Hops::default();
        hops.push(hop(1.0));
        hops.fill(0, hop(9.0));
        hops.fill(2, hop(3.0));
        hops.fill(KEPT, hop(5.0));
        assert_eq!(hops.mean(Feature::Scl, 0..=71, 1), Some(2.0));
    }
}
