//! The detector's formulas on whole stretches of samples, for whoever compares them with
//! those of others or looks at a stretch offline. What is live goes through the same code.

use std::ops::Range;

use biosignal::{Channel, MICROS_PER_SECOND, Timestamp};

use crate::alarm::{Alarm, Scored};
use crate::beats::{Beat, CLEAN_ENOUGH, Elgendi, clean_part, find_peaks, judged, steady};
use crate::budget::Budget;
use crate::features::{
    Activity, BAND_BINS, Enmo, Feature, FeatureVector, Jerk, Phasic, ScrDetector, ScrEvent,
    deviation, differences, heart_rate, intervals, pitch_deg, pnn50, rmssd, roll_deg, scl,
    scr_amplitude, scr_rate, scr_rise, sdnn, slope_per_minute, stereotypy,
};
use crate::filter::{Band, Cascade, SEGMENT, Welch, low_pass};
use crate::{AlertTransition, Config, Thresholds};

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
        let beats = &judged[first(window.start)..first(window.end)];
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let clean = clean_part(beats, (window.end - window.start) as f64);
        if clean < CLEAN_ENOUGH { FeatureVector::default() } else { heart_features(steady(beats)) }
    };
    windows.map(of).collect()
}

fn heart_features(beats: impl Iterator<Item = Beat> + Clone) -> FeatureVector {
    let mut features = FeatureVector::default();
    let intervals = intervals(beats.clone());
    features.set(Feature::HeartRate, heart_rate(&intervals));
    features.set(Feature::Sdnn, sdnn(&intervals));
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
    features.set(Feature::PhasicDeviation, deviation(&phasic, |value| *value, whole_s));
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
        features.set(Feature::StereotypyRepeats, Some(rhythm.repeats));
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

/// What a hop of 10 s came to, as far as alerts go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredHop {
    /// Its end.
    pub at: Timestamp,
    /// 0 to 1; none where nothing could be said.
    pub score: Option<f64>,
    /// Whether the wearer was still being learned: no alert is raised.
    pub learning: bool,
}

/// The alerts of a detector that scored hops so, in the order of time: by its own rules, and by
/// thresholds that move from the model's towards the wearer's as they do live. They carry no
/// reasons, and a quality of 1.
pub fn alerts(
    hops: impl IntoIterator<Item = ScoredHop>,
    thresholds: Thresholds,
    config: &Config,
) -> Vec<AlertTransition> {
    let (mut alarm, mut budget) = (Alarm::default(), Budget::default());
    let mut judge = |hop: ScoredHop| {
        let Some(score) = hop.score else {
            budget.interrupt();
            return alarm.end(hop.at, None);
        };
        if hop.learning {
            return None;
        }
        let own = budget.thresholds(thresholds, config);
        let scored = Scored { at: hop.at, score, quality: 1.0, reasons: &Vec::new };
        let transition = alarm.judge(&scored, own, config);
        budget.take(score, config);
        transition
    };
    hops.into_iter().filter_map(&mut judge).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use biosignal::{DeviceId, Reading};

    use super::*;
    use crate::{Alert, Detector, Level, Model, Output, default_model};

    /// A calm pulse, and sweat that comes and goes.
    #[expect(clippy::cast_possible_truncation, reason = "small made-up samples")]
    fn reading(channel: Channel, hz: i64, second: i64) -> Reading {
        let sample = |index: i64| {
            let t = second as f64 + index as f64 / hz as f64;
            let noise = ((second * hz + index) * 7919) % 101;
            let wave = match channel {
                Channel::Bvp => 8000.0 * (t * 7.5).sin(),
                _ => 2_000_000.0 + 400_000.0 * (t / 90.0).sin() * (t / 2.0).sin().max(0.0),
            };
            wave as i32 + noise as i32
        };
        let at = Timestamp::from_seconds(1_700_000_000 + second);
        Reading {
            device: DeviceId::from_address([1; 6]),
            channel,
            epoch: 1,
            sequence: u32::try_from(second).expect("an hour"),
            measured_at: at,
            received_at: at,
            period_us: u32::try_from(1_000_000 / hz).expect("a rate"),
            samples: (0..hz).map(sample).collect(),
        }
    }

    fn bare(transition: AlertTransition) -> AlertTransition {
        let bare = |alert: Alert| Alert { reasons: Vec::new(), quality: 1.0, ..alert };
        match transition {
            AlertTransition::Raised(alert) => AlertTransition::Raised(bare(alert)),
            AlertTransition::Escalated(alert) => AlertTransition::Escalated(bare(alert)),
            AlertTransition::Ended(alert) => AlertTransition::Ended(bare(alert)),
        }
    }

    #[test]
    fn alerts_of_given_scores_are_those_of_the_detector_that_gave_them() {
        let mut parts = default_model().parts().clone();
        parts.thresholds = Thresholds { rising: 0.42, high: 0.48 };
        let (config, thresholds) = (Config::default(), parts.thresholds);
        let model = Model::new(parts).expect("only its thresholds changed");
        let mut detector = Detector::new(config.clone(), Arc::new(model));
        let (mut hops, mut transitions) = (Vec::new(), Vec::new());
        for second in 0..5400 {
            // A minute without a signal ends an alert, too.
            if !(2400..2460).contains(&second) {
                for (channel, hz) in [(Channel::Bvp, 64), (Channel::Eda, 4)] {
                    detector.push(&reading(channel, hz, second));
                }
            }
            for output in detector.tick(Timestamp::from_seconds(1_700_000_001 + second)) {
                match output {
                    Output::Assessment(it) => {
                        let learning = it.level == Level::Learning;
                        hops.push(ScoredHop { at: it.at, score: it.score, learning });
                    }
                    Output::Alert(transition) => transitions.push(bare(transition)),
                }
            }
        }
        let escalated = |it: &AlertTransition| matches!(it, AlertTransition::Escalated(_));
        assert!(transitions.len() > 4 && transitions.iter().any(escalated), "{transitions:?}");
        let again: Vec<_> = alerts(hops, thresholds, &config).into_iter().map(bare).collect();
        assert_eq!(again, transitions);
    }
}
