use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::means::Means;
use super::trend::Trend;
use super::{Frozen, WINDOW_US};
use crate::features::{
    EdaValidity, EdaVerdict, Feature, FeatureVector, Phasic, ScrDetector, ScrEvent, deviation,
    log_level, rising_part, scl, scr_amplitude, scr_rate, scr_rise,
};
use crate::samples::Run;

/// What skin conducts at the least, uS; less for so long is no skin.
const LEAST_US: f64 = 0.05;
const DRY_US: i64 = 10_000_000;
/// Skin is touched where it could be read for so many seconds.
const TOUCHES_S: usize = 5;
const NOW_US: i64 = 20_000_000;
/// Rejection reaches back 5 s.
const BACK_US: i64 = 5_000_000;
/// A hole longer than this ends a response.
const LONGEST_HOLE_US: i64 = 2_000_000;
const PERIODS_US: std::ops::RangeInclusive<i64> = 20_000..=1_000_000;

/// Skin conductance: which samples are valid, level, and responses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Skin {
    period_us: i64,
    last_us: Option<i64>,
    validity: EdaValidity,
    frozen: Frozen,
    phasic: Phasic,
    /// Valid samples of the last minute.
    samples: Vec<Sample>,
    /// Means of the valid samples of each second of the last three minutes.
    seconds: Means<180>,
    course: Trend<180>,
    /// Of the logarithm.
    log_course: Trend<60>,
    responses: ScrDetector,
    events: VecDeque<ScrEvent>,
    /// Since when the sensor has read less than skin conducts.
    low_since_us: Option<i64>,
    heard_us: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    at_us: i64,
    /// The value in steps of its channel.
    step: i32,
    phasic: f64,
}

impl Skin {
    /// A run of samples within a second.
    pub(crate) fn take(&mut self, run: Run, steps: &[[i32; 1]]) {
        let period_us = i64::from(run.period_us);
        if !PERIODS_US.contains(&period_us) {
            return;
        }
        self.period_us = period_us;
        let frozen = self.frozen.take(Channel::Eda, run, steps);
        for (place, (at_us, [step])) in run.times().zip(steps).enumerate() {
            self.push(at_us, *step, frozen.contains(&place));
        }
    }

    fn push(&mut self, at_us: i64, step: i32, frozen: bool) {
        let value = conductance(step);
        if value < LEAST_US {
            self.low_since_us.get_or_insert(at_us);
        } else {
            self.low_since_us = None;
        }
        if self.last_us.is_some_and(|last_us| at_us - last_us > LONGEST_HOLE_US) {
            self.responses = ScrDetector::default();
            self.phasic = Phasic::default();
        }
        self.last_us = Some(at_us);
        match self.validity.judge(at_us, value) {
            EdaVerdict::Bad => self.reject_since(at_us - BACK_US),
            EdaVerdict::Valid if !frozen => self.keep(at_us, step),
            EdaVerdict::Rejected | EdaVerdict::Valid => {}
        }
    }

    /// The newest sample's time and for how long its value has stood, us.
    pub(crate) fn standstill(&self) -> Option<(i64, i64)> {
        self.frozen.last_us().map(|last_us| (last_us, self.frozen.stood_us()))
    }

    /// Whether the sensor has read less than skin conducts for a while.
    pub(crate) fn is_dry(&self, now_us: i64) -> bool {
        let fresh = self.last_us.is_some_and(|last_us| now_us - last_us < DRY_US);
        fresh && self.low_since_us.is_some_and(|since_us| now_us - since_us >= DRY_US)
    }

    /// Whether it has read what skin conducts in each of the last seconds.
    pub(crate) fn touches(&self) -> bool {
        (1..=TOUCHES_S).all(|ago_s| self.seconds.ago(ago_s).is_some())
    }

    /// When a valid sample came last.
    pub(crate) const fn heard_us(&self) -> Option<i64> {
        self.heard_us
    }

    /// Lets a second pass.
    pub(crate) fn pass_second(&mut self, now_us: i64) {
        let [goes, log_goes] = [180, 60].map(|ago_s| self.seconds.ago(ago_s));
        self.seconds.pass_second(now_us.div_euclid(1_000_000));
        let comes = self.seconds.ago(1);
        self.course.pass_second(comes, goes);
        self.log_course.pass_second(comes.map(log_level), log_goes.map(log_level));
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        self.samples.drain(..self.first_of(now_us - WINDOW_US));
        while self.events.front().is_some_and(|event| event.at_us < now_us - WINDOW_US) {
            self.events.pop_front();
        }
    }

    /// Sets the features of the window that ends at `now_us`; returns the valid part of it.
    pub(crate) fn features(&self, now_us: i64, into: &mut FeatureVector) -> f64 {
        let from_us = now_us - WINDOW_US;
        if self.period_us == 0 {
            return 0.0;
        }
        let samples = &self.samples[self.first_of(from_us)..];
        // In steps the middle one is found sooner, and it is the same.
        let mut minute: Vec<i32> = samples.iter().map(|sample| sample.step).collect();
        let expected = usize::try_from(WINDOW_US / self.period_us).unwrap_or(1);
        #[expect(clippy::cast_precision_loss, reason = "numbers of samples")]
        let part = (minute.len() as f64 / expected as f64).min(1.0);
        let valid_s = part * 60.0;
        let level = |steps: &mut [i32], expected| scl(steps, expected, conductance);
        let before = self.first_of(now_us - NOW_US) - self.first_of(from_us);
        into.set(Feature::SclNow, level(&mut minute[before..], expected / 3));
        into.set(Feature::Scl, level(&mut minute, expected));
        let phasic = deviation(samples, |sample| sample.phasic, valid_s);
        into.set(Feature::PhasicDeviation, phasic);
        into.set(Feature::SclSlope, self.course.per_minute(60));
        into.set(Feature::SclLogSlope, self.log_course.per_minute(30));
        // One more second: the first change is that from it.
        let means = (1..=31).rev().map(|ago_s| self.seconds.ago(ago_s));
        into.set(Feature::EdaRising, rising_part(means, 15));
        let events = || self.events.iter().filter(move |event| event.at_us >= from_us);
        into.set(Feature::ScrRate, scr_rate(events().count(), valid_s));
        into.set(Feature::ScrAmplitude, scr_amplitude(events(), valid_s));
        into.set(Feature::ScrRise, scr_rise(events()));
        part
    }

    fn keep(&mut self, at_us: i64, step: i32) {
        let value = conductance(step);
        self.heard_us = Some(at_us);
        let phasic = self.phasic.push(value, u32::try_from(self.period_us).unwrap_or(1));
        self.samples.push(Sample { at_us, step, phasic });
        self.seconds.take(value);
        if let Some(event) = self.responses.push(at_us, value) {
            self.events.push_back(event);
        }
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        self.samples.truncate(self.first_of(from_us));
        let Self { seconds, course, log_course, .. } = self;
        seconds.reject_since(from_us.div_euclid(1_000_000), |ago_s, mean| {
            course.take_back(ago_s, mean);
            log_course.take_back(ago_s, log_level(mean));
        });
        while self.events.back().is_some_and(|event| event.at_us >= from_us) {
            self.events.pop_back();
        }
        self.responses = ScrDetector::default();
        self.phasic = Phasic::default();
    }

    /// The place of the first sample from a moment on.
    fn first_of(&self, from_us: i64) -> usize {
        self.samples.partition_point(|sample| sample.at_us < from_us)
    }
}

/// uS.
fn conductance(step: i32) -> f64 {
    f64::from(step) * Channel::Eda.scale()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(values: impl Iterator<Item = i32>) -> (f64, FeatureVector) {
        let mut skin = Skin::default();
        let mut now_us = 0;
        for (index, step) in values.enumerate() {
            now_us = index as i64 * 250_000;
            let once = Run { at_us: now_us, period_us: 250_000, count: 1 };
            skin.take(once, &[[step]]);
            if index % 4 == 3 {
                skin.pass_second(now_us + 250_000);
            }
        }
        let mut features = FeatureVector::default();
        (skin.features(now_us + 250_000, &mut features), features)
    }

    #[test]
    fn a_dip_of_the_contact_takes_its_surroundings_with_it() {
        let wavy = |index: i32| 2_000_000 + index % 7;
        let (whole, _) = level((0..240).map(wavy));
        let dip = (0..240).map(|index| if index == 120 { 0 } else { wavy(index) });
        let (part, features) = level(dip);
        assert_eq!(whole, 1.0);
        // The dip and 5 s on both sides of it.
        assert!((part - (1.0 - 41.0 / 240.0)).abs() < 1e-12);
        assert_eq!(features.of(Feature::Scl), Some(2.000_003));
    }

    #[test]
    fn a_sensor_that_stands_still_has_no_level() {
        let (part, features) = level((0..720).map(|_| 2_000_000));
        assert_eq!(part, 0.0);
        assert_eq!(features.of(Feature::Scl), None);
        assert_eq!(features.of(Feature::ScrRate), None);
    }
}
