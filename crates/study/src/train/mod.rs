//! From labelled recordings to a model.

mod card;
mod class;
mod command;
mod elastic;
mod logistic;
mod personal;
mod population;
mod recipe;
mod rows;

use std::sync::Arc;

use detector::{Config, Model, Thresholds};

use crate::run::run;
use crate::score::{Graded, best_threshold};
use crate::scores::{Hop, Scores};
use crate::sitting::Sitting;

pub(crate) use class::{Class, Lesson};
pub(crate) use command::{TrainArgs, execute};
pub(crate) use recipe::Recipe;

/// While a model is being made, no score is an alarm.
pub(crate) const NO_ALARM: Thresholds = Thresholds { rising: 2.0, high: 2.0 };
/// False alarms an hour from which the two levels' thresholds are taken.
const RISING_BUDGET: f64 = 0.5;
const HIGH_BUDGET: f64 = 0.125;

/// Thresholds for the two levels, from scores of people whom the model had not seen.
pub(crate) fn thresholds(unseen: &[Graded]) -> Thresholds {
    let at = |budget| best_threshold(unseen, budget).unwrap_or(1.0);
    let rising = at(RISING_BUDGET);
    Thresholds { rising, high: at(HIGH_BUDGET).max(rising) }
}

/// Runs the whole detector with a model over a recording, and grades it.
pub(crate) fn grade(sitting: &Sitting, model: &Arc<Model>) -> Option<Graded> {
    let found = run(&sitting.stream, &Config::default(), model);
    let hops = found.assessments.iter().map(Hop::of).collect();
    let scores = Scores { hops, has_level: true };
    let origin = sitting.origin.as_seconds_f64();
    let mut labels = sitting.labels.clone();
    labels.person = Some(sitting.person.clone());
    Graded::of(&sitting.name, &labels, &scores, Some(origin))
}
