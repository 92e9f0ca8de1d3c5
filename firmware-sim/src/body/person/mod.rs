//! A simulated person: hidden arousal, and what heart, skin and wrist make of it.
//!
//! Every parameter is drawn per person from the seed. The data show that code works,
//! never how well a detector does on people.

mod chance;
mod heart;
mod life;
mod motion;
mod pulse;
mod sweat;
mod warmth;

use biosignal::Channel;

use super::{Segment, WINDOW_US};
use heart::{Beats, Heart};
use life::Life;
pub use life::{Episode, EpisodeKind};
use motion::Motion;
use pulse::Pulse;
use sweat::Sweat;
use warmth::Warmth;

/// A person who lives forwards, half a second at a time, at the rates of an E4.
#[derive(Debug)]
pub struct Person {
    life: Life,
    motion: Motion,
    heart: Heart,
    pulse: Pulse,
    sweat: Sweat,
    warmth: Warmth,
    now_us: i64,
}

impl Person {
    /// The person of a seed. `incidents`: onsets that are sure to come, microseconds
    /// from the beginning, beside those that come by themselves.
    #[must_use]
    pub fn new(seed: u64, incidents: Vec<i64>) -> Self {
        Self {
            life: Life::new(seed, &incidents),
            motion: Motion::new(seed),
            heart: Heart::new(seed),
            pulse: Pulse::new(seed),
            sweat: Sweat::new(seed),
            warmth: Warmth::new(seed),
            now_us: 0,
        }
    }

    /// Lives on to a moment and gives what was felt in the last half second before it.
    #[must_use]
    pub fn live_until(&mut self, until_us: i64) -> Vec<Segment> {
        let mut felt = Vec::new();
        while self.now_us < until_us {
            felt = self.window();
        }
        felt
    }

    /// Episodes so far and those that are sure to come, microseconds from the beginning.
    #[must_use]
    pub fn truth(&self) -> Vec<Episode> {
        self.life.truth()
    }

    fn window(&mut self) -> Vec<Segment> {
        let from_us = self.now_us;
        self.now_us += WINDOW_US;
        let arousal = self.life.step();
        let (acceleration, effort) = self.motion.window(arousal);
        let beats = self.heart.window(from_us, arousal, effort);
        let segment =
            |channel, period_us, samples| Segment { channel, at_us: from_us, period_us, samples };
        let mut felt = vec![
            segment(Channel::Bvp, 15_625, self.pulse.window(&beats.phases, arousal, effort)),
            segment(Channel::Acceleration, 31_250, acceleration),
            segment(Channel::Eda, 250_000, self.sweat.window(arousal, effort)),
            segment(Channel::SkinTemperature, 250_000, self.warmth.window(arousal)),
        ];
        if from_us % 1_000_000 == 0 {
            let shown = self.heart.shown(from_us);
            felt.extend(shown.map(|bpm| segment(Channel::HeartRate, 1_000_000, vec![bpm])));
        }
        let trusted = self.trusted(from_us, &beats);
        if !trusted.is_empty() {
            felt.push(segment(Channel::Ibi, 0, trusted));
        }
        felt
    }

    /// Intervals that the device is sure of, as it tells them.
    fn trusted(&mut self, from_us: i64, beats: &Beats) -> Vec<i32> {
        let sure = beats.intervals.iter().filter(|_| self.pulse.trusted());
        sure.flat_map(|(at, interval)| [at - from_us, *interval])
            .filter_map(|micros| i32::try_from(micros).ok())
            .collect()
    }
}

/// The nearest whole number; sensors saturate long before it would not fit.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and sensors do before")]
fn quantised(value: f64) -> i32 {
    value.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(seed: u64) -> Vec<Vec<Segment>> {
        let mut person = Person::new(seed, Vec::new());
        (1..=120).map(|window| person.live_until(window * WINDOW_US)).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_person() {
        assert_eq!(minute(7), minute(7));
        assert_ne!(minute(7), minute(8));
    }

    #[test]
    fn a_minute_has_the_rates_of_an_e4() {
        let felt = minute(7).concat();
        let count = |channel: Channel| {
            let of = felt.iter().filter(|segment| segment.channel == channel);
            of.map(|segment| segment.samples.len() / channel.components()).sum::<usize>()
        };
        assert_eq!(count(Channel::Bvp), 60 * 64);
        assert_eq!(count(Channel::Acceleration), 60 * 32);
        assert_eq!(count(Channel::Eda), 60 * 4);
        assert_eq!(count(Channel::SkinTemperature), 60 * 4);
        assert!((45..=60).contains(&count(Channel::HeartRate)));
        assert!((20..=130).contains(&count(Channel::Ibi)));
    }

    #[test]
    fn time_that_nobody_measured_is_lived_all_the_same() {
        let mut whole = Person::new(3, Vec::new());
        let mut skipped = Person::new(3, Vec::new());
        let windows: Vec<_> = (1..=40).map(|window| whole.live_until(window * WINDOW_US)).collect();
        assert_eq!(skipped.live_until(40 * WINDOW_US), windows[39]);
    }
}
