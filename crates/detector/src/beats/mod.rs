//! From a pulse wave to intervals between heart beats that can be trusted.

mod correction;
mod elgendi;
mod log;
mod prominence;

pub(crate) use correction::Correction;
pub use correction::{BeatClass, classify};
pub use elgendi::find_peaks;
pub(crate) use elgendi::{Elgendi, Peak};
pub(crate) use log::{Beat, BeatLog};
