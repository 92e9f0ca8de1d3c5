use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::StandardNormal;

/// One part's own source of chance: the same seed and part give the same numbers on
/// every machine, whatever the other parts draw.
#[derive(Debug)]
pub(super) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    pub(super) fn new(seed: u64, part: u64) -> Self {
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(part);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    pub(super) fn uniform(&mut self, from: f64, to: f64) -> f64 {
        self.0.random_range(from..to)
    }

    pub(super) fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        mean + sd * self.0.sample::<f64, _>(StandardNormal)
    }

    pub(super) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * self.normal(0.0, sigma).exp()
    }

    /// A waiting time.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform(0.0, 1.0)).ln()
    }

    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability.clamp(0.0, 1.0))
    }

    /// The index of a weight, in proportion to the weights.
    pub(super) fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform(0.0, weights.iter().sum::<f64>().max(f64::MIN_POSITIVE));
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

/// A value that wanders about 0 and forgets where it was (Ornstein-Uhlenbeck).
#[derive(Debug)]
pub(super) struct Wander {
    keep: f64,
    kick: f64,
    value: f64,
}

impl Wander {
    /// Forgets in `tau_s`, spreads by `sd`, steps of `step_s`.
    pub(super) fn new(chance: &mut Chance, tau_s: f64, sd: f64, step_s: f64) -> Self {
        let keep = (-step_s / tau_s).exp();
        Self { keep, kick: sd * (1.0 - keep * keep).sqrt(), value: chance.normal(0.0, sd) }
    }

    pub(super) fn step(&mut self, chance: &mut Chance) -> f64 {
        self.value = self.keep * self.value + chance.normal(0.0, self.kick);
        self.value
    }
}

/// A first-order lag: follows its target with a time constant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lag(pub(super) f64);

impl Lag {
    pub(super) fn follow(&mut self, target: f64, tau_s: f64, step_s: f64) -> f64 {
        self.0 += (target - self.0) * (1.0 - (-step_s / tau_s).exp());
        self.0
    }
}
