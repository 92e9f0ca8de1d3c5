//! Systolic peaks after Elgendi M, Norton I, Brearley M, Abbott D, Schuurmans D (2013)
//! Systolic Peak Detection in Acceleration Photoplethysmograms Measured from Emergency
//! Responders in Tropical Conditions. PLoS ONE 8(10): e76585.
//!
//! Where the mean of the squared wave over 0.111 s exceeds that over 0.667 s by an offset,
//! there is a systolic wave; its most prominent maximum is the beat. The offset is 0.02 of
//! the mean square: over the whole signal in batch, over a trailing minute live.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::prominence::most_prominent;

const PEAK_WINDOW_S: f64 = 0.111;
const BEAT_WINDOW_S: f64 = 0.667;
const OFFSET: f64 = 0.02;
const SHORTEST_GAP_S: f64 = 0.3;
const MEMORY_S: f64 = 60.0;
/// A wave longer than this is no heart beat.
const LONGEST_WAVE_S: f64 = 2.0;

/// A systolic peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peak {
    /// Between samples, by a parabola through the peak and its neighbours, us.
    pub(crate) at_us: i64,
    /// From the lowest point since the peak before, in the signal's unit.
    pub(crate) amplitude: f64,
}

/// Finds peaks in a band-passed pulse wave (0.5 to 8 Hz), sample by sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Elgendi {
    windows: Windows,
    /// The last `beat_window` samples: when, filtered, squared where positive.
    recent: VecDeque<(i64, f64, f64)>,
    beat_sum: f64,
    peak_sum: f64,
    since_exact: u32,
    mean_square: f64,
    seen: u32,
    waves: Waves,
    times: VecDeque<i64>,
    lowest: f64,
    last_peak_us: Option<i64>,
}

impl Elgendi {
    pub(crate) fn new(period_us: i64) -> Self {
        Self {
            windows: Windows::of(period_us),
            recent: VecDeque::new(),
            beat_sum: 0.0,
            peak_sum: 0.0,
            since_exact: 0,
            mean_square: 0.0,
            seen: 0,
            waves: Waves::default(),
            times: VecDeque::new(),
            lowest: f64::INFINITY,
            last_peak_us: None,
        }
    }

    /// Takes a filtered sample; yields a peak some 0.4 s after it has passed.
    pub(crate) fn push(&mut self, at_us: i64, filtered: f64) -> Option<Peak> {
        let windows = self.windows;
        let square = filtered.max(0.0).powi(2);
        self.remember(square);
        self.recent.push_back((at_us, filtered, square));
        self.beat_sum += square;
        let after = windows.beat / 2 - windows.peak / 2;
        if self.recent.len() > after {
            self.peak_sum += self.recent[self.recent.len() - 1 - after].2;
        }
        if self.recent.len() > after + windows.peak {
            self.peak_sum -= self.recent[self.recent.len() - 1 - after - windows.peak].2;
        }
        if self.recent.len() > windows.beat {
            self.beat_sum -= self.recent.pop_front().map_or(0.0, |(_, _, square)| square);
        }
        if self.recent.len() < windows.beat {
            return None;
        }
        self.sum_afresh(windows);
        let (at_us, filtered, _) = self.recent[windows.beat / 2];
        let threshold = self.beat_sum / to_f64(windows.beat) + OFFSET * self.mean_square;
        let above = self.peak_sum / to_f64(windows.peak) > threshold;
        self.at_centre(at_us, filtered, above, windows)
    }

    fn at_centre(&mut self, at_us: i64, filtered: f64, above: bool, w: Windows) -> Option<Peak> {
        self.times.push_back(at_us);
        if self.times.len() > w.longest {
            self.times.pop_front();
        }
        self.lowest = self.lowest.min(filtered);
        let wave = self.waves.push(filtered, above, w)?;
        // The wave ended with the sample before this one; its block leaves that one out too.
        let from_end = wave.length - wave.peak + 1;
        let at = *self.times.get(self.times.len().checked_sub(from_end + 1)?)?;
        if self.last_peak_us.is_some_and(|last| at - last <= w.gap_us) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than one period")]
        let shift_us = (wave.shift * to_f64(w.period)) as i64;
        let peak = Peak { at_us: at + shift_us, amplitude: wave.height - self.lowest };
        self.last_peak_us = Some(at);
        self.lowest = filtered;
        Some(peak)
    }

    /// The mean square over the last minute, over all where there is less.
    fn remember(&mut self, square: f64) {
        let memory = MEMORY_S * 1e6 / to_f64(self.windows.period);
        self.seen = self.seen.saturating_add(1);
        self.mean_square += (square - self.mean_square) / f64::from(self.seen).min(memory);
    }

    /// Sums anew once per window, so that rounding never builds up.
    fn sum_afresh(&mut self, windows: Windows) {
        self.since_exact += 1;
        if (self.since_exact as usize) < windows.beat {
            return;
        }
        self.since_exact = 0;
        let first = windows.beat / 2 - windows.peak / 2;
        self.beat_sum = self.recent.iter().map(|(_, _, square)| square).sum();
        self.peak_sum =
            self.recent.range(first..first + windows.peak).map(|(_, _, square)| square).sum();
    }
}

/// Peaks of a whole filtered signal, as indices: what NeuroKit2's
/// `ppg_findpeaks(method="elgendi")` finds.
#[must_use]
pub fn find_peaks(filtered: &[f64], rate_hz: f64) -> Vec<usize> {
    #[expect(clippy::cast_possible_truncation, reason = "a rate of a sensor")]
    let windows = Windows::of((1e6 / rate_hz).round() as i64);
    let squares: Vec<f64> = filtered.iter().map(|value| value.max(0.0).powi(2)).collect();
    let offset = OFFSET * squares.iter().sum::<f64>() / to_f64(squares.len().max(1));
    let short = boxcar(&squares, windows.peak);
    let long = boxcar(&squares, windows.beat);
    let mut waves = Waves::default();
    let mut peaks = Vec::new();
    let mut last = 0;
    for (index, value) in filtered.iter().enumerate() {
        let above = short[index] > long[index] + offset;
        let Some(wave) = waves.push(*value, above, windows) else { continue };
        let peak = index - 1 - wave.length + wave.peak;
        if peak > last + windows.gap {
            peaks.push(peak);
            last = peak;
        }
    }
    peaks
}

/// A centred moving mean; beyond the ends stand the end values.
fn boxcar(values: &[f64], size: usize) -> Vec<f64> {
    let last = values.len().saturating_sub(1);
    let at = |index: usize| values[index.saturating_sub(size / 2).min(last)];
    (0..values.len())
        .map(|centre| (centre..centre + size).map(at).sum::<f64>() / to_f64(size))
        .collect()
}

/// The rules' lengths in samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Windows {
    /// From sample to sample, us.
    period: usize,
    peak: usize,
    beat: usize,
    gap: usize,
    gap_us: i64,
    longest: usize,
}

impl Windows {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few seconds in samples"
    )]
    fn of(period_us: i64) -> Self {
        let period = usize::try_from(period_us).unwrap_or(1).max(1);
        let samples = |seconds: f64| (seconds * 1e6 / to_f64(period)).round_ties_even() as usize;
        Self {
            period,
            peak: samples(PEAK_WINDOW_S).max(1) | 1,
            beat: samples(BEAT_WINDOW_S).max(3) | 1,
            gap: samples(SHORTEST_GAP_S),
            gap_us: (SHORTEST_GAP_S * 1e6) as i64,
            longest: samples(LONGEST_WAVE_S),
        }
    }
}

/// Cuts a signal into waves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Waves {
    before: Option<(f64, bool)>,
    block: Option<Vec<f64>>,
}

/// A systolic wave with a maximum.
struct Wave {
    length: usize,
    peak: usize,
    /// How far the true maximum stands from the sample, in samples.
    shift: f64,
    height: f64,
}

impl Waves {
    /// Takes a sample and whether it belongs to a wave; yields the wave that ended before it.
    ///
    /// A wave's block starts with the last sample before it and leaves its own last one out.
    fn push(&mut self, value: f64, above: bool, windows: Windows) -> Option<Wave> {
        let (last, was_above) = self.before.replace((value, above))?;
        match (was_above, above) {
            (false, true) => self.block = Some(vec![last]),
            (true, true) => {
                if let Some(block) = &mut self.block {
                    block.push(last);
                    if block.len() > windows.longest {
                        self.block = None;
                    }
                }
            }
            (true, false) => return wave(&self.block.take()?, windows),
            (false, false) => {}
        }
        None
    }
}

fn wave(block: &[f64], windows: Windows) -> Option<Wave> {
    if block.len() < windows.peak {
        return None;
    }
    let peak = most_prominent(block)?;
    let (before, at, after) = (block[peak - 1], block[peak], block[peak + 1]);
    let curvature = before - 2.0 * at + after;
    let shift = if curvature < 0.0 { (before - after) / (2.0 * curvature) } else { 0.0 };
    Some(Wave { length: block.len(), peak, shift: shift.clamp(-0.5, 0.5), height: at })
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Window, indices};

    #[test]
    fn in_batch_the_peaks_are_those_of_neurokit() {
        let reference = Window::read();
        let peaks = find_peaks(&reference.numbers("pulse", "clean"), 64.0);
        assert_eq!(peaks, indices(reference.of("pulse", "peaks")));
    }

    #[test]
    fn live_the_same_beats_are_found_on_a_clean_wave() {
        let reference = Window::read();
        let mut live = Elgendi::new(15_625);
        let found: Vec<i64> = reference
            .numbers("pulse", "clean")
            .iter()
            .enumerate()
            .filter_map(|(index, value)| live.push(index as i64 * 15_625, *value))
            .map(|peak| peak.at_us)
            .collect();
        let expected = indices(reference.of("pulse", "peaks"));
        let matched = expected
            .iter()
            .filter(|index| found.iter().any(|at| (at - **index as i64 * 15_625).abs() <= 15_625))
            .count();
        // The first second goes into filling the windows, the last waves are still open.
        assert!(matched + 3 >= expected.len(), "{matched} of {}", expected.len());
        assert!(found.len() <= expected.len());
    }
}
