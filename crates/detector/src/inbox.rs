use biosignal::{MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

use crate::came::Came;
use crate::second::{Second, second_of, within_time};

/// Samples further ahead of the clock than this are a clock's error, s.
const MAX_AHEAD_S: i64 = 60;
/// Seconds that may wait for a tick; of more, the oldest are dropped.
pub(crate) const MAX_WAITING: u16 = 6 * 3600;

/// What was pushed and is not processed. What is made of it depends on which samples came,
/// not on how they were packed or in which order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inbox {
    came: Came,
    /// In the order of time.
    waiting: Vec<(i64, Box<Second>)>,
    /// One that is done with, for its room.
    #[serde(skip)]
    spare: Option<Box<Second>>,
}

impl Inbox {
    /// Takes a reading, once; a malformed one, and one from beyond time, is left out.
    pub(crate) fn push(&mut self, reading: &Reading) {
        let count = reading.len();
        let last = count.checked_sub(1).map_or(reading.measured_at, |last| reading.time_of(last));
        let end = last.plus_micros(i64::from(reading.period_us));
        let timely = [reading.measured_at, end].map(|at| within_time(at) == at);
        if timely != [true; 2] || reading.validate().is_err() || !self.came.insert(reading) {
            return;
        }
        let last_second = second_of(last.as_micros());
        let mut from = 0;
        while from < count {
            let at = reading.time_of(from);
            let second = second_of(at.as_micros());
            // Most packets end with the second in which they began.
            let whole = second == last_second && !reading.channel.is_event();
            let until = if whole { count } else { count.min(end_of_run(reading, from, at)) };
            self.second(second).take(reading, at, from..until);
            from = until;
        }
        let most = usize::from(MAX_WAITING);
        if self.waiting.len() > most {
            self.waiting.drain(..self.waiting.len() - most);
        }
    }

    /// Drops what cannot have been measured yet.
    pub(crate) fn drop_ahead_of(&mut self, now: Timestamp) {
        let ahead = second_of(now.plus_micros(MAX_AHEAD_S * MICROS_PER_SECOND).as_micros());
        while self.waiting.pop_if(|(second, _)| *second > ahead).is_some() {}
    }

    /// Takes out everything from before a second, in the order of time.
    pub(crate) fn take_before(&mut self, second: i64) -> impl Iterator<Item = (i64, Box<Second>)> {
        let until = self.waiting.partition_point(|(waits, _)| *waits < second);
        self.waiting.drain(..until).map(|(second, mut samples)| {
            samples.order();
            (second, samples)
        })
    }

    /// Takes out a second before which nothing waits, in the order of time.
    pub(crate) fn take(&mut self, second: i64) -> Box<Second> {
        let waits = self.waiting.first().is_some_and(|(waits, _)| *waits == second);
        let mut samples = if waits { self.waiting.remove(0).1 } else { self.room() };
        samples.order();
        samples
    }

    /// Keeps the room of a second that is done with.
    pub(crate) fn put_by(&mut self, mut samples: Box<Second>) {
        samples.clear();
        self.spare = Some(samples);
    }

    /// A second that waits or of which nothing came yet.
    fn second(&mut self, second: i64) -> &mut Second {
        let at = self.waiting.partition_point(|(waits, _)| *waits < second);
        if self.waiting.get(at).is_none_or(|(waits, _)| *waits != second) {
            let room = self.room();
            self.waiting.insert(at, (second, room));
        }
        &mut self.waiting[at].1
    }

    fn room(&mut self) -> Box<Second> {
        self.spare.take().unwrap_or_default()
    }
}

/// Where the samples from one on, taken at a moment, leave its second, if there are as many.
fn end_of_run(reading: &Reading, from: usize, at: Timestamp) -> usize {
    if reading.channel.is_event() {
        return from + 1;
    }
    let left_us = MICROS_PER_SECOND - at.as_micros().rem_euclid(MICROS_PER_SECOND);
    let period_us = i64::from(reading.period_us);
    let more = (left_us + period_us - 1) / period_us;
    usize::try_from(more).map_or(usize::MAX, |more| from.saturating_add(more))
}
