use serde::{Deserialize, Serialize};

use Scale::{Linear, Log, Root};

/// How a feature spreads between people and moments, and so how it is weighed.
#[derive(Clone, Copy)]
enum Scale {
    Linear,
    /// The logarithm of the value and this much more.
    Log(f64),
    Root,
}

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $unit:literal, $scale:expr;)*) => {
        /// What is computed from a window.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Feature {
            $($(#[$doc])* $variant,)*
        }

        impl Feature {
            /// Every feature, in the order of a vector.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The feature's name in files, messages and models.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The unit of its value.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }

            const fn scale(self) -> Scale {
                match self { $(Self::$variant => $scale,)* }
            }
        }
    };
}

features! {
    /// Mean heart rate over 60 s.
    HeartRate, "heart_rate", "beat/min", Linear;
    /// Mean heart rate over the last 20 s.
    HeartRateNow, "heart_rate_20s", "beat/min", Linear;
    /// Heart rate tracked through noise.
    HeartRateTracked, "heart_rate_tracked", "beat/min", Linear;
    /// Mean heart rate beyond what movement explains in this person.
    HeartRateResidual, "heart_rate_residual", "beat/min", Linear;
    /// Standard deviation of normal intervals.
    Sdnn, "sdnn", "ms", Log(1.0);
    /// Root mean square of successive differences.
    Rmssd, "rmssd", "ms", Log(1.0);
    /// Successive differences above 50 ms.
    Pnn50, "pnn50", "%", Linear;
    /// Mean height of the pulse wave.
    PulseAmplitude, "pulse_amplitude", "count", Log(1.0);
    /// Part of 60 s that intervals between normal beats cover.
    PulseClean, "pulse_clean", "1", Linear;
    /// The same of the last 20 s.
    PulseCleanNow, "pulse_clean_20s", "1", Linear;
    /// Part of the beats that a second detector finds as well.
    PulseAgreement, "pulse_agreement", "1", Linear;
    /// Skin conductance level.
    Scl, "scl", "uS", Log(0.1);
    /// The same of the last 20 s.
    SclNow, "scl_20s", "uS", Log(0.1);
    /// Part of the last 30 s in which EDA rose.
    EdaRising, "eda_rising", "1", Linear;
    /// Slope of the logarithm of EDA over 60 s.
    SclLogSlope, "scl_log_slope", "1/min", Linear;
    /// Its slope over 180 s.
    SclSlope, "scl_slope", "uS/min", Linear;
    /// Skin conductance responses.
    ScrRate, "scr_rate", "1/min", Root;
    /// Sum of their amplitudes over 60 s.
    ScrAmplitude, "scr_amplitude", "uS", Log(0.02);
    /// Mean of their rise times.
    ScrRise, "scr_rise", "s", Linear;
    /// Standard deviation of the phasic part of EDA.
    PhasicDeviation, "phasic_deviation", "uS", Log(1e-3);
    /// Skin temperature.
    SkinTemperature, "skin_temperature", "Cel", Linear;
    /// Its slope over 3 min.
    TemperatureSlope3, "temperature_slope_3min", "Cel/min", Linear;
    /// Its slope over 5 min.
    TemperatureSlope5, "temperature_slope_5min", "Cel/min", Linear;
    /// Mean acceleration beyond gravity.
    Enmo, "enmo", "g", Log(1e-3);
    /// Standard deviation of acceleration.
    Activity, "activity", "g", Log(2e-3);
    /// Mean change of acceleration.
    Jerk, "jerk", "g/s", Log(0.1);
    /// Frequency of the strongest rhythm of movement, 0.8 to 4.5 Hz.
    StereotypyRate, "stereotypy_rate", "Hz", Linear;
    /// Part of the movement's power within 0.25 Hz of that rhythm.
    Stereotypy, "stereotypy", "1", Linear;
    /// Part of the movement's power in 0.8 to 4.5 Hz.
    StereotypyBand, "stereotypy_band", "1", Linear;
    /// How well the movement in 0.8 to 4.5 Hz repeats itself: its highest autocorrelation.
    StereotypyRepeats, "stereotypy_repeats", "1", Linear;
    /// Quick against slow breathing, as a resting arm shows it.
    BreathRatio, "breath_ratio", "1", Linear;
    /// How clearly a resting arm shows quick breathing.
    BreathLine, "breath_line", "1", Linear;
    /// Forearm angle against the horizontal.
    PosturePitch, "posture_pitch", "deg", Linear;
    /// Forearm angle around its own axis.
    PostureRoll, "posture_roll", "deg", Linear;
    /// How far the forearm turned within the window.
    PostureChange, "posture_change", "deg", Log(2.0);
    /// How uneven movement is from second to second.
    MovementBurst, "movement_burst", "1", Linear;
    /// Mean way of gravity's direction from second to second.
    PostureWander, "posture_wander", "g", Log(1e-3);
}

impl Feature {
    /// The feature of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// The sign that it shows, named by one feature of it: those that say the same to a carer.
    #[must_use]
    pub const fn sign(self) -> Self {
        match self {
            Self::HeartRateNow | Self::HeartRateTracked | Self::HeartRateResidual => {
                Self::HeartRate
            }
            Self::Rmssd | Self::Pnn50 => Self::Sdnn,
            Self::PulseCleanNow | Self::PulseAgreement => Self::PulseClean,
            Self::SclNow => Self::Scl,
            Self::SclLogSlope | Self::SclSlope => Self::EdaRising,
            Self::ScrAmplitude | Self::ScrRise | Self::PhasicDeviation => Self::ScrRate,
            Self::TemperatureSlope5 => Self::TemperatureSlope3,
            Self::Enmo | Self::Jerk | Self::MovementBurst => Self::Activity,
            Self::StereotypyRate | Self::StereotypyBand | Self::StereotypyRepeats => {
                Self::Stereotypy
            }
            Self::BreathLine => Self::BreathRatio,
            Self::PosturePitch | Self::PostureRoll | Self::PostureWander => Self::PostureChange,
            alone => alone,
        }
    }

    /// The value as baselines and models weigh it.
    pub(crate) fn weighed(self, value: f64) -> f64 {
        match self.scale() {
            Linear => value,
            Log(more) => (value.max(0.0) + more).ln(),
            Root => value.max(0.0).sqrt(),
        }
    }

    /// How a value is weighed, as a formula.
    #[must_use]
    pub fn formula(self) -> String {
        match self.scale() {
            Linear => "value".to_owned(),
            Log(more) => format!("ln(value + {more})"),
            Root => "sqrt(value)".to_owned(),
        }
    }

    /// The value in its unit again.
    #[must_use]
    pub fn plain(self, weighed: f64) -> f64 {
        match self.scale() {
            Linear => weighed,
            Log(more) => (weighed.exp() - more).max(0.0),
            Root => weighed.max(0.0).powi(2),
        }
    }
}

/// The features of one window; what could not be computed is absent, never zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureVector(#[serde(with = "crate::fixed")] [Option<f64>; Feature::ALL.len()]);

impl Default for FeatureVector {
    fn default() -> Self {
        Self([None; Feature::ALL.len()])
    }
}

impl FeatureVector {
    /// Name and value of every feature that is there.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        Feature::ALL.iter().filter_map(|feature| Some((feature.name(), self.of(*feature)?)))
    }

    /// One feature by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.of(Feature::named(name)?)
    }

    pub(crate) const fn of(&self, feature: Feature) -> Option<f64> {
        self.0[feature as usize]
    }

    /// Sets a feature; what is not a finite number is absent.
    pub(crate) fn set(&mut self, feature: Feature, value: Option<f64>) {
        self.0[feature as usize] = value.filter(|value| value.is_finite());
    }

    /// The same with every value as baselines and models weigh it: logarithms where a
    /// feature spreads over decades.
    #[must_use]
    pub fn weighed(&self) -> Self {
        let mut weighed = Self::default();
        for feature in Feature::ALL {
            weighed.set(feature, self.of(feature).map(|value| feature.weighed(value)));
        }
        weighed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_absent() {
        let mut vector = FeatureVector::default();
        vector.set(Feature::HeartRate, Some(f64::NAN));
        vector.set(Feature::Scl, Some(2.5));
        assert_eq!(vector.get("heart_rate"), None);
        assert_eq!(vector.iter().collect::<Vec<_>>(), [("scl", 2.5)]);
    }

    #[test]
    fn what_is_weighed_comes_back_in_its_unit() {
        for feature in Feature::ALL {
            let back = feature.plain(feature.weighed(2.5));
            assert!((back - 2.5).abs() < 1e-12, "{}", feature.name());
            assert_eq!(Feature::named(feature.name()), Some(feature));
            assert_eq!(feature.sign().sign(), feature.sign(), "{}", feature.name());
        }
    }
}
