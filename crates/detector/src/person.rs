use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::budget::Budget;
use crate::exertion::Exertion;
use crate::features::{Feature, FeatureVector};
use crate::pipeline::Window;
use crate::teaching::Teaching;

/// What was learned about the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) baseline: Baseline,
    pub(crate) exertion: Exertion,
    pub(crate) budget: Budget,
    pub(crate) teaching: Teaching,
}

impl Person {
    /// Learns from a window of valid wear, given in the population's spreads as well.
    pub(crate) fn learn(&mut self, window: &Window, spreads: &FeatureVector, half_life_s: f64) {
        self.baseline.learn(spreads, half_life_s);
        if let (Some(rate), Some(effort)) = (window.features.of(Feature::HeartRate), window.effort)
        {
            self.exertion.learn(rate, effort);
        }
    }
}
