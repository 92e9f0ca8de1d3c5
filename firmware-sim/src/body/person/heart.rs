use std::f64::consts::TAU;

use super::chance::{Chance, Lag, Wander};
use super::motion::Effort;
use super::quantised;

/// A heart that beats when the integral of its rate is full (IPFM), 64 steps a second.
#[derive(Debug)]
pub(super) struct Heart {
    chance: Chance,
    rest_bpm: f64,
    /// Beats per minute for one unit of arousal; negative in some.
    gain_bpm: f64,
    exercise_bpm: f64,
    tau_on_s: f64,
    tau_off_s: f64,
    breath_hz: f64,
    breath_depth: f64,
    mayer_depth: f64,
    slow: [Wander; 3],
    effort: Lag,
    arousal: Lag,
    breath: f64,
    mayer: f64,
    /// Part of the present beat that is over, 0 to 1.
    phase: f64,
    last_beat_us: i64,
    /// The last intervals, for the rate that the device shows.
    recent: Vec<(i64, i64)>,
}

/// Half a second of a heart.
#[derive(Debug, Default)]
pub(super) struct Beats {
    /// Part of the beat that is over, at each of 32 samples.
    pub(super) phases: Vec<f64>,
    /// (time of the beat, interval that it ends), microseconds.
    pub(super) intervals: Vec<(i64, i64)>,
}

const STEP_S: f64 = 1.0 / 64.0;
const STEP_US: f64 = 15_625.0;
const WINDOW_S: f64 = 0.5;
/// The device shows the mean rate of the last ten seconds.
const SHOWN_US: i64 = 10_000_000;

impl Heart {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 3);
        // As much in each decade: 1/f.
        let slow =
            [20.0, 200.0, 2_000.0].map(|tau_s| Wander::new(&mut chance, tau_s, 0.03, WINDOW_S));
        Self {
            rest_bpm: chance.uniform(60.0, 100.0),
            gain_bpm: chance.normal(10.0, 7.0),
            exercise_bpm: chance.uniform(20.0, 60.0),
            tau_on_s: chance.uniform(30.0, 70.0),
            tau_off_s: chance.uniform(60.0, 120.0),
            breath_hz: chance.uniform(0.2, 0.4),
            // Peak to peak 0.05 to 0.20 and 0.03 to 0.08 of the rate.
            breath_depth: chance.uniform(0.025, 0.1),
            mayer_depth: chance.uniform(0.015, 0.04),
            slow,
            chance,
            effort: Lag::default(),
            arousal: Lag::default(),
            breath: 0.0,
            mayer: 0.0,
            phase: 0.0,
            last_beat_us: 0,
            recent: Vec::new(),
        }
    }

    /// Beats for half a second from `from_us`.
    pub(super) fn window(&mut self, from_us: i64, arousal: f64, effort: Effort) -> Beats {
        let mean_bpm = self.mean_bpm(arousal, effort);
        let calm = (1.0 - 0.4 * self.arousal.0).clamp(0.2, 1.0);
        let mut beats = Beats::default();
        for step in 0..32_i64 {
            let swing = self.swing(calm);
            let part = mean_bpm * (1.0 + swing) / 60.0 * STEP_S;
            if self.phase + part >= 1.0 {
                let before = (1.0 - self.phase) / part;
                let at_us = from_us + i64::from(quantised((before + step_f(step)) * STEP_US));
                self.beat(at_us, &mut beats);
            }
            self.phase = (self.phase + part).fract();
            beats.phases.push(self.phase);
        }
        beats
    }

    /// The rate that the device shows, steps of 0.01 beats/min; `None` until it is sure.
    pub(super) fn shown(&mut self, now_us: i64) -> Option<i32> {
        self.recent.retain(|(at, _)| *at > now_us - SHOWN_US);
        let count = i32::try_from(self.recent.len()).ok().filter(|count| *count >= 5)?;
        let sum: i64 = self.recent.iter().map(|(_, interval)| interval).sum();
        i32::try_from(i64::from(count) * 6_000_000_000 / sum.max(1)).ok()
    }

    fn mean_bpm(&mut self, arousal: f64, effort: Effort) -> f64 {
        let working = self.exercise_bpm * effort.load;
        let tau = if working > self.effort.0 { self.tau_on_s } else { self.tau_off_s };
        self.effort.follow(working, tau, WINDOW_S);
        self.arousal.follow(arousal, 12.0, WINDOW_S);
        let wander: f64 = self.slow.iter_mut().map(|part| part.step(&mut self.chance)).sum();
        let mean = self.rest_bpm + self.gain_bpm * self.arousal.0 + self.effort.0;
        (mean * (1.0 + wander)).clamp(42.0, 185.0)
    }

    /// Breath and blood pressure waves, as a share of the rate.
    fn swing(&mut self, calm: f64) -> f64 {
        self.breath = (self.breath + self.breath_hz * STEP_S).fract();
        self.mayer = (self.mayer + 0.1 * STEP_S).fract();
        calm * self.breath_depth * (TAU * self.breath).sin()
            + self.mayer_depth * (TAU * self.mayer).sin()
    }

    fn beat(&mut self, at_us: i64, beats: &mut Beats) {
        let interval = at_us - self.last_beat_us;
        if (250_000..2_000_000).contains(&interval) {
            beats.intervals.push((at_us, interval));
            self.recent.push((at_us, interval));
        }
        self.last_beat_us = at_us;
    }
}

fn step_f(step: i64) -> f64 {
    i32::try_from(step).map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_rate_is_that_of_the_beats() {
        let rest = Effort { load: 0.0, disturbance: 0.0, rhythm_hz: 0.0 };
        for seed in 0..20 {
            let mut heart = Heart::new(seed);
            let beats: Vec<_> = (0..240)
                .flat_map(|window| heart.window(window * 500_000, 0.0, rest).intervals)
                .collect();
            let bpm = 60e6 * f64::from(u32::try_from(beats.len()).expect("few"))
                / f64::from(i32::try_from(beats[beats.len() - 1].0).expect("two minutes"));
            assert!((45.0..130.0).contains(&bpm), "person {seed}: {bpm} beats/min");
            let shown =
                f64::from(heart.shown(120_000_000).expect("it beat for two minutes")) / 100.0;
            assert!((shown - bpm).abs() < 20.0, "person {seed}: {shown} is shown, {bpm} beat");
            let chained = beats.windows(2).all(|pair| pair[1].0 - pair[0].0 == pair[1].1);
            assert!(chained, "an interval ends at its beat and began at the one before");
        }
    }
}
