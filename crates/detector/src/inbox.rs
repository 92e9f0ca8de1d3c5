use std::collections::BTreeMap;

use biosignal::{MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

use crate::came::Came;
use crate::second::{Second, second_of, within_time};

/// Samples further ahead of the clock than this are a clock's error, s.
const MAX_AHEAD_S: i64 = 60;
/// Seconds that may wait for a tick; of more, the oldest are dropped.
const MAX_WAITING: usize = 6 * 3600;

/// What was pushed and is not processed. What is made of it depends on which samples came,
/// not on how they were packed or in which order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inbox {
    came: Came,
    waiting: BTreeMap<i64, Box<Second>>,
    /// One that is done with, for its room.
    #[serde(skip)]
    spare: Option<Box<Second>>,
}

impl Inbox {
    /// Takes a reading, once; a malformed one, and one from beyond time, is left out.
    pub(crate) fn push(&mut self, reading: &Reading) {
        let timely = [reading.measured_at, reading.end()].map(|at| within_time(at) == at);
        if timely != [true; 2] || reading.validate().is_err() || !self.came.insert(reading) {
            return;
        }
        let mut from = 0;
        while from < reading.len() {
            let second = second_of(reading.time_of(from).as_micros());
            let until = end_of_run(reading, from, second);
            let samples = self.waiting.entry(second);
            let samples = samples.or_insert_with(|| self.spare.take().unwrap_or_default());
            samples.take(reading, from..until);
            from = until;
        }
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
        }
    }

    /// Drops what cannot have been measured yet.
    pub(crate) fn drop_ahead_of(&mut self, now: Timestamp) {
        let ahead = second_of(now.plus_micros(MAX_AHEAD_S * MICROS_PER_SECOND).as_micros());
        while self.waiting.last_key_value().is_some_and(|(second, _)| *second > ahead) {
            self.waiting.pop_last();
        }
    }

    /// Takes out everything from before a second, in the order of time.
    pub(crate) fn take_before(&mut self, second: i64) -> impl Iterator<Item = (i64, Box<Second>)> {
        let mut taken = BTreeMap::new();
        if self.waiting.first_key_value().is_some_and(|(first, _)| *first < second) {
            let rest = self.waiting.split_off(&second);
            taken = std::mem::replace(&mut self.waiting, rest);
        }
        taken.into_iter().map(|(second, mut samples)| {
            samples.order();
            (second, samples)
        })
    }

    /// Takes out a second, in the order of time.
    pub(crate) fn take(&mut self, second: i64) -> Box<Second> {
        let mut samples = self.waiting.remove(&second).unwrap_or_default();
        samples.order();
        samples
    }

    /// Keeps the room of a second that is done with.
    pub(crate) fn put_by(&mut self, mut samples: Box<Second>) {
        samples.clear();
        self.spare = Some(samples);
    }
}

/// Where the samples from this one on leave its second.
fn end_of_run(reading: &Reading, from: usize, second: i64) -> usize {
    if reading.channel.is_event() {
        return from + 1;
    }
    // Most packets end with the second in which they began.
    if second_of(reading.time_of(reading.len() - 1).as_micros()) == second {
        return reading.len();
    }
    let left_us = (second + 1)
        .saturating_mul(MICROS_PER_SECOND)
        .saturating_sub(reading.time_of(from).as_micros());
    let period_us = i64::from(reading.period_us);
    let more = left_us.max(1).saturating_add(period_us - 1) / period_us;
    usize::try_from(more).map_or(reading.len(), |more| reading.len().min(from + more))
}
