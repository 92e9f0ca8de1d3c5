use serde::{Deserialize, Serialize};

/// An interval between two beats that both count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) seconds: f64,
    /// How much longer than the one right before; none after a gap or a rejected beat.
    pub(crate) change: Option<f64>,
}

/// Sums over the acceleration samples of a second, g.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Motion {
    pub(crate) count: u32,
    pub(crate) norm: f64,
    pub(crate) square: f64,
    pub(crate) enmo: f64,
    pub(crate) jerk: f64,
}

/// What is kept of a second of samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    /// Samples of the pulse wave.
    pub(crate) pulse_samples: u32,
    /// Intervals from the pulse wave.
    pub(crate) intervals: Vec<Interval>,
    /// Intervals as a device reported them.
    pub(crate) reported: Vec<Interval>,
    /// Heart rate as a device reported it, a minute.
    pub(crate) heart_rate: Option<f64>,
    /// Skin conductance of all samples, uS.
    pub(crate) eda_raw: Option<f64>,
    /// Skin conductance of the valid samples, uS.
    pub(crate) eda: Option<f64>,
    /// Amplitudes of the skin conductance responses that ended here, uS.
    pub(crate) responses: Vec<f64>,
    /// Skin temperature, Celsius.
    pub(crate) temperature: Option<f64>,
    pub(crate) motion: Motion,
    /// Whether any sample could be used.
    pub(crate) valid: bool,
}
