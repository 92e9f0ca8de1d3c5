use crate::baseline::Baseline;
use crate::features::Feature;
use crate::hops::Hops;
use crate::inputs::Inputs;
use crate::model::Model;
use crate::usual::CLIP;

/// Ages in hops of the last moments and of those that they are held against: 20 s against
/// 0.5 to 2 min before, half a minute against 1 to 4, a minute against 3 to 6 and 6 to 12.
const CHANGES: [(usize, (usize, usize)); 4] =
    [(1, (3, 11)), (2, (6, 23)), (5, (18, 35)), (5, (36, 71))];

/// The inputs of the newest hop.
pub(crate) fn views(hops: &Hops, baseline: &Baseline, model: &Model) -> Inputs {
    let of = |feature| {
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
    Inputs(Feature::ALL.map(of).to_vec())
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
            let inputs = views(&hops, &Baseline::default(), &model);
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
}
