use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a sensor measures.
///
/// Samples travel and are stored as integers; [`Channel::scale`] turns them
/// into physical units. The scale is fixed per channel, so that a value is the
/// same number on the radio, on the broker, in the store and in the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Blood volume pulse from an optical sensor, arbitrary units (sensor counts).
    Bvp,
    /// Acceleration with gravity, g, three axes interleaved x, y, z.
    Acceleration,
    /// Electrodermal activity (skin conductance), uS.
    Eda,
    /// Skin temperature, degrees Celsius.
    SkinTemperature,
    /// Heart rate, beats per minute, as computed by the device.
    HeartRate,
    /// Inter-beat interval: pairs of (time of the beat after the reading's
    /// `measured_at`, length of the interval that it ends), both in ms.
    Ibi,
    /// A press of the button on the device: the time after `measured_at`, ms.
    Button,
}

impl Channel {
    /// Every channel, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Bvp,
        Self::Acceleration,
        Self::Eda,
        Self::SkinTemperature,
        Self::HeartRate,
        Self::Ibi,
        Self::Button,
    ];

    /// Physical units per integer step: the value of a sample is `integer * scale`.
    ///
    /// 0.01 for BVP, 1/1024 g, 1e-6 uS, 0.01 C, 0.01 beats/min, 0.001 ms.
    #[must_use]
    pub const fn scale(self) -> f64 {
        match self {
            Self::Bvp | Self::SkinTemperature | Self::HeartRate => 0.01,
            Self::Acceleration => 1.0 / 1024.0,
            Self::Eda => 1e-6,
            Self::Ibi | Self::Button => 0.001,
        }
    }

    /// Unit of a sample after [`Channel::scale`], as it is shown and exported.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Bvp => "count",
            Self::Acceleration => "g",
            Self::Eda => "uS",
            Self::SkinTemperature => "Cel",
            Self::HeartRate => "beat/min",
            Self::Ibi | Self::Button => "ms",
        }
    }

    /// Integers per sample: 3 for acceleration, 2 for inter-beat intervals, else 1.
    #[must_use]
    pub const fn components(self) -> usize {
        match self {
            Self::Acceleration => 3,
            Self::Ibi => 2,
            _ => 1,
        }
    }

    /// Whether samples come when something happens rather than at a fixed rate.
    #[must_use]
    pub const fn is_event(self) -> bool {
        matches!(self, Self::Ibi | Self::Button)
    }

    /// The channel's code on the radio, on the broker and in the store; 1 to 7, never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Bvp => 1,
            Self::Acceleration => 2,
            Self::Eda => 3,
            Self::SkinTemperature => 4,
            Self::HeartRate => 5,
            Self::Ibi => 6,
            Self::Button => 7,
        }
    }

    /// The channel of a code.
    ///
    /// # Errors
    /// [`UnknownChannel`] where no channel has the code.
    pub fn from_code(code: u8) -> Result<Self, UnknownChannel> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.code() == code)
            .ok_or_else(|| UnknownChannel(format!("code {code}")))
    }

    /// The channel's name in files, topics and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bvp => "bvp",
            Self::Acceleration => "acceleration",
            Self::Eda => "eda",
            Self::SkinTemperature => "skin_temperature",
            Self::HeartRate => "heart_rate",
            Self::Ibi => "ibi",
            Self::Button => "button",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(name: &str) -> Result<Self, UnknownChannel> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.name() == name)
            .ok_or_else(|| UnknownChannel(format!("name {name:?}")))
    }
}

/// A channel code or name that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel: {0}")]
pub struct UnknownChannel(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_their_channel() {
        for channel in Channel::ALL {
            assert_eq!(Channel::from_code(channel.code()), Ok(channel));
            assert_eq!(channel.name().parse(), Ok(channel));
        }
        assert!(Channel::from_code(0).is_err());
        assert!("pulse".parse::<Channel>().is_err());
    }
}
