use std::collections::BTreeMap;

use serde::Serialize;

use super::balance::time_balanced;
use super::calibration::{Bin, bins, brier, ece};
use super::clock::clock;
use super::effort::{Effort, Interval};
use super::events::{EventFigures, at_budgets, at_threshold, events};
use super::grid::Graded;
use super::rank::{Window, auprc, auroc, median, quantile, ranks, sorted};

/// Every figure of one detector. The names in JSON are those of the independent scorer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) recordings: usize,
    pub(crate) windows: usize,
    pub(crate) prevalence: f64,
    pub(crate) events: usize,
    pub(crate) non_episode_hours: f64,
    pub(crate) no_verdict_pct: f64,
    pub(crate) auroc: Option<f64>,
    pub(crate) auroc_ci95: Option<Interval>,
    pub(crate) auprc: Option<f64>,
    pub(crate) auroc_no_verdict_as_lowest: Option<f64>,
    pub(crate) auroc_person_median: Option<f64>,
    pub(crate) auroc_person_median_ci95: Option<Interval>,
    pub(crate) auroc_person_range: Option<Interval>,
    pub(crate) auroc_by_person: BTreeMap<String, Option<f64>>,
    pub(crate) auroc_person_normalised: Option<f64>,
    pub(crate) auroc_person_normalised_ci95: Option<Interval>,
    pub(crate) auroc_clock_same_windows: Option<f64>,
    pub(crate) auroc_time_balanced: Option<f64>,
    pub(crate) auroc_time_balanced_guarded: Option<f64>,
    pub(crate) auroc_time_balanced_guarded_ci95: Option<Interval>,
    /// None where the score is no probability.
    pub(crate) brier: Option<f64>,
    pub(crate) ece: Option<f64>,
    pub(crate) reliability: Option<Vec<Bin>>,
    /// By budget of false alarms an hour.
    pub(crate) events_at: BTreeMap<String, EventFigures>,
    /// The detector's own alarm state, where it says one.
    pub(crate) own_level: Option<EventFigures>,
}

/// Any level above calm.
const OWN_LEVEL: f64 = 1e-9;

/// Computes every figure of some graded recordings.
pub(crate) fn summary(recordings: &[Graded], effort: &Effort) -> Summary {
    let own: Vec<Vec<Window>> = recordings.iter().map(windows).collect();
    let all: Vec<Window> = own.concat();
    let kept: usize = recordings.iter().map(kept).sum();
    let by_person = by_person(recordings);
    let people = sorted(by_person.values().copied().flatten());
    let normalised: Vec<Vec<Window>> = own.iter().map(|it| normalised(it)).collect();
    let reliability = bins(&all);
    let pick = |from: &[Vec<Window>], drawn: &[usize]| -> Vec<Window> {
        drawn.iter().flat_map(|place| from[*place].iter().copied()).collect()
    };
    Summary {
        recordings: recordings.len(),
        windows: all.len(),
        prevalence: all.iter().filter(|it| it.0).count() as f64 / all.len().max(1) as f64,
        events: events(recordings),
        non_episode_hours: recordings.iter().map(Graded::calm_hours).sum(),
        no_verdict_pct: 100.0 * (1.0 - all.len() as f64 / kept.max(1) as f64),
        auroc: auroc(&all),
        auroc_ci95: effort.interval(recordings, |drawn| auroc(&pick(&own, drawn))),
        auprc: auprc(&all),
        auroc_no_verdict_as_lowest: auroc(&none_as_lowest(recordings)),
        auroc_person_median: quantile(&people, 0.5),
        auroc_person_median_ci95: effort.interval(recordings, |drawn| {
            median(people_drawn(recordings, drawn).filter_map(|it| auroc(&pick(&own, it))))
        }),
        auroc_person_range: people.first().zip(people.last()).map(|(low, high)| [*low, *high]),
        auroc_by_person: by_person,
        auroc_person_normalised: auroc(&normalised.concat()),
        auroc_person_normalised_ci95: effort
            .interval(recordings, |drawn| auroc(&pick(&normalised, drawn))),
        auroc_clock_same_windows: clock_auroc(recordings),
        auroc_time_balanced: time_balanced(recordings.iter().flat_map(Graded::verdicts), false),
        auroc_time_balanced_guarded: time_balanced(
            recordings.iter().flat_map(Graded::verdicts),
            true,
        ),
        auroc_time_balanced_guarded_ci95: effort.interval(recordings, |drawn| {
            time_balanced(drawn.iter().flat_map(|place| recordings[*place].verdicts()), true)
        }),
        brier: reliability.as_ref().map(|_| brier(&all)),
        ece: reliability.as_ref().map(|bins| ece(bins)),
        reliability,
        events_at: at_budgets(recordings, effort),
        own_level: own_level(recordings, effort),
    }
}

/// What was drawn, person by person, as many of each as there are sessions: a person who was
/// drawn twice counts as two.
fn people_drawn<'a>(
    recordings: &[Graded],
    mut drawn: &'a [usize],
) -> impl Iterator<Item = &'a [usize]> {
    std::iter::from_fn(move || {
        let person = &recordings[*drawn.first()?].person;
        let sessions = recordings.iter().filter(|it| it.person == *person).count();
        let of_one;
        (of_one, drawn) = drawn.split_at(sessions.min(drawn.len()));
        Some(of_one)
    })
}

/// Windows with a verdict, of all recordings together.
pub(crate) fn pooled(recordings: &[Graded]) -> Vec<Window> {
    recordings.iter().flat_map(windows).collect()
}

fn windows(recording: &Graded) -> Vec<Window> {
    recording.verdicts().map(|(point, score)| (point.inside, score, 1.0)).collect()
}

/// Windows that ought to have a verdict.
fn kept(recording: &Graded) -> usize {
    recording.points.iter().filter(|point| !point.dropped).count()
}

fn by_person(recordings: &[Graded]) -> BTreeMap<String, Option<f64>> {
    let mut people: BTreeMap<String, Vec<Window>> = BTreeMap::new();
    for recording in recordings {
        people.entry(recording.person.clone()).or_default().extend(windows(recording));
    }
    people.into_iter().map(|(person, windows)| (person, auroc(&windows))).collect()
}

/// Each score as its rank within its own recording.
fn normalised(windows: &[Window]) -> Vec<Window> {
    let scores: Vec<f64> = windows.iter().map(|it| it.1).collect();
    let count = windows.len().max(1) as f64;
    windows.iter().zip(ranks(&scores)).map(|(it, rank)| (it.0, rank / count, it.2)).collect()
}

fn none_as_lowest(recordings: &[Graded]) -> Vec<Window> {
    let of = |it: &Graded| -> Vec<Window> {
        let points = it.points.iter().zip(&it.scores).filter(|(point, _)| !point.dropped);
        points.map(|(at, score)| (at.inside, score.unwrap_or(f64::NEG_INFINITY), 1.0)).collect()
    };
    recordings.iter().flat_map(of).collect()
}

/// The clock on the windows that have a verdict.
fn clock_auroc(recordings: &[Graded]) -> Option<f64> {
    let mut windows = Vec::new();
    for (recording, clock) in recordings.iter().zip(clock(recordings)) {
        let points = recording.points.iter().zip(&recording.scores).zip(clock);
        windows.extend(points.filter_map(|((point, score), clock)| {
            (score.is_some() && !point.dropped).then_some((point.inside, clock?, 1.0))
        }));
    }
    auroc(&windows)
}

fn own_level(recordings: &[Graded], effort: &Effort) -> Option<EventFigures> {
    let levels: Vec<Graded> = recordings
        .iter()
        .map(|it| it.levels.clone().map(|levels| it.with_scores(levels)))
        .collect::<Option<_>>()?;
    Some(at_threshold(&levels, OWN_LEVEL, effort))
}
