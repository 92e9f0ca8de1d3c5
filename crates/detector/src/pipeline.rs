use biosignal::Channel;
use serde::{Deserialize, Serialize};

use crate::bin::Bin;
use crate::features::{Feature, FeatureVector};
use crate::stream::{Heart, Motion, Skin, Temperature};
use crate::{Cause, MICROS_PER_SECOND};

/// A signal whose newest valid value is older than this is not there, us.
const FRESH_US: i64 = 15 * MICROS_PER_SECOND;
/// A hand that lies still moves the sensor by more than this, g.
const STILLEST_G: f64 = 0.013;
const COOLING_CEL_PER_MIN: f64 = -0.2;
const NO_PULSE: f64 = 0.2;

/// From one second's samples after the other to the features of the window that ends there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    heart: Heart,
    skin: Skin,
    temperature: Temperature,
    motion: Motion,
    first_us: Option<i64>,
    last_us: Option<i64>,
}

/// A window of 60 s.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) features: FeatureVector,
    /// How much of it could be used, 0 to 1.
    pub(crate) quality: f64,
    /// Why nothing can be said of it.
    pub(crate) cause: Option<Cause>,
}

impl Pipeline {
    /// Takes the samples of the second that ends at `end_us`.
    pub(crate) fn process(&mut self, bin: Bin, end_us: i64) {
        let bin = bin.in_order();
        for sample in &bin.pulse {
            self.heart.pulse(sample.at_us, sample.steps, i64::from(sample.period_us));
        }
        for sample in &bin.acceleration {
            self.motion.push(sample.at_us, sample.steps, i64::from(sample.period_us));
        }
        for sample in &bin.eda {
            self.skin.push(sample.at_us, sample.steps, i64::from(sample.period_us));
        }
        for sample in &bin.temperature {
            self.temperature.push(sample.at_us, sample.steps);
        }
        for sample in &bin.rate {
            self.heart.rate(sample.at_us, sample.steps);
        }
        for sample in &bin.beats {
            let interval_ms = f64::from(sample.steps) * Channel::Ibi.scale();
            self.heart.beat(sample.at_us, interval_ms);
        }
        self.note(&bin);
        self.forget(end_us);
    }

    /// Lets a second without samples pass.
    pub(crate) fn forget(&mut self, now_us: i64) {
        self.heart.forget(now_us);
        self.skin.forget(now_us);
        self.temperature.forget(now_us);
        self.motion.forget(now_us);
    }

    /// Why nothing can be seen right now, where that is plain without a window.
    pub(crate) fn blindness(&self, now_us: i64, blind_after_us: i64) -> Option<Cause> {
        if self.last_us.is_none_or(|last_us| now_us - last_us >= blind_after_us) {
            return Some(Cause::NoSignal);
        }
        let frozen = self.heart.is_frozen() || (self.skin.is_frozen() && self.motion.is_frozen());
        frozen.then_some(Cause::Frozen)
    }

    /// The window that ends at `now_us`.
    pub(crate) fn window(&self, now_us: i64, blind_after_us: i64) -> Window {
        let mut features = FeatureVector::default();
        let heart = self.heart.features(now_us, &mut features);
        let skin = self.skin.features(now_us, &mut features);
        let motion = self.motion.features(now_us, &mut features);
        self.temperature.features(now_us, &mut features);
        let there = [
            features.get(Feature::HeartRate).is_some() && self.heart.is_fresh(now_us - FRESH_US),
            features.get(Feature::Scl).is_some() && self.skin.is_fresh(now_us - FRESH_US),
            features.get(Feature::Activity).is_some() && self.motion.is_fresh(now_us - FRESH_US),
        ];
        let enough = there.iter().filter(|there| **there).count() >= 2;
        let cause = self
            .blindness(now_us, blind_after_us)
            .or_else(|| self.is_off_wrist(now_us, heart).then_some(Cause::OffWrist))
            .or_else(|| (!enough).then(|| self.poor_or_starting(now_us)));
        Window { features, quality: (heart + skin + motion) / 3.0, cause }
    }

    /// Lies still for two minutes while it cools, or reads neither skin nor pulse.
    fn is_off_wrist(&self, now_us: i64, heart: f64) -> bool {
        let still = self.motion.stillness(now_us).is_some_and(|g| g < STILLEST_G);
        let cools = self.temperature.recent_slope(now_us).is_some_and(|s| s < COOLING_CEL_PER_MIN);
        still && (cools || self.skin.is_low() || heart < NO_PULSE)
    }

    fn poor_or_starting(&self, now_us: i64) -> Cause {
        let begun = self.first_us.is_some_and(|first| now_us - first < 60 * MICROS_PER_SECOND);
        if begun { Cause::Starting } else { Cause::PoorSignal }
    }

    /// Notes when samples began and when they were last seen.
    fn note(&mut self, bin: &Bin) {
        let ends = [
            bin.pulse.last().map(|sample| sample.at_us),
            bin.acceleration.last().map(|sample| sample.at_us),
            bin.eda.last().map(|sample| sample.at_us),
            bin.temperature.last().map(|sample| sample.at_us),
            bin.rate.last().map(|sample| sample.at_us),
            bin.beats.last().map(|sample| sample.at_us),
        ];
        let Some(newest) = ends.into_iter().flatten().max() else { return };
        if self.last_us.is_none_or(|last_us| newest - last_us > 10 * MICROS_PER_SECOND) {
            self.first_us = Some(newest);
        }
        self.last_us = Some(newest);
    }
}
