//! How good scores are: the evaluation protocol's definitions, apart from where scores come from.
//!
//! The rules are those of an independent scorer, and a test holds the two against each other.

#[cfg(test)]
mod agreement;
mod alarms;
mod alerts;
mod balance;
mod bootstrap;
mod budget;
mod calibration;
mod chance;
mod clock;
mod early;
mod effort;
mod events;
mod grid;
mod rank;
#[cfg(test)]
mod self_test;
mod summary;
mod sweep;

pub(crate) use alarms::false_alarms;
pub(crate) use alerts::{AlertFigures, alert_figures};
pub(crate) use budget::{NEVER, keeping, keeping_or_never};
pub(crate) use clock::clock;
pub(crate) use effort::{Effort, Interval};
pub(crate) use events::{BUDGETS, EventFigures, at_own_thresholds};
pub(crate) use grid::{Graded, STEP_S};
pub(crate) use rank::{auroc, median, quantile, roc, sorted};
pub(crate) use summary::{Summary, pooled, summary};
pub(crate) use sweep::best_threshold;
