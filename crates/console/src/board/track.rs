use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};

use super::coverage::Coverage;

/// How far a mapped clock may run ahead of ours.
const MOST_AHEAD_US: i64 = 5 * MICROS_PER_SECOND;

/// What is known of one channel of one band: its newest value, and how long that has stood still.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    channel: Channel,
    /// When the newest sample was taken, but never later than it arrived: a band
    /// whose clock runs ahead must not look fresh after it fell silent.
    newest_at: Timestamp,
    value: f64,
    changed_at: Timestamp,
    pub(crate) coverage: Coverage,
}

impl Track {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            newest_at: Timestamp::from_micros(i64::MIN),
            value: f64::NAN,
            changed_at: Timestamp::from_micros(i64::MIN),
            coverage: Coverage::default(),
        }
    }

    /// Takes a reading of this channel that arrived at `arrived`.
    pub(crate) fn take(&mut self, reading: &Reading, arrived: Timestamp) {
        let Some(value) = shown_value(reading) else { return };
        let ends = reading.time_of(reading.len() - 1);
        if ends.micros_since(arrived) < MOST_AHEAD_US {
            self.coverage.mark(reading);
        }
        let at = ends.min(arrived);
        if at <= self.newest_at {
            return;
        }
        if value != self.value || varies(reading) {
            self.changed_at = at;
        }
        self.newest_at = at;
        self.value = value;
    }

    pub(crate) fn newest_at(&self) -> Timestamp {
        self.newest_at
    }

    /// The newest value, where it is fresh, plausible and still moves as its sensor does.
    pub(crate) fn shown(&self, now: Timestamp, fresh_us: i64) -> Option<f64> {
        let fresh = now.micros_since(self.newest_at) < fresh_us;
        let moves = now.micros_since(self.changed_at) < longest_stillness_us(self.channel);
        (fresh && moves && plausible(self.channel, self.value)).then_some(self.value)
    }
}

/// Standard deviation of the acceleration's length, g: 0 at rest, about 0.3 in a walk.
pub(crate) fn activity(samples: &[i32]) -> Option<f64> {
    let lengths: Vec<f64> = samples
        .chunks_exact(Channel::Acceleration.components())
        .map(|axes| axes.iter().map(|axis| f64::from(*axis).powi(2)).sum::<f64>().sqrt())
        .collect();
    if lengths.is_empty() {
        return None;
    }
    let n = lengths.len() as f64;
    let mean = lengths.iter().sum::<f64>() / n;
    let variance = lengths.iter().map(|length| (length - mean).powi(2)).sum::<f64>() / n;
    Some(variance.sqrt() * Channel::Acceleration.scale())
}

fn shown_value(reading: &Reading) -> Option<f64> {
    match reading.channel {
        Channel::Acceleration => activity(&reading.samples),
        _ => reading.samples.last().map(|sample| f64::from(*sample) * reading.channel.scale()),
    }
}

fn varies(reading: &Reading) -> bool {
    reading.samples.windows(2).any(|pair| pair[0] != pair[1])
}

/// Beyond this a value that stands still is missing. In 22 recordings of an hour no heart rate
/// stood still for more than 11 s, no EDA for more than 24 s, no skin temperature for more than
/// 18 s; the limits leave room for a strap's whole beats and for a coarser thermometer.
fn longest_stillness_us(channel: Channel) -> i64 {
    MICROS_PER_SECOND
        * match channel {
            Channel::HeartRate | Channel::Eda => 60,
            Channel::SkinTemperature => 120,
            _ => 30,
        }
}

fn plausible(channel: Channel, value: f64) -> bool {
    match channel {
        Channel::HeartRate => (20.0..=260.0).contains(&value),
        Channel::Eda => (0.0..=200.0).contains(&value),
        Channel::SkinTemperature => (5.0..=50.0).contains(&value),
        _ => value.is_finite(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use biosignal::DeviceId;

    const FRESH_US: i64 = 10 * MICROS_PER_SECOND;

    fn heart_rate(at_s: i64, beats: i32) -> Reading {
        Reading {
            device: DeviceId::from_address([0; 6]),
            channel: Channel::HeartRate,
            epoch: 1,
            sequence: 1,
            measured_at: Timestamp::from_seconds(at_s),
            received_at: Timestamp::from_seconds(at_s),
            period_us: 1_000_000,
            samples: vec![beats],
        }
    }

    fn shown_after(readings: impl Iterator<Item = (i64, i32)>, now_s: i64) -> Option<f64> {
        let mut track = Track::new(Channel::HeartRate);
        for (at, beats) in readings {
            track.take(&heart_rate(at, beats), Timestamp::from_seconds(at));
        }
        track.shown(Timestamp::from_seconds(now_s), FRESH_US)
    }

    #[test]
    fn the_newest_value_is_shown_for_ten_seconds() {
        assert_eq!(shown_after([(100, 7000), (101, 7150)].into_iter(), 102), Some(71.5));
        assert_eq!(shown_after([(101, 7150), (100, 7000)].into_iter(), 102), Some(71.5));
        assert_eq!(shown_after([(101, 7150)].into_iter(), 110), Some(71.5));
        assert_eq!(shown_after([(101, 7150)].into_iter(), 111), None);
    }

    #[test]
    fn a_frozen_heart_rate_is_missing_though_it_keeps_coming() {
        let frozen = |until: i64| (100..until).map(|at| (at, 7150));
        assert_eq!(shown_after(frozen(150), 150), Some(71.5));
        assert_eq!(shown_after(frozen(170), 170), None);
        assert_eq!(shown_after(frozen(170).chain([(170, 7200)]), 171), Some(72.0));
    }

    #[test]
    fn an_impossible_heart_rate_is_missing() {
        assert_eq!(shown_after([(100, 0)].into_iter(), 100), None);
    }

    #[test]
    fn a_clock_that_runs_ahead_does_not_keep_a_silent_band_fresh() {
        let mut track = Track::new(Channel::HeartRate);
        track.take(&heart_rate(9_999, 7000), Timestamp::from_seconds(100));
        assert_eq!(track.newest_at(), Timestamp::from_seconds(100));
        assert_eq!(track.shown(Timestamp::from_seconds(111), FRESH_US), None);
    }

    #[test]
    fn activity_is_none_at_rest_and_more_in_motion() {
        assert_eq!(activity(&[0, 0, 1024, 0, 1024, 0]), Some(0.0), "turned, not moved");
        assert_eq!(activity(&[0, 0, 0, 0, 0, 2048]), Some(1.0));
        assert_eq!(activity(&[]), None);
    }
}
