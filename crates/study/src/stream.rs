//! A recording as the readings that a wristband would have sent.

use biosignal::recording::Recording;
use biosignal::{Channel, DeviceId, MICROS_PER_SECOND, Reading, Timestamp};
use detector::Signal;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// Readings in the order of their time, and the stretch that they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) readings: Vec<Reading>,
    /// When it begins.
    pub(crate) start: Timestamp,
    /// First moment after.
    pub(crate) end: Timestamp,
}

/// A reading holds so much of a recording.
pub(crate) const PACKET_US: u32 = 500_000;

impl Stream {
    /// Plays a recording.
    pub(crate) fn of(recording: &Recording) -> Self {
        let device = DeviceId::from_address([0xE4, 0, 0, 0, 0, 1]);
        let readings = recording.readings(&device, PACKET_US);
        Self::from_readings(readings, recording.start(), recording.end())
    }

    pub(crate) fn from_readings(
        mut readings: Vec<Reading>,
        start: Timestamp,
        end: Timestamp,
    ) -> Self {
        readings.sort_by_key(|it| (it.measured_at, it.channel, it.epoch, it.sequence));
        Self { readings, start, end }
    }

    /// What is left when the first seconds are cut off.
    pub(crate) fn cropped(&self, seconds: i64) -> Self {
        self.part(self.start.plus_micros(seconds * MICROS_PER_SECOND), self.end)
    }

    /// The samples from a moment until another.
    pub(crate) fn part(&self, from: Timestamp, until: Timestamp) -> Self {
        let readings = self.readings.iter().filter_map(|it| within(it, from, until)).collect();
        Self::from_readings(readings, from.max(self.start), until.min(self.end))
    }

    /// What is left where nothing is read of a signal.
    pub(crate) fn without(mut self, signal: Signal) -> Self {
        self.readings.retain(|it| signal_of(it.channel) != Some(signal));
        self
    }

    /// The same as skin that conducts so many times as much would have given.
    pub(crate) fn conducting(mut self, times: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "beyond an i32 it stays at its end")]
        let scaled = |step: &mut i32| *step = (f64::from(*step) * times).round() as i32;
        let readings = self.readings.iter_mut().filter(|it| it.channel == Channel::Eda);
        readings.flat_map(|it| &mut it.samples).for_each(scaled);
        self
    }

    /// What is left where of a thousand packets so many are lost, each on its own.
    pub(crate) fn losing(mut self, of_1000: u32) -> Self {
        self.readings.retain(|it| !is_lost(it, of_1000));
        self
    }

    /// The same, so much later, under another numbering.
    pub(crate) fn moved(mut self, micros: i64, epoch: u32) -> Self {
        for reading in &mut self.readings {
            reading.measured_at = reading.measured_at.plus_micros(micros);
            reading.received_at = reading.received_at.plus_micros(micros);
            reading.epoch = epoch;
        }
        Self {
            start: self.start.plus_micros(micros),
            end: self.end.plus_micros(micros),
            readings: self.readings,
        }
    }
}

/// What a channel tells of.
const fn signal_of(channel: Channel) -> Option<Signal> {
    match channel {
        Channel::Bvp | Channel::HeartRate | Channel::Ibi => Some(Signal::Heart),
        Channel::Eda => Some(Signal::Eda),
        Channel::Acceleration => Some(Signal::Motion),
        Channel::SkinTemperature => Some(Signal::Temperature),
        Channel::Button => None,
    }
}

/// Whether the packet of half a second is lost: drawn from its time, so that all of its channels
/// are, or none.
pub(crate) fn is_lost(reading: &Reading, of_1000: u32) -> bool {
    let half = reading.measured_at.as_micros().div_euclid(PACKET_US.into());
    let mut random = Xoshiro256PlusPlus::seed_from_u64(half.unsigned_abs());
    random.random_ratio(of_1000, 1000)
}

/// The part of a reading that lies in a stretch.
fn within(reading: &Reading, from: Timestamp, until: Timestamp) -> Option<Reading> {
    let inside = |at: Timestamp| from <= at && at < until;
    if !reading.is_empty() && (0..reading.len()).all(|index| inside(reading.time_of(index))) {
        return Some(reading.clone());
    }
    let components = reading.channel.components();
    let first = (0..reading.len()).find(|index| inside(reading.time_of(*index)))?;
    let samples = (0..reading.len())
        .filter(|index| inside(reading.time_of(*index)))
        .flat_map(|index| &reading.samples[index * components..][..components])
        .copied()
        .collect();
    let event = reading.channel.is_event();
    let measured_at = if event { reading.measured_at } else { reading.time_of(first) };
    Some(Reading { measured_at, samples, ..reading.clone() })
}

#[cfg(test)]
mod tests {
    use biosignal::recording::Track;

    use super::*;

    fn skin(start: i64, samples: Vec<i32>) -> Stream {
        let start = Timestamp::from_seconds(start);
        let track = Track { channel: Channel::Eda, start, period_us: 250_000, samples };
        let device = DeviceId::from_address([1; 6]);
        let readings = track.readings(&device, 3_000_000).collect();
        Stream::from_readings(readings, start, track.end())
    }

    #[test]
    fn a_part_holds_the_samples_of_its_stretch() {
        let part = skin(100, (0..12).collect())
            .part(Timestamp::from_micros(100_600_000), Timestamp::from_seconds(102));
        assert_eq!(part.readings[0].samples, [3, 4, 5, 6, 7]);
        assert_eq!(part.readings[0].measured_at, Timestamp::from_micros(100_750_000));
        assert_eq!(part.end, Timestamp::from_seconds(102));
    }

    #[test]
    fn a_signal_goes_with_its_channels_and_skin_conducts_more_within_what_a_sample_holds() {
        let stream = skin(100, vec![7, -3, i32::MAX]);
        assert_eq!(stream.clone().conducting(4.0).readings[0].samples, [28, -12, i32::MAX]);
        assert_eq!(stream.clone().conducting(0.5).readings[0].samples[..2], [4, -2]);
        assert_eq!(stream.clone().without(Signal::Heart), stream);
        assert_eq!(stream.without(Signal::Eda).readings, []);
    }

    #[test]
    fn cropping_and_moving_keep_time_and_values_together() {
        let stream = skin(100, (0..12).collect()).cropped(2).moved(5_000_000, 7);
        assert_eq!(stream.start, Timestamp::from_seconds(107));
        assert_eq!(stream.readings[0].measured_at, Timestamp::from_seconds(107));
        assert_eq!(stream.readings[0].samples, [8, 9, 10, 11]);
        assert_eq!(stream.readings[0].epoch, 7);
    }

    #[test]
    fn a_packet_is_lost_with_all_of_its_channels_and_as_many_as_asked_for() {
        let reading = |channel: Channel, half: i64| Reading {
            device: DeviceId::from_address([1; 6]),
            channel,
            epoch: 1,
            sequence: 1,
            measured_at: Timestamp::from_micros(half * i64::from(PACKET_US)),
            received_at: Timestamp::from_micros(0),
            period_us: 1_000,
            samples: vec![0],
        };
        for of_1000 in [5, 50, 200] {
            let lost = |channel| -> Vec<i64> {
                let halves = 3_200_000_000..3_200_020_000;
                halves.filter(|half| is_lost(&reading(channel, *half), of_1000)).collect()
            };
            let pulse = lost(Channel::Bvp);
            let expected = 20 * of_1000 as usize;
            assert!(pulse.len().abs_diff(expected) < expected / 4, "{} lost", pulse.len());
            assert_eq!(pulse, lost(Channel::Acceleration));
        }
    }
}
