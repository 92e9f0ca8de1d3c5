use std::collections::BTreeMap;

use super::grid::Graded;

/// Width of the smoothing, s.
const WIDTH_S: f64 = 90.0;
/// What is further away weighs less than 1e-31, far below what a sum can tell.
const REACH_S: i64 = 12 * 90;

/// What the timetable alone is worth: the chance of an episode at so many minutes since the
/// start, as all *other* recordings have it. A score for each point.
///
/// Points are counted by the whole second since the start, so that the work grows with the
/// length of the recordings and not with its square.
pub(crate) fn clock(recordings: &[Graded]) -> Vec<Vec<Option<f64>>> {
    let own: Vec<Counts> = recordings.iter().map(counts).collect();
    let mut all = Counts::new();
    for (second, count) in own.iter().flatten() {
        all.entry(*second).or_default().add(*count);
    }
    let weights: Vec<f64> = (0..=REACH_S).map(weight).collect();
    let (alone, nobody) = (recordings.len() == 1, Counts::new());
    let score = |(recording, own): (&Graded, &Counts)| {
        let others = without(&all, if alone { &nobody } else { own });
        let scores: BTreeMap<i64, f64> =
            own.keys().map(|second| (*second, chance(&others, *second, &weights))).collect();
        recording.points.iter().map(|point| scores.get(&second(point.minute)).copied()).collect()
    };
    recordings.iter().zip(&own).map(score).collect()
}

/// How many points there are at a second, and how many of them lie inside an episode.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    inside: u32,
    all: u32,
}

type Counts = BTreeMap<i64, Count>;

impl Count {
    fn add(&mut self, other: Self) {
        self.inside += other.inside;
        self.all += other.all;
    }
}

fn counts(recording: &Graded) -> Counts {
    let mut counts = Counts::new();
    for point in &recording.points {
        let one = Count { inside: u32::from(point.inside), all: 1 };
        counts.entry(second(point.minute)).or_default().add(one);
    }
    counts
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a recording")]
fn second(minute: f64) -> i64 {
    (minute * 60.0).round() as i64
}

/// What is left of all counts when a recording's own are taken away, in the order of time.
fn without(all: &Counts, own: &Counts) -> Vec<(i64, Count)> {
    let left = |(second, count): (&i64, &Count)| {
        let own = own.get(second).copied().unwrap_or_default();
        let left = Count { inside: count.inside - own.inside, all: count.all - own.all };
        (left.all > 0).then_some((*second, left))
    };
    all.iter().filter_map(left).collect()
}

fn weight(seconds: i64) -> f64 {
    (-0.5 * (seconds as f64 / WIDTH_S).powi(2)).exp()
}

/// The smoothed part inside; where nothing is near, next to none.
fn chance(counts: &[(i64, Count)], at: i64, weights: &[f64]) -> f64 {
    let (mut inside, mut all) = (1e-9, 1e-6);
    let first = counts.partition_point(|(second, _)| *second < at - REACH_S);
    for (second, count) in counts[first..].iter().take_while(|it| it.0 <= at + REACH_S) {
        let place = usize::try_from((at - second).abs()).expect("a distance is not negative");
        inside += weights[place] * f64::from(count.inside);
        all += weights[place] * f64::from(count.all);
    }
    inside / all
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::grid::Point;
    use super::*;

    /// A point every 10 s, in an episode for 5 min of every 20.
    fn recordings(count: u32, points: u32) -> Vec<Graded> {
        let point = |recording: u32, place: u32| {
            let seconds = f64::from(place * 10 + recording * 7 % 10);
            let inside = (place + recording * 13) % 120 < 30;
            let (edge, dropped) = (false, false);
            Point { time: seconds, minute: seconds / 60.0, inside, edge, dropped }
        };
        let graded = |recording: u32| Graded {
            recording: recording.to_string(),
            person: recording.to_string(),
            points: (0..points + recording).map(|place| point(recording, place)).collect(),
            scores: Vec::new(),
            levels: None,
            events: Vec::new(),
            known_from: None,
            before: Vec::new(),
        };
        (0..count).map(graded).collect()
    }

    /// The definition: every point of the others, weighed by how far it is.
    fn defined(recordings: &[Graded], index: usize, minute: f64) -> f64 {
        let others = recordings.iter().enumerate().filter(|(place, _)| *place != index);
        let points: Vec<(f64, bool)> = others
            .flat_map(|(_, it)| &it.points)
            .map(|point| {
                let far = (minute - point.minute) / (WIDTH_S / 60.0);
                ((-0.5 * far * far).exp(), point.inside)
            })
            .collect();
        let inside = points.iter().filter(|(_, inside)| *inside).map(|(weight, _)| weight);
        (1e-9 + inside.sum::<f64>()) / (1e-6 + points.iter().map(|it| it.0).sum::<f64>())
    }

    #[test]
    fn counting_by_the_second_comes_to_what_is_defined() {
        let recordings = recordings(5, 300);
        for (index, scores) in clock(&recordings).into_iter().enumerate() {
            assert_eq!(scores.len(), recordings[index].points.len());
            for (point, score) in recordings[index].points.iter().zip(scores) {
                let (score, defined) =
                    (score.expect("known"), defined(&recordings, index, point.minute));
                assert!((score - defined).abs() < 1e-12, "{score} and {defined}");
            }
        }
    }

    /// Every point with every other one would be 18 thousand million steps.
    #[test]
    fn twelve_hours_of_thirty_people_take_seconds() {
        let recordings = recordings(31, 12 * 360);
        let begun = Instant::now();
        assert_eq!(clock(&recordings).len(), 31);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
