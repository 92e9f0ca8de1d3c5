use std::f64::consts::TAU;

use super::chance::{Chance, Wander};
use super::quantised;

/// What a person is doing with body and arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Sitting,
    Fidgeting,
    Walking,
    Exercising,
    Rocking,
    Flapping,
}

const DOINGS: [Doing; 6] = [
    Doing::Sitting,
    Doing::Fidgeting,
    Doing::Walking,
    Doing::Exercising,
    Doing::Rocking,
    Doing::Flapping,
];

impl Doing {
    /// Mean time that it lasts, seconds.
    fn lasts_s(self) -> f64 {
        match self {
            Self::Sitting => 360.0,
            Self::Fidgeting => 90.0,
            Self::Walking => 240.0,
            Self::Exercising => 300.0,
            Self::Rocking => 80.0,
            Self::Flapping => 25.0,
        }
    }

    /// Restlessness of the wrist, g.
    fn unrest_g(self) -> f64 {
        match self {
            Self::Sitting => 0.006,
            Self::Fidgeting | Self::Rocking => 0.05,
            Self::Walking => 0.07,
            Self::Exercising => 0.22,
            Self::Flapping => 0.12,
        }
    }
}

/// The wrist's acceleration, 32 Hz, and how much the body works.
#[derive(Debug)]
pub(super) struct Motion {
    chance: Chance,
    doing: Doing,
    /// Seconds left of it.
    left_s: f64,
    /// How fast and how strong the present rhythm is.
    rhythm: Rhythm,
    gait_hz: f64,
    stereotypy: f64,
    gravity: [f64; 3],
    posture: [f64; 3],
    slow: [Wander; 3],
    fast: [Wander; 3],
}

#[derive(Clone, Copy, Debug, Default)]
struct Rhythm {
    hz: f64,
    strength_g: f64,
    phase: f64,
    axis: [f64; 3],
}

/// What the rest of the body feels of the motion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// 0 at rest, 0.3 walking, 1 in exercise.
    pub(super) load: f64,
    /// How likely the wrist's sensors are disturbed, 0 to 1.
    pub(super) disturbance: f64,
    /// The frequency of a rhythmic movement, Hz; 0 where there is none.
    pub(super) rhythm_hz: f64,
}

const RATE_HZ: f64 = 32.0;
const WINDOW_S: f64 = 0.5;

impl Motion {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 2);
        let wander = |chance: &mut Chance, tau_s| {
            [0; 3].map(|_| Wander::new(chance, tau_s, 1.0, 1.0 / RATE_HZ))
        };
        let (slow, fast) = (wander(&mut chance, 2.0), wander(&mut chance, 0.06));
        let posture = direction(&mut chance);
        let gait_hz = chance.uniform(1.4, 2.2);
        let stereotypy = chance.uniform(0.0, 1.0).powi(2);
        Self {
            chance,
            doing: Doing::Sitting,
            left_s: 60.0,
            rhythm: Rhythm::default(),
            gait_hz,
            stereotypy,
            gravity: posture,
            posture,
            slow,
            fast,
        }
    }

    /// Half a second: 16 samples of x, y, z in steps of 1/1024 g.
    pub(super) fn window(&mut self, arousal: f64) -> (Vec<i32>, Effort) {
        self.left_s -= WINDOW_S;
        if self.left_s <= 0.0 {
            self.change(arousal);
        }
        let mut samples = Vec::with_capacity(48);
        for _ in 0..16 {
            let g = self.sample();
            samples.extend(g.map(step_of_e4));
        }
        (samples, self.effort())
    }

    fn effort(&self) -> Effort {
        let (load, disturbance) = match self.doing {
            Doing::Sitting => (0.0, 0.01),
            Doing::Fidgeting => (0.05, 0.25),
            Doing::Walking => (0.3, 0.35),
            Doing::Exercising => (1.0, 0.7),
            Doing::Rocking => (0.1, 0.25),
            Doing::Flapping => (0.15, 0.6),
        };
        Effort { load, disturbance, rhythm_hz: self.rhythm.hz }
    }

    fn change(&mut self, arousal: f64) {
        let stirred = self.stereotypy * (0.3 + arousal.max(0.0));
        let weights = [1.0, 0.5 + 0.2 * arousal.max(0.0), 0.35, 0.04, 0.3 * stirred, 0.3 * stirred];
        self.doing = DOINGS[self.chance.pick(&weights)];
        self.left_s = self.chance.exponential(self.doing.lasts_s()).max(5.0);
        if self.chance.happens(0.6) {
            self.posture = direction(&mut self.chance);
        }
        let (hz, strength_g) = match self.doing {
            Doing::Walking => (self.gait_hz, self.chance.uniform(0.15, 0.3)),
            Doing::Exercising => (self.gait_hz * 1.3, self.chance.uniform(0.3, 0.7)),
            Doing::Rocking => (self.chance.uniform(0.4, 1.2), self.chance.uniform(0.08, 0.2)),
            Doing::Flapping => (self.chance.uniform(2.0, 5.0), self.chance.uniform(0.5, 1.0)),
            Doing::Sitting | Doing::Fidgeting => (0.0, 0.0),
        };
        let axis = direction(&mut self.chance);
        self.rhythm = Rhythm { hz, strength_g, phase: 0.0, axis };
    }

    fn sample(&mut self) -> [f64; 3] {
        let Rhythm { hz, strength_g, axis, .. } = self.rhythm;
        self.rhythm.phase = (self.rhythm.phase + hz / RATE_HZ).fract();
        let turn = TAU * self.rhythm.phase;
        let swing = strength_g * (turn.sin() + 0.35 * (2.0 * turn + 0.7).sin());
        let unrest = self.doing.unrest_g();
        let mut g = [0.0; 3];
        for (at, value) in g.iter_mut().enumerate() {
            self.gravity[at] += (self.posture[at] - self.gravity[at]) / RATE_HZ;
            let shake = self.slow[at].step(&mut self.chance) + self.fast[at].step(&mut self.chance);
            *value = self.gravity[at] + axis[at] * swing + unrest * shake;
        }
        g
    }
}

/// A direction in space, of length 1.
fn direction(chance: &mut Chance) -> [f64; 3] {
    let raw = [0; 3].map(|_| chance.normal(0.0, 1.0));
    let length = raw.iter().map(|part| part * part).sum::<f64>().sqrt().max(1e-6);
    raw.map(|part| part / length)
}

/// The E4 measures +-2 g in steps of 1/64 g.
fn step_of_e4(g: f64) -> i32 {
    16 * quantised(g.clamp(-2.0, 1.98) * 64.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrist_at_rest_feels_gravity_alone() {
        let mut motion = Motion::new(5);
        let (samples, effort) = motion.window(0.0);
        assert_eq!(samples.len(), 48);
        for g in samples.chunks(3) {
            let square: i32 = g.iter().map(|part| part * part).sum();
            let length = f64::from(square).sqrt() / 1_024.0;
            assert!((0.85..1.15).contains(&length), "{length} g");
        }
        assert!(effort.load < 0.1);
    }

    #[test]
    fn a_day_has_rest_and_effort() {
        let mut motion = Motion::new(6);
        let loads: Vec<f64> = (0..50_000).map(|_| motion.window(0.0).1.load).collect();
        let share = |wanted: fn(f64) -> bool| {
            f64::from(
                u32::try_from(loads.iter().filter(|load| wanted(**load)).count()).expect("few"),
            ) / 50_000.0
        };
        assert!(share(|load| load < 0.01) > 0.4);
        assert!((0.02..0.5).contains(&share(|load| load > 0.2)));
    }
}
