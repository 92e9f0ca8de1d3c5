use super::chance::{Chance, Lag, Wander};
use super::quantised;

/// Skin temperature, 4 Hz, in steps of 0.01 C as the E4 gives it (0.02 C apart).
#[derive(Debug)]
pub(super) struct Warmth {
    chance: Chance,
    mean_c: f64,
    wander: Wander,
    /// What full arousal does to it, late; of either sign.
    response_c: f64,
    lag_s: f64,
    lagged: Lag,
    age_s: f64,
}

const STEP_S: f64 = 0.25;
const ROOM_C: f64 = 24.0;

impl Warmth {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 6);
        let sign = if chance.happens(0.3) { 1.0 } else { -1.0 };
        Self {
            mean_c: chance.uniform(31.0, 35.0),
            wander: Wander::new(&mut chance, 2_400.0, 0.4, STEP_S),
            response_c: sign * chance.uniform(0.1, 0.6),
            lag_s: chance.uniform(120.0, 240.0),
            chance,
            lagged: Lag::default(),
            age_s: 0.0,
        }
    }

    /// Half a second: two samples.
    pub(super) fn window(&mut self, arousal: f64) -> Vec<i32> {
        (0..2).map(|_| self.sample(arousal)).collect()
    }

    fn sample(&mut self, arousal: f64) -> i32 {
        self.age_s += STEP_S;
        let response = self.response_c * self.lagged.follow(arousal, self.lag_s, STEP_S);
        let warm = self.mean_c + self.wander.step(&mut self.chance) + response;
        // The band comes from the shelf.
        let worn = 1.0 - (-self.age_s / 240.0).exp();
        quantised((ROOM_C + (warm - ROOM_C) * worn + self.chance.normal(0.0, 0.008)) * 50.0) * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_warms_up_and_stays_at_skin_temperature() {
        for seed in 0..20 {
            let mut warmth = Warmth::new(seed);
            let first = warmth.window(0.0)[0];
            let later = (0..7_200).map(|_| warmth.window(0.0)[1]).last().expect("an hour");
            assert!((2_350..2_480).contains(&first), "person {seed}: {first}");
            assert!((2_950..3_650).contains(&later), "person {seed}: {later}");
        }
    }
}
