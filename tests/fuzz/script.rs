//! What a fuzzer does to a detector, step by step.

use std::sync::Arc;

use arbitrary::Arbitrary;
use biosignal::{Channel, DeviceId, MICROS_PER_SECOND, Reading, Timestamp};
use detector::{Config, Detector, Model};

use crate::watch::Watch;

/// When every script begins, s.
const T0: i64 = 1_700_000_000;
const WARM_UP_S: i64 = 900;
/// So much is played at most, that a run stays short.
const LONGEST_S: i64 = 600;
/// Channels at their usual rates, Hz.
const USUAL: [(Channel, i64); 5] = [
    (Channel::Bvp, 64),
    (Channel::Acceleration, 32),
    (Channel::Eda, 4),
    (Channel::SkinTemperature, 4),
    (Channel::HeartRate, 1),
];

/// What is done, in order.
#[derive(Arbitrary, Debug)]
pub struct Script {
    /// Whether the detector knows its wearer already.
    pub known: bool,
    hop: u8,
    pub steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
pub enum Step {
    /// A worn band for some seconds, with something wrong with some channels.
    Live { seconds: u8, channels: u8, wrong: Wrong, late_s: u8 },
    /// A reading of any shape, about now.
    Push { packet: Packet, about_ms: i32 },
    /// A reading of any shape, at any time.
    PushAt { packet: Packet, moment: Moment },
    /// Time goes by, or back.
    Tick { later_ms: i32 },
    /// The clock is set.
    Set { moment: Moment },
    /// A restart; from here on the restored detector and the uninterrupted one both go on.
    Restart,
}

/// Any moment, the ends of time among them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Moment {
    Any { micros: i64 },
    FromFirst { seconds: u16 },
    ToLast { seconds: u16 },
}

/// What a fuzzer makes of a channel's values.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Wrong {
    Nothing,
    Frozen { channels: u8, at: i32 },
    Saturated { channels: u8, high: bool },
    Noise { channels: u8, seed: u16 },
}

#[derive(Arbitrary, Debug)]
pub struct Packet {
    channel: u8,
    epoch: u8,
    sequence: u16,
    period_us: u32,
    samples: Vec<i32>,
}

/// Plays a script to a detector.
pub struct Player {
    detector: Detector,
    twin: Option<Detector>,
    watch: Watch,
    now_us: i64,
    played_s: i64,
    sequence: u32,
}

impl Script {
    pub fn hop_s(&self) -> u32 {
        u32::from(self.hop) % 12
    }
}

impl Player {
    pub fn new(detector: Detector, known: bool) -> Self {
        let start = if known { T0 + WARM_UP_S } else { T0 };
        let mut watch = Watch::default();
        if known {
            watch.saw_all(start - 60..start);
        }
        let sequence = if known { 1 << 20 } else { 1 << 10 };
        let now_us = start * MICROS_PER_SECOND;
        Self { detector, twin: None, watch, now_us, played_s: 0, sequence }
    }

    pub fn warm_up(&mut self) {
        for _ in 0..WARM_UP_S {
            self.live_second(u8::MAX, Wrong::Nothing, 0);
        }
    }

    pub fn snapshot(&self) -> Vec<u8> {
        self.detector.snapshot()
    }

    pub fn play(&mut self, step: Step, model: &Arc<Model>) {
        match step {
            Step::Live { seconds, channels, wrong, late_s } => {
                let left_s = LONGEST_S - self.played_s;
                let seconds = i64::from(seconds).min(left_s);
                self.played_s += seconds;
                for _ in 0..seconds {
                    self.live_second(channels, wrong, i64::from(late_s));
                }
            }
            Step::Push { packet, about_ms } => {
                self.push(packet, self.now_us.saturating_add(i64::from(about_ms) * 1000));
            }
            Step::PushAt { packet, moment } => self.push(packet, moment.micros()),
            Step::Tick { later_ms } => {
                self.now_us = self.now_us.saturating_add(i64::from(later_ms) * 1000);
                self.tick();
            }
            Step::Set { moment } => {
                self.now_us = moment.micros();
                self.tick();
            }
            Step::Restart => self.restart(model),
        }
    }

    /// What was restored has to stand where the uninterrupted detector stands.
    pub fn end(self) {
        if let Some(twin) = self.twin {
            assert!(twin.snapshot() == self.detector.snapshot(), "the restored state differs");
        }
    }

    fn live_second(&mut self, channels: u8, wrong: Wrong, late_s: i64) {
        let start_us = self.now_us.saturating_sub(late_s * MICROS_PER_SECOND);
        for (place, (channel, hz)) in USUAL.into_iter().enumerate() {
            if channels & (1 << place) != 0 {
                let first = start_us.div_euclid(MICROS_PER_SECOND).wrapping_mul(hz);
                let samples = (0..hz).flat_map(|at| usual(channel, first.wrapping_add(at), hz));
                let mut samples: Vec<i32> = samples.collect();
                wrong.apply(1 << place, &mut samples);
                self.sequence += 1;
                let period_us = u32::try_from(MICROS_PER_SECOND / hz).expect("at most a second");
                self.take(reading(channel, 1, self.sequence, start_us, period_us, samples));
            }
        }
        self.now_us = self.now_us.saturating_add(MICROS_PER_SECOND);
        self.tick();
    }

    fn push(&mut self, packet: Packet, at_us: i64) {
        let Packet { channel, epoch, sequence, period_us, samples } = packet;
        let channel = Channel::ALL[usize::from(channel) % Channel::ALL.len()];
        self.take(reading(channel, epoch.into(), sequence.into(), at_us, period_us, samples));
    }

    fn take(&mut self, reading: Reading) {
        self.watch.pushed(&reading);
        self.detector.push(&reading);
        if let Some(twin) = &mut self.twin {
            twin.push(&reading);
        }
    }

    fn tick(&mut self) {
        let now = Timestamp::from_micros(self.now_us);
        let found = self.detector.tick(now);
        self.watch.check(now, &found);
        if let Some(twin) = &mut self.twin {
            assert_eq!(twin.tick(now), found, "the restored detector says something else");
        }
    }

    fn restart(&mut self, model: &Arc<Model>) {
        let bytes = self.detector.snapshot();
        // The script's hop is part of what a snapshot has to fit.
        let restored = (0..12).find_map(|hop_s| {
            let config = Config { hop_s, ..Config::default() };
            Detector::restore(config, Arc::clone(model), &bytes).ok()
        });
        self.twin = Some(restored.expect("its own snapshot is gone on from"));
    }
}

impl Moment {
    fn micros(self) -> i64 {
        match self {
            Self::Any { micros } => micros,
            Self::FromFirst { seconds } => i64::MIN + i64::from(seconds) * MICROS_PER_SECOND,
            Self::ToLast { seconds } => i64::MAX - i64::from(seconds) * MICROS_PER_SECOND,
        }
    }
}

impl Wrong {
    fn apply(self, channel: u8, samples: &mut [i32]) {
        match self {
            Self::Frozen { channels, at } if channels & channel != 0 => samples.fill(at),
            Self::Saturated { channels, high } if channels & channel != 0 => {
                samples.fill(if high { i32::MAX } else { i32::MIN });
            }
            Self::Noise { channels, seed } if channels & channel != 0 => {
                let mut state = u32::from(seed) | 1;
                for sample in samples {
                    state = state.wrapping_mul(0x9E37_79B1).rotate_left(13);
                    *sample = sample.wrapping_add(state.cast_signed() >> (seed % 32));
                }
            }
            _ => {}
        }
    }
}

/// A restless wrist's sample at an index since 1970.
fn usual(channel: Channel, index: i64, hz: i64) -> Vec<i32> {
    let t = index.rem_euclid(86_400 * hz) as f64 / hz as f64;
    let noise = (index.wrapping_mul(7919)).rem_euclid(101) as i32;
    match channel {
        Channel::Bvp => vec![(8000.0 * (t * 7.5 + (t * 0.3).sin()).sin()) as i32 + noise],
        Channel::Acceleration => vec![noise, 20, 1024 + noise],
        Channel::Eda => vec![2_000_000 + noise * 900 + (90_000.0 * (t / 9.0).sin()) as i32],
        Channel::HeartRate => vec![7000 + noise],
        _ => vec![3300 + noise / 50],
    }
}

fn reading(
    channel: Channel,
    epoch: u32,
    sequence: u32,
    at_us: i64,
    period_us: u32,
    samples: Vec<i32>,
) -> Reading {
    let measured_at = Timestamp::from_micros(at_us);
    Reading {
        device: DeviceId::from_address([1; 6]),
        channel,
        epoch,
        sequence,
        measured_at,
        received_at: measured_at,
        period_us,
        samples,
    }
}
