use serde::{Deserialize, Serialize};

/// How many features there are.
pub(crate) const COUNT: usize = 11;
/// Inputs to a model per feature.
pub(crate) const VIEWS: [&str; 3] = ["z", "minute", "minutes3"];

/// The features, in the order in which they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    HeartRate,
    LnRmssd,
    LnSdnn,
    LnScl,
    SclSlope,
    ScrRate,
    LnScrAmplitude,
    TemperatureSlope,
    LnActivity,
    LnJerk,
    Enmo,
}

impl Feature {
    pub(crate) const ALL: [Self; COUNT] = [
        Self::HeartRate,
        Self::LnRmssd,
        Self::LnSdnn,
        Self::LnScl,
        Self::SclSlope,
        Self::ScrRate,
        Self::LnScrAmplitude,
        Self::TemperatureSlope,
        Self::LnActivity,
        Self::LnJerk,
        Self::Enmo,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "heart_rate",
            Self::LnRmssd => "ln_rmssd",
            Self::LnSdnn => "ln_sdnn",
            Self::LnScl => "ln_scl",
            Self::SclSlope => "scl_slope",
            Self::ScrRate => "scr_rate",
            Self::LnScrAmplitude => "ln_scr_amplitude",
            Self::TemperatureSlope => "temperature_slope",
            Self::LnActivity => "ln_activity",
            Self::LnJerk => "ln_jerk",
            Self::Enmo => "enmo",
        }
    }
}

/// The features of one window, each where it could be computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureVector([Option<f64>; COUNT]);

impl FeatureVector {
    /// The features that are there, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        Feature::ALL
            .into_iter()
            .zip(self.0)
            .filter_map(|(feature, value)| value.map(|value| (feature.name(), value)))
    }

    /// One feature by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    pub(crate) fn of(&self, feature: Feature) -> Option<f64> {
        self.0[feature as usize]
    }

    /// Keeps a value; one that is no number counts as missing.
    pub(crate) fn set(&mut self, feature: Feature, value: Option<f64>) {
        self.0[feature as usize] = value.filter(|value| value.is_finite());
    }
}

/// What a model weighs: each feature against the person's usual (`.z`), and its last minute
/// (`.minute`) and last three minutes (`.minutes3`) against the five to ten minutes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs(pub(crate) [[f64; 3]; COUNT]);

impl Inputs {
    /// The inputs' names, in order.
    #[must_use]
    pub fn names() -> Vec<String> {
        let of = |feature: Feature| VIEWS.map(|view| format!("{}.{view}", feature.name()));
        Feature::ALL.into_iter().flat_map(of).collect()
    }

    /// The inputs, in the order of [`Inputs::names`]; 0 where there is nothing to say.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().copied()
    }
}
