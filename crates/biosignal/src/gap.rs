use serde::{Deserialize, Serialize};

use crate::{DeviceId, Timestamp};

/// A stretch of time for which a device's samples are missing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The device whose samples are missing.
    pub device: DeviceId,
    /// First missing moment.
    pub from: Timestamp,
    /// First moment after the gap.
    pub until: Timestamp,
    /// Why.
    pub cause: GapCause,
}

/// Why samples are missing. Every missing second has one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// The wearer did not want the band.
    Refused,
    /// The band was not on a wrist.
    OffWrist,
    /// No gateway heard the band.
    OutOfRange,
    /// The band itself: rebooted, flash overwritten, sensor frozen, battery empty.
    Band,
    /// The Bluetooth adapter.
    Adapter,
    /// The gateway was down.
    Gateway,
    /// The broker could not be reached.
    Broker,
    /// The store could not be reached.
    Store,
}

impl GapCause {
    /// Every cause.
    pub const ALL: [Self; 8] = [
        Self::Refused,
        Self::OffWrist,
        Self::OutOfRange,
        Self::Band,
        Self::Adapter,
        Self::Gateway,
        Self::Broker,
        Self::Store,
    ];

    /// The cause's name in messages, files and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::OffWrist => "off_wrist",
            Self::OutOfRange => "out_of_range",
            Self::Band => "band",
            Self::Adapter => "adapter",
            Self::Gateway => "gateway",
            Self::Broker => "broker",
            Self::Store => "store",
        }
    }

    /// The cause of a name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}
