use std::collections::BTreeMap;

use detector::Usual;

use super::rows::Measured;
use crate::features;
use crate::score::median;

/// From a median absolute deviation to a standard deviation, for a normal distribution.
const TO_SD: f64 = 1.4826;

/// What is usual for each feature, as it is weighed, outside of episodes: the median, and the spread as 1.4826
/// median absolute deviations or the mean absolute deviation, whichever is more.
pub(super) fn population<'a>(
    measured: impl Iterator<Item = &'a Measured> + Clone,
) -> BTreeMap<String, Usual> {
    let usual = |name: &str| {
        let calm = measured.clone().flat_map(|it| &it.hops).filter(|hop| !hop.inside);
        let values: Vec<f64> = calm.filter_map(|hop| hop.weighed.get(name)).collect();
        let middle = median(values.iter().copied()).unwrap_or_default();
        let off = || values.iter().map(|value| (value - middle).abs());
        let mean = off().sum::<f64>() / values.len().max(1) as f64;
        let scale = (TO_SD * median(off()).unwrap_or_default()).max(mean);
        (name.to_owned(), Usual { usual: middle, scale: if scale > 0.0 { scale } else { 1.0 } })
    };
    features::names().into_iter().map(usual).collect()
}

/// As if nothing were known: every feature as it is.
pub(super) fn unknown() -> BTreeMap<String, Usual> {
    features::names()
        .into_iter()
        .map(|name| (name.to_owned(), Usual { usual: 0.0, scale: 1.0 }))
        .collect()
}
