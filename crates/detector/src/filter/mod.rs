//! Filters and spectra: coefficients apart from state, so that state alone is kept.

mod biquad;
mod butterworth;
mod spectrum;

pub(crate) use biquad::{Cascade, Section};
pub(crate) use butterworth::{band_pass, high_pass, low_pass};
pub(crate) use spectrum::{SEGMENT, Welch};
