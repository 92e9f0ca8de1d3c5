//! Comparators that learn nothing: a single feature, the timetable, past incidents, chance.

use std::sync::Arc;

use detector::Config;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::Serialize;

use super::contender::Contender;
use crate::parallel;
use crate::run::run;
use crate::score::{Graded, clock, false_alarms, quantile, sorted};
use crate::scores::{Hop, Scores};
use crate::sitting::Sitting;

/// The feature that tells how much the wrist moves.
const ACTIVITY: &str = "activity";
/// A single feature as a score.
const SINGLE: [(&str, &str); 2] =
    [("heart-rate threshold", "heart_rate"), ("SCR rate alone", "scr_rate")];
/// How far back past incidents are counted, s.
const PAST_S: f64 = 1800.0;

/// False alarms, and how many of them came while the wrist moved most.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Active {
    pub(crate) all: usize,
    pub(crate) while_active: usize,
}

/// Every recording's features as scores, measured once: a list for each feature.
pub(super) struct Plain {
    singles: Vec<Contender>,
    activity: Vec<Graded>,
}

impl Plain {
    pub(super) fn of(sittings: &[Sitting], shuffles: u64) -> Self {
        let in_order = measure(sittings);
        let shuffled: Vec<Vec<Vec<Graded>>> = (0..shuffles)
            .map(|seed| {
                let anew: Vec<Sitting> = sittings.iter().map(|it| it.shuffled(seed)).collect();
                measure(&anew)
            })
            .collect();
        let contender = |(place, (name, _)): (usize, &(&str, &str))| {
            let orders = shuffled.iter().map(|order| order[place].clone()).collect();
            Contender::new(name, in_order[place].clone(), orders)
        };
        let singles = SINGLE.iter().enumerate().map(contender).collect();
        Self { singles, activity: in_order[SINGLE.len()].clone() }
    }

    /// The comparators, those without signals on the windows of a detector.
    pub(super) fn contenders(&self, detector: &Contender) -> Vec<Contender> {
        let mut all = self.singles.clone();
        all.extend(knowing_no_signal(detector));
        all
    }

    /// The part of a detector's verdicts for which the wrist moved less than it did half of
    /// the time.
    pub(super) fn still(&self, graded: &[Graded]) -> Vec<Graded> {
        graded.iter().filter_map(|it| self.still_part(it)).collect()
    }

    fn still_part(&self, graded: &Graded) -> Option<Graded> {
        let activity = self.activity_of(graded)?;
        let middle = part_of(activity, 0.5)?;
        let still = |time: f64| at(activity, time).is_some_and(|it| it < middle);
        let scores = graded.points.iter().zip(&graded.scores);
        let scores = scores.map(|(point, score)| score.filter(|_| still(point.time)));
        Some(graded.with_scores(scores.collect()))
    }

    /// The false alarms at a threshold, and those of them in the fifth of the time in which
    /// each wrist moved most.
    pub(super) fn active(&self, graded: &[Graded], threshold: f64) -> Active {
        let mut found = Active::default();
        for it in graded {
            let Some(activity) = self.activity_of(it) else { continue };
            let most = part_of(activity, 0.8).unwrap_or(f64::INFINITY);
            for time in false_alarms(it, &it.scores, threshold) {
                found.all += 1;
                found.while_active += usize::from(at(activity, time).is_some_and(|g| g >= most));
            }
        }
        found
    }

    fn activity_of(&self, graded: &Graded) -> Option<&Graded> {
        self.activity.iter().find(|it| it.recording == graded.recording)
    }
}

/// The value that a part of a recording's activities lies below.
fn part_of(activity: &Graded, part: f64) -> Option<f64> {
    quantile(&sorted(activity.scores.iter().flatten().copied()), part)
}

fn at(activity: &Graded, time: f64) -> Option<f64> {
    let place = activity.points.partition_point(|point| point.time < time - 1e-6);
    activity.scores.get(place).copied().flatten()
}

/// For each single feature, and activity last, all recordings with the feature as their score.
fn measure(sittings: &[Sitting]) -> Vec<Vec<Graded>> {
    let model = Arc::new(detector::default_model());
    let names = SINGLE.map(|(_, feature)| feature).into_iter().chain([ACTIVITY]);
    let names: Vec<&str> = names.collect();
    let measured = parallel::each("measuring", sittings, |sitting| {
        let found = run(&sitting.stream, &Config::default(), &model);
        let graded = names.iter().filter_map(|name| {
            let hop =
                |it: &detector::Assessment| Hop { score: it.features.get(name), ..Hop::of(it) };
            let hops = found.assessments.iter().map(hop).collect();
            let scores = Scores { hops, has_level: false };
            let origin = sitting.origin.as_seconds_f64();
            Graded::of(&sitting.name, &sitting.labels, &scores, Some(origin))
        });
        graded.collect::<Vec<_>>()
    });
    (0..names.len())
        .map(|place| measured.iter().filter_map(|it| it.get(place).cloned()).collect())
        .collect()
}

/// What can be said without any signal, on the same windows: by the clock, by past incidents,
/// by nothing.
pub(super) fn knowing_no_signal(detector: &Contender) -> Vec<Contender> {
    let told = |name: &str, say: fn(&[Graded]) -> Vec<Vec<Option<f64>>>| {
        let on = |graded: &Vec<Graded>| same_windows(graded, say(graded));
        Contender::new(name, on(&detector.graded), detector.shuffled.iter().map(on).collect())
    };
    vec![
        told("the clock", clock),
        told("moving-average rate", |graded| graded.iter().map(past_rate).collect()),
        told("chance", noise),
    ]
}

fn same_windows(graded: &[Graded], scores: Vec<Vec<Option<f64>>>) -> Vec<Graded> {
    let of = |(it, scores): (&Graded, Vec<Option<f64>>)| {
        let seen = it.scores.iter().zip(scores).map(|(seen, score)| seen.and(score));
        it.with_scores(seen.collect())
    };
    graded.iter().zip(scores).map(of).collect()
}

/// The part of the last half hour that lay in episodes which are over, as if each had been
/// logged when it ended.
fn past_rate(graded: &Graded) -> Vec<Option<f64>> {
    let at = |time: f64| {
        let over = graded.events.iter().filter(|event| event.end <= time);
        let within = |start: f64, end: f64| (end - start.max(time - PAST_S)).max(0.0);
        over.map(|event| within(event.start, event.end)).sum::<f64>() / PAST_S
    };
    graded.points.iter().map(|point| Some(at(point.time))).collect()
}

fn noise(graded: &[Graded]) -> Vec<Vec<Option<f64>>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut one = |it: &Graded| it.points.iter().map(|_| Some(random.random())).collect();
    graded.iter().map(&mut one).collect()
}
