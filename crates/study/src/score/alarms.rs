//! When alarms begin, and what they find.

use super::grid::{Graded, Point};

/// After an alarm none for so long, s.
const REFRACTORY_S: f64 = 600.0;

/// Where on the grid alarms begin: the score rises to the threshold from below. A gap does not
/// count as below.
pub(crate) fn alarms(graded: &Graded, scores: &[Option<f64>], threshold: f64) -> Vec<usize> {
    let mut begun: Vec<usize> = Vec::new();
    let mut above = false;
    for (index, score) in scores.iter().enumerate() {
        let Some(score) = score else { continue };
        let rises = *score >= threshold && !above;
        above = *score >= threshold;
        let since = |last: &usize| graded.points[index].time - graded.points[*last].time;
        if rises && begun.last().is_none_or(|last| since(last) >= REFRACTORY_S) {
            begun.push(index);
        }
    }
    begun
}

/// When alarms begin that are false.
pub(crate) fn false_alarms(graded: &Graded, scores: &[Option<f64>], threshold: f64) -> Vec<f64> {
    let begun = alarms(graded, scores, threshold).into_iter().map(|index| graded.points[index]);
    begun.filter(is_outside).map(|point| point.time).collect()
}

fn is_outside(point: &Point) -> bool {
    !point.inside && !point.dropped
}

/// What the alarms of a recording came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Alarms outside of episodes.
    pub(crate) false_alarms: usize,
    /// For each event, how long after its start the first alarm in it began, s; none = missed.
    pub(crate) latencies: Vec<Option<f64>>,
}

impl Tally {
    pub(crate) fn of(graded: &Graded, scores: &[Option<f64>], threshold: f64) -> Self {
        Self::of_begun(graded, &alarms(graded, scores, threshold))
    }

    /// Of alarms that began at these places of the grid.
    pub(crate) fn of_begun(graded: &Graded, begun: &[usize]) -> Self {
        let at = |index: &usize| graded.points[*index];
        let false_alarms = begun.iter().map(at).filter(is_outside).count();
        let first_in = |start: f64, end: f64| {
            let times = begun.iter().map(|index| at(index).time);
            times.filter(|time| start <= *time && *time <= end).reduce(f64::min)
        };
        let latencies = graded
            .events
            .iter()
            .map(|event| first_in(event.start, event.end).map(|time| time - event.start))
            .collect();
        Self { false_alarms, latencies }
    }

    /// How many events were found.
    pub(crate) fn hits(&self) -> usize {
        self.latencies.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episodes::{Episode, Labels};
    use crate::scores::{Hop, Scores};

    fn graded(scores: &[Option<f64>]) -> Graded {
        let hops = scores
            .iter()
            .zip(0..)
            .map(|(score, index)| Hop { time: f64::from(index) * 10.0, score: *score, level: None })
            .collect();
        let episodes = vec![Episode::new("x", 100.0, 200.0)];
        let labels = Labels { episodes, ..Labels::default() };
        let scores = Scores { hops, has_level: false };
        Graded::of("A", &labels, &scores, None).expect("there are rows")
    }

    #[test]
    fn an_alarm_begins_once_and_a_gap_is_not_below() {
        let mut scores = vec![Some(0.0); 100];
        scores[2] = Some(1.0);
        scores[3] = None;
        scores[4] = Some(1.0);
        scores[20] = Some(1.0);
        scores[70] = Some(1.0);
        let graded = graded(&scores);
        assert_eq!(alarms(&graded, &scores, 0.5), [2, 70]);
    }

    #[test]
    fn alarms_inside_are_hits_and_outside_are_false() {
        let mut scores = vec![Some(0.0); 100];
        scores[12] = Some(1.0);
        scores[90] = Some(1.0);
        let tally = Tally::of(&graded(&scores), &scores, 0.5);
        assert_eq!(tally, Tally { false_alarms: 1, latencies: vec![Some(20.0)] });
        assert_eq!(tally.hits(), 1);
    }
}
