//! Readings made up for tests: a restless wrist at the rates of an Empatica E4.

#![expect(clippy::cast_possible_truncation, reason = "small made-up samples")]

use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading, Timestamp};
use detector::{Config, Detector, default_model};

const T0: i64 = 1_700_000_000;

/// The channels that are made, with their rates in Hz.
pub(crate) const CHANNELS: [(Channel, i64); 4] = [
    (Channel::Bvp, 64),
    (Channel::Acceleration, 32),
    (Channel::Eda, 4),
    (Channel::SkinTemperature, 4),
];

/// A moment of the made-up day, s.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(T0 + second)
}

/// A detector that knows nothing.
pub(crate) fn fresh() -> Detector {
    Detector::new(Config::default(), Arc::new(default_model()))
}

/// The sample of a channel at an index.
pub(crate) fn sample(channel: Channel, hz: i64, index: i64) -> Vec<i32> {
    let t = index as f64 / hz as f64;
    let noise = ((index * 7919) % 101) as i32;
    match channel {
        Channel::Bvp => vec![(8000.0 * (t * 7.5 + (t * 0.3).sin()).sin()) as i32 + noise],
        Channel::Acceleration => vec![noise, 20, 1024 + noise],
        Channel::Eda => vec![2_000_000 + noise * 900 + (90_000.0 * (t / 9.0).sin()) as i32],
        _ => vec![3300 + noise / 50],
    }
}

/// Readings of `seconds`; `size` says how many samples the packet of a channel and number has.
pub(crate) fn readings(seconds: i64, mut size: impl FnMut(Channel, u32) -> i64) -> Vec<Reading> {
    let mut all = Vec::new();
    for (channel, hz) in CHANNELS {
        let (mut from, mut sequence) = (0, 0);
        while from < seconds * hz {
            let until = (from + size(channel, sequence).max(1)).min(seconds * hz);
            let measured_at = at(0).plus_micros(from * 1_000_000 / hz);
            all.push(Reading {
                device: DeviceId::from_address([1; 6]),
                channel,
                epoch: 1,
                sequence,
                measured_at,
                received_at: measured_at,
                period_us: (1_000_000 / hz) as u32,
                samples: (from..until).flat_map(|index| sample(channel, hz, index)).collect(),
            });
            (from, sequence) = (until, sequence + 1);
        }
    }
    all
}
