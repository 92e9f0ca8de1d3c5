use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::means::Means;
use super::{Frozen, WINDOW_US};
use crate::features::{
    EdaValidity, EdaVerdict, Feature, FeatureVector, Phasic, ScrDetector, ScrEvent, deviation,
    log_slope, rising_part, scl, scr_amplitude, scr_rate, scr_rise, slope_per_minute,
};
use crate::samples::Run;

/// What skin conducts at the least, uS; less for so long is no skin.
const LEAST_US: f64 = 0.05;
const DRY_US: i64 = 10_000_000;
const NOW_US: i64 = 20_000_000;
const SLOPE_US: i64 = 180_000_000;
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
    /// Valid samples of the last minute: when, value, phasic part.
    samples: VecDeque<(i64, f64, f64)>,
    /// Means of the valid samples of each second of the last three minutes.
    seconds: Means,
    responses: ScrDetector,
    events: VecDeque<ScrEvent>,
    /// Since when the sensor has read less than skin conducts.
    low_since_us: Option<i64>,
    heard_us: Option<i64>,
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
            self.push(at_us, f64::from(*step) * Channel::Eda.scale(), frozen.contains(&place));
        }
    }

    fn push(&mut self, at_us: i64, value: f64, frozen: bool) {
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
            EdaVerdict::Valid if !frozen => self.keep(at_us, value),
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

    /// When a valid sample came last.
    pub(crate) const fn heard_us(&self) -> Option<i64> {
        self.heard_us
    }

    /// Lets a second pass.
    pub(crate) fn pass_second(&mut self) {
        self.seconds.pass_second();
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        while self.samples.front().is_some_and(|(at_us, ..)| *at_us < now_us - WINDOW_US) {
            self.samples.pop_front();
        }
        self.seconds.forget((now_us - SLOPE_US).div_euclid(1_000_000));
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
        let since = |from_us: i64| {
            let first = self.samples.partition_point(|(at_us, ..)| *at_us < from_us);
            self.samples.range(first..)
        };
        let values = |from_us| since(from_us).map(|(_, value, _)| *value).collect::<Vec<f64>>();
        let mut minute = values(from_us);
        let expected = usize::try_from(WINDOW_US / self.period_us).unwrap_or(1);
        #[expect(clippy::cast_precision_loss, reason = "numbers of samples")]
        let part = (minute.len() as f64 / expected as f64).min(1.0);
        let valid_s = part * 60.0;
        into.set(Feature::Scl, scl(&mut minute, expected));
        let phasic = since(from_us).map(|(.., phasic)| *phasic);
        into.set(Feature::PhasicDeviation, deviation(phasic, valid_s));
        into.set(Feature::SclNow, scl(&mut values(now_us - NOW_US), expected / 3));
        self.course(now_us.div_euclid(1_000_000), into);
        let events = || self.events.iter().filter(move |event| event.at_us >= from_us);
        into.set(Feature::ScrRate, scr_rate(events().count(), valid_s));
        into.set(Feature::ScrAmplitude, scr_amplitude(events(), valid_s));
        into.set(Feature::ScrRise, scr_rise(events()));
        part
    }

    /// Sets what the means of seconds show.
    fn course(&self, now_s: i64, into: &mut FeatureVector) {
        let since = |seconds: i64| self.seconds.since(now_s - seconds);
        let ago = |(at_s, mean): (i64, f64)| {
            #[expect(clippy::cast_precision_loss, reason = "three minutes")]
            let ago_s = (at_s - now_s) as f64;
            (ago_s, mean)
        };
        into.set(Feature::SclSlope, slope_per_minute(since(180).map(ago), 60));
        into.set(Feature::SclLogSlope, log_slope(since(60).map(ago), 30));
        // One more second: the first change is that from it.
        into.set(Feature::EdaRising, rising_part(since(31), 15));
    }

    fn keep(&mut self, at_us: i64, value: f64) {
        self.heard_us = Some(at_us);
        let phasic = self.phasic.push(value, u32::try_from(self.period_us).unwrap_or(1));
        self.samples.push_back((at_us, value, phasic));
        self.seconds.take(at_us.div_euclid(1_000_000), value);
        if let Some(event) = self.responses.push(at_us, value) {
            self.events.push_back(event);
        }
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        while self.samples.back().is_some_and(|(kept_us, ..)| *kept_us >= from_us) {
            self.samples.pop_back();
        }
        self.seconds.reject_since(from_us.div_euclid(1_000_000));
        while self.events.back().is_some_and(|event| event.at_us >= from_us) {
            self.events.pop_back();
        }
        self.responses = ScrDetector::default();
        self.phasic = Phasic::default();
    }
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
        }
        let mut features = FeatureVector::default();
        skin.pass_second();
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
