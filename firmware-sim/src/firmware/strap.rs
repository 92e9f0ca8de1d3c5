use std::collections::BTreeSet;

use biosignal::{Channel, Timestamp};
use uuid::Uuid;
use wristband::{HeartRateMeasurement, uuids};

use super::gatt::{NOTIFY, information, service, standard_services};
use super::{AttError, Battery, Notification, Service};
use crate::body::{Seen, Segment, WINDOW_US, Wearer};

/// A chest strap with the standard Heart Rate service: a value a second, no memory.
#[derive(Debug)]
pub(crate) struct Strap {
    serial: String,
    services: Vec<Service>,
    wearer: Wearer,
    battery: Battery,
    put_down: bool,
    /// Body time of the next second.
    next_us: i64,
    beats_per_minute: u16,
    subscribed: BTreeSet<Uuid>,
}

const SECOND_US: i64 = 1_000_000;

impl Strap {
    pub(crate) fn new(serial: String, wearer: Wearer, battery: Battery) -> Self {
        let heart_rate = [(uuids::HEART_RATE_MEASUREMENT, NOTIFY)];
        let mut services = vec![service(uuids::HEART_RATE_SERVICE, &heart_rate)];
        services.extend(standard_services());
        Self {
            serial,
            services,
            wearer,
            battery,
            put_down: false,
            next_us: 0,
            beats_per_minute: 0,
            subscribed: BTreeSet::new(),
        }
    }

    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }

    pub(crate) fn wearer(&self) -> &Wearer {
        &self.wearer
    }

    pub(crate) fn link_up(&mut self) {
        self.subscribed.clear();
    }

    pub(crate) fn link_lost(&mut self) {
        self.subscribed.clear();
    }

    pub(crate) fn subscribe(&mut self, characteristic: Uuid, on: bool) {
        if on {
            self.subscribed.insert(characteristic);
        } else {
            self.subscribed.remove(&characteristic);
        }
    }

    pub(crate) fn read(&self, now: Timestamp, characteristic: Uuid) -> Result<Vec<u8>, AttError> {
        match characteristic {
            uuids::BATTERY_LEVEL => Ok(vec![self.battery.percent(now)]),
            other => information(other, "HR-1", &self.serial).ok_or(AttError::READ_NOT_PERMITTED),
        }
    }

    pub(crate) fn set_worn(&mut self, worn: bool) {
        self.put_down = !worn;
    }

    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut sent = Vec::new();
        while self.due() <= now {
            let value = self.second();
            if let Some(measurement) = value.filter(|_| self.streams()) {
                sent.push(Notification {
                    characteristic: uuids::HEART_RATE_MEASUREMENT,
                    bytes: measurement.encode(),
                    live: true,
                });
            }
        }
        sent
    }

    pub(crate) fn streams(&self) -> bool {
        self.subscribed.contains(&uuids::HEART_RATE_MEASUREMENT)
    }

    pub(crate) fn due(&self) -> Timestamp {
        self.wearer.born.plus_micros(self.next_us + SECOND_US)
    }

    fn second(&mut self) -> Option<HeartRateMeasurement> {
        let from_us = self.next_us;
        self.next_us += SECOND_US;
        let mut intervals_1024 = Vec::new();
        let mut contact = !self.put_down;
        for window in [from_us, from_us + WINDOW_US] {
            match self.wearer.see(window, window + WINDOW_US) {
                Seen::Worn(segments) => {
                    self.beats_per_minute = rate(&segments).unwrap_or(self.beats_per_minute);
                    intervals_1024.extend(intervals(&segments));
                }
                Seen::TakenOff => contact = false,
                Seen::Over => return None,
            }
        }
        if !contact {
            self.beats_per_minute = 0;
            intervals_1024.clear();
        }
        Some(HeartRateMeasurement {
            beats_per_minute: self.beats_per_minute,
            contact: Some(contact),
            energy_kj: None,
            intervals_1024,
            trailing_bytes: 0,
        })
    }
}

fn rate(segments: &[Segment]) -> Option<u16> {
    let segment = segments.iter().find(|segment| segment.channel == Channel::HeartRate)?;
    let steps = segment.samples.last()?;
    u16::try_from((steps + 50) / 100).ok()
}

/// Lengths of the intervals, in 1/1024 s.
fn intervals(segments: &[Segment]) -> impl Iterator<Item = u16> {
    let beats = segments.iter().filter(|segment| segment.channel == Channel::Ibi);
    let lengths = beats.flat_map(|segment| segment.samples.iter().skip(1).step_by(2));
    lengths
        .filter_map(|micros| u16::try_from((i64::from(*micros) * 1024 + 500_000) / 1_000_000).ok())
}
