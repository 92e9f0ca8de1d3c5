use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::filter::{Cascade, PULSE_BAND};

/// Moving windows of Elgendi 2013 at 64 Hz, 0.111 s and 0.667 s.
const PEAK_WINDOW: usize = 7;
const BEAT_WINDOW: usize = 43;
const HALF_BEAT: usize = BEAT_WINDOW / 2;
/// The threshold's offset, as a part of the mean energy of the last minute.
const OFFSET: f64 = 0.02;
const MEAN_SAMPLES: f64 = 60.0 * 64.0;
const MIN_GAP_S: f64 = 0.3;
/// A later next sample is a gap, after which the detector starts anew.
const GAP_US: i64 = 40_000;
const PERIOD_S: f64 = 1.0 / 64.0;

/// Finds systolic peaks in a pulse wave at 64 Hz, sample by sample (Elgendi 2013).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BeatFinder {
    filter: Option<Cascade<2>>,
    last_us: i64,
    seen: u32,
    mean_energy: f64,
    /// Time (s) and filtered value of the last samples, as far as the centred windows need.
    recent: VecDeque<(f64, f64)>,
    /// The block of interest that is open: its length, and its highest point.
    block: u32,
    top: f64,
    top_at: f64,
    last_beat: Option<f64>,
}

/// What a sample leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    Nothing,
    /// Samples are missing: no interval may be measured across.
    Gap,
    /// An interval between two beats, s.
    Interval(f64),
}

impl BeatFinder {
    /// Takes the sample of a moment.
    pub(crate) fn take(&mut self, at_us: i64, value: f64) -> Found {
        let gap = self.filter.is_some() && at_us - self.last_us > GAP_US;
        if gap {
            *self = Self::default();
        }
        self.last_us = at_us;
        let filter = self.filter.get_or_insert_with(|| Cascade::settled(&PULSE_BAND, value));
        let filtered = filter.step(&PULSE_BAND, value);
        self.follow_energy(filtered);
        #[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
        self.recent.push_back((at_us as f64 / 1e6, filtered));
        if self.recent.len() > BEAT_WINDOW {
            self.recent.pop_front();
        }
        if gap {
            return Found::Gap;
        }
        let beat = if self.recent.len() == BEAT_WINDOW { self.judge() } else { None };
        beat.map_or(Found::Nothing, Found::Interval)
    }

    fn follow_energy(&mut self, filtered: f64) {
        self.seen = self.seen.saturating_add(1);
        let weight = (1.0 / f64::from(self.seen)).max(1.0 / MEAN_SAMPLES);
        self.mean_energy += weight * (energy(filtered) - self.mean_energy);
    }

    /// Judges the sample in the middle of the windows; gives the interval that a beat ends.
    fn judge(&mut self) -> Option<f64> {
        let mean = |from: usize, count: usize| {
            let sum: f64 = self.recent.range(from..from + count).map(|(_, y)| energy(*y)).sum();
            sum / f64::from(u32::try_from(count).unwrap_or(1))
        };
        let peak = mean(HALF_BEAT - PEAK_WINDOW / 2, PEAK_WINDOW);
        let inside = peak > mean(0, BEAT_WINDOW) + OFFSET * self.mean_energy;
        if inside {
            self.widen_block();
            return None;
        }
        let length = std::mem::take(&mut self.block);
        let near = self.last_beat.is_some_and(|last| self.top_at - last < MIN_GAP_S);
        if length < 7 || near {
            return None;
        }
        let before = self.last_beat.replace(self.top_at);
        before.map(|before| self.top_at - before)
    }

    fn widen_block(&mut self) {
        let (at, value) = self.recent[HALF_BEAT];
        if self.block == 0 || value > self.top {
            let (left, right) = (self.recent[HALF_BEAT - 1].1, self.recent[HALF_BEAT + 1].1);
            let bend = left - 2.0 * value + right;
            let shift =
                if bend < 0.0 { (0.5 * (left - right) / bend).clamp(-0.5, 0.5) } else { 0.0 };
            self.top = value;
            self.top_at = at + shift * PERIOD_S;
        }
        self.block += 1;
    }
}

fn energy(filtered: f64) -> f64 {
    filtered.max(0.0).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_pulse_gives_its_interval() {
        let mut finder = BeatFinder::default();
        let mut intervals = Vec::new();
        for index in 0..64 * 30_i64 {
            let phase = std::f64::consts::TAU * (index as f64 / 64.0) / 0.8;
            let found =
                finder.take(index * 15_625, 100.0 * phase.sin() + 30.0 * (2.0 * phase).sin());
            if let Found::Interval(seconds) = found {
                intervals.push(seconds);
            }
        }
        assert!(intervals.len() > 30);
        assert!(intervals[10..].iter().all(|interval| (interval - 0.8).abs() < 0.005));
        assert_eq!(finder.take(64 * 40 * 15_625, 0.0), Found::Gap);
    }
}
