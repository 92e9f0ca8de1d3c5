use std::collections::VecDeque;

use crate::features::{Feature, FeatureVector};
use crate::intervals::median;
use crate::second::{Interval, Second};

/// The window that features rest on, s.
pub(crate) const WINDOW_S: usize = 60;
/// So much of the window must be covered for a signal to count.
const COVERED_S: usize = 30;
/// Beats must cover so much of it, s: a moving wrist hides some.
const BEATS_S: f64 = 24.0;
const SLOPE_S: usize = 120;

/// The features of the window that ends with the newest second.
pub(crate) fn features(seconds: &VecDeque<Second>) -> FeatureVector {
    let from = seconds.len().saturating_sub(WINDOW_S);
    let window: Vec<&Second> = seconds.range(from..).collect();
    let mut features = FeatureVector::default();
    heart(&window, &mut features);
    skin(&window, seconds, &mut features);
    motion(&window, &mut features);
    let warming = slope_per_minute(seconds, |second| second.temperature);
    features.set(Feature::TemperatureSlope, warming);
    features
}

/// Heart features from the pulse wave; where there is none, from what the device reports.
fn heart(window: &[&Second], features: &mut FeatureVector) {
    let pulse = window.iter().any(|second| second.pulse_samples > 0);
    let pick =
        |second: &&Second| if pulse { second.intervals.clone() } else { second.reported.clone() };
    let intervals: Vec<Interval> = window.iter().flat_map(pick).collect();
    let covered: f64 = intervals.iter().map(|interval| interval.seconds).sum();
    if covered < BEATS_S {
        if !pulse {
            let mut rates: Vec<_> = window.iter().filter_map(|second| second.heart_rate).collect();
            let rate = (rates.len() >= COVERED_S).then(|| median(&mut rates)).flatten();
            features.set(Feature::HeartRate, rate);
        }
        return;
    }
    let count = number(intervals.len());
    let mean = covered / count;
    let variance = intervals.iter().map(|interval| (interval.seconds - mean).powi(2)).sum::<f64>()
        / (count - 1.0);
    let changes: Vec<f64> = intervals.iter().filter_map(|interval| interval.change).collect();
    let square = changes.iter().map(|change| change * change).sum::<f64>() / number(changes.len());
    features.set(Feature::HeartRate, Some(60.0 / mean));
    features.set(Feature::LnSdnn, Some((variance.sqrt() * 1e3).max(1.0).ln()));
    let enough = changes.len() >= 15;
    features.set(Feature::LnRmssd, enough.then(|| (square.sqrt() * 1e3).max(1.0).ln()));
}

fn skin(window: &[&Second], seconds: &VecDeque<Second>, features: &mut FeatureVector) {
    let mut levels: Vec<f64> = window.iter().filter_map(|second| second.eda).collect();
    if levels.len() < COVERED_S {
        return;
    }
    let minutes = number(levels.len()) / 60.0;
    let responses = || window.iter().flat_map(|second| &second.responses);
    features.set(Feature::LnScl, median(&mut levels).map(|level| (level + 0.1).ln()));
    features.set(Feature::SclSlope, slope_per_minute(seconds, |second| second.eda));
    features.set(Feature::ScrRate, Some(number(responses().count()) / minutes));
    features.set(Feature::LnScrAmplitude, Some((responses().sum::<f64>() / minutes + 0.05).ln()));
}

fn motion(window: &[&Second], features: &mut FeatureVector) {
    if window.iter().filter(|second| second.motion.count > 0).count() < COVERED_S {
        return;
    }
    let sum = |part: fn(&Second) -> f64| window.iter().map(|second| part(second)).sum::<f64>();
    let count = sum(|second| f64::from(second.motion.count));
    let mean = sum(|second| second.motion.norm) / count;
    let variance = (sum(|second| second.motion.square) / count - mean * mean).max(0.0);
    features.set(Feature::LnActivity, Some((variance.sqrt() + 1e-3).ln()));
    features.set(Feature::LnJerk, Some((sum(|second| second.motion.jerk) / count + 1e-2).ln()));
    features.set(Feature::Enmo, Some(sum(|second| second.motion.enmo) / count));
}

/// The least-squares slope of the last three minutes, per minute; none with too few seconds.
pub(crate) fn slope_per_minute(
    seconds: &VecDeque<Second>,
    value: impl Fn(&Second) -> Option<f64>,
) -> Option<f64> {
    let points: Vec<(f64, f64)> = seconds
        .iter()
        .enumerate()
        .filter_map(|(index, second)| value(second).map(|value| (number(index) / 60.0, value)))
        .collect();
    if points.len() < SLOPE_S {
        return None;
    }
    let count = number(points.len());
    let middle = points.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
    let along: f64 = points.iter().map(|(at, value)| (at - middle) * (value - mean)).sum();
    let across: f64 = points.iter().map(|(at, _)| (at - middle).powi(2)).sum();
    Some(along / across)
}

/// The part of the window that could be used: the mean over heart, skin and motion.
pub(crate) fn quality(seconds: &VecDeque<Second>) -> f64 {
    let last = || seconds.iter().rev().take(WINDOW_S);
    let beats: f64 = last()
        .flat_map(
            |second| if second.pulse_samples > 0 { &second.intervals } else { &second.reported },
        )
        .map(|interval| interval.seconds)
        .sum();
    let rates = number(
        last().filter(|second| second.heart_rate.is_some() && second.pulse_samples == 0).count(),
    );
    let skin = number(last().filter(|second| second.eda.is_some()).count());
    let motion = number(last().filter(|second| second.motion.count > 0).count());
    (beats.max(rates).min(60.0) + skin + motion) / 180.0
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}
