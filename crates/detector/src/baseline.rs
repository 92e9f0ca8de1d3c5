use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};
use crate::hops::HOP_S;
use crate::model::{Model, Usual};

/// Windows after which a person's own figures weigh as much as the population's.
const SHRINK: f64 = 30.0;
/// From an absolute deviation to a standard deviation, for a normal distribution.
const TO_SD: f64 = 1.2533;
/// One window moves the usual by no more than so many scales.
const STEP: f64 = 3.0;

/// What is usual for a person, learned causally over hours of valid wear.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    features: [Learned; Feature::ALL.len()],
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
    pub(crate) fn learn(&mut self, weighed: &FeatureVector, model: &Model, half_life_s: f64) {
        self.wear_s += HOP_S;
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let floor = 1.0 - 0.5_f64.powf(HOP_S as f64 / half_life_s);
        for feature in Feature::ALL {
            if let Some(value) = weighed.of(feature) {
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
