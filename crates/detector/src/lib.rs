//! From readings to assessments and alerts.

mod alert;
mod assessment;
mod beats;
mod bin;
mod config;
mod detector;
mod features;
mod filter;
#[cfg(test)]
mod golden;
mod inbox;
mod inputs;
mod model;
mod pipeline;
mod stream;

pub use alert::{Alert, AlertTransition};
pub use assessment::{Assessment, Cause, Level, Output, Reason};
pub use beats::{BeatClass, classify, find_peaks};
pub(crate) use biosignal::MICROS_PER_SECOND;
pub use config::Config;
pub use detector::{Detector, RestoreError};
pub use features::{Feature, FeatureVector};
pub use inputs::Inputs;
pub use model::{Model, ModelError, default_model};

/// The detector's version: two detectors with the same one, the same model and the same
/// configuration say the same of the same readings.
pub const VERSION: &str = "1";
