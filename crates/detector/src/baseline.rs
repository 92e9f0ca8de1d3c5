use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};
use crate::hops::HOP_S;
use crate::model::{Model, Usual};

/// Windows after which a person's own figures weigh as much as the population's.
const SHRINK: f64 = 30.0;
/// One window counts for no more than so many of the population's spreads.
pub(crate) const CLIP: f64 = 4.0;
/// Once an hour is known, what is usual drifts by no more than one median absolute
/// deviation an hour: 0.6745 spreads in 360 windows.
const KNOWN: f64 = 360.0;
const DRIFT: f64 = 0.6745 / KNOWN;

/// What is usual for a person, learned causally from hours of valid wear.
///
/// Per feature a mean in the population's spreads: clipped, so that no window counts for
/// much; of all windows alike at first and of the last hours later; and shrunk towards the
/// population's while few windows are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    features: Own,
    /// Seconds of valid wear.
    wear_s: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Own(#[serde(with = "crate::fixed")] [Learned; Feature::ALL.len()]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Learned {
    /// Windows behind the mean, as far as they still count.
    windows: f64,
    mean: f64,
}

impl Default for Own {
    fn default() -> Self {
        Self([Learned::default(); Feature::ALL.len()])
    }
}

impl Baseline {
    /// Learns from a window of valid wear.
    pub(crate) fn learn(&mut self, spreads: &FeatureVector, half_life_s: f64) {
        self.wear_s += HOP_S;
        // The mean of so many windows forgets half of what it knew in the half-life.
        #[expect(clippy::cast_precision_loss, reason = "ten seconds")]
        let most = 1.0 / (1.0 - 0.5_f64.powf(HOP_S as f64 / half_life_s));
        for feature in Feature::ALL {
            if let Some(spreads) = spreads.of(feature) {
                self.features.0[feature as usize].take(spreads, most);
            }
        }
    }

    /// Seconds of valid wear that were learned from.
    pub(crate) const fn wear_s(&self) -> i64 {
        self.wear_s
    }

    /// What is usual for the person, in the population's spreads from its middle.
    pub(crate) fn spreads(&self, feature: Feature) -> f64 {
        let own = self.features.0[feature as usize];
        own.mean * own.windows / (own.windows + SHRINK)
    }

    /// What is usual for the person, as features are weighed.
    pub(crate) fn usual(&self, feature: Feature, model: &Model) -> f64 {
        let Usual { usual, scale } = model.population(feature);
        usual + scale * self.spreads(feature)
    }
}

impl Learned {
    fn take(&mut self, spreads: f64, most: f64) {
        self.windows = (self.windows + 1.0).min(most);
        let step = (spreads - self.mean) / self.windows;
        self.mean += if self.windows < KNOWN { step } else { step.clamp(-DRIFT, DRIFT) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_model;

    const HALF_LIFE_S: f64 = 7200.0;

    fn learned(values: impl Iterator<Item = f64>) -> (Baseline, Model) {
        let (mut baseline, model) = (Baseline::default(), default_model());
        for value in values {
            let mut features = FeatureVector::default();
            features.set(Feature::HeartRate, Some(value));
            baseline.learn(&model.spreads(&features), HALF_LIFE_S);
        }
        (baseline, model)
    }

    fn usual((baseline, model): &(Baseline, Model)) -> f64 {
        baseline.usual(Feature::HeartRate, model)
    }

    #[test]
    fn little_is_known_at_first_and_the_person_counts_later() {
        let population = default_model().population(Feature::HeartRate);
        let own = population.usual + population.scale;
        assert_eq!(usual(&learned([].into_iter())), population.usual);
        let few = usual(&learned(std::iter::repeat_n(own, 6)));
        let many = usual(&learned(std::iter::repeat_n(own, 600)));
        assert!(few < population.usual + 0.2 * population.scale);
        assert!(many > population.usual + 0.9 * population.scale);
    }

    #[test]
    fn one_wild_window_moves_little_and_an_hour_of_them_no_more_than_the_cap() {
        let Usual { usual: middle, scale } = default_model().population(Feature::HeartRate);
        let calm = || std::iter::repeat_n(middle, 720);
        let wild = |count| std::iter::repeat_n(middle + 100.0 * scale, count);
        let moved = |count| (usual(&learned(calm().chain(wild(count)))) - middle) / scale;
        assert!(moved(1) < 0.005);
        assert!(moved(360) < 0.6745 && moved(360) > 0.5);
    }
}
