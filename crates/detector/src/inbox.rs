use std::collections::BTreeMap;

use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

/// Ranges of packet numbers kept per device, epoch and channel; more is forgotten, lowest first.
const MAX_RANGES: usize = 2048;
const MAX_NUMBERINGS: usize = 32;
/// Samples further ahead of the clock than this are a clock's error, s.
const MAX_AHEAD_S: i64 = 60;

/// A sample at its moment, in integer steps. The order of the fields is the order in time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) at_us: i64,
    pub(crate) channel: Channel,
    epoch: u32,
    sequence: u32,
    index: u32,
    pub(crate) steps: [i32; 3],
}

impl Sample {
    pub(crate) fn second(&self) -> i64 {
        self.at_us.div_euclid(MICROS_PER_SECOND)
    }

    /// The value of a component in physical units.
    pub(crate) fn value(&self, component: usize) -> f64 {
        f64::from(self.steps[component]) * self.channel.scale()
    }
}

type Numbering = (String, u32, u8);

/// What was pushed and is not processed, and which packets were ever pushed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inbox {
    waiting: Vec<Sample>,
    /// Per numbering the ranges of packets that came, both ends included.
    came: BTreeMap<Numbering, BTreeMap<u32, u32>>,
}

impl Inbox {
    /// Takes a reading, once.
    pub(crate) fn push(&mut self, reading: &Reading) {
        if reading.validate().is_err() || !self.is_new(reading) {
            return;
        }
        for (index, sample) in reading.samples.chunks(reading.channel.components()).enumerate() {
            let mut steps = [0; 3];
            steps[..sample.len()].copy_from_slice(sample);
            self.waiting.push(Sample {
                at_us: reading.time_of(index).as_micros(),
                channel: reading.channel,
                epoch: reading.epoch,
                sequence: reading.sequence,
                index: u32::try_from(index).unwrap_or(u32::MAX),
                steps,
            });
        }
    }

    fn is_new(&mut self, reading: &Reading) -> bool {
        let device = reading.device.as_str().to_owned();
        let ranges = self.came.entry((device, reading.epoch, reading.channel.code())).or_default();
        let new = insert(ranges, reading.sequence);
        if ranges.len() > MAX_RANGES {
            ranges.pop_first();
        }
        if self.came.len() > MAX_NUMBERINGS {
            self.came.pop_first();
        }
        new
    }

    /// Takes out all samples before the second `until`, in order of time.
    pub(crate) fn take_before(&mut self, until: i64, now: Timestamp) -> Vec<Sample> {
        let ahead = now.plus_micros(MAX_AHEAD_S * MICROS_PER_SECOND).as_micros();
        let (mut due, keep): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .filter(|sample| sample.at_us <= ahead)
            .partition(|sample| sample.second() < until);
        self.waiting = keep;
        due.sort_unstable();
        due
    }
}

/// Adds a number to ranges; false where it was in one.
fn insert(ranges: &mut BTreeMap<u32, u32>, number: u32) -> bool {
    let before = ranges.range(..=number).next_back().map(|(from, through)| (*from, *through));
    if before.is_some_and(|(_, through)| through >= number) {
        return false;
    }
    let from = match before {
        Some((from, through)) if through + 1 == number => from,
        _ => number,
    };
    let after = number.checked_add(1).and_then(|next| ranges.remove(&next));
    ranges.insert(from, after.unwrap_or(number));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_any_order_join_into_one_range() {
        let mut ranges = BTreeMap::new();
        for number in [5, 3, 4, 1, 2] {
            assert!(insert(&mut ranges, number));
            assert!(!insert(&mut ranges, number));
        }
        assert_eq!(ranges, BTreeMap::from([(1, 5)]));
    }
}
