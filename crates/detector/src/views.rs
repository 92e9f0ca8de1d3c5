use crate::baseline::Baseline;
use crate::features::{Feature, FeatureVector};
use crate::hops::{Hops, Sums};
use crate::inputs::Inputs;
use crate::model::Model;
use crate::usual::CLIP;

/// Ages in hops of the last moments and of those that they are held against: 20 s against
/// 0.5 to 2 min before, half a minute against 1 to 4, a minute against 3 to 6 and 6 to 12.
const CHANGES: [(usize, (usize, usize)); 4] =
    [(1, (3, 11)), (2, (6, 23)), (5, (18, 35)), (5, (36, 71))];

/// The means of the last moments, and of those that they are held against, for each change, with
/// how many of the latter must be there.
pub(crate) struct Changes([(Sums, Sums, u8); CHANGES.len()]);

impl Changes {
    /// Of a hop that ends now, in the population's spreads, after those before it.
    pub(crate) fn of(newest: &FeatureVector, before: &Hops) -> Self {
        let now = Sums::default().with(newest);
        // One hop later, those before it are older by one.
        Self(CHANGES.map(|(last, (from, until))| {
            let last = before.sums(0..=last - 1).and(&now);
            let third = u8::try_from((until + 1 - from) / 3).unwrap_or(u8::MAX);
            (last, before.sums(from - 1..=until - 1), third)
        }))
    }

    /// The mean of the last moments and of those before, where enough of them are there.
    pub(crate) fn means(&self, feature: Feature) -> [Option<(f64, f64)>; CHANGES.len()] {
        let means = |(last, before, third): &(Sums, Sums, u8)| {
            Some((last.mean(feature, 1)?, before.mean(feature, *third)?))
        };
        self.0.each_ref().map(means)
    }
}

/// The inputs of a hop that ends now, in the population's spreads, after those before it.
pub(crate) fn views(
    newest: &FeatureVector,
    before: &Hops,
    baseline: &Baseline,
    model: &Model,
) -> Inputs {
    let changes = Changes::of(newest, before);
    let of = |feature| {
        let level = newest.of(feature);
        let place = level.map(|level| baseline.place(feature, level));
        let per_scatter = 1.0 / baseline.scatter(feature, place, model);
        let change = |(last, before)| (last - before) * per_scatter;
        let [brief, short, medium, long] = changes.means(feature).map(|means| means.map(change));
        let (rank, own) = (place.map(|place| place.rank), place.map(|place| place.off));
        [level, rank, own, brief, short, medium, long]
            .map(|view| view.map_or(0.0, |view| view.clamp(-CLIP, CLIP)))
    };
    Inputs(Feature::ALL.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_model;

    #[test]
    fn a_step_shows_in_every_view_and_a_steady_level_in_none_of_the_changes() {
        let (mut hops, model) = (Hops::default(), default_model());
        let mut push = |value| {
            let mut hop = FeatureVector::default();
            hop.set(Feature::HeartRate, Some(value));
            let inputs = views(&hop, &hops, &Baseline::default(), &model);
            hops.push(&hop);
            inputs.values().take(7).collect::<Vec<_>>()
        };
        let steady = (0..72).map(|_| push(0.5)).last().unwrap();
        assert_eq!(steady[0], 0.5);
        assert!(steady[1] > 0.5 && steady[2] < 0.5, "{steady:?}");
        assert_eq!(steady[3..], [0.0; 4]);
        let stepped = (0..3).map(|_| push(0.9)).last().unwrap();
        assert!(stepped.iter().all(|view| *view > 0.0), "{stepped:?}");
        assert_eq!(push(4.5)[0], 4.0);
    }
}
