use crate::baseline::{Baseline, CLIP};
use crate::features::Feature;
use crate::hops::Hops;
use crate::model::Model;

/// How a feature is looked at.
const VIEWS: [&str; 7] = ["level", "rank", "own", "brief", "short", "medium", "long"];
/// Ages in hops of the last moments and of those that they are held against: 20 s against
/// 0.5 to 2 min before, half a minute against 1 to 4, a minute against 3 to 6 and 6 to 12.
const CHANGES: [(usize, (usize, usize)); 4] =
    [(1, (3, 11)), (2, (6, 23)), (5, (18, 35)), (5, (36, 71))];

/// What a model weighs: seven views of each feature. All lie within 4; what is missing is 0.
///
/// `.level` is the value against the population's usual one in the population's spreads,
/// `.own` against the person's own mean; `.rank` is the part of the person's past below it,
/// from -1.5 to 1.5. `.brief`, `.short`, `.medium` and `.long` are the last 20 s, half minute,
/// minute and minute against 0.5 to 2, 1 to 4, 3 to 6 and 6 to 12 minutes before, in the
/// scatter of the person's own moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs(Vec<[f64; VIEWS.len()]>);

impl Inputs {
    /// The inputs' names, in order: `heart_rate.level`, ..
    #[must_use]
    pub fn names() -> Vec<String> {
        let of = |feature: Feature| VIEWS.map(|view| format!("{}.{view}", feature.name()));
        Feature::ALL.into_iter().flat_map(of).collect()
    }

    /// The inputs, in the order of [`Inputs::names`].
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().copied()
    }

    /// The feature of the input at a place.
    pub(crate) fn feature(place: usize) -> Feature {
        Feature::ALL[place / VIEWS.len()]
    }

    /// The input at a place.
    pub(crate) fn at(&self, place: usize) -> f64 {
        self.0[place / VIEWS.len()][place % VIEWS.len()]
    }

    /// The inputs of the newest hop.
    pub(crate) fn of(hops: &Hops, baseline: &Baseline, model: &Model) -> Self {
        let views = |feature| {
            let level = hops.newest(feature);
            let place = level.map(|level| baseline.place(feature, level));
            let scatter = baseline.scatter(feature, level, model);
            let [brief, short, medium, long] =
                CHANGES.map(|(last, before)| change(hops, feature, last, before));
            let scaled = |change: Option<f64>| change.map(|change| change / scatter);
            [
                level,
                place.map(|place| place.rank),
                place.map(|place| place.off),
                scaled(brief),
                scaled(short),
                scaled(medium),
                scaled(long),
            ]
            .map(|view| view.map_or(0.0, |view| view.clamp(-CLIP, CLIP)))
        };
        Self(Feature::ALL.map(views).to_vec())
    }
}

/// The mean of the last hops against that of earlier ones, of which a third must be there.
fn change(
    hops: &Hops,
    feature: Feature,
    last: usize,
    (from, until): (usize, usize),
) -> Option<f64> {
    let fewest = (until + 1 - from) / 3;
    Some(hops.mean(feature, 0..=last, 1)? - hops.mean(feature, from..=until, fewest)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_model;
    use crate::features::FeatureVector;

    #[test]
    fn a_step_shows_in_every_view_and_a_steady_level_in_none_of_the_changes() {
        let (mut hops, model) = (Hops::default(), default_model());
        let mut push = |value| {
            let mut hop = FeatureVector::default();
            hop.set(Feature::HeartRate, Some(value));
            hops.push(hop);
            let inputs = Inputs::of(&hops, &Baseline::default(), &model);
            inputs.values().take(7).collect::<Vec<_>>()
        };
        let steady = (0..72).map(|_| push(0.5)).last().unwrap();
        assert_eq!(steady[0], 0.5);
        assert!(steady[1] > 0.5 && steady[2] < 0.5, "{steady:?}");
        assert_eq!(steady[3..], [0.0; 4]);
        let stepped = (0..3).map(|_| push(0.9)).last().unwrap();
        assert!(stepped.iter().all(|view| *view > 0.0), "{stepped:?}");
        assert_eq!(push(99.0)[0], 4.0);
    }

    #[test]
    fn names_stand_where_their_values_do() {
        let names = Inputs::names();
        let place = names.iter().position(|name| name == "scl.own").unwrap();
        assert_eq!(Inputs::feature(place), Feature::Scl);
        assert_eq!(names.len(), 7 * Feature::ALL.len());
    }
}
