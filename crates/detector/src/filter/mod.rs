//! Filters and spectra: coefficients apart from state, so that state alone is kept.

mod band;
mod biquad;
mod butterworth;
mod spectrum;

pub(crate) use band::Band;
pub(crate) use biquad::{Cascade, Section};
pub(crate) use butterworth::{high_pass, low_pass};
pub(crate) use spectrum::{SEGMENT, Welch};
