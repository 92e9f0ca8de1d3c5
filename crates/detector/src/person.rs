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
    up: Baseline,
    /// While the arm rests, as in sleep: a night leaves what is usual by day as it was.
    resting: Baseline,
    pub(crate) exertion: Exertion,
    pub(crate) budget: Budget,
    pub(crate) teaching: Teaching,
}

impl Person {
    /// What is usual while the arm rests or while it does not. As long as nothing is known of one
    /// the other stands in.
    pub(crate) fn baseline(&self, rests: bool) -> &Baseline {
        let (own, other) =
            if rests { (&self.resting, &self.up) } else { (&self.up, &self.resting) };
        if own.wear_s() > 0 { own } else { other }
    }

    /// Seconds of valid wear that were learned from.
    pub(crate) fn wear_s(&self) -> i64 {
        self.up.wear_s() + self.resting.wear_s()
    }

    /// Learns from a window of valid wear, given in the population's spreads as well.
    pub(crate) fn learn(&mut self, window: &Window, spreads: &FeatureVector, half_life_s: f64) {
        let Self { up, resting, .. } = self;
        let (own, other) = if window.rests { (resting, &*up) } else { (up, &*resting) };
        if own.wear_s() == 0 {
            *own = other.start();
        }
        own.learn(spreads, half_life_s);
        if window.rests {
            // Sleep scatters so little that each turn would be unheard of.
            own.widen(other);
        }
        if let (Some(rate), Some(effort)) = (window.features.of(Feature::HeartRate), window.effort)
        {
            self.exertion.learn(rate, effort);
        }
    }
}
