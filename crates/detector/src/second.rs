use biosignal::{Channel, MICROS_PER_SECOND, Reading};
use serde::{Deserialize, Serialize};

/// The samples of one second, of all channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
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

impl Second {
    /// Takes a run of a reading's samples that lie in this second.
    pub(crate) fn take(&mut self, reading: &Reading, run: std::ops::Range<usize>) {
        let period_us = reading.period_us;
        let width = reading.channel.components();
        let steps = reading.samples[run.start * width..run.end * width].chunks_exact(width);
        let moments = run.map(|index| reading.time_of(index).as_micros());
        let samples = moments.zip(steps);
        let single = |place: usize| {
            samples.clone().map(move |(at_us, s)| Sample { at_us, steps: s[place], period_us })
        };
        match reading.channel {
            Channel::Bvp => self.pulse.extend(single(0)),
            Channel::Eda => self.eda.extend(single(0)),
            Channel::SkinTemperature => self.temperature.extend(single(0)),
            Channel::HeartRate => self.rate.extend(single(0)),
            Channel::Ibi => self.beats.extend(single(1)),
            Channel::Acceleration => self.acceleration.extend(samples.map(|(at_us, s)| Sample {
                at_us,
                steps: [s[0], s[1], s[2]],
                period_us,
            })),
            Channel::Button => {}
        }
    }

    /// When the newest sample was taken; none of none.
    pub(crate) fn newest_us(&self) -> Option<i64> {
        let single =
            [&self.pulse, &self.eda, &self.temperature, &self.rate, &self.beats].into_iter();
        single
            .filter_map(|samples| samples.last().map(|sample| sample.at_us))
            .chain(self.acceleration.last().map(|sample| sample.at_us))
            .max()
    }

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
    if !samples.is_sorted_by(|one, next| one.at_us < next.at_us) {
        samples.sort_unstable();
        samples.dedup_by(|later, earlier| later.at_us == earlier.at_us);
    }
}

/// The whole second in which a moment lies.
pub(crate) const fn second_of(at_us: i64) -> i64 {
    at_us.div_euclid(MICROS_PER_SECOND)
}
