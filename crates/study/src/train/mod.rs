//! From labelled recordings to a model.

mod card;
mod class;
mod command;
mod elastic;
mod logistic;
mod matched;
mod personal;
mod population;
mod recipe;
mod rows;

use std::sync::Arc;

use detector::batch::ScoredHop;
use detector::{Assessment, Config, Model, Thresholds};

use crate::run::run;
use crate::score::{Graded, NEVER, keeping, keeping_or_never};
use crate::scores::{Hop, Scores};
use crate::sitting::Sitting;

pub(crate) use class::{Class, Judged, Lesson};
pub(crate) use command::{TrainArgs, execute};
use matched::matched;
pub(crate) use recipe::Recipe;

/// While a model is being made, no score is an alarm.
pub(crate) const NO_ALARM: Thresholds = Thresholds { rising: NEVER, high: NEVER };

/// Thresholds for the two levels, from scores of people whom the model had not seen: those whose
/// alerts keep the product's budgets, on average over each recording as it is and cropped. A
/// budget of one alert in eight hours is a handful in all; over the crops it is four times that.
pub(crate) fn thresholds(unseen: &Judged) -> anyhow::Result<Thresholds> {
    keeping(&unseen.all(), &Config::default())
}

/// The same, where a level that nothing keeps within its budget is never reached.
pub(crate) fn thresholds_or_never(unseen: &Judged) -> Thresholds {
    keeping_or_never(&unseen.all(), &Config::default())
}

/// Runs the whole detector with a model over a recording, and grades it.
pub(crate) fn grade(sitting: &Sitting, model: &Arc<Model>) -> Option<Graded> {
    let found = run(&sitting.heard(), &Config::default(), model);
    let begun = found.assessments.partition_point(|it| it.at <= sitting.stream.start);
    let (before, assessments) = found.assessments.split_at(begun);
    let before =
        before.iter().map(|it| ScoredHop { at: it.at, score: it.score, learning: !it.personal });
    let known_from = known_from(assessments);
    let hops = assessments.iter().map(Hop::of).collect();
    let scores = Scores { hops, has_level: true };
    let origin = sitting.origin.as_seconds_f64();
    let mut labels = sitting.labels.clone();
    labels.person = Some(sitting.person.clone());
    let graded = Graded::of(&sitting.name, &labels, &scores, Some(origin))?;
    Some(graded.known_from(known_from).after(before.collect()))
}

/// From when on a person is known well enough for alerts, seconds since 1970: for ever later
/// where that does not come.
fn known_from(assessments: &[Assessment]) -> f64 {
    let first = assessments.iter().find(|it| it.personal);
    first.map_or(f64::INFINITY, |it| it.at.as_seconds_f64())
}
