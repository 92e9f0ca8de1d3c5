use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::WINDOW_US;
use crate::beats::{BLOCK_S, block_peaks};

/// Two detectors mean the same beat within this, us.
const SAME_US: i64 = 150_000;
/// The first detector needs so long after a block to have found the beats in it, s.
const LATE_S: usize = 1;

/// How far two beat detectors that work in different ways agree, block by block: on a pulse
/// wave that can be read they find the same beats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Agreement {
    filtered: Vec<f64>,
    /// The first detector's beats since then.
    beats: Vec<i64>,
    /// When a block ended, and the agreement in it, 0 to 1.
    blocks: VecDeque<(i64, f64)>,
}

impl Agreement {
    /// How many samples may come before one that ends a block.
    pub(super) fn room(&self, period_us: i64) -> usize {
        full(period_us).saturating_sub(self.filtered.len() + 1)
    }

    /// Takes filtered samples. Only the first of them may end a block: the beats in the block
    /// were told before it.
    pub(super) fn take(&mut self, at_us: i64, filtered: &[f64], period_us: i64) {
        if self.filtered.is_empty() {
            self.beats.clear();
        }
        // Beats carry the time that samples were given, which drifts against their number: when
        // the block began is counted back from the newest.
        let start_us = at_us - us(self.filtered.len(), period_us);
        let Some((first, rest)) = filtered.split_first() else { return };
        self.filtered.push(*first);
        if self.filtered.len() >= full(period_us) {
            self.close(start_us, rate_hz(period_us), period_us);
        }
        self.filtered.extend_from_slice(rest);
    }

    /// Takes a beat that the first detector found.
    pub(super) fn beat(&mut self, at_us: i64) {
        self.beats.push(at_us);
    }

    /// What comes next does not follow.
    pub(super) fn interrupt(&mut self) {
        self.filtered.clear();
        self.beats.clear();
    }

    /// Lets what is too old go.
    pub(super) fn forget(&mut self, now_us: i64) {
        while self.blocks.front().is_some_and(|(end_us, _)| *end_us <= now_us - WINDOW_US) {
            self.blocks.pop_front();
        }
    }

    /// The mean agreement of the window that ends at `now_us`; none without a whole block.
    pub(super) fn mean(&self, now_us: i64) -> Option<f64> {
        let within = self.blocks.iter().filter(|(end_us, _)| *end_us > now_us - WINDOW_US);
        let (sum, count) = within.fold((0.0, 0.0), |(sum, n), (_, part)| (sum + part, n + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    fn close(&mut self, start_us: i64, rate_hz: usize, period_us: i64) {
        let length = BLOCK_S * rate_hz;
        let end_us = start_us + us(length, period_us);
        let other = block_peaks(&self.filtered[..length], rate_hz);
        let other: Vec<i64> = other.into_iter().map(|at| start_us + us(at, period_us)).collect();
        let within = self.beats.partition_point(|at| *at < end_us);
        self.blocks.push_back((end_us, agreement(&self.beats[..within], &other)));
        self.beats.drain(..within);
        self.filtered.drain(..length);
    }
}

/// As many samples as a block has, and as come until its beats are known.
fn full(period_us: i64) -> usize {
    (BLOCK_S + LATE_S) * rate_hz(period_us)
}

fn us(samples: usize, period_us: i64) -> i64 {
    i64::try_from(samples).unwrap_or(0) * period_us
}

fn rate_hz(period_us: i64) -> usize {
    usize::try_from(1_000_000 / period_us.max(1)).unwrap_or(1)
}

/// Twice the beats that both found, of all that either found.
#[expect(clippy::cast_precision_loss, reason = "a few beats")]
fn agreement(first: &[i64], other: &[i64]) -> f64 {
    let same =
        first.iter().filter(|at| other.iter().any(|found| (**at - found).abs() <= SAME_US)).count();
    let all = first.len() + other.len();
    if all == 0 { 0.0 } else { f64::min(2.0 * same as f64 / all as f64, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_beats_agree_and_others_do_not() {
        assert_eq!(agreement(&[0, 800_000, 1_600_000], &[20_000, 790_000, 1_500_000]), 1.0);
        assert_eq!(agreement(&[0, 800_000], &[400_000]), 0.0);
        assert_eq!(agreement(&[0, 800_000], &[0, 400_000]), 0.5);
        assert_eq!(agreement(&[], &[]), 0.0);
    }

    /// How far two detectors agree on a pulse of 72 a minute after so many minutes, where each
    /// packet of half a second is told so much later than the one before.
    fn agreement_after(minutes: i64, drift_ppm: i64) -> Option<f64> {
        const PERIOD_US: i64 = 15_625;
        let mut all = Agreement::default();
        let wave =
            |sample: i64| ((sample as f64 * 0.015_625 - 0.2) * std::f64::consts::TAU * 1.2).cos();
        let told =
            |sample: i64| sample * PERIOD_US + sample / 32 * 32 * PERIOD_US * drift_ppm / 1_000_000;
        let mut next_us = 200_000;
        for packet in 0..minutes * 120 {
            let first = packet * 32;
            let samples: Vec<f64> = (first..first + 32).map(wave).collect();
            let mut rest = samples.as_slice();
            while !rest.is_empty() {
                let room = all.room(PERIOD_US);
                let most = if room == 0 { rest.len() } else { room.min(rest.len()) };
                let at_us = told(first + 32 - rest.len() as i64);
                all.take(at_us, &rest[..most], PERIOD_US);
                rest = &rest[most..];
            }
            // The first detector's beats, in the time that samples were told.
            let until = told(first + 32) - 400_000;
            while next_us + next_us * drift_ppm / 1_000_000 < until {
                all.beat(next_us + next_us * drift_ppm / 1_000_000);
                next_us += 833_333;
            }
        }
        all.mean(told(minutes * 120 * 32))
    }

    #[test]
    fn a_clock_that_drifts_does_not_part_the_two() {
        for drift_ppm in [0, 50, -50] {
            let found = agreement_after(240, drift_ppm);
            assert!(found.is_some_and(|part| part > 0.9), "{drift_ppm}: {found:?}");
        }
    }
}
