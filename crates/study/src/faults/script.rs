//! A recording with a fault in it, as it would reach the detector.

use std::ops::Range;

use anyhow::Context;
use biosignal::{Channel, MICROS_PER_SECOND, Reading, Timestamp};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::fault::{Edge, Fault, Kind};
use crate::stream::{Stream, is_lost};

/// How long is played after the end of a fault, s.
const AFTER_S: i64 = 600;

/// Packets with the moments at which they come, and what the detector's clock says.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// True unix second at which each comes, in that order.
    pub(super) arrivals: Vec<(i64, Reading)>,
    /// True unix seconds that are played.
    pub(super) seconds: Range<i64>,
    /// True unix seconds of the fault.
    pub(super) fault: Range<i64>,
    /// True unix seconds at which nothing valid can be seen.
    pub(super) blind: Vec<Range<i64>>,
    /// By how much the detector's clock is wrong during the fault, s.
    pub(super) clock_s: i64,
}

impl Script {
    /// # Errors
    /// Where the recording lacks a channel that the fault needs.
    pub(super) fn of(stream: &Stream, fault: &Fault) -> anyhow::Result<Self> {
        let start = stream.start.as_micros().div_euclid(MICROS_PER_SECOND);
        let from = start + fault.from_s;
        let hit = from..from + fault.lasts_s;
        let mut arrivals = Vec::new();
        let stream =
            if fault.kind == Kind::Silence { silent(stream, &hit) } else { stream.clone() };
        for reading in stream.readings {
            let begins = reading.measured_at.as_micros().div_euclid(MICROS_PER_SECOND);
            let comes = (reading.end().as_micros() + MICROS_PER_SECOND - 1) / MICROS_PER_SECOND;
            arrivals.push((comes, reading));
            if hit.contains(&begins) {
                strike(&fault.kind, start, &hit, &mut arrivals)?;
            }
        }
        if matches!(fault.kind, Kind::Reordered(_)) {
            arrivals.reverse();
        }
        arrivals.sort_by_key(|(comes, _)| *comes);
        let clock_s = if let Kind::Clock(by) = fault.kind { by } else { 0 };
        let blind = fault.hidden().into_iter().map(|it| start + it.start..start + it.end).collect();
        let seconds = start + 1..hit.end + AFTER_S;
        Ok(Self { arrivals, seconds, fault: hit, blind, clock_s })
    }

    /// What the detector's clock says at a true second.
    pub(super) fn clock(&self, second: i64) -> Timestamp {
        let wrong = if self.fault.contains(&second) { self.clock_s } else { 0 };
        Timestamp::from_seconds(second + wrong)
    }
}

/// A stream that stops for some seconds and then goes on where it stopped.
fn silent(stream: &Stream, hit: &Range<i64>) -> Stream {
    let at = Timestamp::from_seconds(hit.start);
    let mut before = stream.part(stream.start, at);
    let after = stream.part(at, stream.end).moved((hit.end - hit.start) * MICROS_PER_SECOND, 2);
    before.readings.extend(after.readings);
    Stream::from_readings(before.readings, stream.start, after.end)
}

/// Does the fault to the packet that came last.
fn strike(
    kind: &Kind,
    start: i64,
    hit: &Range<i64>,
    arrivals: &mut Vec<(i64, Reading)>,
) -> anyhow::Result<()> {
    let (comes, mut reading) = arrivals.pop().context("a packet was just added")?;
    let channel = reading.channel;
    let second = reading.measured_at.as_micros().div_euclid(MICROS_PER_SECOND);
    match kind {
        Kind::Without(channels) if channels.contains(&channel) => return Ok(()),
        Kind::Lossy(of_1000) if is_lost(&reading, *of_1000) => return Ok(()),
        Kind::Bursts(bursts) if bursts.iter().any(|it| it.contains(&(second - start))) => {
            return Ok(());
        }
        Kind::Frozen(channels) if channels.contains(&channel) => {
            let before = arrivals.iter().rev().find(|(_, before)| before.channel == channel);
            let (_, before) = before.with_context(|| format!("no {channel} before the fault"))?;
            let width = channel.components();
            let last = before.samples[before.samples.len() - width..].to_vec();
            reading.samples = last.repeat(reading.len());
        }
        Kind::Full(channels, edge) if channels.contains(&channel) => {
            reading.samples.fill(edge.step(channel));
        }
        Kind::Clipped(limit) if channel == Channel::Bvp => {
            reading.samples.iter_mut().for_each(|step| *step = (*step).clamp(-limit, *limit));
        }
        Kind::OffWrist => lay_down(hit.start, &mut reading),
        Kind::BandClock(by) => {
            reading.measured_at = reading.measured_at.plus_micros(by * MICROS_PER_SECOND);
        }
        Kind::Doubled => arrivals.push((comes, reading.clone())),
        _ => {}
    }
    let comes = match kind {
        Kind::Late(by) => comes + by,
        // All of a block of seconds comes with its last.
        Kind::Reordered(block) => comes + block - 1 - (comes - hit.start).rem_euclid(*block),
        _ => comes,
    };
    arrivals.push((comes, reading));
    Ok(())
}

impl Edge {
    fn step(self, channel: Channel) -> i32 {
        match (self, channel) {
            (Self::Highest, _) => i32::MAX,
            (Self::Lowest, _) => i32::MIN,
            // An E4: 2 g, 100 uS, 115 C, and a pulse wave of 1000 counts.
            (Self::Sensor, Channel::Acceleration) => 2 * 1024,
            (Self::Sensor, Channel::Eda) => 100_000_000,
            (Self::Sensor, Channel::SkinTemperature) => 11_500,
            (Self::Sensor, _) => 100_000,
        }
    }
}

/// What the sensors of a band on a table measure: white noise, and cooling by 0.6 C/min until it
/// is as cold as the room.
fn lay_down(since: i64, reading: &mut Reading) {
    let channel = reading.channel;
    let first_us = reading.measured_at.as_micros();
    let cooled_s = first_us.div_euclid(MICROS_PER_SECOND) - since;
    let mut noise = Xoshiro256PlusPlus::seed_from_u64(first_us.unsigned_abs());
    for (at, step) in reading.samples.iter_mut().enumerate() {
        let noise: i32 = noise.random_range(0..=100);
        *step = match channel {
            Channel::Acceleration => [16, -16, 1008][at % 3] + 16 * i32::from(noise > 90),
            Channel::Eda => noise * 20,
            Channel::SkinTemperature => *step - i32::try_from(cooled_s.min(600)).unwrap_or(0),
            _ => 100 * (noise - 50),
        };
    }
}
