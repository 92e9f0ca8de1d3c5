use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::alarms::{Tally, alarms};
use super::chance;
use super::early::Early;
use super::effort::{Effort, Interval};
use super::grid::Graded;
use super::rank::{quantile, sorted};
use super::sweep::{Sweep, thresholds};

/// False alarms an hour that are allowed: one a shift of 8 h, one in two hours, one, two.
pub(crate) const BUDGETS: [f64; 4] = [0.125, 0.5, 1.0, 2.0];

/// What alarms at one threshold come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct EventFigures {
    /// None where no threshold finds anything.
    pub(crate) threshold: Option<f64>,
    /// Part of the events in which an alarm began.
    pub(crate) sensitivity: f64,
    pub(crate) sensitivity_ci95: Option<Interval>,
    /// Mean sensitivity of turned scores within the same budget; of the detector's own alerts,
    /// that of as many alerts at other times.
    pub(crate) chance: Option<f64>,
    /// Mean sensitivity of turned scores at the same threshold: the sterner of the two.
    pub(crate) chance_same_threshold: Option<f64>,
    /// How often chance finds as much.
    pub(crate) p: Option<f64>,
    /// False alarms an hour outside of episodes.
    pub(crate) fa_per_h: f64,
    /// From an event's start to the first alarm in it, s.
    pub(crate) median_latency_s: Option<f64>,
    pub(crate) latencies_s: Vec<f64>,
    /// `found/all` by label.
    pub(crate) by_task: BTreeMap<String, String>,
    /// Part of the time with a verdict that the score is at or above the threshold.
    pub(crate) time_in_alarm: f64,
    /// Alarms before onsets.
    pub(crate) early: Early,
}

/// The best threshold for each budget, and what it comes to.
pub(crate) fn at_budgets(recordings: &[Graded], effort: &Effort) -> BTreeMap<String, EventFigures> {
    let pooled = recordings.iter().flat_map(|it| it.verdicts().map(|(_, score)| score));
    let thresholds = thresholds(pooled);
    let largest = BUDGETS[BUDGETS.len() - 1];
    let scores: Vec<_> = recordings.iter().map(|it| it.scores.clone()).collect();
    let real = Sweep::of(recordings, &scores, &thresholds, largest);
    let turned: Vec<Sweep> = (0..effort.surrogates)
        .into_par_iter()
        .map(|index| {
            let scores = chance::turned(recordings, effort.seed, index);
            Sweep::of(recordings, &scores, &thresholds, largest)
        })
        .collect();
    let events = events(recordings) as f64;
    let at = |budget: f64| {
        let found: Vec<f64> = turned
            .iter()
            .map(|sweep| sweep.best(budget).map_or(0.0, |(_, hits)| hits as f64) / events)
            .collect();
        let threshold = real.best(budget).map(|(place, _)| thresholds[place]);
        let mut figures = threshold.map_or_else(EventFigures::default, |threshold| {
            at_threshold(recordings, threshold, effort)
        });
        figures.chance = (!found.is_empty()).then(|| mean(&found));
        figures.p = (!found.is_empty()).then(|| {
            let as_good = found.iter().filter(|it| **it >= figures.sensitivity - 1e-9).count();
            (1 + as_good) as f64 / (1 + found.len()) as f64
        });
        figures
    };
    BUDGETS.into_iter().map(|budget| (budget.to_string(), at(budget))).collect()
}

/// What a threshold that is given comes to.
pub(crate) fn at_threshold(recordings: &[Graded], threshold: f64, effort: &Effort) -> EventFigures {
    let figures = at_thresholds(recordings, effort, |_| threshold);
    EventFigures { threshold: Some(threshold), ..figures }
}

/// What thresholds of their own for each recording come to.
pub(crate) fn at_own_thresholds(
    recordings: &[Graded],
    thresholds: &[f64],
    effort: &Effort,
) -> EventFigures {
    at_thresholds(recordings, effort, |place| thresholds[place])
}

fn at_thresholds(
    recordings: &[Graded],
    effort: &Effort,
    threshold: impl Fn(usize) -> f64 + Sync,
) -> EventFigures {
    let begin = |(place, it): (usize, &Graded)| alarms(it, &it.scores, threshold(place));
    let begun: Vec<Vec<usize>> = recordings.iter().enumerate().map(begin).collect();
    let hours = recordings.iter().map(Graded::calm_hours).sum();
    let events = events(recordings).max(1) as f64;
    let chances: Vec<f64> = (0..effort.surrogates)
        .into_par_iter()
        .map(|index| {
            let turned = chance::turned(recordings, effort.seed ^ 0x5eed, index);
            let found = recordings.iter().zip(&turned).enumerate().map(|(place, (it, scores))| {
                chance::hits(
                    std::slice::from_ref(it),
                    std::slice::from_ref(scores),
                    threshold(place),
                )
            });
            found.sum::<usize>() as f64 / events
        })
        .collect();
    EventFigures {
        chance_same_threshold: (!chances.is_empty()).then(|| mean(&chances)),
        time_in_alarm: time_in_alarm(recordings, &threshold),
        ..of_begun(recordings, &begun, hours, effort)
    }
}

/// What alarms come to that began at these places of each recording's grid, in so many hours
/// outside of episodes; without what rests on thresholds or chance.
pub(super) fn of_begun(
    recordings: &[Graded],
    begun: &[Vec<usize>],
    hours: f64,
    effort: &Effort,
) -> EventFigures {
    let tallies: Vec<Tally> =
        recordings.iter().zip(begun).map(|(it, begun)| Tally::of_begun(it, begun)).collect();
    let events = events(recordings).max(1) as f64;
    let hits: usize = tallies.iter().map(Tally::hits).sum();
    let false_alarms: usize = tallies.iter().map(|it| it.false_alarms).sum();
    let latencies = sorted(tallies.iter().flat_map(|it| it.latencies.iter().flatten().copied()));
    EventFigures {
        sensitivity: hits as f64 / events,
        sensitivity_ci95: effort.interval(recordings, |drawn| {
            let found: usize = drawn.iter().map(|place| tallies[*place].hits()).sum();
            let all: usize = drawn.iter().map(|place| recordings[*place].events.len()).sum();
            Some(found as f64 / all.max(1) as f64)
        }),
        fa_per_h: false_alarms as f64 / hours,
        median_latency_s: quantile(&latencies, 0.5),
        latencies_s: latencies,
        by_task: by_task(recordings, &tallies),
        early: Early::of(recordings, begun),
        ..EventFigures::default()
    }
}

fn by_task(recordings: &[Graded], tallies: &[Tally]) -> BTreeMap<String, String> {
    let mut tasks: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (recording, tally) in recordings.iter().zip(tallies) {
        for (event, latency) in recording.events.iter().zip(&tally.latencies) {
            let (found, all) = tasks.entry(event.label.clone()).or_default();
            *found += usize::from(latency.is_some());
            *all += 1;
        }
    }
    tasks.into_iter().map(|(task, (found, all))| (task, format!("{found}/{all}"))).collect()
}

fn time_in_alarm(recordings: &[Graded], threshold: impl Fn(usize) -> f64) -> f64 {
    let (mut above, mut all) = (0_usize, 0_usize);
    for (place, recording) in recordings.iter().enumerate() {
        for (_, score) in recording.verdicts() {
            above += usize::from(score >= threshold(place));
            all += 1;
        }
    }
    above as f64 / all.max(1) as f64
}

/// How many events there are to find.
pub(crate) fn events(recordings: &[Graded]) -> usize {
    recordings.iter().map(|it| it.events.len()).sum()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
