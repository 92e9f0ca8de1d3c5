use std::collections::BTreeMap;

use serde::Serialize;

use super::contender::Contender;
use super::plain::{Active, Plain};
use crate::score::{
    AlertFigures, Effort, EventFigures, Interval, Summary, alert_figures, at_own_thresholds, auroc,
    pooled, roc, summary,
};

/// A line of the table, with all that stands behind it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// Recordings cut in their rests, reordered, and judged anew; none where only scores are known.
    pub(crate) auroc_shuffled: Option<f64>,
    /// The same for each order.
    pub(crate) auroc_shuffled_by_order: Vec<Option<f64>>,
    /// On windows that are stiller than half of the recording.
    pub(crate) auroc_still: Option<f64>,
    /// Of the false alarms within each budget, those while the wrist moved most.
    pub(crate) false_alarms_while_active: BTreeMap<String, Active>,
    /// Thresholds chosen on other people within a budget, and what they came to here.
    pub(crate) carried_over: BTreeMap<String, EventFigures>,
    /// The alerts that the product would raise, by its rules of hold, end and pause, and at
    /// thresholds that no scored person led to, unless the model had learned from them; none
    /// where only scores are known.
    pub(crate) alerts: Option<AlertFigures>,
    /// False and true positive rates.
    #[serde(skip)]
    pub(crate) roc: Vec<(f64, f64)>,
}

impl Row {
    pub(super) fn of(contender: &Contender, plain: Option<&Plain>, effort: &Effort) -> Self {
        let orders: Vec<Option<f64>> =
            contender.shuffled.iter().map(|graded| auroc(&pooled(graded))).collect();
        let known: Vec<f64> = orders.iter().flatten().copied().collect();
        let carried = |(budget, thresholds): (&String, &Vec<f64>)| {
            (budget.clone(), at_own_thresholds(&contender.graded, thresholds, effort))
        };
        let summary = summary(&contender.graded, effort);
        let active = |(budget, it): (&String, &EventFigures)| {
            Some((budget.clone(), plain?.active(&contender.graded, it.threshold?)))
        };
        Self {
            name: contender.name.clone(),
            false_alarms_while_active: summary.events_at.iter().filter_map(active).collect(),
            summary,
            auroc_shuffled: (!known.is_empty())
                .then(|| known.iter().sum::<f64>() / known.len() as f64),
            auroc_shuffled_by_order: orders,
            auroc_still: plain.and_then(|plain| auroc(&pooled(&plain.still(&contender.graded)))),
            carried_over: contender.carried_over.iter().map(carried).collect(),
            alerts: contender
                .alerting
                .as_ref()
                .and_then(|thresholds| alert_figures(&contender.graded, thresholds, effort)),
            roc: roc(&pooled(&contender.graded)),
        }
    }
}

/// What was evaluated, and how.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) protocol: Protocol,
    /// The detector first, then what it is held against.
    pub(crate) rows: Vec<Row>,
    /// Words about what could not be done.
    pub(crate) remarks: Vec<String>,
}

/// How the scores came to be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Protocol {
    pub(crate) detector: String,
    /// What scores are held against.
    pub(crate) label: &'static str,
    pub(crate) scored_by: String,
    pub(crate) crop_seed: Option<u64>,
    pub(crate) shuffled_orders: u64,
    pub(crate) surrogates: u64,
    pub(crate) bootstrap_draws: usize,
    pub(crate) people: usize,
    pub(crate) recordings: usize,
    pub(crate) missing_recordings: Vec<String>,
}

/// An interval in words.
pub(crate) fn interval(of: Option<Interval>) -> String {
    of.map(|[low, high]| format!("{low:.3} to {high:.3}")).unwrap_or_default()
}
