use detector::batch::ScoredHop;

use crate::episodes::{Episode, Labels};
use crate::scores::{Hop, Scores};

/// Verdicts are compared on a grid of so many seconds.
pub(crate) const STEP_S: f64 = 10.0;
/// What follows an onset so closely is left out of guarded figures, s,
const AFTER_ONSET_S: f64 = 60.0;
/// and what follows an end, s.
const AFTER_END_S: f64 = 90.0;
const NEAR: f64 = 1e-6;

/// One point of the grid: the verdict of the last 10 s and the label of their middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Seconds since 1970 UTC.
    pub(crate) time: f64,
    /// Minutes since the recording began: no model sees it.
    pub(crate) minute: f64,
    /// Inside an episode.
    pub(crate) inside: bool,
    /// Close to where the label changes.
    pub(crate) edge: bool,
    /// In a stretch that counts as neither inside nor outside.
    pub(crate) dropped: bool,
}

/// A recording's verdicts on the grid.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Graded {
    pub(crate) recording: String,
    pub(crate) person: String,
    pub(crate) points: Vec<Point>,
    /// A score for each point; none where there is no verdict.
    pub(crate) scores: Vec<Option<f64>>,
    /// An alarm state for each point, where the detector said one at all.
    pub(crate) levels: Option<Vec<Option<f64>>>,
    /// From when on the person is known and alerts are raised, seconds since 1970 UTC: for ever
    /// later where that never came. None where the detector does not say.
    pub(crate) known_from: Option<f64>,
    /// What was scored before the first point, where the person was known from before: their
    /// thresholds moved with it.
    pub(crate) before: Vec<ScoredHop>,
    /// Episodes of which at least half lies in the graded span.
    pub(crate) events: Vec<Episode>,
}

impl Graded {
    /// Lays a recording's scores on the grid. `start` is its uncropped start, where known.
    /// None where there is no row.
    pub(crate) fn of(
        recording: &str,
        labels: &Labels,
        scores: &Scores,
        start: Option<f64>,
    ) -> Option<Graded> {
        let (first, last) = (scores.hops.first()?.time, scores.hops.last()?.time);
        let origin = start.unwrap_or(first);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = ((last - first + NEAR) / STEP_S).ceil().max(1.0) as u32;
        let times: Vec<f64> = (0..count).map(|it| first + f64::from(it) * STEP_S).collect();
        let points = times.iter().map(|time| point(*time, origin, labels)).collect();
        let hops: Vec<Option<&Hop>> = times.iter().map(|time| fresh(&scores.hops, *time)).collect();
        let of = |part: fn(&Hop) -> Option<f64>| hops.iter().map(|it| it.and_then(part)).collect();
        let end = times[times.len() - 1];
        let mostly_seen =
            |it: &&Episode| it.end.min(end) - it.start.max(first) >= (it.end - it.start) / 2.0;
        Some(Self {
            recording: recording.to_owned(),
            person: labels.person.clone().unwrap_or_else(|| recording.to_owned()),
            points,
            scores: of(|hop| hop.score),
            levels: scores.has_level.then(|| of(|hop| hop.level)),
            known_from: None,
            before: Vec::new(),
            events: labels.episodes.iter().filter(mostly_seen).cloned().collect(),
        })
    }

    /// The same recording under other scores.
    pub(crate) fn with_scores(&self, scores: Vec<Option<f64>>) -> Self {
        Self { scores, levels: None, ..self.clone() }
    }

    /// The same, with alerts from a moment on.
    pub(crate) fn known_from(self, time: f64) -> Self {
        Self { known_from: Some(time), ..self }
    }

    /// The same, after what was scored before.
    pub(crate) fn after(self, before: Vec<ScoredHop>) -> Self {
        Self { before, ..self }
    }

    /// Points that count, with their scores.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = (&Point, f64)> {
        self.points
            .iter()
            .zip(&self.scores)
            .filter(|(point, _)| !point.dropped)
            .filter_map(|(point, score)| Some((point, (*score)?)))
    }

    /// Whether alerts are raised at a point.
    pub(crate) fn is_known_at(&self, point: &Point) -> bool {
        self.known_from.is_some_and(|from| point.time >= from - NEAR)
    }

    /// Points that count and at which alerts are raised.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Point> {
        self.verdicts().map(|(point, _)| point).filter(|point| self.is_known_at(point))
    }

    /// Hours outside of episodes with a verdict, in which alerts are raised.
    pub(crate) fn known_calm_hours(&self) -> f64 {
        self.known().filter(|point| !point.inside).count() as f64 * STEP_S / 3600.0
    }

    /// Hours outside of episodes with a verdict.
    pub(crate) fn calm_hours(&self) -> f64 {
        let calm = self.verdicts().filter(|(point, _)| !point.inside).count();
        calm as f64 * STEP_S / 3600.0
    }
}

fn point(time: f64, origin: f64, labels: &Labels) -> Point {
    let middle = time - STEP_S / 2.0;
    let within = |of: &[Episode]| of.iter().any(|it| it.holds(middle));
    let edge = |it: &Episode| {
        (it.start <= middle && middle < it.start + AFTER_ONSET_S)
            || (it.end < middle && middle <= it.end + AFTER_END_S)
    };
    let inside = within(&labels.episodes);
    Point {
        time,
        minute: (time - origin) / 60.0,
        inside,
        edge: labels.episodes.iter().chain(&labels.dropped).any(edge),
        dropped: !inside && within(&labels.dropped),
    }
}

/// The latest row of the 10 s that end at a moment.
fn fresh(hops: &[Hop], time: f64) -> Option<&Hop> {
    let after = hops.partition_point(|hop| hop.time <= time + NEAR);
    let hop = &hops[after.checked_sub(1)?];
    (time - hop.time < STEP_S - NEAR).then_some(hop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_gaps_and_dropped_tasks_stand_where_they_belong() {
        let hops = (0..=1201)
            .map(|half| f64::from(half) / 2.0)
            .filter(|time| *time >= 30.0)
            .map(|time| Hop {
                time,
                score: (!(100.0..150.0).contains(&time)).then_some(1.0),
                level: None,
            })
            .collect();
        let labels = Labels {
            person: None,
            episodes: vec![Episode::new("x", 200.0, 300.0)],
            dropped: vec![Episode::new("z", 400.0, 450.0)],
        };
        let graded = Graded::of("A", &labels, &Scores { hops, has_level: false }, None)
            .expect("there are rows");
        let count = |part: fn(&Point) -> bool| graded.points.iter().filter(|it| part(it)).count();
        assert_eq!(count(|it| it.inside), 10);
        assert_eq!(count(|it| it.dropped), 5);
        assert_eq!(graded.scores.iter().filter(|it| it.is_none()).count(), 5);
        assert_eq!((graded.points.len(), graded.events.len()), (58, 1));
    }
}
