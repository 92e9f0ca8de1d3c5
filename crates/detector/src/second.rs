use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

use crate::samples::Samples;

/// The samples of one second, of all channels, in steps of their channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    pub(crate) pulse: Samples<1>,
    pub(crate) acceleration: Samples<3>,
    pub(crate) eda: Samples<1>,
    pub(crate) temperature: Samples<1>,
    pub(crate) rate: Samples<1>,
    /// The intervals that beats end.
    pub(crate) beats: Samples<1>,
}

impl Second {
    /// Takes a run of a reading's samples that lie in this second, the first of them at a
    /// moment.
    pub(crate) fn take(&mut self, reading: &Reading, at: Timestamp, run: Range<usize>) {
        let at_us = at.as_micros();
        let width = reading.channel.components();
        let steps = &reading.samples[run.start * width..run.end * width];
        match reading.channel {
            Channel::Bvp => self.pulse.push(at_us, reading.period_us, steps),
            Channel::Acceleration => self.acceleration.push(at_us, reading.period_us, steps),
            Channel::Eda => self.eda.push(at_us, reading.period_us, steps),
            Channel::SkinTemperature => self.temperature.push(at_us, reading.period_us, steps),
            Channel::HeartRate => self.rate.push(at_us, reading.period_us, steps),
            Channel::Ibi => self.beats.push(at_us, 0, &steps[1..2]),
            Channel::Button => {}
        }
    }

    /// When the newest sample was taken; none of none.
    pub(crate) fn newest_us(&self) -> Option<i64> {
        let single = [&self.pulse, &self.eda, &self.temperature, &self.rate, &self.beats];
        let newest = single.into_iter().filter_map(Samples::newest_us);
        newest.chain(self.acceleration.newest_us()).max()
    }

    /// Brings samples into the order of time, whatever way they came; one per moment.
    pub(crate) fn order(&mut self) {
        self.acceleration.order();
        for samples in self.single() {
            samples.order();
        }
    }

    /// Forgets the samples and keeps their room.
    pub(crate) fn clear(&mut self) {
        self.acceleration.clear();
        for samples in self.single() {
            samples.clear();
        }
    }

    fn single(&mut self) -> [&mut Samples<1>; 5] {
        let Self { pulse, eda, temperature, rate, beats, .. } = self;
        [pulse, eda, temperature, rate, beats]
    }
}

/// Moments beyond these, 36,000 years from 1970, are a clock's error, us. Within them sums of
/// moments and spans do not overflow.
const ENDS_US: std::ops::RangeInclusive<i64> = -(1 << 60)..=1 << 60;

/// A moment, or the end of time that it lies beyond.
pub(crate) fn within_time(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.as_micros().clamp(*ENDS_US.start(), *ENDS_US.end()))
}

/// The whole second in which a moment lies.
pub(crate) const fn second_of(at_us: i64) -> i64 {
    at_us.div_euclid(MICROS_PER_SECOND)
}
