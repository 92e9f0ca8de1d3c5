//! Peaks after Charlton PH et al. (2025) The MSPTDfast photoplethysmography beat detection
//! algorithm: design, benchmarking, and open-source distribution. Physiol Meas 46: 035002.
//!
//! A peak is higher than its neighbours at every distance up to that at which most samples
//! are. Found so in blocks of 6 s, thinned to about 20 Hz, it owes nothing to the first
//! detector: where the two agree, a beat was there.

use crate::sum::sum;

/// Length of a block, s.
pub(crate) const BLOCK_S: usize = 6;
const OVERLAP: f64 = 0.2;
const THINNED_HZ: f64 = 20.0;
const SLOWEST_HZ: f64 = 0.5;
/// How far around a thinned peak the true one is sought, s.
const NEAR_S: f64 = 0.15;

/// Peaks of a whole signal, as indices: what NeuroKit2's `ppg_findpeaks(method="charlton")`
/// finds.
#[must_use]
pub fn find_peaks_msptd(signal: &[f64], rate_hz: usize) -> Vec<usize> {
    let length = BLOCK_S * rate_hz;
    if signal.len() <= length {
        return block_peaks(&signal[..signal.len().saturating_sub(1)], rate_hz);
    }
    let mut peaks = Vec::new();
    for (from, until) in blocks(signal.len(), length) {
        let found = block_peaks(&signal[from..until], rate_hz);
        peaks.extend(found.into_iter().map(|peak| peak + from));
    }
    peaks.sort_unstable();
    peaks.dedup();
    peaks
}

/// Blocks that overlap by a fifth and cover the whole.
fn blocks(count: usize, length: usize) -> Vec<(usize, usize)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few seconds in samples"
    )]
    let step = (length as f64 * (1.0 - OVERLAP)).round_ties_even() as usize;
    let starts = (0..=count - length).step_by(step);
    let mut blocks: Vec<_> = starts.map(|start| (start, (start + 1 + length).min(count))).collect();
    if blocks.last().is_some_and(|(start, _)| start + 1 + length < count) {
        blocks.push((count - 1 - length, count));
    }
    blocks
}

/// Peaks of one block, as indices into it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few seconds in samples"
)]
pub(crate) fn block_peaks(block: &[f64], rate_hz: usize) -> Vec<usize> {
    let factor = ((rate_hz as f64 / THINNED_HZ).floor() as usize).max(1);
    let thinned: Vec<f64> = block.iter().step_by(factor).copied().collect();
    let thinned_hz = rate_hz as f64 / factor as f64;
    let near = (thinned_hz * NEAR_S).ceil() as usize;
    let exact = |peak: usize| {
        let from = (peak * factor).saturating_sub(near);
        let until = (peak * factor + near + 1).min(block.len());
        from + first_highest(&block[from..until])
    };
    thinned_peaks(&detrended(&thinned), thinned_hz).into_iter().map(exact).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few seconds in samples")]
fn thinned_peaks(x: &[f64], rate_hz: f64) -> Vec<usize> {
    let half = x.len().div_ceil(2).saturating_sub(1);
    let seconds = x.len() as f64 / rate_hz;
    let scales =
        (1..=half).take_while(|scale| (half as f64 / *scale as f64) / seconds >= SLOWEST_HZ);
    let steps = in_steps(x);
    // Higher than the neighbours at every distance so far, and up to the best one.
    let (mut all, mut everywhere) = (vec![-1; x.len()], vec![0; x.len()]);
    let mut best = 0;
    for scale in scales {
        let last = x.len() - scale;
        all[..scale].fill(0);
        all[last..].fill(0);
        let count = meet_tops(&mut all[scale..last], &steps, scale);
        if count > best || scale == 1 {
            best = count;
            everywhere.copy_from_slice(&all);
        }
    }
    (0..x.len()).filter(|at| everywhere[*at] != 0).collect()
}

/// The values in steps of 2^-30 of the farthest one from 0: what is compared often is half as
/// wide as they are, so that the processor compares twice as many at once.
#[expect(clippy::cast_possible_truncation, reason = "within 2^30")]
fn in_steps(x: &[f64]) -> Vec<i32> {
    let farther = |most: f64, value: &f64| if value.abs() > most { value.abs() } else { most };
    let farthest = x.iter().fold(0.0, farther);
    let scale = if farthest > 0.0 { f64::from(1 << 30) / farthest } else { 0.0 };
    x.iter().map(|value| (value * scale) as i32).collect()
}

/// Counts what is higher than both neighbours at a distance, and takes out what is not: all
/// bits are set in what is, as many as in what is compared.
fn meet_tops(all: &mut [i32], steps: &[i32], scale: usize) -> i32 {
    let sides = steps.iter().zip(&steps[2 * scale..]);
    let mut count = 0;
    for ((all, at), (before, after)) in all.iter_mut().zip(&steps[scale..]).zip(sides) {
        let top = -i32::from((at > before) & (at > after));
        *all &= top;
        count -= top;
    }
    count
}

/// Without its least-squares line.
#[expect(clippy::cast_precision_loss, reason = "a few seconds in samples")]
fn detrended(x: &[f64]) -> Vec<f64> {
    let n = x.len() as f64;
    let (mean, middle) = (sum(x, |x| *x) / n, (n - 1.0) / 2.0);
    let mut from_line: Vec<f64> = (0..x.len()).map(|at| at as f64 - middle).collect();
    let along: Vec<f64> = x.iter().zip(&from_line).map(|(x, at)| (x - mean) * at).collect();
    let slope = sum(&along, |along| *along) * 12.0 / (n * (n * n - 1.0));
    from_line.iter_mut().zip(x).for_each(|(at, x)| *at = x - mean - slope * *at);
    from_line
}

fn first_highest(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Window, indices};

    #[test]
    fn the_peaks_are_those_of_neurokit() {
        let reference = Window::read();
        let found = find_peaks_msptd(&reference.numbers("pulse", "clean"), 64);
        assert_eq!(found, indices(reference.of("pulse", "msptd_peaks")));
    }

    #[test]
    fn short_and_flat_signals_have_none() {
        assert!(find_peaks_msptd(&[], 64).is_empty());
        assert!(find_peaks_msptd(&[1.0; 500], 64).is_empty());
    }
}
