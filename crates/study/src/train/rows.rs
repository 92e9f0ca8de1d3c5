use std::collections::BTreeMap;
use std::sync::Arc;

use detector::{Assessment, Config, Inputs, Model};
use ndarray::{Array1, Array2};

use super::known_from;
use crate::run::{HOP_S, run};
use crate::score::STEP_S;
use crate::sitting::Sitting;

/// An onset counts for more from so many seconds after it,
const ONSET_FROM_S: f64 = 10.0;
/// until so many,
const ONSET_UNTIL_S: f64 = 120.0;
/// by so much: an alarm is to come early in an episode.
const ONSET_MORE: f64 = 2.5;
/// This part of the weight evens out the classes within each minute since the start, so that a
/// timetable is no use.
const MINUTE_SHARE: f64 = 0.25;

/// What a model is given of a recording, hop by hop.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// End of each hop, seconds since 1970.
    pub(super) times: Vec<f64>,
    /// From when on alerts are raised, seconds since 1970.
    pub(super) known_from: f64,
    /// Inputs, and a last column of ones.
    pub(super) x: Array2<f64>,
    pub(super) inside: Vec<bool>,
    /// The weight of each hop's label beside others of its class, above 0 to 1; 1 outside.
    pub(super) trust: Vec<f64>,
    minutes: Vec<i64>,
    fresh: Vec<bool>,
}

impl Rows {
    /// Runs the detector for its inputs.
    pub(super) fn of(sitting: &Sitting, blank: &Arc<Model>) -> Self {
        let counts = |it: &Assessment| !is_dropped(sitting, it.at.as_seconds_f64());
        let hops: Vec<Assessment> = assessed(sitting, blank).filter(counts).collect();
        let times: Vec<f64> = hops.iter().map(|it| it.at.as_seconds_f64()).collect();
        let width = Inputs::names().len() + 1;
        let values = hops.iter().flat_map(|it| it.inputs.values().chain([1.0]));
        let x = Array2::from_shape_vec((hops.len(), width), values.collect())
            .expect("a row is as long as the inputs' names, and the bias");
        Self {
            x,
            inside: times.iter().map(|time| is_inside(sitting, *time)).collect(),
            trust: times.iter().map(|time| weight(sitting, *time).unwrap_or(1.0)).collect(),
            minutes: times.iter().map(|time| minute(sitting, *time)).collect(),
            fresh: times.iter().map(|time| is_fresh(sitting, *time)).collect(),
            known_from: known_from(&hops),
            times,
        }
    }

    /// 1 inside of episodes, -1 outside.
    pub(super) fn target(&self) -> Array1<f64> {
        self.inside.iter().map(|inside| if *inside { 1.0 } else { -1.0 }).collect()
    }

    /// What each hop counts: both classes the same, onsets more, all of them `share`.
    pub(super) fn weights(&self, timetable: Option<&Timetable>, share: f64) -> Array1<f64> {
        let plain = self.even(|_| 1.0);
        let Some(timetable) = timetable else { return plain * share };
        let within_minutes = self.even(|hop| {
            let inside = timetable.0.get(&self.minutes[hop]).copied().unwrap_or(0.5);
            if self.inside[hop] { 1.0 - inside } else { inside }
        });
        (plain * (1.0 - MINUTE_SHARE) + within_minutes * MINUTE_SHARE) * share
    }

    /// Weights made even between the classes; they sum to 1.
    fn even(&self, weight: impl Fn(usize) -> f64) -> Array1<f64> {
        let more = |hop: usize| if self.fresh[hop] { 1.0 + ONSET_MORE } else { 1.0 };
        let weight = |hop: usize| weight(hop) * more(hop) * self.trust[hop];
        let weights: Vec<f64> = (0..self.inside.len()).map(weight).collect();
        let sum = |inside: bool| -> f64 {
            let of_class = weights.iter().zip(&self.inside).filter(|(_, it)| **it == inside);
            of_class.map(|(weight, _)| weight).sum()
        };
        let (inside, outside) = (sum(true).max(1e-12), sum(false).max(1e-12));
        let share = |is_inside: bool| if is_inside { 0.5 / inside } else { 0.5 / outside };
        weights.iter().zip(&self.inside).map(|(weight, inside)| weight * share(*inside)).collect()
    }
}

/// The part of the hops inside an episode, by minute since the start, over several recordings:
/// what weights undo. No model sees it.
pub(super) struct Timetable(BTreeMap<i64, f64>);

impl Timetable {
    pub(super) fn of<'a>(sittings: impl Iterator<Item = &'a Sitting>) -> Self {
        let mut minutes: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for sitting in sittings {
            let (start, end) =
                (sitting.stream.start.as_seconds_f64(), sitting.stream.end.as_seconds_f64());
            let mut time = start;
            while time <= end {
                if !is_dropped(sitting, time) {
                    let (inside, all) = minutes.entry(minute(sitting, time)).or_default();
                    *inside += f64::from(u8::from(is_inside(sitting, time)));
                    *all += 1.0;
                }
                time += HOP_S as f64;
            }
        }
        Self(minutes.into_iter().map(|(minute, (inside, all))| (minute, inside / all)).collect())
    }
}

/// The hops with a verdict.
pub(super) fn assessed(
    sitting: &Sitting,
    model: &Arc<Model>,
) -> impl Iterator<Item = Assessment> + use<> {
    let found = run(&sitting.stream, &Config::default(), model);
    found.assessments.into_iter().filter(|it| it.score.is_some())
}

/// The label of a hop, as it will be scored: that of the middle of its 10 s.
pub(super) fn is_inside(sitting: &Sitting, time: f64) -> bool {
    weight(sitting, time).is_some()
}

/// The weight of the heaviest episode that holds a hop; none outside.
fn weight(sitting: &Sitting, time: f64) -> Option<f64> {
    let holding = sitting.labels.episodes.iter().filter(|it| it.holds(time - STEP_S / 2.0));
    holding.map(|it| it.weight).reduce(f64::max)
}

/// Whether a hop counts as neither inside nor outside.
fn is_dropped(sitting: &Sitting, time: f64) -> bool {
    let within = sitting.labels.dropped.iter().any(|it| it.holds(time - STEP_S / 2.0));
    within && !is_inside(sitting, time)
}

fn is_fresh(sitting: &Sitting, time: f64) -> bool {
    let since = |start: f64| time - STEP_S / 2.0 - start;
    is_inside(sitting, time)
        && sitting
            .labels
            .episodes
            .iter()
            .any(|it| (ONSET_FROM_S..ONSET_UNTIL_S).contains(&since(it.start)))
}

#[expect(clippy::cast_possible_truncation, reason = "minutes of a recording")]
fn minute(sitting: &Sitting, time: f64) -> i64 {
    ((time - sitting.origin.as_seconds_f64()) / 60.0).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_count_alike_and_onsets_more() {
        let rows = Rows {
            times: vec![10.0, 20.0, 30.0, 40.0],
            known_from: 0.0,
            x: Array2::ones((4, 1)),
            inside: vec![false, false, true, true],
            trust: vec![1.0; 4],
            minutes: vec![0, 0, 0, 1],
            fresh: vec![false, false, true, false],
        };
        let weights = rows.weights(None, 1.0);
        assert!((weights[0] + weights[1] - 0.5).abs() < 1e-12);
        assert!((weights[2] / weights[3] - 3.5).abs() < 1e-12);
        let even = rows.weights(Some(&Timetable([(0, 0.25), (1, 1.0)].into())), 1.0);
        assert!((even.sum() - 1.0).abs() < 1e-12);
        assert!(even[3] < weights[3]);
        let doubtful = Rows { trust: vec![1.0, 1.0, 0.5, 1.0], ..rows };
        let weights = doubtful.weights(None, 1.0);
        assert!((weights[2] / weights[3] - 1.75).abs() < 1e-12);
        assert!((weights[2] + weights[3] - 0.5).abs() < 1e-12);
    }
}
