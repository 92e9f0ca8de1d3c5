use serde::{Deserialize, Serialize};

use super::Feature;

/// What a feature is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The pulse wave, or the beats and rates that a device makes of it.
    Heart,
    /// Skin conductance.
    Eda,
    /// Acceleration.
    Motion,
    /// Skin temperature.
    Temperature,
}

impl Signal {
    /// The signals of which two must be seen for a verdict.
    pub const LEADING: [Self; 3] = [Self::Heart, Self::Eda, Self::Motion];

    /// Its name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heart => "heart",
            Self::Eda => "EDA",
            Self::Motion => "motion",
            Self::Temperature => "skin temperature",
        }
    }
}

impl Feature {
    /// What it is read from.
    #[must_use]
    pub const fn signal(self) -> Signal {
        match self {
            Self::HeartRate
            | Self::HeartRateNow
            | Self::HeartRateTracked
            | Self::HeartRateResidual
            | Self::Sdnn
            | Self::Rmssd
            | Self::Pnn50
            | Self::PulseAmplitude
            | Self::PulseClean
            | Self::PulseCleanNow
            | Self::PulseAgreement => Signal::Heart,
            Self::Scl
            | Self::SclNow
            | Self::EdaRising
            | Self::SclLogSlope
            | Self::SclSlope
            | Self::ScrRate
            | Self::ScrAmplitude
            | Self::ScrRise
            | Self::PhasicDeviation => Signal::Eda,
            Self::SkinTemperature | Self::TemperatureSlope3 | Self::TemperatureSlope5 => {
                Signal::Temperature
            }
            Self::Enmo
            | Self::Activity
            | Self::Jerk
            | Self::StereotypyRate
            | Self::Stereotypy
            | Self::StereotypyBand
            | Self::StereotypyRepeats
            | Self::BreathRatio
            | Self::BreathLine
            | Self::PosturePitch
            | Self::PostureRoll
            | Self::PostureChange
            | Self::MovementBurst
            | Self::PostureWander => Signal::Motion,
        }
    }
}
