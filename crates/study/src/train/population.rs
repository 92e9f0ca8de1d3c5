use std::collections::BTreeMap;
use std::sync::Arc;

use detector::{Feature, FeatureVector, Model, Usual};

use super::rows::assessed;
use crate::score::{median, quantile, sorted};
use crate::sitting::Sitting;

/// What was measured in a recording, whatever any model says: features as they are weighed.
#[derive(Clone, Debug)]
pub(super) struct Measured(Vec<FeatureVector>);

impl Measured {
    pub(super) fn of(sitting: &Sitting, blank: &Arc<Model>) -> Self {
        Self(assessed(sitting, blank).map(|it| it.features.weighed()).collect())
    }

    fn values(&self, name: &str) -> impl Iterator<Item = f64> {
        self.0.iter().filter_map(move |hop| hop.get(name))
    }
}

/// What is usual for each feature: the median, half the range that holds the middle 68 % as the
/// spread, and how much of it is within a person (the median of their standard deviations).
pub(super) fn population(measured: &[&Measured]) -> BTreeMap<String, Usual> {
    let usual = |feature: Feature| {
        let name = feature.name();
        let all = sorted(measured.iter().flat_map(|it| it.values(name)));
        let at = |part| quantile(&all, part).unwrap_or_default();
        let spread = (at(0.84) - at(0.16)) / 2.0;
        let scale = if spread > 1e-9 { spread } else { 1.0 };
        let own = measured.iter().filter_map(|it| deviation(it.values(name)));
        let within = median(own).map_or(1.0, |deviation| deviation / scale);
        let within = if within > 1e-6 { within } else { 1.0 };
        (name.to_owned(), Usual { usual: at(0.5), scale, within })
    };
    Feature::ALL.map(usual).into()
}

/// As if nothing were known: every feature as it is.
pub(super) fn unknown() -> BTreeMap<String, Usual> {
    let plain = Usual { usual: 0.0, scale: 1.0, within: 1.0 };
    Feature::ALL.map(|feature| (feature.name().to_owned(), plain)).into()
}

/// Standard deviation (of the values as they are, divided by their number); none of none.
fn deviation(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / count;
    (!values.is_empty()).then(|| square.sqrt())
}
