use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::features::{COUNT, Feature, FeatureVector, Inputs};
use crate::model::{Model, Usual};
use crate::pipeline::HOP_S;
use crate::window::number;

/// Windows after which a person's own figures weigh as much as the population's.
const SHRINK: f64 = 30.0;
/// From an absolute deviation to a standard deviation, for a normal distribution.
const TO_SD: f64 = 1.2533;
const CLIP: f64 = 5.0;
/// One window moves the usual by no more than so many scales.
const STEP: f64 = 3.0;
/// The minutes that the last ones are held against, in hops before the newest.
const BEFORE: std::ops::RangeInclusive<usize> = 30..=60;
const MIN_BEFORE: usize = 12;
const LAST: usize = 13;

/// What is usual for a person, learned causally over hours of valid wear.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    features: [Learned; COUNT],
    /// Seconds of valid wear.
    pub(crate) wear_s: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Learned {
    windows: f64,
    mean: f64,
    deviation: f64,
}

impl Baseline {
    /// Learns from a window of valid wear.
    pub(crate) fn learn(&mut self, features: &FeatureVector, model: &Model, half_life_s: f64) {
        self.wear_s += HOP_S;
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let floor = 1.0 - 0.5_f64.powf(HOP_S as f64 / half_life_s);
        for feature in Feature::ALL {
            if let Some(value) = features.of(feature) {
                let usual = self.usual(feature, model);
                self.features[feature as usize].take(value, usual, floor);
            }
        }
    }

    /// What is usual: the person's own, shrunk towards the population while little is known.
    pub(crate) fn usual(&self, feature: Feature, model: &Model) -> Usual {
        let population = model.population(feature);
        let own = self.features[feature as usize];
        let trust = own.windows / (own.windows + SHRINK);
        let scale = trust * own.deviation * TO_SD + (1.0 - trust) * population.scale;
        Usual {
            usual: trust * own.mean + (1.0 - trust) * population.usual,
            scale: scale.max(0.2 * population.scale),
        }
    }

    /// The inputs of the newest hop.
    pub(crate) fn inputs(&self, hops: &VecDeque<FeatureVector>, model: &Model) -> Inputs {
        Inputs(Feature::ALL.map(|feature| {
            let Some(value) = hops.back().and_then(|hop| hop.of(feature)) else { return [0.0; 3] };
            let Usual { usual, scale } = self.usual(feature, model);
            let against = |value: f64, other: f64| ((value - other) / scale).clamp(-CLIP, CLIP);
            let back = |range: std::ops::RangeInclusive<usize>| {
                let values: Vec<f64> = range
                    .filter_map(|age| hops.len().checked_sub(age + 1))
                    .filter_map(|index| hops[index].of(feature))
                    .collect();
                let mean = values.iter().sum::<f64>() / number(values.len().max(1));
                (values.len(), mean)
            };
            let z = against(value, usual);
            match back(BEFORE) {
                (count, before) if count >= MIN_BEFORE => {
                    [z, against(value, before), against(back(0..=LAST - 1).1, before)]
                }
                _ => [z, 0.0, 0.0],
            }
        }))
    }
}

impl Learned {
    fn take(&mut self, value: f64, usual: Usual, floor: f64) {
        self.windows += 1.0;
        let weight = (1.0 / self.windows).max(floor);
        let clipped =
            value.clamp(usual.usual - STEP * usual.scale, usual.usual + STEP * usual.scale);
        // Too early to know the person: the value as it is.
        let value = if self.windows < SHRINK { value } else { clipped };
        self.mean += weight * (value - self.mean);
        self.deviation += weight * ((value - self.mean).abs() - self.deviation);
    }
}
