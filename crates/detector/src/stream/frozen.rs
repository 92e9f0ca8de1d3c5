use std::ops::Range;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use crate::samples::Run;

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
    /// Takes a run within a second; gives those of its samples that stand for too long. Axes
    /// that a channel does not have are 0.
    pub(crate) fn take<const N: usize>(
        &mut self,
        channel: Channel,
        run: Run,
        steps: &[[i32; N]],
    ) -> Range<usize> {
        let Some(newest) = steps.last() else { return 0..0 };
        let apart = run.at_us < self.last_us || run.at_us - self.last_us > HOLE_US;
        let stood = self.value.filter(|_| !apart).map_or(0, |value| {
            let moves = |steps: &[i32; N]| *steps != value[..N];
            steps.iter().position(moves).unwrap_or(steps.len())
        });
        let limit_us = limit_us(channel);
        // What moves within a second stands for less than any limit in the rest of it.
        let frozen =
            (0..stood).rev().take_while(|place| run.time(*place) - self.since_us >= limit_us);
        let frozen = stood - frozen.count()..stood;
        if stood < steps.len() {
            let same = steps[stood..].iter().rev().take_while(|steps| *steps == newest).count();
            self.since_us = run.time(steps.len() - same);
            self.value = Some(std::array::from_fn(|axis| newest.get(axis).copied().unwrap_or(0)));
        }
        self.last_us = run.last();
        frozen
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

    fn push(frozen: &mut Frozen, at_us: i64, step: i32) -> usize {
        frozen.take(Channel::Bvp, Run { at_us, period_us: 0, count: 1 }, &[[step]]).len()
    }

    #[test]
    fn a_value_that_stands_for_too_long_is_frozen_until_it_moves() {
        let mut frozen = Frozen::default();
        for sample in 0..128 {
            assert_eq!(push(&mut frozen, sample * 15_625, 77), 0, "sample {sample}");
            assert!(!frozen.stands(Channel::Bvp));
        }
        let run = Run { at_us: 127 * 15_625, period_us: 15_625, count: 4 };
        let mut other = frozen;
        assert_eq!(other.take(Channel::Bvp, run, &[[77], [77], [77], [78]]), 1..3);
        assert!(!other.stands(Channel::Bvp) && other.stood_us() == 0);
        assert_eq!(frozen.take(Channel::Bvp, run, &[[77]; 4]), 1..4);
        assert!(frozen.stands(Channel::Bvp) && !frozen.stands(Channel::Eda));
    }

    #[test]
    fn nothing_is_known_of_a_value_across_a_hole() {
        let mut frozen = Frozen::default();
        push(&mut frozen, 0, 77);
        assert_eq!(push(&mut frozen, 61_000_000, 77), 0);
        assert!(!frozen.stands(Channel::Bvp));
    }
}
