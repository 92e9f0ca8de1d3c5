use biosignal::Channel;
use serde::{Deserialize, Serialize};

/// Notices a value that stands still for longer than its sensor ever does on a person.
///
/// The limits lie above the longest standstill in 22 worn recordings of an Empatica E4: 0.5 s
/// of pulse, 23.5 s of skin conductance, 18 s of temperature, 14 s of acceleration, 11 s of
/// the device's heart rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frozen {
    value: Option<[i32; 3]>,
    since_us: i64,
    last_us: i64,
}

/// A sample that comes later than this starts a new standstill, us.
const HOLE_US: i64 = 60_000_000;

impl Frozen {
    /// Takes a sample; axes that a channel does not have are 0.
    pub(crate) fn push(&mut self, at_us: i64, value: [i32; 3]) {
        let apart = at_us < self.last_us || at_us - self.last_us > HOLE_US;
        if self.value != Some(value) || apart {
            self.value = Some(value);
            self.since_us = at_us;
        }
        self.last_us = at_us;
    }

    /// Whether the newest value has stood for longer than the channel's limit.
    pub(crate) fn stands(&self, channel: Channel) -> bool {
        self.value.is_some() && self.stood_us() >= limit_us(channel)
    }

    /// For how long the newest value has stood.
    pub(crate) const fn stood_us(&self) -> i64 {
        self.last_us - self.since_us
    }

    /// When the newest sample was taken; none before the first.
    pub(crate) fn last_us(&self) -> Option<i64> {
        self.value.map(|_| self.last_us)
    }
}

const fn limit_us(channel: Channel) -> i64 {
    1_000_000
        * match channel {
            Channel::Bvp => 2,
            Channel::HeartRate | Channel::Acceleration => 30,
            Channel::SkinTemperature | Channel::Eda => 45,
            Channel::Ibi | Channel::Button => 3600,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_stands_for_too_long_is_frozen_until_it_moves() {
        let mut frozen = Frozen::default();
        for sample in 0..=128 {
            assert!(!frozen.stands(Channel::Bvp), "sample {sample}");
            frozen.push(sample * 15_625, [77, 0, 0]);
        }
        assert!(frozen.stands(Channel::Bvp));
        assert!(!frozen.stands(Channel::Eda));
        frozen.push(129 * 15_625, [78, 0, 0]);
        assert!(!frozen.stands(Channel::Bvp));
    }

    #[test]
    fn nothing_is_known_of_a_value_across_a_hole() {
        let mut frozen = Frozen::default();
        frozen.push(0, [77, 0, 0]);
        frozen.push(61_000_000, [77, 0, 0]);
        assert!(!frozen.stands(Channel::Bvp));
    }
}
