use serde::{Deserialize, Serialize};

use crate::{Channel, DeviceId, Timestamp};

/// A block of consecutive samples of one channel from one device.
///
/// A device numbers its packets: (`device`, `epoch`, `sequence`, `channel`) names a
/// reading once and for all, however often and by whichever way it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The device that measured.
    pub device: DeviceId,
    /// What it measured.
    pub channel: Channel,
    /// The device's numbering, new at each of its boots.
    pub epoch: u32,
    /// The packet's number in the epoch, one more each time.
    pub sequence: u32,
    /// When the first sample was taken, UTC, from the device's clock as mapped by the gateway.
    pub measured_at: Timestamp,
    /// When the gateway received it, UTC.
    pub received_at: Timestamp,
    /// Microseconds from sample to sample; 0 for event channels.
    pub period_us: u32,
    /// Integers in steps of [`Channel::scale`], [`Channel::components`] per sample.
    pub samples: Vec<i32>,
}

impl Reading {
    /// Number of samples (of all components together).
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len() / self.channel.components()
    }

    /// Whether the reading holds no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// When the sample at `index` was taken. For event channels: when the event happened.
    #[must_use]
    pub fn time_of(&self, index: usize) -> Timestamp {
        let offset = if self.channel.is_event() {
            self.samples
                .get(index * self.channel.components())
                .map_or(0, |micros| i64::from(*micros))
        } else {
            i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(i64::from(self.period_us))
        };
        self.measured_at.plus_micros(offset)
    }

    /// First moment after the last sample: its time plus one period.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        match self.len() {
            0 => self.measured_at,
            n => self.time_of(n - 1).plus_micros(i64::from(self.period_us)),
        }
    }

    /// The values in physical units, flattened as the samples are.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let scale = self.channel.scale();
        self.samples.iter().map(move |sample| f64::from(*sample) * scale)
    }

    /// Checks the shape: whole samples, and a period where the channel has a rate.
    ///
    /// # Errors
    /// [`ReadingError`] says what does not fit.
    pub fn validate(&self) -> Result<(), ReadingError> {
        let components = self.channel.components();
        if !self.samples.len().is_multiple_of(components) {
            return Err(ReadingError::PartialSample {
                channel: self.channel,
                integers: self.samples.len(),
                components,
            });
        }
        if self.channel.is_event() != (self.period_us == 0) {
            return Err(ReadingError::Period { channel: self.channel, period_us: self.period_us });
        }
        Ok(())
    }
}

/// A reading whose parts do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// The integers do not make whole samples.
    #[error("{channel}: {integers} integers do not make whole samples of {components}")]
    PartialSample {
        /// The reading's channel.
        channel: Channel,
        /// How many integers it holds.
        integers: usize,
        /// How many make a sample.
        components: usize,
    },
    /// A rate where there can be none, or none where there must be one.
    #[error("{channel}: a period of {period_us} us does not fit")]
    Period {
        /// The reading's channel.
        channel: Channel,
        /// The period that it came with.
        period_us: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(channel: Channel, period_us: u32, samples: Vec<i32>) -> Reading {
        Reading {
            device: DeviceId::from_address([1; 6]),
            channel,
            epoch: 1,
            sequence: 1,
            measured_at: Timestamp::from_seconds(100),
            received_at: Timestamp::from_seconds(101),
            period_us,
            samples,
        }
    }

    #[test]
    fn samples_stand_at_their_times() {
        let acceleration = reading(Channel::Acceleration, 31_250, vec![0, 0, 1024, 0, 0, 512]);
        assert_eq!(acceleration.len(), 2);
        assert_eq!(acceleration.time_of(1).as_micros(), 100_031_250);
        assert_eq!(acceleration.end().as_micros(), 100_062_500);
        assert_eq!(acceleration.values().nth(5), Some(0.5));

        let beats = reading(Channel::Ibi, 0, vec![250_000, 687_500]);
        assert_eq!(beats.time_of(0).as_micros(), 100_250_000);
        assert_eq!(beats.end().as_micros(), 100_250_000);
    }

    #[test]
    fn a_reading_that_does_not_fit_says_how() {
        let torn = reading(Channel::Acceleration, 31_250, vec![1, 2]);
        assert!(matches!(torn.validate(), Err(ReadingError::PartialSample { integers: 2, .. })));
        let still = reading(Channel::Eda, 0, vec![1]);
        assert!(matches!(still.validate(), Err(ReadingError::Period { period_us: 0, .. })));
        assert!(reading(Channel::Eda, 250_000, vec![1]).validate().is_ok());
    }
}
