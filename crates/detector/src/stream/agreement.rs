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
    /// When the open block began.
    start_us: i64,
    filtered: VecDeque<f64>,
    /// The first detector's beats since then.
    beats: VecDeque<i64>,
    /// When a block ended, and the agreement in it, 0 to 1.
    blocks: VecDeque<(i64, f64)>,
}

impl Agreement {
    /// Takes a filtered sample.
    pub(super) fn push(&mut self, at_us: i64, filtered: f64, period_us: i64) {
        if self.filtered.is_empty() {
            self.start_us = at_us;
            self.beats.clear();
        }
        self.filtered.push_back(filtered);
        let Ok(rate_hz) = usize::try_from(1_000_000 / period_us.max(1)) else { return };
        let length = BLOCK_S * rate_hz;
        if rate_hz > 0 && self.filtered.len() >= length + LATE_S * rate_hz {
            self.close(length, rate_hz, period_us);
        }
    }

    /// Takes a beat that the first detector found.
    pub(super) fn beat(&mut self, at_us: i64) {
        self.beats.push_back(at_us);
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

    fn close(&mut self, length: usize, rate_hz: usize, period_us: i64) {
        let block: Vec<f64> = self.filtered.drain(..length).collect();
        let us = |samples: usize| i64::try_from(samples).unwrap_or(0) * period_us;
        let end_us = self.start_us + us(length);
        let other: Vec<i64> =
            block_peaks(&block, rate_hz).into_iter().map(|at| self.start_us + us(at)).collect();
        let within = self.beats.iter().take_while(|at| **at < end_us).count();
        let first: Vec<i64> = self.beats.drain(..within).collect();
        self.blocks.push_back((end_us, agreement(&first, &other)));
        self.start_us = end_us;
    }
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
}
