//! From a pulse wave to intervals between heart beats that can be trusted.

mod correction;
mod elgendi;
mod log;
mod moments;
mod msptd;
mod prominence;

pub(crate) use correction::Correction;
pub use correction::{BeatClass, classify};
pub(crate) use elgendi::Elgendi;
pub use elgendi::find_peaks;
pub(crate) use log::{Beat, BeatLog, CLEAN_ENOUGH, clean_part, judged, steady};
pub(crate) use moments::Moments;
pub use msptd::find_peaks_msptd;
pub(crate) use msptd::{BLOCK_S, block_peaks};
