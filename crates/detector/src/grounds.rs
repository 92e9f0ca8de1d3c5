use crate::baseline::{Baseline, OwnFigures};
use crate::features::{Feature, FeatureVector};
use crate::hops::Hops;
use crate::model::Model;
use crate::views::Changes;

/// What the inputs of one feature are made of, so that they can be checked by hand.
///
/// All but `usual` is in the population's spreads from the population's middle, within 4, as
/// [`Inputs`](crate::Inputs)' `.level` is.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// The feature.
    pub feature: Feature,
    /// What is usual for the person, in the feature's unit; while little of the person is
    /// known, close to the population's.
    pub usual: f64,
    /// The person's own past; none where the window lacks the feature.
    pub own: Option<OwnFigures>,
    /// The scatter that changes are measured in: the person's own, with the population's.
    pub scatter: f64,
    /// For `.brief`, `.short`, `.medium` and `.long`: the means of the last moments and of
    /// those before.
    pub changes: [Option<(f64, f64)>; 4],
}

/// What the inputs of a hop are made of that ends now, after those before it.
pub(crate) fn grounds(
    features: &FeatureVector,
    before: &Hops,
    baseline: &Baseline,
    model: &Model,
) -> Vec<Ground> {
    let newest = model.spreads(features);
    let changes = Changes::of(&newest, before);
    let ground = |feature: Feature| {
        let level = newest.of(feature);
        let place = level.map(|level| baseline.place(feature, level));
        Ground {
            feature,
            usual: feature.plain(baseline.usual(feature, model)),
            own: level.map(|level| baseline.own(feature, level)),
            scatter: baseline.scatter(feature, place, model),
            changes: changes.means(feature),
        }
    };
    Feature::ALL.into_iter().map(ground).collect()
}
