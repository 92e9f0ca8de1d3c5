use std::collections::BTreeMap;

use biosignal::{Channel, MICROS_PER_SECOND, Reading};
use serde::{Deserialize, Serialize};

/// The samples of one second, of all channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bin {
    pub(crate) pulse: Vec<Sample>,
    pub(crate) acceleration: Vec<Sample<[i32; 3]>>,
    pub(crate) eda: Vec<Sample>,
    pub(crate) temperature: Vec<Sample>,
    pub(crate) rate: Vec<Sample>,
    /// The interval that the beat ends, in steps of its channel.
    pub(crate) beats: Vec<Sample>,
}

/// A sample in the steps of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sample<T = i32> {
    pub(crate) at_us: i64,
    pub(crate) steps: T,
    pub(crate) period_us: u32,
}

/// Seconds that wait to be judged.
pub(crate) type Bins = BTreeMap<i64, Bin>;

impl Bin {
    /// Brings samples into the order of time, whatever way they came; one per moment.
    #[must_use]
    pub(crate) fn in_order(mut self) -> Self {
        order(&mut self.pulse);
        order(&mut self.acceleration);
        order(&mut self.eda);
        order(&mut self.temperature);
        order(&mut self.rate);
        order(&mut self.beats);
        self
    }
}

fn order<T: Ord>(samples: &mut Vec<Sample<T>>) {
    samples.sort_unstable();
    samples.dedup_by(|later, earlier| later.at_us == earlier.at_us);
}

/// The whole second in which a moment lies.
pub(crate) const fn second_of(at_us: i64) -> i64 {
    at_us.div_euclid(MICROS_PER_SECOND)
}

impl Bin {
    /// Sorts a reading's samples into the seconds that are wanted.
    pub(crate) fn sort(reading: &Reading, bins: &mut Bins, wanted: impl Fn(i64) -> bool) {
        let components = reading.channel.components();
        let second_at = |index| second_of(reading.time_of(index).as_micros());
        let mut index = 0;
        while index < reading.len() {
            let second = second_at(index);
            let start = index;
            while index < reading.len() && second_at(index) == second {
                index += 1;
            }
            if wanted(second) {
                let bin = bins.entry(second).or_default();
                for (index, steps) in (start..index)
                    .zip(reading.samples[start * components..].chunks_exact(components))
                {
                    bin.put(reading, reading.time_of(index).as_micros(), steps);
                }
            }
        }
    }

    fn put(&mut self, reading: &Reading, at_us: i64, steps: &[i32]) {
        let period_us = reading.period_us;
        let one = || Sample { at_us, steps: steps[0], period_us };
        match reading.channel {
            Channel::Bvp => self.pulse.push(one()),
            Channel::Eda => self.eda.push(one()),
            Channel::SkinTemperature => self.temperature.push(one()),
            Channel::HeartRate => self.rate.push(one()),
            Channel::Acceleration => {
                let steps = [steps[0], steps[1], steps[2]];
                self.acceleration.push(Sample { at_us, steps, period_us });
            }
            Channel::Ibi => self.beats.push(Sample { at_us, steps: steps[1], period_us }),
            Channel::Button => {}
        }
    }
}
