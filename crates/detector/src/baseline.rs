use serde::{Deserialize, Serialize};

use crate::features::{Feature, FeatureVector};
use crate::hops::HOP_S;
use crate::model::Model;
use crate::usual::Usual;

/// Windows after which a person's own figures weigh as much as the population's.
const SHRINK: f64 = 30.0;
/// Once an hour is known, what is usual drifts by no more than one median absolute
/// deviation an hour: 0.6745 spreads in 360 windows.
const KNOWN: f64 = 360.0;
const DRIFT: f64 = 0.6745 / KNOWN;

/// What is known of a person at other times counts for so many windows at first.
const START: f64 = 60.0;

/// A person's past is kept in bins of a quarter of a spread from -3 to 3, and beyond.
const BINS: usize = 26;
const BIN: f64 = 0.25;
/// What lies so little above an edge lies on it, in bins.
const ROUNDING: f64 = 1e-9;
/// Windows after which a person's own scatter weighs as much as the population's.
const SCATTER_SHRINK: f64 = 60.0;

/// What is usual for a person, learned causally from hours of valid wear.
///
/// Per feature, in the population's spreads: a mean, the scatter around it, and how often
/// what was seen. All windows count alike at first and the last hours later; while few are
/// known, the population's figures stand in. Means and squares rather than medians and absolute
/// deviations, since a rank that is asked beside them is robust by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    features: Own,
    /// Seconds of valid wear.
    wear_s: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Own(#[serde(with = "crate::fixed")] [Learned; Feature::ALL.len()]);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Learned {
    /// Windows behind the figures, as far as they still count.
    windows: f64,
    mean: f64,
    /// Mean squared distance from the mean.
    scatter: f64,
    /// Windows up to each bin, itself included, as far as they still count: how many lie on
    /// either side of a value is asked more often than another is added.
    #[serde(with = "crate::fixed")]
    until: [f64; BINS],
}

/// What a person's past says of a feature, the window in question not among it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnFigures {
    /// Windows that taught it, as far as they still count.
    pub windows: f64,
    /// Their mean.
    pub mean: f64,
    /// The mean of their squared `.own`, each as it was at its time.
    pub squared: f64,
    /// Windows in the bins of a quarter of a spread below that of the value.
    pub below: f64,
    /// Windows in the bin of the value.
    pub alike: f64,
    /// Windows in all bins.
    pub all: f64,
}

/// A value against the person's past, itself included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// Distance from the mean.
    pub(crate) off: f64,
    /// The part of the past below it, from -1.5 to 1.5.
    pub(crate) rank: f64,
}

/// Windows of the past around a value, as far as they still count.
struct Past {
    below: f64,
    /// In the value's own bin.
    alike: f64,
    all: f64,
}

impl Default for Own {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Learned::default()))
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

    /// What is learned from here on, where this was learned at other times.
    pub(crate) fn start(&self) -> Self {
        let mut features = self.features.clone();
        features.0.iter_mut().for_each(Learned::start);
        Self { features, wear_s: 0 }
    }

    /// Lets changes be measured by no less than another one's scatter.
    pub(crate) fn widen(&mut self, other: &Self) {
        for (own, other) in self.features.0.iter_mut().zip(&other.features.0) {
            own.scatter = own.scatter.max(other.scatter);
        }
    }

    /// Seconds of valid wear that were learned from.
    pub(crate) const fn wear_s(&self) -> i64 {
        self.wear_s
    }

    /// Where a value stands, given in the population's spreads.
    pub(crate) fn place(&self, feature: Feature, value: f64) -> Place {
        self.features.0[feature as usize].place(value)
    }

    /// How far the person's own moments lie apart, in the population's spreads, with the
    /// newest one where there is one.
    pub(crate) fn scatter(&self, feature: Feature, newest: Option<Place>, model: &Model) -> f64 {
        let own = &self.features.0[feature as usize];
        let off = newest.map_or(0.0, |place| place.off);
        let known = own.windows + if newest.is_some() { 1.0 } else { 0.0 };
        let within = model.population(feature).within;
        let sum = SCATTER_SHRINK * within * within + own.windows * own.scatter + off * off;
        (sum / (SCATTER_SHRINK + known)).sqrt()
    }

    /// The person's own figures for a feature, and what of the past lies around a value.
    pub(crate) fn own(&self, feature: Feature, value: f64) -> OwnFigures {
        let Learned { windows, mean, scatter, .. } = self.features.0[feature as usize];
        let Past { below, alike, all } = self.features.0[feature as usize].past(value);
        OwnFigures { windows, mean, squared: scatter, below, alike, all }
    }

    /// What is usual for the person, as features are weighed.
    pub(crate) fn usual(&self, feature: Feature, model: &Model) -> f64 {
        let Usual { usual, scale, .. } = model.population(feature);
        usual + scale * self.features.0[feature as usize].shrunk()
    }
}

impl Learned {
    fn take(&mut self, value: f64, most: f64) {
        let off = self.off(value);
        self.windows = (self.windows + 1.0).min(most);
        self.scatter += (off * off - self.scatter) / self.windows;
        let step = (value - self.mean) / self.windows;
        let known = self.windows >= KNOWN.min(most);
        self.mean += if known { step.clamp(-DRIFT, DRIFT) } else { step };
        let total = self.until[BINS - 1];
        if total + 1.0 > most {
            let keep = (most - 1.0) / total;
            self.until.iter_mut().for_each(|count| *count *= keep);
        }
        self.until[bin(value)..].iter_mut().for_each(|count| *count += 1.0);
    }

    /// Counts for no more than so many windows.
    fn start(&mut self) {
        self.windows = self.windows.min(START);
        let keep = (START / self.until[BINS - 1]).min(1.0);
        self.until.iter_mut().for_each(|count| *count *= keep);
    }

    fn shrunk(&self) -> f64 {
        self.mean * self.windows / (self.windows + SHRINK)
    }

    fn place(&self, value: f64) -> Place {
        let Past { below, alike, all } = self.past(value);
        let (here, total) = (alike + 1.0, all + 1.0);
        let part = (below + here / 2.0 + SHRINK * normal_below(value)) / (total + SHRINK);
        Place { off: self.off(value), rank: 3.0 * (part - 0.5) }
    }

    fn past(&self, value: f64) -> Past {
        let own = bin(value);
        let below = own.checked_sub(1).map_or(0.0, |before| self.until[before]);
        Past { below, alike: self.until[own] - below, all: self.until[BINS - 1] }
    }

    fn off(&self, value: f64) -> f64 {
        value - (self.mean * self.windows + value) / (self.windows + 1.0 + SHRINK)
    }
}

/// The bin of a value: how many of the edges lie below it. What lies on an edge, as the middle
/// of the population does, stays below it however its last digits were rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a value within 4 spreads"
)]
fn bin(value: f64) -> usize {
    let edges = (value + 3.0) / BIN - ROUNDING;
    let whole = edges as usize;
    (whole + usize::from(edges > whole as f64)).min(BINS - 1)
}

/// The part of a normal distribution below a value (West G (2005) Better approximations to
/// cumulative normal functions. Wilmott Magazine: 70-76), to 1e-7 after Hastings.
fn normal_below(value: f64) -> f64 {
    const POLYNOMIAL: [f64; 5] =
        [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let t = 1.0 / (1.0 + 0.231_641_9 * value.abs());
    let sum = POLYNOMIAL.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    let above = (-0.5 * value * value).exp() / std::f64::consts::TAU.sqrt() * sum;
    if value > 0.0 { 1.0 - above } else { above }
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
        let Usual { usual: middle, scale, .. } = default_model().population(Feature::HeartRate);
        let calm = || std::iter::repeat_n(middle, 720);
        let wild = |count| std::iter::repeat_n(middle + 100.0 * scale, count);
        let moved = |count| (usual(&learned(calm().chain(wild(count)))) - middle) / scale;
        assert!(moved(1) < 0.005);
        assert!(moved(360) < 0.6745 && moved(360) > 0.5);
    }

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (value, below) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895)] {
            assert!((normal_below(value) - below).abs() < 1e-7, "{value}");
        }
    }

    #[test]
    fn a_rank_is_the_populations_at_first_and_the_persons_own_later() {
        let mut own = Learned::default();
        assert!((own.place(1.0).rank - 3.0 * 0.341).abs() < 0.05);
        (0..1000_u32).for_each(|at| own.take(2.0 + f64::from(at % 100) / 100.0, 1040.0));
        assert!(own.place(1.0).rank < -1.3 && own.place(3.5).rank > 1.4);
        assert!(own.place(2.5).rank.abs() < 0.3 && (own.place(2.5).off).abs() < 0.2);
        let total = own.until[BINS - 1];
        (0..5000_u32).for_each(|_| own.take(0.0, 1040.0));
        assert!(total <= 1000.0 && own.until[BINS - 1] <= 1040.0 + 1e-6);
        assert!(own.place(1.0).rank > 1.0, "the past is forgotten");
    }
}
