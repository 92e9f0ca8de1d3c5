use uuid::Uuid;

use crate::uuids;

/// The devices that this house can read. A closed list: a new one is a variant here,
/// a decoder, and a transcript test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The open wristband of `PROFILE.md`: all channels, and a flash that replays.
    Tidewatch,
    /// A strap with the standard Heart Rate service: heart rate and beats, no memory.
    HeartRateStrap,
}

impl Profile {
    /// The profile of a device that advertises, or turns out to have, these services.
    /// A wristband that offers the Heart Rate service too is read as a wristband.
    #[must_use]
    pub fn of(services: &[Uuid]) -> Option<Self> {
        if services.contains(&uuids::SERVICE) {
            Some(Self::Tidewatch)
        } else if services.contains(&uuids::HEART_RATE_SERVICE) {
            Some(Self::HeartRateStrap)
        } else {
            None
        }
    }

    /// The profile's name in statuses and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tidewatch => "tidewatch",
            Self::HeartRateStrap => "heart_rate_strap",
        }
    }

    /// The service that a scan looks for.
    #[must_use]
    pub const fn service(self) -> Uuid {
        match self {
            Self::Tidewatch => uuids::SERVICE,
            Self::HeartRateStrap => uuids::HEART_RATE_SERVICE,
        }
    }

    /// Characteristics to be notified of, in the order to subscribe in. The first is
    /// what the profile cannot do without; the others may be missing on a device.
    #[must_use]
    pub const fn subscriptions(self) -> &'static [Uuid] {
        match self {
            Self::Tidewatch => &[uuids::STREAM, uuids::STATE],
            Self::HeartRateStrap => &[uuids::HEART_RATE_MEASUREMENT, uuids::BATTERY_LEVEL],
        }
    }

    /// Characteristics to read once after the subscriptions; their values go to the
    /// session as if notified. Those that a device does not have are passed over.
    #[must_use]
    pub const fn reads(self) -> &'static [Uuid] {
        match self {
            Self::Tidewatch => &[uuids::STATE],
            Self::HeartRateStrap => &[uuids::BATTERY_LEVEL],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_services() {
        let of = |services: &[Uuid]| Profile::of(services);
        assert_eq!(of(&[uuids::BATTERY_SERVICE, uuids::SERVICE]), Some(Profile::Tidewatch));
        assert_eq!(of(&[uuids::HEART_RATE_SERVICE, uuids::SERVICE]), Some(Profile::Tidewatch));
        assert_eq!(of(&[uuids::HEART_RATE_SERVICE]), Some(Profile::HeartRateStrap));
        assert_eq!(of(&[uuids::BATTERY_SERVICE]), None);
    }
}
