//! Beats that a heart does not make: Lipponen JA, Tarvainen MP (2019) A robust algorithm
//! for heart rate variability time series artefact correction using novel beat
//! classification. J Med Eng Technol 43(3): 173-181.
//!
//! The thresholds are 5.2 quartile deviations of 91 beats, the median that of 11. Whole
//! series use centred windows, as NeuroKit2's `signal_fixpeaks(method="kubios")`; live the
//! windows trail and a beat is judged once the two after it are known.

use serde::{Deserialize, Serialize};

const ALPHA: f64 = 5.2;
const C1: f64 = 0.13;
const C2: f64 = 0.17;
const QUARTILE_BEATS: usize = 91;
const MEDIAN_BEATS: usize = 11;
/// How many later beats a verdict needs.
const LAG: usize = 2;

/// What a beat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BeatClass {
    /// As a healthy heart makes it.
    Normal,
    /// Early or late, with its neighbour to match.
    Ectopic,
    /// One was missed before it: the interval is two.
    Missed,
    /// No beat at all: with the next interval it makes one.
    Extra,
    /// Misplaced.
    LongShort,
}

/// Judges intervals one by one, two beats late.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Correction {
    intervals: Last<MEDIAN_BEATS>,
    /// From each interval to the next, oldest first.
    differences: [f64; LAG + 2],
    /// Absolute differences and distances from the median, oldest first.
    steps: Last<QUARTILE_BEATS>,
    distances: Last<QUARTILE_BEATS>,
    candidate: bool,
}

impl Correction {
    /// Takes the next interval, s; yields the class of the one two before.
    pub(crate) fn push(&mut self, interval: f64) -> Option<BeatClass> {
        let difference = self.intervals.ago(0).map_or(0.0, |before| interval - before);
        self.intervals.push(interval);
        self.differences.rotate_left(1);
        self.differences[LAG + 1] = difference;
        self.steps.push(difference.abs());
        let [judged, next] = [self.intervals.ago(LAG)?, self.intervals.ago(LAG - 1)?];
        let median = quantile(self.intervals.sorted(), 0.5);
        let distance = stretched(judged - median);
        self.distances.push(distance.abs());
        if self.intervals.count < LAG + 2 {
            return Some(BeatClass::Normal);
        }
        let (step, far) = (spread(self.steps.sorted()), spread(self.distances.sorted()));
        let d = self.differences.map(|difference| in_thresholds(difference, step));
        let around = Around {
            before: d[0],
            here: d[1],
            after: [d[2], d[3]],
            distance: in_thresholds(distance, far),
            interval: judged,
            next_interval: next,
            median,
            far,
        };
        Some(around.judge(&mut self.candidate))
    }
}

/// Classifies a whole series of intervals, s; the first has no beat before it.
#[must_use]
pub fn classify(intervals: &[f64]) -> Vec<BeatClass> {
    let mut classes = vec![BeatClass::Normal; intervals.len()];
    if intervals.len() < LAG + 2 {
        return classes;
    }
    let mut steps: Vec<f64> = intervals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    #[expect(clippy::cast_precision_loss, reason = "a number of beats")]
    steps.insert(0, steps.iter().sum::<f64>() / steps.len() as f64);
    let step_thresholds = centred(&steps, QUARTILE_BEATS, |window| threshold(&mut window.clone()));
    let d: Vec<f64> =
        steps.iter().zip(&step_thresholds).map(|(step, th)| in_thresholds(*step, *th)).collect();
    let medians = centred(intervals, MEDIAN_BEATS, |window| median(window.iter().copied()));
    let distances: Vec<f64> =
        intervals.iter().zip(&medians).map(|(at, median)| stretched(at - median)).collect();
    let far = centred(&distances, QUARTILE_BEATS, |window| threshold(&mut window.clone()));

    let last = intervals.len() - 1;
    let mirrored = |index: usize| d[if index > last { 2 * last - index } else { index }];
    let mut candidate = false;
    for at in 0..last {
        if at + LAG > last && !candidate {
            break;
        }
        let around = Around {
            before: if at == 0 { d[1] } else { d[at - 1] },
            here: d[at],
            after: [mirrored(at + 1), mirrored(at + 2)],
            distance: in_thresholds(distances[at], far[at]),
            interval: intervals[at],
            next_interval: intervals[at + 1],
            median: medians[at],
            far: far[at],
        };
        classes[at] = around.judge(&mut candidate);
    }
    classes
}

/// What the verdict on a beat rests on; differences and distance in thresholds.
struct Around {
    before: f64,
    here: f64,
    after: [f64; 2],
    distance: f64,
    interval: f64,
    next_interval: f64,
    median: f64,
    far: f64,
}

impl Around {
    /// Figure 1 of the paper. `candidate`: the beat before asks for this one to be judged as
    /// long or short whatever its own step; it is set for the next beat in turn.
    fn judge(&self, candidate: &mut bool) -> BeatClass {
        let here = self.here;
        let far = self.distance.abs() > 3.0;
        if !std::mem::take(candidate) {
            if here.abs() <= 1.0 {
                return BeatClass::Normal;
            }
            if self.is_ectopic() {
                return BeatClass::Ectopic;
            }
            if here.is_nan() && !far {
                return BeatClass::Normal;
            }
            *candidate = self.after[0].abs() < self.after[1].abs();
        }
        let known = self.after.iter().all(|step| !step.is_nan());
        let long = here > 1.0 && known && self.after.iter().any(|step| *step < -1.0);
        let short = here < -1.0 && known && self.after.iter().any(|step| *step > 1.0);
        if !long && !short && !far {
            return BeatClass::Normal;
        }
        if short && (self.interval + self.next_interval - self.median).abs() < self.far {
            return BeatClass::Extra;
        }
        if long && (self.interval / 2.0 - self.median).abs() < self.far {
            return BeatClass::Missed;
        }
        BeatClass::LongShort
    }

    fn is_ectopic(&self) -> bool {
        let (here, around) = (self.here, [self.before, self.after[0]]);
        (here > 1.0 && around.iter().all(|step| *step < -C1 * here - C2))
            || (here < -1.0 && around.iter().all(|step| *step > -C1 * here + C2))
    }
}

/// A difference in units of its threshold; a threshold of 0 tells nothing.
fn in_thresholds(difference: f64, threshold: f64) -> f64 {
    if threshold == 0.0 { f64::NAN } else { difference / threshold }
}

/// The last `N` values, in order of time and of size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Last<const N: usize> {
    /// In a ring; the oldest stands where the next will, once there are `N`.
    #[serde(with = "crate::fixed")]
    in_order: [f64; N],
    #[serde(with = "crate::fixed")]
    by_size: [f64; N],
    next: usize,
    count: usize,
}

impl<const N: usize> Default for Last<N> {
    fn default() -> Self {
        Self { in_order: [0.0; N], by_size: [0.0; N], next: 0, count: 0 }
    }
}

impl<const N: usize> Last<N> {
    fn push(&mut self, value: f64) {
        let place = |sorted: &[f64], value| sorted.partition_point(|kept| *kept < value);
        let to = place(self.sorted(), value);
        let oldest = std::mem::replace(&mut self.in_order[self.next % N], value);
        self.next = (self.next + 1) % N;
        let from = if self.count < N { self.count } else { place(&self.by_size, oldest) };
        self.count = N.min(self.count + 1);
        // Only what lies between the one that goes and the one that comes moves.
        if from < to {
            self.by_size.copy_within(from + 1..to, from);
            self.by_size[to - 1] = value;
        } else {
            self.by_size.copy_within(to..from, to + 1);
            self.by_size[to] = value;
        }
    }

    /// The values by size.
    fn sorted(&self) -> &[f64] {
        &self.by_size[..self.count.min(N)]
    }

    /// The value before so many others.
    fn ago(&self, others: usize) -> Option<f64> {
        (others < self.count).then(|| self.in_order[(self.next + N - 1 - others) % N])
    }
}

/// Quartile deviation of magnitudes, as the paper's threshold.
fn threshold(values: &mut [f64]) -> f64 {
    for value in values.iter_mut() {
        *value = value.abs();
    }
    values.sort_by(f64::total_cmp);
    spread(values)
}

fn spread(sorted: &[f64]) -> f64 {
    ALPHA * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2.0
}

/// Between the two nearest, by distance.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a position in a short list"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = part * (sorted.len().saturating_sub(1)) as f64;
    let below = at as usize;
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * (at - below as f64),
        (Some(low), None) => *low,
        _ => 0.0,
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// Short intervals weigh twice.
fn stretched(distance: f64) -> f64 {
    if distance < 0.0 { 2.0 * distance } else { distance }
}

/// A centred rolling window, shorter at the ends.
fn centred(values: &[f64], size: usize, of: impl Fn(&mut Vec<f64>) -> f64) -> Vec<f64> {
    (0..values.len())
        .map(|at| {
            let window = at.saturating_sub(size / 2)..(at + size / 2 + 1).min(values.len());
            of(&mut values[window].to_vec())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{indices, read};

    fn series() -> (Vec<f64>, serde_json::Value) {
        let beats = read("models/golden/beats.json");
        let peaks = indices(&beats["peaks_ms"]);
        let mut intervals: Vec<f64> =
            peaks.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1000.0).collect();
        intervals.insert(0, intervals.iter().sum::<f64>() / intervals.len() as f64);
        (intervals, beats["classes"].clone())
    }

    #[test]
    fn in_batch_every_class_is_that_of_neurokit() {
        let (intervals, expected) = series();
        let found = classify(&intervals);
        for (name, class) in [
            ("ectopic", BeatClass::Ectopic),
            ("missed", BeatClass::Missed),
            ("extra", BeatClass::Extra),
            ("longshort", BeatClass::LongShort),
        ] {
            let of: Vec<usize> = (0..found.len()).filter(|at| found[*at] == class).collect();
            assert_eq!(of, indices(&expected[name]), "{name}");
        }
    }

    #[test]
    fn live_gross_artefacts_are_found_and_few_others() {
        let (intervals, _) = series();
        let mut live = Correction::default();
        let found: Vec<BeatClass> =
            intervals.iter().filter_map(|interval| live.push(*interval)).collect();
        for gross in [100, 181, 221, 342] {
            assert_ne!(found[gross], BeatClass::Normal, "beat {gross}");
        }
        let abnormal = found.iter().filter(|class| **class != BeatClass::Normal).count();
        assert!(abnormal < 30, "{abnormal} of {}", found.len());
    }
}
