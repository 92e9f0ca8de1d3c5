use biosignal::Channel;
use serde::{Deserialize, Serialize};

/// Notices a value that stands still for longer than its sensor ever does on a person.
///
/// The limits lie well above the longest standstill in 22 worn recordings of an Empatica
/// E4: 0.5 s of pulse, 24 s of skin conductance, 18 s of temperature, 14 s of movement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frozen {
    value: Option<[i32; 3]>,
    since_us: i64,
    last_us: i64,
}

impl Frozen {
    /// Takes a sample; axes that a channel does not have are 0.
    pub(crate) fn push(&mut self, at_us: i64, value: [i32; 3]) {
        if self.value != Some(value) || at_us < self.since_us {
            self.value = Some(value);
            self.since_us = at_us;
        }
        self.last_us = at_us;
    }

    /// Whether the newest value has stood for longer than the channel's limit.
    pub(crate) fn stands(&self, channel: Channel) -> bool {
        self.value.is_some() && self.last_us - self.since_us >= limit_us(channel)
    }
}

const fn limit_us(channel: Channel) -> i64 {
    1_000_000
        * match channel {
            Channel::Bvp => 2,
            Channel::HeartRate => 60,
            Channel::Eda | Channel::Acceleration => 45,
            Channel::SkinTemperature => 120,
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
}
