//! The best threshold within a budget of false alarms.

use super::alarms::Tally;
use super::grid::Graded;
use super::rank::{quantile, sorted};

/// Thresholds to try, from the highest down: fine at the top, where few alarms are.
pub(crate) fn thresholds(scores: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let sorted = sorted(scores);
    let (first, last) = (5e-4_f64.log10(), 0.1_f64.log10());
    let fine = (0..50).map(|step| match step {
        0 => 5e-4,
        49 => 0.1,
        _ => 10_f64.powf(first + f64::from(step) * ((last - first) / 49.0)),
    });
    let coarse = (0..=60).map(|step| 0.9 + f64::from(step) * (-0.9 / 60.0));
    let parts = fine.map(|top| 1.0 - top).chain(coarse.map(|part| part.max(0.0)));
    let mut thresholds: Vec<f64> = parts.filter_map(|part| quantile(&sorted, part)).collect();
    thresholds.sort_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    thresholds
}

/// What each threshold comes to, from the highest down.
pub(crate) struct Sweep {
    /// For each threshold that was tried: false alarms and hits over all recordings.
    steps: Vec<(usize, usize)>,
    hours: f64,
}

impl Sweep {
    /// Goes down until the largest budget (false alarms an hour) is broken.
    pub(crate) fn of(
        recordings: &[Graded],
        scores: &[Vec<Option<f64>>],
        thresholds: &[f64],
        largest_budget: f64,
    ) -> Self {
        let hours = calm_hours(recordings, scores);
        let mut steps = Vec::new();
        for threshold in thresholds {
            let (mut false_alarms, mut hits) = (0, 0);
            for (recording, scores) in recordings.iter().zip(scores) {
                let tally = Tally::of(recording, scores, *threshold);
                false_alarms += tally.false_alarms;
                hits += tally.hits();
            }
            steps.push((false_alarms, hits));
            if false_alarms as f64 > largest_budget * hours {
                break;
            }
        }
        Self { steps, hours }
    }

    /// The place of the threshold that finds most before the budget is first broken, the
    /// highest of several; none where nothing is found. And how many it finds.
    pub(crate) fn best(&self, budget: f64) -> Option<(usize, usize)> {
        let within =
            self.steps.iter().take_while(|(alarms, _)| *alarms as f64 <= budget * self.hours);
        let mut best = None;
        for (place, (_, hits)) in within.enumerate() {
            if *hits > best.map_or(0, |(_, most)| most) {
                best = Some((place, *hits));
            }
        }
        best
    }
}

/// The threshold that finds most within a budget of false alarms an hour; none finds nothing.
pub(crate) fn best_threshold(recordings: &[Graded], budget: f64) -> Option<f64> {
    let scores: Vec<_> = recordings.iter().map(|it| it.scores.clone()).collect();
    let thresholds =
        thresholds(recordings.iter().flat_map(|it| it.verdicts().map(|(_, score)| score)));
    let (place, _) = Sweep::of(recordings, &scores, &thresholds, budget).best(budget)?;
    Some(thresholds[place])
}

/// Hours outside of episodes with a verdict.
fn calm_hours(recordings: &[Graded], scores: &[Vec<Option<f64>>]) -> f64 {
    let calm = |(recording, scores): (&Graded, &Vec<Option<f64>>)| {
        let points = recording.points.iter().zip(scores);
        points.filter(|(it, score)| score.is_some() && !it.inside && !it.dropped).count()
    };
    let points: usize = recordings.iter().zip(scores).map(calm).sum();
    points as f64 * super::STEP_S / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_highest_before_the_first_breach() {
        let sweep = Sweep { steps: vec![(0, 0), (1, 2), (1, 2), (3, 5), (2, 6)], hours: 2.0 };
        assert_eq!(sweep.best(0.5), Some((1, 2)));
        assert_eq!(sweep.best(2.0), Some((4, 6)));
        assert_eq!(sweep.best(0.0), None);
    }

    #[test]
    fn thresholds_come_from_the_top_and_once_each() {
        let found = thresholds([0.0, 0.5, 1.0, 1.0]);
        assert!(found.windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!((found.first(), found.last()), (Some(&1.0), Some(&0.0)));
    }
}
