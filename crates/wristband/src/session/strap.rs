use biosignal::{Channel, DeviceId, Gap, GapCause, MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{Action, Event};
use super::watch::{Changes, Silence};
use crate::{DecodeError, HeartRateMeasurement, Packet, decode};

/// The conversation with a heart-rate strap. It has no clock, no numbers and no memory:
/// its values are timed by their arrival, the session numbers them, and what is not heard
/// is lost.
#[derive(Clone, Debug)]
pub(super) struct Strap {
    device: DeviceId,
    at: StrapCursor,
    /// When the last beat came, for intervals to be strung together.
    last_beat: Option<Timestamp>,
    /// Why nothing is measured at present.
    absence: GapCause,
    silence: Silence,
    changes: Changes,
}

/// Where a strap's session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StrapCursor {
    pub(super) epoch: u32,
    pub(super) sequence: u32,
    /// Up to when every second was measured or is recorded as a gap.
    covered_until: Option<Timestamp>,
}

/// Values come once a second: this much between two is a gap.
const MISSED_US: i64 = 3_000_000;
/// The last beat of a value came within this time before it.
const BEAT_AGE_US: i64 = 1_500_000;
/// No heart is faster, and none pauses longer and goes on.
const MAX_BEATS_PER_MINUTE: u16 = 300;
const MAX_INTERVAL_1024: u16 = 8 * 1024;
const PERIOD_US: u32 = 1_000_000;

impl Strap {
    pub(super) fn new(device: DeviceId) -> Self {
        Self::at(device, StrapCursor::default(), GapCause::OutOfRange)
    }

    /// Goes on from a cursor: since then the gateway was not there.
    pub(super) fn resumed(device: DeviceId, cursor: StrapCursor) -> Self {
        Self::at(device, cursor, GapCause::Gateway)
    }

    fn at(device: DeviceId, at: StrapCursor, absence: GapCause) -> Self {
        Self {
            device,
            at,
            last_beat: None,
            absence,
            silence: Silence::default(),
            changes: Changes::default(),
        }
    }

    pub(super) fn cursor(&self) -> StrapCursor {
        self.at
    }

    pub(super) fn handle(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Action> {
        match event {
            Event::Connected => {
                self.silence.connected(now);
                Vec::new()
            }
            Event::Disconnected { cause } => {
                self.silence.disconnected();
                self.miss(now, cause)
            }
            Event::Notified { characteristic, bytes } => self.notified(now, characteristic, bytes),
            Event::Tick => self.silence.tick(now).into_iter().collect(),
        }
    }

    fn notified(&mut self, now: Timestamp, characteristic: Uuid, bytes: &[u8]) -> Vec<Action> {
        match decode(characteristic, bytes) {
            Ok(Packet::HeartRate(measurement)) => self.measured(now, characteristic, &measurement),
            Ok(Packet::Battery(percent)) => self.changes.battery(percent).into_iter().collect(),
            Ok(Packet::Stream(_) | Packet::State(_)) => Vec::new(),
            Err(error) => vec![Action::Rejected { characteristic, error }],
        }
    }

    fn measured(
        &mut self,
        now: Timestamp,
        characteristic: Uuid,
        measurement: &HeartRateMeasurement,
    ) -> Vec<Action> {
        self.silence.heard(now);
        let mut out: Vec<_> = measurement
            .contact
            .and_then(|contact| self.changes.contact(contact))
            .into_iter()
            .collect();
        if measurement.contact == Some(false) {
            self.last_beat = None;
            out.extend(self.miss(now, GapCause::OffWrist));
            return out;
        }
        if let Some(error) = implausible(measurement) {
            out.push(Action::Rejected { characteristic, error });
            return out;
        }
        let samples = self.samples(now, measurement);
        if !samples.is_empty() {
            out.extend(self.cover(now));
            out.extend(self.read(now, samples));
        }
        out
    }

    /// Numbers the readings of one value.
    fn read(&mut self, now: Timestamp, samples: Vec<Samples>) -> Vec<Action> {
        if self.at.sequence == 0 {
            self.at.epoch = u32::try_from(now.as_micros() / MICROS_PER_SECOND).unwrap_or(0);
        }
        self.at.sequence = self.at.sequence.saturating_add(1);
        let StrapCursor { epoch, sequence, .. } = self.at;
        let reading = |Samples { channel, measured_at, period_us, samples }| Action::Reading {
            live: true,
            reading: Reading {
                device: self.device.clone(),
                channel,
                epoch,
                sequence,
                measured_at,
                received_at: now,
                period_us,
                samples,
            },
        };
        samples.into_iter().map(reading).collect()
    }

    fn samples(&mut self, now: Timestamp, measurement: &HeartRateMeasurement) -> Vec<Samples> {
        let mut samples = Vec::new();
        if measurement.beats_per_minute > 0 {
            samples.push(Samples {
                channel: Channel::HeartRate,
                measured_at: now,
                period_us: PERIOD_US,
                samples: vec![i32::from(measurement.beats_per_minute) * 100],
            });
        }
        samples.extend(self.beats(now, &measurement.intervals_1024));
        samples
    }

    /// Strings the intervals onto the beats before, or where that does not fit (a value
    /// was lost, or the first one) lets the last beat come now.
    fn beats(&mut self, now: Timestamp, intervals_1024: &[u16]) -> Option<Samples> {
        let intervals: Vec<_> =
            intervals_1024.iter().filter(|interval| **interval > 0).map(micros).collect();
        let first = intervals.first()?;
        let length: i64 = intervals.iter().copied().map(i64::from).sum();
        let age = |last: &Timestamp| now.micros_since(last.plus_micros(length));
        let start = self
            .last_beat
            .filter(|last| (0..=BEAT_AGE_US).contains(&age(last)))
            .unwrap_or(now.plus_micros(-length));
        self.last_beat = Some(start.plus_micros(length));
        let mut after_first = -first;
        let pairs = intervals.iter().flat_map(|interval| {
            after_first += interval;
            [after_first, *interval]
        });
        Some(Samples {
            channel: Channel::Ibi,
            measured_at: start.plus_micros(i64::from(*first)),
            period_us: 0,
            samples: pairs.collect(),
        })
    }

    /// Notes that the strap measures now: what was not measured before is a gap.
    fn cover(&mut self, now: Timestamp) -> Option<Action> {
        let gap = self.gap(now, self.absence);
        self.at.covered_until = Some(now.plus_micros(PERIOD_US.into()));
        // Connected, in contact and yet silent: only the strap itself can be why.
        self.absence = GapCause::Band;
        gap
    }

    /// Notes that nothing is measured from now on, and why; the gap so far had another cause.
    fn miss(&mut self, now: Timestamp, cause: GapCause) -> Vec<Action> {
        if self.absence == cause {
            return Vec::new();
        }
        let gap = self.gap(now, self.absence);
        if gap.is_some() {
            self.at.covered_until = Some(now);
        }
        self.absence = cause;
        gap.into_iter().collect()
    }

    fn gap(&self, now: Timestamp, cause: GapCause) -> Option<Action> {
        let from = self.at.covered_until?;
        let device = self.device.clone();
        let missed = now.micros_since(from) > MISSED_US - i64::from(PERIOD_US);
        missed.then_some(Action::Gap(Gap { device, from, until: now, cause }))
    }
}

/// What one value says of a channel.
struct Samples {
    channel: Channel,
    measured_at: Timestamp,
    period_us: u32,
    samples: Vec<i32>,
}

fn implausible(measurement: &HeartRateMeasurement) -> Option<DecodeError> {
    let rate = measurement.beats_per_minute;
    if rate > MAX_BEATS_PER_MINUTE {
        return Some(DecodeError::Value { what: "the heart rate", value: rate.into() });
    }
    let interval = measurement.intervals_1024.iter().find(|one| **one > MAX_INTERVAL_1024)?;
    Some(DecodeError::Value { what: "an interval", value: (*interval).into() })
}

fn micros(interval_1024: &u16) -> i32 {
    // 1/1024 s = 976.5625 us = 15625 us / 16
    (i32::from(*interval_1024) * 15_625 + 8) / 16
}
