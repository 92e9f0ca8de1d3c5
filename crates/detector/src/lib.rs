//! From readings to assessments and alerts.
//!
//! Pure and deterministic: `push` readings and `tick` in, assessments and alert transitions out.
//! What this crate refuses to know: the clock, files, sockets, names. The same readings between
//! the same ticks give the same bytes, live, replayed, or in another process.

pub mod batch;

mod alarm;
mod alert;
mod assessment;
mod baseline;
mod beats;
mod budget;
mod came;
mod config;
mod detector;
mod exertion;
mod features;
mod filter;
mod fixed;
#[cfg(test)]
mod golden;
mod grounds;
mod hops;
mod inbox;
mod inputs;
mod model;
mod person;
mod pipeline;
mod reasons;
mod samples;
mod second;
mod stream;
mod sum;
mod teaching;
mod terms;
mod usual;
mod views;
mod words;

pub use alert::{Alert, AlertTransition};
pub use assessment::{Assessment, Cause, Level, Output, Reason};
pub use baseline::OwnFigures;
pub use beats::{BeatClass, classify, find_peaks, find_peaks_msptd};
pub use config::{Config, ConfigError};
pub use detector::{Detector, RestoreError};
pub use features::{Feature, FeatureVector, Signal, lf_hf, lomb};
pub use grounds::Ground;
pub use inputs::Inputs;
pub use model::{About, Model, ModelError, Parts, Thresholds, Weights, default_model};
pub use terms::{Term, TermError};
pub use usual::Usual;

/// The detector's version: another one may find otherwise from the same readings.
pub const VERSION: &str = concat!("tidewatch-detector ", env!("CARGO_PKG_VERSION"));
