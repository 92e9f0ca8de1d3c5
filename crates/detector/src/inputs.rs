use crate::baseline::{Baseline, CLIP};
use crate::features::Feature;
use crate::hops::Hops;

/// How a feature is looked at.
const VIEWS: [&str; 5] = ["level", "own", "short", "medium", "long"];
/// Ages in hops of the last minutes and of those that they are held against: half a minute
/// against 1 to 4 min, a minute against 3 to 6 and against 2 to 10 min before.
const CHANGES: [(usize, (usize, usize)); 3] = [(2, (6, 23)), (5, (18, 35)), (5, (12, 59))];

/// What a model weighs: five views of each feature, in the spreads of the population.
///
/// `.level` is the value against the population's usual one, `.own` against the person's
/// own; `.short`, `.medium` and `.long` are its last half minute, minute and minute against
/// 1 to 4, 3 to 6 and 2 to 10 minutes before. All lie within 4 spreads; what is missing is 0.
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
    pub(crate) fn of(hops: &Hops, baseline: &Baseline) -> Self {
        let views = |feature| {
            let level = hops.newest(feature);
            let own = level.map(|level| level - baseline.spreads(feature));
            let [short, medium, long] =
                CHANGES.map(|(last, before)| change(hops, feature, last, before));
            [level, own, short, medium, long]
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
    use crate::features::FeatureVector;

    #[test]
    fn a_step_shows_in_every_view_and_a_steady_level_in_none_of_the_changes() {
        let mut hops = Hops::default();
        let mut push = |value| {
            let mut hop = FeatureVector::default();
            hop.set(Feature::HeartRate, Some(value));
            hops.push(hop);
            Inputs::of(&hops, &Baseline::default()).values().take(5).collect::<Vec<_>>()
        };
        let steady = (0..60).map(|_| push(0.5)).last();
        assert_eq!(steady, Some(vec![0.5, 0.5, 0.0, 0.0, 0.0]));
        let stepped = (0..6).map(|_| push(2.5)).last();
        assert_eq!(stepped, Some(vec![2.5, 2.5, 2.0, 2.0, 2.0]));
        assert_eq!(push(99.0)[..2], [4.0, 4.0]);
    }

    #[test]
    fn names_stand_where_their_values_do() {
        let names = Inputs::names();
        let place = names.iter().position(|name| name == "scl.own").unwrap();
        assert_eq!(Inputs::feature(place), Feature::Scl);
        assert_eq!(names.len(), 5 * Feature::ALL.len());
    }
}
