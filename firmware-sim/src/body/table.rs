use biosignal::Channel;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::{Segment, WINDOW_US};

/// A table on which a band lies: no pulse, no sweat, no motion, and room temperature.
#[derive(Debug)]
pub(crate) struct Table {
    noise: Xoshiro256PlusPlus,
    /// How much warmer the band still is than the room, in steps of 0.01 C.
    warmth: f64,
}

const ROOM: f64 = 2_250.0;
const WRIST: f64 = 3_300.0;
/// A band cools by half in four minutes.
const COOLING_PER_SAMPLE: f64 = 0.25 / 346.0;

impl Table {
    pub(crate) fn new(seed: u64) -> Self {
        Self { noise: Xoshiro256PlusPlus::seed_from_u64(seed), warmth: WRIST - ROOM }
    }

    /// The band comes warm from a wrist.
    pub(crate) fn put_down(&mut self) {
        self.warmth = WRIST - ROOM;
    }

    /// What the sensors see in a window.
    pub(crate) fn see(&mut self, from_us: i64) -> Vec<Segment> {
        let segment = |channel, rate_hz: u32, samples| {
            let period_us = 1_000_000 / rate_hz;
            Segment { channel, at_us: from_us, period_us, samples }
        };
        let in_window = |rate_hz: i64| rate_hz * WINDOW_US / 1_000_000;
        let pulse = (0..in_window(64)).map(|_| self.noise.random_range(-40..=40)).collect();
        let still = (0..in_window(32)).flat_map(|_| [16, -16, self.flicker(1_008)]).collect();
        let sweat = (0..in_window(4)).map(|_| self.noise.random_range(0..3) * 900).collect();
        let warmth = (0..in_window(4)).map(|_| self.cool()).collect();
        vec![
            segment(Channel::Bvp, 64, pulse),
            segment(Channel::Acceleration, 32, still),
            segment(Channel::Eda, 4, sweat),
            segment(Channel::SkinTemperature, 4, warmth),
        ]
    }

    fn flicker(&mut self, value: i32) -> i32 {
        value + 16 * i32::from(self.noise.random_bool(0.1))
    }

    #[expect(clippy::cast_possible_truncation, reason = "between room and wrist")]
    fn cool(&mut self) -> i32 {
        self.warmth -= self.warmth * COOLING_PER_SAMPLE;
        // The sensor steps by 0.02 C.
        ((ROOM + self.warmth) / 2.0).round() as i32 * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_on_the_table_is_still_and_cools() {
        let mut table = Table::new(1);
        let warmth = |segments: &[Segment]| segments[3].samples[0];
        let warm = table.see(0);
        assert_eq!(warm.iter().map(|segment| segment.samples.len()).sum::<usize>(), 32 + 48 + 4);
        let cold =
            (1..600).map(|window| table.see(window * WINDOW_US)).last().expect("it was seen");
        assert!(warmth(&warm) > 3_290 && warmth(&cold) < 2_800, "{}", warmth(&cold));
        assert!(cold[1].samples.iter().all(|g| [16, -16, 1_008, 1_024].contains(g)));
    }
}
