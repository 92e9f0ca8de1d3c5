use crate::baseline::Baseline;
use crate::features::Feature;
use crate::hops::Hops;
use crate::model::Model;

/// What a model weighs of each feature.
pub(crate) const VIEWS: [&str; 3] = ["z", "minute", "minutes3"];
const CLIP: f64 = 5.0;
/// The minutes that the last ones are held against, in hops before the newest.
const BEFORE: std::ops::RangeInclusive<usize> = 30..=60;
const MIN_BEFORE: u32 = 12;
const LAST: std::ops::RangeInclusive<usize> = 0..=12;

/// What a model weighs: each feature against the person's usual (`.z`), and its last minute
/// (`.minute`) and last three minutes (`.minutes3`) against the five to ten minutes before.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs(Vec<[f64; VIEWS.len()]>);

impl Inputs {
    /// The inputs' names, in order.
    #[must_use]
    pub fn names() -> Vec<String> {
        let of = |feature: Feature| VIEWS.map(|view| format!("{}.{view}", feature.name()));
        Feature::ALL.into_iter().flat_map(of).collect()
    }

    /// The inputs, in the order of [`Inputs::names`]; 0 where there is nothing to say.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().copied()
    }

    /// The inputs of the newest hop.
    pub(crate) fn of(hops: &Hops, baseline: &Baseline, model: &Model) -> Self {
        let views = |feature| {
            let Some(value) = hops.newest(feature) else { return [0.0; VIEWS.len()] };
            let (usual, scale) = (baseline.usual(feature, model), model.population(feature).scale);
            let against = |value: f64, other: f64| ((value - other) / scale).clamp(-CLIP, CLIP);
            let z = against(value, usual);
            match hops.mean(feature, BEFORE) {
                (before, count) if count >= MIN_BEFORE => {
                    [z, against(value, before), against(hops.mean(feature, LAST).0, before)]
                }
                _ => [z, 0.0, 0.0],
            }
        };
        Self(Feature::ALL.map(views).to_vec())
    }
}
