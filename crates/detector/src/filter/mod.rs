//! Filters: coefficients apart from state, so that state alone is kept.

mod biquad;

pub(crate) use biquad::{Cascade, Section};

/// Butterworth band-pass of order 2, 0.5-8 Hz at 64 Hz: constants, so that every machine has the same.
pub(crate) const PULSE_BAND: [Section; 2] = [
    Section {
        b: [0.087_821_281_759_137_16, 0.175_642_563_518_274_31, 0.087_821_281_759_137_16],
        a: [-1.012_907_810_080_158, 0.381_229_925_589_9],
    },
    Section { b: [1.0, -2.0, 1.0], a: [-1.931_372_222_100_426_4, 0.933_970_060_888_677_7] },
];
