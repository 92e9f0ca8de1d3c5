//! Every feature, a file each: its formula, its unit, its reference and a golden test.

mod activity;
mod eda_validity;
mod enmo;
mod hr;
mod jerk;
mod lomb;
mod phasic;
mod pnn50;
mod posture;
mod pulse_amplitude;
mod rmssd;
mod scl;
mod scr;
mod sdnn;
mod slope;
mod stereotypy;
mod temperature;
mod vector;

pub(crate) use activity::Activity;
pub(crate) use eda_validity::{EdaValidity, EdaVerdict};
pub(crate) use enmo::Enmo;
pub(crate) use hr::heart_rate;
pub(crate) use jerk::Jerk;
pub use lomb::{lf_hf, lomb};
pub(crate) use phasic::{Phasic, deviation};
pub(crate) use pnn50::pnn50;
pub(crate) use posture::{angle_between, pitch_deg, roll_deg};
pub(crate) use pulse_amplitude::pulse_amplitude;
pub(crate) use rmssd::rmssd;
pub(crate) use scl::scl;
pub(crate) use scr::{ScrDetector, ScrEvent, scr_amplitude, scr_rate, scr_rise};
pub(crate) use sdnn::sdnn;
pub(crate) use slope::slope_per_minute;
pub(crate) use stereotypy::{BAND_BINS, Rhythm, stereotypy};
pub(crate) use temperature::plausible_skin;
pub use vector::{Feature, FeatureVector};
