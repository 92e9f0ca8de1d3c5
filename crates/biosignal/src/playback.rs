//! A recording as the readings that a wristband would have sent.

use crate::recording::{Recording, Track};
use crate::{Channel, DeviceId, Reading, Timestamp};

impl Track {
    /// The track as a wristband would have sent it: a reading for each `packet_us`, numbered
    /// from 0, of at least one sample, the last one as short as it comes out.
    pub fn readings(&self, device: &DeviceId, packet_us: u32) -> impl Iterator<Item = Reading> {
        let length = (packet_us / self.period_us.max(1)).max(1);
        let packet_us = i64::from(length) * i64::from(self.period_us);
        let chunks = self.samples.chunks(length as usize * self.channel.components());
        chunks.zip(0_u32..).map(move |(samples, sequence)| {
            let at = self.start.plus_micros(i64::from(sequence) * packet_us);
            reading(device, self.channel, sequence, at, self.period_us, samples.to_vec())
        })
    }
}

impl Recording {
    /// The whole recording as a wristband would have sent it, channel by channel, in packets of
    /// `packet_us`. What the maker computed from the pulse wave afterwards (heart rate,
    /// intervals) is sent only where the pulse wave itself is missing.
    #[must_use]
    pub fn readings(&self, device: &DeviceId, packet_us: u32) -> Vec<Reading> {
        let pulse = self.track(Channel::Bvp).is_some();
        let sent = self.tracks.iter().filter(|it| !(pulse && it.channel == Channel::HeartRate));
        let mut readings: Vec<Reading> =
            sent.flat_map(|track| track.readings(device, packet_us)).collect();
        if !pulse {
            readings.extend(self.beats.iter().zip(0..).map(|(beat, sequence)| {
                reading(device, Channel::Ibi, sequence, beat.at, 0, vec![0, beat.interval_us])
            }));
        }
        readings
    }
}

fn reading(
    device: &DeviceId,
    channel: Channel,
    sequence: u32,
    at: Timestamp,
    period_us: u32,
    samples: Vec<i32>,
) -> Reading {
    Reading {
        device: device.clone(),
        channel,
        epoch: 1,
        sequence,
        measured_at: at,
        received_at: at,
        period_us,
        samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::RecordingError;

    #[test]
    fn readings_hold_every_sample_at_its_time() -> Result<(), RecordingError> {
        let pulse = ("BVP.csv", "100\n64\n1\n2\n3\n");
        let skin = ("EDA.csv", "101\n4\n1\n2\n3\n4\n5\n");
        let (rate, beats) = (("HR.csv", "110\n1\n70\n"), ("IBI.csv", "100,IBI\n7.5,0.8\n"));
        let device = DeviceId::from_address([1; 6]);
        let sent = |named: &[(&str, &str)]| -> Result<Vec<_>, RecordingError> {
            let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
            let files = named.iter().map(owned).collect();
            let readings = Recording::from_files(&files)?.readings(&device, 500_000);
            let told = |it: Reading| (it.channel, it.measured_at.as_micros(), it.samples);
            Ok(readings.into_iter().map(told).collect())
        };
        let skin_sent = [
            (Channel::Eda, 101_000_000, vec![1_000_000, 2_000_000]),
            (Channel::Eda, 101_500_000, vec![3_000_000, 4_000_000]),
            (Channel::Eda, 102_000_000, vec![5_000_000]),
        ];
        let whole = sent(&[pulse, skin, rate, beats])?;
        assert!(whole.ends_with(&skin_sent) || whole.starts_with(&skin_sent), "{whole:?}");
        assert_eq!(whole.len(), 4);
        let without_pulse = sent(&[skin, rate, beats])?;
        assert_eq!(without_pulse.len(), 5);
        assert_eq!(without_pulse[4], (Channel::Ibi, 107_500_000, vec![0, 800_000]));
        Ok(())
    }
}
