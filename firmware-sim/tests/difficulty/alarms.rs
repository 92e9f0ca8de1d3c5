//! Alarms at the operating point, and how many of the false ones effort raised.

use std::fmt;

use super::count;
use crate::day::{Day, HOPS_PER_HOUR, Hop, Phase};

/// False alarms an hour that are allowed.
const BUDGET: f64 = 0.5;
/// Time constant of the score's smoothing, hops.
const SMOOTHING: f64 = 1.5;
/// An alarm ends below this share of the threshold,
const OFF: f64 = 0.7;
/// and another one may begin so long after its beginning, s.
const REFRACTORY_S: i64 = 600;
/// An alarm so long before an onset, s, warns of it.
const WARNING_S: i64 = 600;
/// Thresholds that are tried.
const GRID: usize = 200;

/// What a watch over some people came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    calm_hops: usize,
    false_alarms: usize,
    /// Those of them in the fifth of the time in which each person moved most.
    while_active: usize,
    incidents: usize,
    warned: usize,
}

impl Watch {
    /// Each person under a threshold of their own: the one down to which the budget is kept.
    pub(crate) fn of(days: &[Day], scores: &[Vec<f64>]) -> Self {
        let mut all = Self::default();
        for (day, scores) in days.iter().zip(scores) {
            let one = Self::within_budget(day, &smooth(scores));
            all.calm_hops += one.calm_hops;
            all.false_alarms += one.false_alarms;
            all.while_active += one.while_active;
            all.incidents += one.incidents;
            all.warned += one.warned;
        }
        all
    }

    /// The share of the false alarms that fell into the most active fifth of the time.
    pub(crate) fn in_active_fifth(&self) -> f64 {
        count(self.while_active) / count(self.false_alarms.max(1))
    }

    fn within_budget(day: &Day, scores: &[f64]) -> Self {
        let mut thresholds = scores.to_vec();
        thresholds.sort_by(f64::total_cmp);
        // Scores above the median, more of them towards the top.
        let place =
            |step: usize| thresholds.len() * (GRID * GRID - step * step) / (2 * GRID * GRID);
        let within = (0..GRID).rev().map(|step| thresholds[thresholds.len() - 1 - place(step)]);
        std::iter::once(f64::INFINITY)
            .chain(within)
            .map(|threshold| Self::at(threshold, day, scores))
            .take_while(|watch| watch.false_per_h() <= BUDGET)
            .last()
            .expect("no score reaches an infinite threshold")
    }

    fn at(threshold: f64, day: &Day, scores: &[f64]) -> Self {
        let active = most_active_from(day);
        let raised = alarms(day, scores, threshold);
        let warns = |hop: &Hop, onset: i64| (1..=WARNING_S).contains(&(onset - hop.at_s));
        let is_false = |hop: &&&Hop| {
            hop.phase != Phase::After && !day.onsets.iter().any(|onset| warns(hop, *onset))
        };
        let wrong: Vec<&&Hop> = raised.iter().filter(is_false).collect();
        let told = |onset: &&i64| raised.iter().any(|hop| warns(hop, **onset));
        Self {
            calm_hops: day.hops.iter().filter(|hop| hop.phase != Phase::After).count(),
            false_alarms: wrong.len(),
            while_active: wrong.iter().filter(|hop| hop.activity >= active).count(),
            incidents: day.onsets.len(),
            warned: day.onsets.iter().filter(told).count(),
        }
    }

    fn false_per_h(&self) -> f64 {
        count(self.false_alarms) / (count(self.calm_hops.max(1)) / HOPS_PER_HOUR)
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} false alarms/h, {} of {} ({:.0} %) in the most active fifth; {} of {} incidents \
             warned of",
            self.false_per_h(),
            self.while_active,
            self.false_alarms,
            100.0 * self.in_active_fifth(),
            self.warned,
            self.incidents
        )
    }
}

/// The hops at which alarms begin.
fn alarms<'a>(day: &'a Day, scores: &[f64], threshold: f64) -> Vec<&'a Hop> {
    let mut raised: Vec<&Hop> = Vec::new();
    let mut on = false;
    for (hop, score) in day.hops.iter().zip(scores) {
        let rested = raised.last().is_none_or(|last| hop.at_s - last.at_s >= REFRACTORY_S);
        if !on && *score >= threshold && rested {
            raised.push(hop);
            on = true;
        } else if *score < OFF * threshold {
            on = false;
        }
    }
    raised
}

fn smooth(scores: &[f64]) -> Vec<f64> {
    let keep = (-1.0 / SMOOTHING).exp();
    let follow = |now: &mut Option<f64>, score: &f64| {
        *now = Some(now.map_or(*score, |now| keep * now + (1.0 - keep) * score));
        *now
    };
    scores.iter().scan(None, follow).collect()
}

/// The activity that a person exceeds in a fifth of the time.
fn most_active_from(day: &Day) -> f64 {
    let mut activities: Vec<f64> = day.hops.iter().map(|hop| hop.activity).collect();
    activities.sort_by(f64::total_cmp);
    activities.get(activities.len() * 4 / 5).copied().unwrap_or(f64::INFINITY)
}
