//! Systolic peaks after Elgendi M, Norton I, Brearley M, Abbott D, Schuurmans D (2013)
//! Systolic Peak Detection in Acceleration Photoplethysmograms Measured from Emergency
//! Responders in Tropical Conditions. PLoS ONE 8(10): e76585.
//!
//! Where the mean of the squared wave over 0.111 s exceeds that over 0.667 s by an offset,
//! there is a systolic wave; its most prominent maximum is the beat. The offset is 0.02 of
//! the mean square: over the whole signal in batch, over a trailing minute live.
//!
//! Live, intervals are counted from one wave's steepest rise to the next one's, one of the
//! landmarks that Hemon MC, Phillips JP (2016) Comparison of foot finding methods for deriving
//! instantaneous pulse rates from photoplethysmographic signals, J Clin Monit Comput 30(2):
//! 157-168, compare with the electrocardiogram.

use serde::{Deserialize, Serialize};

use super::moments::Moments;
use super::prominence::most_prominent;
use crate::sum::sum;

const PEAK_WINDOW_S: f64 = 0.111;
const BEAT_WINDOW_S: f64 = 0.667;
const OFFSET: f64 = 0.02;
const SHORTEST_GAP_S: f64 = 0.3;
const MEMORY_S: f64 = 60.0;
/// A systolic wave rises within this.
const RISE_S: f64 = 0.375;
/// Over so long a slope is taken.
const SLOPE_S: f64 = 0.06;
/// A wave longer than this is no heart beat.
const LONGEST_WAVE_S: f64 = 2.0;

/// A systolic peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peak {
    /// Between samples, by a parabola through the peak and its neighbours, us.
    pub(crate) at_us: i64,
    /// The moment of the steepest rise before it, us. From one to the next it tells intervals
    /// more truly than the top does, which is flat and moves with the wave's shape.
    pub(crate) rise_us: i64,
    /// From the lowest point since the peak before, in the signal's unit.
    pub(crate) amplitude: f64,
}

/// Finds peaks in a band-passed pulse wave (0.5 to 8 Hz), as samples come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Elgendi {
    windows: Windows,
    /// The last samples: a beat's window, and before it as many as the longest wave has.
    recent: Vec<f64>,
    moments: Moments,
    mean_square: f64,
    /// How many samples came.
    seen: usize,
    was_above: bool,
    /// The number of the sample with which the wave began that is not over.
    rise: Option<usize>,
    /// Lowest since the last peak.
    lowest: f64,
    last_peak_us: Option<i64>,
}

impl Elgendi {
    /// So many samples more than needed are kept, so that they are seldom moved.
    const SPARE: usize = 4 * Self::MOST;
    /// As many samples can be taken at once.
    pub(crate) const MOST: usize = 64;

    pub(crate) fn new(period_us: i64) -> Self {
        let windows = Windows::of(period_us);
        Self {
            windows,
            recent: vec![0.0; windows.longest + windows.beat],
            moments: Moments::default(),
            mean_square: 0.0,
            seen: 0,
            was_above: false,
            rise: None,
            lowest: f64::INFINITY,
            last_peak_us: None,
        }
    }

    /// Takes filtered samples, [`Self::MOST`] at most, the first of them at a moment; tells of
    /// each peak some 0.4 s after it has passed.
    pub(crate) fn take(&mut self, at_us: i64, filtered: &[f64], mut found: impl FnMut(Peak)) {
        let Windows { period, longest, beat, .. } = self.windows;
        self.moments.note(self.seen, at_us, period, self.seen.saturating_sub(longest + beat));
        if self.recent.len() > longest + beat + Self::SPARE {
            self.recent.drain(..self.recent.len() - longest - beat);
        }
        self.recent.extend_from_slice(filtered);
        let above = self.above(filtered.len());
        let first = self.seen;
        self.seen += filtered.len();
        // What is judged is the middle of the window that a sample fills.
        let unfilled = (beat - 1).saturating_sub(first);
        if unfilled >= filtered.len() {
            return;
        }
        if first < beat {
            self.was_above = (above >> unfilled) & 1 == 1;
        }
        let mut from = first + unfilled - beat / 2;
        let before = (above << 1) | (u64::from(self.was_above) << unfilled);
        let mut changes = (above ^ before) >> unfilled << unfilled;
        while changes != 0 {
            let place = changes.trailing_zeros() as usize;
            changes &= changes - 1;
            if place >= filtered.len() {
                break;
            }
            let centre = first + place - beat / 2;
            self.see_lowest(from, centre);
            from = centre + 1;
            self.was_above = !self.was_above;
            if self.was_above {
                self.rise = Some(centre);
            } else if let Some(peak) = self.rise.take().and_then(|rise| self.peak(rise, centre)) {
                found(peak);
            }
        }
        self.see_lowest(from, self.seen - 1 - beat / 2);
    }

    /// Whether the middle of the window that each of the newest samples fills lies in a wave,
    /// bit by bit; follows the mean square of the last minute, of all where there is less.
    fn above(&mut self, newest: usize) -> u64 {
        let Windows { peak, beat, .. } = self.windows;
        let start = self.recent.len() - newest;
        let samples = &self.recent[start - beat..];
        // A window's sum at first, and what it changes by with each sample.
        let window = |from: usize, size: usize, changes: &mut [f64; Self::MOST]| {
            let ends = samples[from..][..newest].iter().zip(&samples[from + size..]);
            let into = changes.iter_mut().zip(ends);
            into.for_each(|(into, (leaves, enters))| *into = square(*enters) - square(*leaves));
            sum(&samples[from..][..size], |value| square(*value))
        };
        let (mut of_beat, mut of_peak) = ([0.0; Self::MOST], [0.0; Self::MOST]);
        let mut beat_sum = window(0, beat, &mut of_beat);
        let mut peak_sum = window(beat / 2 - peak / 2, peak, &mut of_peak);
        let memory = MEMORY_S * 1e6 / to_f64(self.windows.period);
        let (least, full) = (1.0 / memory, to_f64(self.seen) >= memory);
        let (per_beat, offset) = (to_f64(peak) / to_f64(beat), to_f64(peak) * OFFSET);
        // Of each change over a peak is made what the peak's sum lacks to be above, if anything.
        let changes = of_peak.iter_mut().zip(&of_beat);
        let places = changes.zip(&samples[beat..]).zip(self.seen + 1..);
        for (((of_peak, of_beat), value), number) in places {
            beat_sum += of_beat;
            peak_sum += *of_peak;
            let weight = if full { least } else { 1.0 / to_f64(number).min(memory) };
            self.mean_square = self.mean_square * (1.0 - weight) + square(*value) * weight;
            *of_peak = beat_sum * per_beat + self.mean_square * offset - peak_sum;
        }
        let below_0 = |lacks: &f64| lacks.to_bits() >> 63;
        let places = of_peak[..newest].iter().enumerate();
        places.fold(0, |above, (place, lacks)| above | below_0(lacks) << place)
    }

    /// Looks for the lowest of the samples from one to another, both included.
    fn see_lowest(&mut self, from: usize, until: usize) {
        let start = self.place(from);
        let lower = |low: f64, value: f64| if value < low { value } else { low };
        let (fours, rest) = self.recent[start..start + (until + 1 - from)].as_chunks::<4>();
        let mut lowest = [self.lowest; 4];
        for four in fours {
            lowest.iter_mut().zip(four).for_each(|(low, value)| *low = lower(*low, *value));
        }
        self.lowest = lowest.iter().chain(rest).fold(self.lowest, |low, value| lower(low, *value));
    }

    /// The peak of the wave that rose with a sample and is over with another.
    ///
    /// Its block starts with the last sample before it and leaves its own last one out.
    fn peak(&mut self, rise: usize, fall: usize) -> Option<Peak> {
        if fall - rise > self.windows.longest {
            return None;
        }
        let start = self.place(rise - 1);
        let wave = wave(&self.recent[start..start + (fall - rise)], self.windows)?;
        let at = self.moments.of(rise - 1 + wave.peak, self.windows.period);
        if self.last_peak_us.is_some_and(|last| at - last <= self.windows.gap_us) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than one period")]
        let shift_us = (wave.shift * to_f64(self.windows.period)) as i64;
        let rise_us = self.steepest(rise - 1 + wave.peak).unwrap_or(at + shift_us);
        let peak = Peak { at_us: at + shift_us, rise_us, amplitude: wave.height - self.lowest };
        self.last_peak_us = Some(at);
        self.lowest = self.recent[self.place(fall)];
        Some(peak)
    }

    /// The moment of the steepest rise before a peak.
    #[expect(clippy::cast_possible_truncation, reason = "less than one period")]
    fn steepest(&self, peak: usize) -> Option<i64> {
        let Windows { rise, slope: half, period, .. } = self.windows;
        let top = self.place(peak);
        let bottom = top.saturating_sub(rise).max(half + 1);
        let slope = |at: usize| self.recent[at + half] - self.recent[at - half];
        let sides = self.recent.get(bottom - half..=top - half)?.iter();
        let slopes = sides.zip(&self.recent[bottom + half..]).map(|(before, after)| after - before);
        let (mut steepest, mut most) = (bottom, f64::NEG_INFINITY);
        for (at, slope) in slopes.enumerate() {
            if slope >= most {
                (steepest, most) = (bottom + at, slope);
            }
        }
        let shift = summit(slope(steepest - 1), slope(steepest), slope(steepest + 1));
        let number = self.seen - (self.recent.len() - steepest);
        Some(self.moments.of(number, period) + (shift * to_f64(period)) as i64)
    }

    /// Where a sample stands among the recent ones, by its number.
    fn place(&self, number: usize) -> usize {
        self.recent.len() - (self.seen - number)
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
    let above: Vec<bool> =
        short.iter().zip(&long).map(|(short, long)| short > &(long + offset)).collect();
    let mut peaks = Vec::new();
    let (mut rise, mut last) = (None, 0);
    for at in 1..filtered.len() {
        match (above[at - 1], above[at]) {
            (false, true) => rise = Some(at),
            (true, false) => {
                let Some(start) = rise.take().map(|rise| rise - 1) else { continue };
                let block = &filtered[start..at - 1];
                let Some(wave) = wave(block, windows) else { continue };
                let peak = start + wave.peak;
                if block.len() <= windows.longest && peak > last + windows.gap {
                    peaks.push(peak);
                    last = peak;
                }
            }
            _ => {}
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
    /// A wave rises within this.
    rise: usize,
    /// Half of what a slope is taken over.
    slope: usize,
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
            rise: samples(RISE_S).max(1),
            slope: samples(SLOPE_S / 2.0).max(1),
            longest: samples(LONGEST_WAVE_S),
        }
    }
}

/// Of what lies above 0: a systolic wave does.
fn square(value: f64) -> f64 {
    let value = if value > 0.0 { value } else { 0.0 };
    value * value
}

/// A systolic wave with a maximum.
struct Wave {
    /// Its place in the block.
    peak: usize,
    /// How far the true maximum stands from the sample, in samples.
    shift: f64,
    height: f64,
}

fn wave(block: &[f64], windows: Windows) -> Option<Wave> {
    if block.len() < windows.peak {
        return None;
    }
    let peak = most_prominent(block)?;
    let (before, at, after) = (block[peak - 1], block[peak], block[peak + 1]);
    Some(Wave { peak, shift: summit(before, at, after), height: at })
}

/// Where the top of a parabola through three values lies, in samples from the middle.
fn summit(before: f64, at: f64, after: f64) -> f64 {
    let curvature = before - 2.0 * at + after;
    let shift = if curvature < 0.0 { (before - after) / (2.0 * curvature) } else { 0.0 };
    shift.clamp(-0.5, 0.5)
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
        let mut found: Vec<i64> = Vec::new();
        let mut at_us = 0;
        for samples in reference.numbers("pulse", "clean").chunks(Elgendi::MOST) {
            live.take(at_us, samples, |peak| found.push(peak.at_us));
            at_us += samples.len() as i64 * 15_625;
        }
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
