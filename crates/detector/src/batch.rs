//! The detector's formulas on whole stretches of samples, for whoever compares them with
//! those of others or looks at a stretch offline. What is live goes through the same code.

use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND};

use crate::beats::{Beat, CLEAN_ENOUGH, Elgendi, clean_part, find_peaks, judged, steady};
use crate::features::{
    Activity, BAND_BINS, Enmo, Feature, FeatureVector, Jerk, Phasic, ScrDetector, ScrEvent,
    deviation, differences, heart_rate, pitch_deg, pnn50, rmssd, roll_deg, scl, scr_amplitude,
    scr_rate, scr_rise, sdnn, slope_per_minute, stereotypy,
};
use crate::filter::{Band, Cascade, SEGMENT, Welch, low_pass};

/// A pulse wave in its band, some 0.5 to 8 Hz, without a shift in time, as if its first and
/// last values stood for ever. Samples are in the channel's unit, and of its whole steps.
#[must_use]
pub fn pulse_band(samples: &[f64], rate_hz: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; a step of a sensor")]
    let to_step = |sample: &f64| [(sample / Channel::Bvp.scale()).round() as i32];
    #[expect(clippy::cast_possible_truncation, reason = "a rate of a sensor")]
    let period_us = (1e6 / rate_hz).round() as i64;
    let mut steps: Vec<[i32; 1]> = samples.iter().map(to_step).collect();
    let (Some([first]), Some(last)) = (steps.first(), steps.last()) else { return Vec::new() };
    let (mut band, last) = (Band::new(period_us, *first), *last);
    steps.resize(steps.len() + band.delay(), last);
    let mut out = [0.0; Band::MOST];
    let filtered = steps.chunks(Band::MOST).flat_map(|steps| band.take(steps, &mut out).to_vec());
    filtered.map(|step| step * Channel::Bvp.scale()).collect()
}

/// Systolic peaks of a pulse wave, as indices of its samples.
#[must_use]
pub fn pulse_peaks(samples: &[f64], rate_hz: f64) -> Vec<usize> {
    find_peaks(&pulse_band(samples, rate_hz), rate_hz)
}

/// Systolic peaks of a pulse wave as they are found live, sample by sample, in s from its
/// start: causal, with the mean square of the last minute in place of the whole's.
#[must_use]
pub fn live_pulse_peaks(samples: &[f64], period_us: u32) -> Vec<f64> {
    let filtered = pulse_band(samples, 1e6 / f64::from(period_us.max(1)));
    let period_us = i64::from(period_us.max(1));
    let mut finder = Elgendi::new(period_us);
    let (mut at_us, mut found) = (0, Vec::new());
    for samples in filtered.chunks(Elgendi::MOST) {
        #[expect(clippy::cast_precision_loss, reason = "days in us")]
        finder.take(at_us, samples, |peak| found.push(peak.at_us as f64 / 1e6));
        at_us += i64::try_from(samples.len()).unwrap_or(0) * period_us;
    }
    found
}

/// Heart features of beats that are all taken as normal; `peaks` are indices of samples.
#[must_use]
pub fn heart(peaks: &[usize], rate_hz: f64) -> FeatureVector {
    let beats = peaks.windows(2).map(|pair| Beat {
        at_us: 0,
        interval_s: number(pair[1] - pair[0]) / rate_hz,
        amplitude: 0.0,
        clean: true,
        joined: true,
    });
    heart_features(beats)
}

/// Heart features of windows, as the detector has them, from all beats of a recording at these
/// moments, s, ascending: nothing is set where normal intervals cover too little of a window.
#[must_use]
pub fn hearts(beats: &[f64], windows: impl Iterator<Item = Range<i64>>) -> Vec<FeatureVector> {
    let judged = judged(beats);
    let first =
        |second: i64| judged.partition_point(|beat| beat.at_us < second * MICROS_PER_SECOND);
    let of = |window: Range<i64>| {
        let beats = judged[first(window.start)..first(window.end)].iter();
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let clean = clean_part(beats.clone(), (window.end - window.start) as f64);
        if clean < CLEAN_ENOUGH { FeatureVector::default() } else { heart_features(steady(beats)) }
    };
    windows.map(of).collect()
}

fn heart_features(beats: impl Iterator<Item = Beat> + Clone) -> FeatureVector {
    let mut features = FeatureVector::default();
    features.set(Feature::HeartRate, heart_rate(beats.clone()));
    features.set(Feature::Sdnn, sdnn(beats.clone()));
    let differences = differences(beats);
    features.set(Feature::Rmssd, rmssd(&differences));
    features.set(Feature::Pnn50, pnn50(&differences));
    features
}

/// Skin features of EDA samples (uS) that are all taken as valid.
#[must_use]
pub fn skin(samples: &[f64], period_us: u32) -> FeatureVector {
    let mut features = FeatureVector::default();
    let seconds = |index: usize| number(index) * f64::from(period_us) / 1e6;
    let whole_s = seconds(samples.len());
    let mut phasic = Phasic::default();
    let phasic: Vec<f64> = samples.iter().map(|sample| phasic.push(*sample, period_us)).collect();
    let mut detector = ScrDetector::default();
    let at_us = |index: usize| i64::try_from(index).unwrap_or(0) * i64::from(period_us);
    let responses: Vec<ScrEvent> = samples
        .iter()
        .enumerate()
        .filter_map(|(index, sample)| detector.push(at_us(index), *sample))
        .collect();
    features.set(Feature::Scl, scl(&mut samples.to_vec(), samples.len(), |value| value));
    features.set(Feature::SclSlope, slope(samples, period_us));
    features.set(Feature::PhasicDeviation, deviation(phasic.iter().copied(), whole_s));
    features.set(Feature::ScrRate, scr_rate(responses.len(), whole_s));
    features.set(Feature::ScrAmplitude, scr_amplitude(responses.iter(), whole_s));
    features.set(Feature::ScrRise, scr_rise(responses.iter()));
    features
}

/// The least-squares slope of samples, per minute.
#[must_use]
pub fn slope(samples: &[f64], period_us: u32) -> Option<f64> {
    let seconds = |index: usize| number(index) * f64::from(period_us) / 1e6;
    let points = samples.iter().enumerate().map(|(index, value)| (seconds(index), *value));
    slope_per_minute(points, 2)
}

/// Movement features of acceleration samples (g) at 32 Hz.
#[must_use]
pub fn motion(samples: &[[f64; 3]]) -> FeatureVector {
    const RATE_HZ: f64 = 32.0;
    let mut features = FeatureVector::default();
    let (mut enmo, mut activity, mut jerk) =
        (Enmo::default(), Activity::default(), Jerk::default());
    let norms: Vec<f64> = samples.iter().map(|[x, y, z]| (x * x + y * y + z * z).sqrt()).collect();
    enmo.take(&norms);
    activity.take(&norms);
    samples.windows(2).for_each(|pair| jerk.push(pair[0], pair[1]));
    features.set(Feature::Enmo, enmo.mean());
    features.set(Feature::Activity, activity.deviation());
    features.set(Feature::Jerk, jerk.mean_per_s(RATE_HZ));
    if let Some(gravity) = gravity(samples, RATE_HZ) {
        features.set(Feature::PosturePitch, Some(pitch_deg(gravity)));
        features.set(Feature::PostureRoll, Some(roll_deg(gravity)));
    }
    let density = spectrum(&norms, RATE_HZ);
    if let Some(rhythm) = stereotypy(&density[BAND_BINS], density.iter().sum()) {
        features.set(Feature::StereotypyRate, Some(rhythm.hz));
        features.set(Feature::Stereotypy, Some(rhythm.part));
        features.set(Feature::StereotypyBand, Some(rhythm.band));
    }
    features
}

/// The mean spectrum of segments that overlap by half (Welch), 129 bins.
fn spectrum(norms: &[f64], rate_hz: f64) -> Vec<f64> {
    let mut sum = vec![0.0; SEGMENT / 2 + 1];
    for start in (0..(norms.len() + 1).saturating_sub(SEGMENT)).step_by(SEGMENT / 2) {
        if let Ok(segment) = <&[f64; SEGMENT]>::try_from(&norms[start..start + SEGMENT]) {
            let density = Welch::of(segment, rate_hz).densities();
            sum.iter_mut().zip(density).for_each(|(sum, density)| *sum += density);
        }
    }
    sum
}

/// Where gravity points at the end.
fn gravity(samples: &[[f64; 3]], rate_hz: f64) -> Option<[f64; 3]> {
    let sections = [low_pass(0.25, rate_hz)];
    let mut filters = samples.first()?.map(|axis| Cascade::settled(&sections, axis));
    let step = |row: &[f64; 3]| {
        let mut filters = filters.iter_mut();
        row.map(|axis| filters.next().map_or(axis, |filter| filter.step(&sections, axis)))
    };
    samples.iter().map(step).last()
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn number(count: usize) -> f64 {
    count as f64
}
