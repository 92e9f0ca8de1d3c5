use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};

/// Seconds from one hop to the next.
pub(crate) const HOP_S: i64 = 10;
/// Hops kept: the last ten minutes.
const KEPT: usize = 61;

/// The features of the last ten minutes, as models weigh them, hop by hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hops(VecDeque<FeatureVector>);

impl Hops {
    /// Whether a hop ends with a second.
    pub(crate) const fn ends_with(second: i64) -> bool {
        (second + 1).rem_euclid(HOP_S) == 0
    }

    /// Adds the newest.
    pub(crate) fn push(&mut self, weighed: FeatureVector) {
        self.0.push_back(weighed);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// Fills in one that came late, by its age in hops, where nothing is known yet.
    pub(crate) fn fill(&mut self, age: usize, weighed: FeatureVector) {
        if age >= KEPT {
            return;
        }
        while self.0.len() <= age {
            self.0.push_front(FeatureVector::default());
        }
        let place = self.0.len() - 1 - age;
        if self.0[place] == FeatureVector::default() {
            self.0[place] = weighed;
        }
    }

    /// The newest value of a feature.
    pub(crate) fn newest(&self, feature: Feature) -> Option<f64> {
        self.0.back()?.of(feature)
    }

    /// The mean of a feature over hops of these ages, and over how many.
    pub(crate) fn mean(
        &self,
        feature: Feature,
        ages: std::ops::RangeInclusive<usize>,
    ) -> (f64, u32) {
        let places = ages.filter_map(|age| self.0.len().checked_sub(age + 1));
        let values = places.filter_map(|place| self.0[place].of(feature));
        let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        (sum / f64::from(count.max(1)), count)
    }
}
