use super::chance::{Chance, Lag, Wander};
use super::motion::Effort;
use super::quantised;

/// Skin conductance, 4 Hz, in steps of 1e-6 uS: a level, and responses on top of it
/// that rise and fall like a Bateman function.
#[derive(Debug)]
pub(super) struct Sweat {
    chance: Chance,
    level_us: f64,
    drift: Wander,
    /// Share by which full arousal lifts the level.
    lift: f64,
    tonic: Lag,
    pressure: f64,
    rest_per_min: f64,
    aroused_per_min: f64,
    median_us: f64,
    keep_fall: f64,
    keep_rise: f64,
    /// Makes the highest point of a response its amplitude.
    norm: f64,
    fall: f64,
    rise: f64,
    age_s: f64,
}

const STEP_S: f64 = 0.25;
/// The E4 steps by about 900 pS.
const STEP_US: f64 = 0.0009;
const SETTLES_IN_S: f64 = 420.0;

impl Sweat {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 5);
        let (rise_s, fall_s) = (chance.uniform(0.5, 1.0), chance.uniform(2.0, 4.0));
        let peak_s = rise_s * fall_s / (fall_s - rise_s) * (fall_s / rise_s).ln();
        let responds = if chance.happens(0.1) { 0.1 } else { 1.0 };
        Self {
            level_us: chance.lognormal(1.6, 0.8).clamp(0.2, 10.0),
            drift: Wander::new(&mut chance, 900.0, 0.12, STEP_S),
            lift: responds * chance.uniform(0.03, 0.2),
            tonic: Lag::default(),
            pressure: 1.0,
            rest_per_min: chance.uniform(1.0, 3.0),
            aroused_per_min: chance.uniform(5.0, 20.0),
            median_us: responds * chance.uniform(0.1, 0.3),
            keep_fall: (-STEP_S / fall_s).exp(),
            keep_rise: (-STEP_S / rise_s).exp(),
            norm: 1.0 / ((-peak_s / fall_s).exp() - (-peak_s / rise_s).exp()),
            fall: 0.0,
            rise: 0.0,
            age_s: 0.0,
            chance,
        }
    }

    /// Half a second: two samples.
    pub(super) fn window(&mut self, arousal: f64, effort: Effort) -> Vec<i32> {
        (0..2).map(|_| self.sample(arousal, effort)).collect()
    }

    fn sample(&mut self, arousal: f64, effort: Effort) -> i32 {
        self.age_s += STEP_S;
        self.respond(arousal, effort);
        let tonic = self.tonic.follow(arousal, 60.0, STEP_S);
        let settling = 1.0 - 0.45 * (-self.age_s / SETTLES_IN_S).exp();
        if self.chance.happens(STEP_S / 3_600.0 + 0.0004 * effort.disturbance) {
            self.pressure = (self.pressure * self.chance.normal(1.0, 0.12)).clamp(0.6, 1.5);
        }
        let drift = self.drift.step(&mut self.chance).exp();
        let level = self.level_us * settling * self.pressure * drift * (1.0 + self.lift * tonic);
        let shaken = self.chance.normal(0.0, 0.0006 + 0.004 * effort.disturbance * level);
        let value = (level + self.fall - self.rise + shaken).clamp(0.0, 60.0);
        quantised(value / STEP_US) * 900
    }

    fn respond(&mut self, arousal: f64, effort: Effort) {
        self.fall *= self.keep_fall;
        self.rise *= self.keep_rise;
        let stirred = (arousal.clamp(0.0, 1.5) / 1.5 + 0.25 * effort.load).min(1.0);
        let per_min = self.rest_per_min + (self.aroused_per_min - self.rest_per_min) * stirred;
        if self.chance.happens(per_min / 60.0 * STEP_S) {
            let amplitude = self.chance.lognormal(self.median_us, 0.5) * self.norm;
            self.fall += amplitude;
            self.rise += amplitude;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conductance_steps_as_the_sensor_does_and_rises_with_arousal() {
        let rest = Effort { load: 0.0, disturbance: 0.0, rhythm_hz: 0.0 };
        let mut rose = 0;
        for seed in 0..40 {
            let mut sweat = Sweat::new(seed);
            let mut mean = |arousal: f64, windows: u32| {
                let samples = (0..windows).flat_map(|_| sweat.window(arousal, rest));
                let samples: Vec<i32> = samples.collect();
                assert!(samples.iter().all(|sample| sample % 900 == 0 && *sample >= 0));
                samples.iter().map(|sample| i64::from(*sample)).sum::<i64>()
                    / 2
                    / i64::from(windows)
            };
            mean(0.0, 2_400);
            let (calm, aroused) = (mean(0.0, 400), mean(1.5, 400));
            assert!((50_000..20_000_000).contains(&calm), "person {seed}: {calm}");
            rose += i32::from(aroused > calm);
        }
        assert!(rose > 30, "{rose} of 40 sweat more when aroused");
    }
}
