use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::pulse::Pulse;
use super::rate::RateTracker;
use super::{Frozen, WINDOW_US};
use crate::beats::{BeatLog, CLEAN_ENOUGH, clean_part, steady};
use crate::features::{
    Feature, FeatureVector, differences, heart_rate, intervals, pnn50, pulse_amplitude, rmssd, sdnn,
};
use crate::samples::Run;
use crate::second::second_of;

const NOW_US: i64 = 20_000_000;
/// Below this part of beats that two detectors agree on, intervals tell little.
pub(crate) const AGREED: f64 = 0.6;
const CLEAN_LATELY: f64 = 0.3;
const RATES_BEATS_PER_MIN: std::ops::RangeInclusive<f64> = 30.0..=220.0;
/// A pulse wave that ended so long ago is not the source any more.
const FRESH_US: i64 = 15_000_000;
/// A minute in which clean intervals cover less than this has no pulse, s.
const PULSELESS_S: f64 = 12.0;

/// The heart: from the pulse wave where there is one, else from what the device says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heart {
    pulse: Pulse,
    optical: BeatLog,
    optical_frozen: Frozen,
    device: BeatLog,
    rates: VecDeque<(i64, f64)>,
    rate_frozen: Frozen,
    tracker: RateTracker,
    heard_us: Option<i64>,
}

impl Heart {
    /// A run of samples of the pulse wave within a second.
    pub(crate) fn pulse(&mut self, run: Run, steps: &[[i32; 1]]) {
        let frozen = self.optical_frozen.take(Channel::Bvp, run, steps);
        self.follow(run.part(0..frozen.start), &steps[..frozen.start]);
        if !frozen.is_empty() {
            self.pulse.stop();
            self.optical.interrupt();
        }
        self.follow(run.part(frozen.end..steps.len()), &steps[frozen.end..]);
    }

    fn follow(&mut self, run: Run, steps: &[[i32; 1]]) {
        if steps.is_empty() {
            return;
        }
        self.heard_us = Some(run.last());
        let Self { pulse, optical, tracker, .. } = self;
        pulse.take(run, steps, optical, |interval_s| tracker.interval(interval_s));
    }

    /// A beat that the device found, and the interval that it ends, ms.
    pub(crate) fn beat(&mut self, at_us: i64, interval_ms: f64) {
        self.heard_us = Some(at_us);
        let interval_s = interval_ms / 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "saturates; implausible anyway")]
        let follows = self
            .device
            .last_us()
            .is_some_and(|last_us| (at_us - last_us - (interval_s * 1e6) as i64).abs() < 100_000);
        if !follows {
            self.device.interrupt();
        }
        self.device.push(at_us, interval_s, 0.0);
        if !self.is_optical(at_us) {
            self.tracker.interval(interval_s);
        }
    }

    /// Heart rate as the device says it, beats/min in steps of its channel.
    pub(crate) fn rate(&mut self, at_us: i64, step: i32) {
        let once = Run { at_us, period_us: 0, count: 1 };
        self.rate_frozen.take(Channel::HeartRate, once, &[[step]]);
        let rate = f64::from(step) * Channel::HeartRate.scale();
        if RATES_BEATS_PER_MIN.contains(&rate) && !self.rate_frozen.stands(Channel::HeartRate) {
            self.heard_us = Some(at_us);
            self.rates.push_back((at_us, rate));
            if !self.is_optical(at_us) {
                self.tracker.interval(60.0 / rate);
            }
        }
    }

    /// Whether the source of heart beats stands still.
    pub(crate) fn is_frozen(&self, now_us: i64) -> bool {
        if self.is_optical(now_us) {
            return self.optical_frozen.stands(Channel::Bvp);
        }
        let comes = self.rate_frozen.last_us().is_some_and(|last_us| last_us >= now_us - FRESH_US);
        comes && self.rate_frozen.stands(Channel::HeartRate) && !self.beats_differ(now_us)
    }

    /// Whether the device tells of beats that do not follow evenly: its rate, in whole beats a
    /// minute, may stand then.
    fn beats_differ(&self, now_us: i64) -> bool {
        let lately = self.device.since(now_us - FRESH_US);
        lately.windows(2).any(|pair| (pair[0].interval_s - pair[1].interval_s).abs() > 1e-9)
    }

    /// The newest sample's time and for how long its value has stood, us.
    pub(crate) fn standstill(&self, now_us: i64) -> Option<(i64, i64)> {
        let of = if self.is_optical(now_us) { &self.optical_frozen } else { &self.rate_frozen };
        of.last_us().map(|last_us| (last_us, of.stood_us()))
    }

    /// When something of use came last.
    pub(crate) const fn heard_us(&self) -> Option<i64> {
        self.heard_us
    }

    /// Lets a second pass.
    pub(crate) fn pass_second(&mut self, now_us: i64) {
        self.tracker.pass_second();
        self.optical.pass_second(now_us);
        self.device.pass_second(now_us);
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        self.pulse.forget(now_us);
        self.optical.forget(now_us);
        self.device.forget(now_us);
        while self.rates.front().is_some_and(|(at_us, _)| *at_us < now_us - WINDOW_US) {
            self.rates.pop_front();
        }
    }

    /// Sets the heart's features of the window that ends at `now_us`; returns the clean part
    /// of it, 0 to 1.
    pub(crate) fn features(&self, now_us: i64, into: &mut FeatureVector) -> f64 {
        let from_us = now_us - WINDOW_US;
        let optical = self.is_optical(now_us);
        let log = if optical { &self.optical } else { &self.device };
        let (beats, lately) = (log.since(from_us), log.since(now_us - NOW_US));
        let (clean, clean_lately) = (clean_part(beats, 60.0), clean_part(lately, 20.0));
        into.set(Feature::HeartRateTracked, self.tracker.rate());
        if optical {
            into.set(Feature::PulseClean, Some(clean));
            into.set(Feature::PulseCleanNow, Some(clean_lately));
            into.set(Feature::PulseAgreement, self.pulse.agreement(now_us));
        }
        if clean >= CLEAN_ENOUGH {
            let near = steady(beats);
            let near_s = intervals(near.clone());
            into.set(Feature::HeartRate, heart_rate(&near_s));
            into.set(Feature::PulseAmplitude, pulse_amplitude(beats));
            if clean_lately >= CLEAN_LATELY {
                into.set(Feature::HeartRateNow, heart_rate(&intervals(steady(lately))));
            }
            if into.of(Feature::PulseAgreement).is_none_or(|part| part >= AGREED) {
                let differences = differences(near);
                into.set(Feature::Sdnn, sdnn(&near_s));
                into.set(Feature::Rmssd, rmssd(&differences));
                into.set(Feature::Pnn50, pnn50(&differences));
            }
        }
        if optical || clean >= CLEAN_ENOUGH {
            return clean;
        }
        self.said(from_us, into).unwrap_or(clean)
    }

    /// Whether a pulse wave is there without a pulse in it.
    pub(crate) fn is_pulseless(&self, now_us: i64) -> bool {
        let mut newest = self.optical.since(now_us - WINDOW_US).iter().rev();
        let mut covered_s = 0.0;
        // Enough is enough: the rest of the beats cannot take away from it.
        let pulse = newest.any(|beat| {
            covered_s += if beat.clean { beat.interval_s } else { 0.0 };
            covered_s >= PULSELESS_S
        });
        self.is_optical(now_us)
            && !(pulse && self.pulse.agreement(now_us).is_none_or(|part| part >= AGREED))
    }

    fn is_optical(&self, now_us: i64) -> bool {
        self.optical_frozen.last_us().is_some_and(|last_us| last_us >= now_us - FRESH_US)
    }

    /// The mean of the rates that the device said.
    fn said(&self, from_us: i64, into: &mut FeatureVector) -> Option<f64> {
        let (mut sum, mut count, mut seconds, mut last) = (0.0, 0.0, 0.0, None);
        for (at_us, rate) in self.rates.iter().filter(|(at_us, _)| *at_us >= from_us) {
            (sum, count) = (sum + rate, count + 1.0);
            let second = Some(second_of(*at_us));
            seconds += if second == last { 0.0 } else { 1.0 };
            last = second;
        }
        let part = f64::min(seconds / 60.0, 1.0);
        if part < CLEAN_ENOUGH {
            return None;
        }
        into.set(Feature::HeartRate, Some(sum / count));
        Some(part)
    }
}
