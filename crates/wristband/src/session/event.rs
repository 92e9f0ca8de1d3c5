use biosignal::{Gap, GapCause, Reading, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::DecodeError;

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The device is connected and its notifications are subscribed to.
    Connected,
    /// The connection is gone.
    Disconnected {
        /// Why.
        cause: GapCause,
    },
    /// A characteristic was notified or read.
    Notified {
        /// Which.
        characteristic: Uuid,
        /// Its value.
        bytes: &'a [u8],
    },
    /// Time went by: to be told every second or more often.
    Tick,
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Pass a reading on. None is told twice.
    Reading {
        /// The reading.
        reading: Reading,
        /// Whether it came as it was measured, rather than from flash.
        live: bool,
    },
    /// Record that samples are missing for good.
    Gap(Gap),
    /// Write to a characteristic, with response, in the order given.
    Write {
        /// Which.
        characteristic: Uuid,
        /// What.
        bytes: Vec<u8>,
    },
    /// Record how the device's clock is mapped from here on.
    Clock(ClockEstimate),
    /// The battery level changed: percent.
    Battery(u8),
    /// The device was put on a wrist or skin (true), or taken off.
    Contact(bool),
    /// The device is connected and sends nothing live; told once per silence, which
    /// ends with the next live reading.
    Silent {
        /// When it was last heard.
        since: Timestamp,
    },
    /// A value was refused, and counts for nothing.
    Rejected {
        /// Whose value.
        characteristic: Uuid,
        /// What is wrong with it.
        error: DecodeError,
    },
}

/// How a device's clock was mapped to UTC at one time:
/// `utc = device_time * (1 + drift_ppm / 1e6) + offset_us`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockEstimate {
    /// The epoch whose clock it is.
    pub epoch: u32,
    /// UTC at device time 0, microseconds.
    pub offset_us: i64,
    /// By how much the device's clock is slow, parts per million.
    pub drift_ppm: f64,
    /// How far off the mapping may be at `at`, microseconds.
    pub uncertainty_us: u32,
    /// When it was estimated.
    pub at: Timestamp,
}

impl ClockEstimate {
    /// UTC of a moment on the device's clock.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a drift is small, and a cast saturates")]
    #[expect(clippy::cast_precision_loss, reason = "exact for 285 years after the device's boot")]
    pub fn utc(&self, device_time_us: u64) -> Timestamp {
        let stretch = (device_time_us as f64 * self.drift_ppm / 1e6).round() as i64;
        let device_time_us = i64::try_from(device_time_us).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.offset_us).plus_micros(device_time_us).plus_micros(stretch)
    }
}
