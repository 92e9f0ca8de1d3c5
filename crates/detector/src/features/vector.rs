use serde::{Deserialize, Serialize};

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $unit:literal;)*) => {
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
        }
    };
}

features! {
    /// Mean heart rate over 60 s.
    HeartRate, "heart_rate", "beats/min";
    /// Mean heart rate over the last 20 s.
    HeartRateNow, "heart_rate_20s", "beats/min";
    /// Standard deviation of normal intervals.
    Sdnn, "sdnn", "ms";
    /// Root mean square of successive differences.
    Rmssd, "rmssd", "ms";
    /// Successive differences above 50 ms.
    Pnn50, "pnn50", "%";
    /// Mean height of the pulse wave.
    PulseAmplitude, "pulse_amplitude", "count";
    /// Skin conductance level.
    Scl, "scl", "uS";
    /// Its slope over 180 s.
    SclSlope, "scl_slope", "uS/min";
    /// Skin conductance responses.
    ScrRate, "scr_rate", "/min";
    /// Sum of their amplitudes over 60 s.
    ScrAmplitude, "scr_amplitude", "uS";
    /// Mean of their rise times.
    ScrRise, "scr_rise", "s";
    /// Standard deviation of the phasic part of EDA.
    PhasicDeviation, "phasic_deviation", "uS";
    /// Skin temperature.
    SkinTemperature, "skin_temperature", "Cel";
    /// Its slope over 3 min.
    TemperatureSlope3, "temperature_slope_3min", "Cel/min";
    /// Its slope over 5 min.
    TemperatureSlope5, "temperature_slope_5min", "Cel/min";
    /// Mean acceleration beyond gravity.
    Enmo, "enmo", "g";
    /// Standard deviation of acceleration.
    Activity, "activity", "g";
    /// Mean change of acceleration.
    Jerk, "jerk", "g/s";
    /// Frequency of the strongest rhythm of movement, 0.8 to 4.5 Hz.
    StereotypyRate, "stereotypy_rate", "Hz";
    /// Part of the movement's power within 0.25 Hz of that rhythm.
    Stereotypy, "stereotypy", "1";
    /// Part of the movement's power in 0.8 to 4.5 Hz.
    StereotypyBand, "stereotypy_band", "1";
    /// Forearm angle against the horizontal.
    PosturePitch, "posture_pitch", "deg";
    /// Forearm angle around its own axis.
    PostureRoll, "posture_roll", "deg";
    /// How far the forearm turned within the window.
    PostureChange, "posture_change", "deg";
}

/// The features of one window; what could not be computed is absent, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeatureVector([Option<f64>; Feature::ALL.len()]);

impl FeatureVector {
    /// A feature's value, where it could be computed.
    #[must_use]
    pub const fn get(&self, feature: Feature) -> Option<f64> {
        self.0[feature as usize]
    }

    /// Sets a feature; what is not a finite number is absent.
    pub(crate) fn set(&mut self, feature: Feature, value: Option<f64>) {
        self.0[feature as usize] = value.filter(|value| value.is_finite());
    }

    /// Name and value of every feature that is there.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        Feature::ALL.iter().filter_map(|feature| Some((feature.name(), self.get(*feature)?)))
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
        assert_eq!(vector.get(Feature::HeartRate), None);
        assert_eq!(vector.iter().collect::<Vec<_>>(), [("scl", 2.5)]);
    }
}
