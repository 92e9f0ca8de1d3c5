use biosignal::{Channel, MICROS_PER_SECOND};
use serde::{Deserialize, Serialize};

use crate::exertion::{Effort, Exertion};
use crate::features::{Feature, FeatureVector, Signal};
use crate::hops::Hops;
use crate::second::Second;
use crate::stream::{AGREED, Heart, Motion, Skin, Temperature};

/// A signal of which nothing of use came for so long is not there, us.
const FRESH_US: i64 = 15 * MICROS_PER_SECOND;
/// All signals at once stand still for so long only where the sensors are stuck, us.
const ALL_STAND_US: i64 = 6 * MICROS_PER_SECOND;
/// A standing signal is one that still comes, us.
const COMES_US: i64 = 3 * MICROS_PER_SECOND;
/// A wrist that rests still moves the sensor by more than this, g.
const STILLEST_G: f64 = 0.013;
const COOLING_CEL_PER_MIN: f64 = -0.2;

/// From samples to the features of the window that ends with them, second by second. Two of
/// these stand in a detector: one for what is live, one for what comes late and only teaches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    heart: Heart,
    skin: Skin,
    temperature: Temperature,
    motion: Motion,
    /// The last second that was processed.
    at: Option<i64>,
    /// When the newest sample was taken, of use or not.
    newest_us: Option<i64>,
    frozen: bool,
    /// Whether the band lies somewhere rather than being worn.
    off_wrist: bool,
}

/// A window of 60 s.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) features: FeatureVector,
    /// How much of it could be used, 0 to 1: the mean over heart, skin and motion.
    pub(crate) quality: f64,
    /// How much the person moves.
    pub(crate) effort: Option<Effort>,
    /// Whether the arm rests, as in sleep.
    pub(crate) rests: bool,
}

impl Window {
    /// Sets what the person's heart does beyond what movement explains.
    pub(crate) fn compensate(&mut self, exertion: &Exertion) {
        if let (Some(rate), Some(effort)) = (self.features.of(Feature::HeartRate), self.effort) {
            self.features.set(Feature::HeartRateResidual, exertion.residual(rate, effort));
        }
    }
}

impl Pipeline {
    /// Processes a second. Seconds follow on each other.
    pub(crate) fn take(&mut self, second: i64, samples: &Second) {
        self.feed(samples);
        self.at = Some(second);
        let now_us = self.now_us();
        self.heart.pass_second(now_us);
        self.skin.pass_second(now_us);
        self.temperature.pass_second(now_us);
        self.motion.forget(now_us);
        // Windows look at their time only: what is older may wait until memory is touched anyway.
        if Hops::ends_with(second) {
            self.heart.forget(now_us);
            self.skin.forget(now_us);
            self.motion.pass_hop(now_us);
        }
        let all_stand = self.all_stand(now_us);
        if all_stand {
            let from_us = now_us - ALL_STAND_US - 2 * MICROS_PER_SECOND;
            self.skin.reject_since(from_us);
            self.temperature.reject_since(from_us);
            self.motion.reject_since(from_us);
        }
        self.frozen = all_stand || self.heart.is_frozen(now_us);
        self.off_wrist = if self.off_wrist { !self.shows_a_wrist() } else { self.lies() };
    }

    /// The last second that was processed.
    pub(crate) const fn at(&self) -> Option<i64> {
        self.at
    }

    /// When the newest sample was taken, of use or not.
    pub(crate) const fn newest_us(&self) -> Option<i64> {
        self.newest_us
    }

    /// Whether the signals stand still beyond what their sensors can.
    pub(crate) const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Whether the last second brought anything of use.
    pub(crate) fn is_valid(&self) -> bool {
        let start_us = self.now_us() - MICROS_PER_SECOND;
        let heard = [self.heart.heard_us(), self.skin.heard_us(), self.motion.heard_us()];
        !self.frozen && heard.into_iter().flatten().any(|heard_us| heard_us >= start_us)
    }

    /// Whether the band lies somewhere rather than being worn. It does so until it shows a
    /// wrist again: silence, and a table that has cooled, are no sign of one.
    pub(crate) const fn is_off_wrist(&self) -> bool {
        self.off_wrist
    }

    /// For how long the arm has rested as it does in sleep, s; 0 where it does not.
    pub(crate) fn rested_s(&self) -> i64 {
        self.motion.rested_s()
    }

    /// The window that ends with the last second.
    pub(crate) fn window(&self) -> Window {
        let now_us = self.now_us();
        let fresh = |heard: Option<i64>| heard.is_some_and(|at_us| now_us - at_us <= FRESH_US);
        let mut features = FeatureVector::default();
        let mut seen = 0.0;
        if fresh(self.heart.heard_us()) {
            seen += self.heart.features(now_us, &mut features);
        }
        if fresh(self.skin.heard_us()) {
            seen += self.skin.features(now_us, &mut features);
        }
        if fresh(self.motion.heard_us()) {
            seen += self.motion.features(now_us, &mut features);
        }
        self.temperature.features(&mut features);
        let (effort, rests) = (self.motion.effort(now_us), self.rested_s() > 0);
        Window { features, quality: seen / 3.0, effort, rests }
    }

    /// Whether it has been stiller than a wrist for two minutes, and two of these: it cools, it
    /// touches no skin, it sees no pulse. Each of them alone is met on wrists that sleep.
    fn lies(&self) -> bool {
        let now_us = self.now_us();
        let slope = self.temperature.recent_slope();
        let cools = slope.is_some_and(|slope| slope < COOLING_CEL_PER_MIN);
        let dry = self.skin.is_dry(now_us);
        // What takes the least to know comes first: it ends the question almost always.
        (cools || dry)
            && (cools && dry || self.heart.is_pulseless(now_us))
            && self.motion.stillness(now_us).is_some_and(|g| g < STILLEST_G)
    }

    /// Whether it moves, or touches skin in which a pulse beats.
    fn shows_a_wrist(&self) -> bool {
        let now_us = self.now_us();
        self.motion.lately(now_us).is_some_and(|g| g >= STILLEST_G)
            || self.skin.touches() && !self.heart.is_pulseless(now_us)
    }

    fn now_us(&self) -> i64 {
        self.at.map_or(0, |second| (second + 1).saturating_mul(MICROS_PER_SECOND))
    }

    fn feed(&mut self, samples: &Second) {
        for (run, steps) in samples.pulse.runs() {
            self.heart.pulse(run, steps);
        }
        for (run, steps) in samples.acceleration.runs() {
            self.motion.take(run, steps);
        }
        for (run, steps) in samples.eda.runs() {
            self.skin.take(run, steps);
        }
        for (run, steps) in samples.temperature.runs() {
            self.temperature.take(run, steps);
        }
        for (at_us, step) in samples.rate.each() {
            self.heart.rate(at_us, step);
        }
        for (at_us, step) in samples.beats.each() {
            self.heart.beat(at_us, f64::from(step) * Channel::Ibi.scale());
        }
        self.newest_us = self.newest_us.max(samples.newest_us());
    }

    /// Whether at least two signals come, and none of them changes.
    fn all_stand(&self, now_us: i64) -> bool {
        let signals =
            [self.heart.standstill(now_us), self.skin.standstill(), self.motion.standstill()];
        let comes =
            signals.into_iter().flatten().filter(|(last_us, _)| now_us - last_us < COMES_US);
        let (count, all) = comes.fold((0, true), |(count, all), (_, stood_us)| {
            (count + 1, all && stood_us >= ALL_STAND_US)
        });
        count >= 2 && all
    }
}

/// Which of [`Signal::LEADING`] a window shows. The heart shows in clean intervals, or in a
/// rate that could be tracked: between beats that a second detector finds as well, where they
/// come from a pulse wave. Noise makes intervals too.
fn seen(features: &FeatureVector) -> [bool; 3] {
    let there = |feature| features.of(feature).is_some();
    let heart = match features.of(Feature::PulseAgreement) {
        Some(part) => {
            part >= AGREED && (there(Feature::HeartRate) || there(Feature::HeartRateTracked))
        }
        None => there(Feature::HeartRate),
    };
    [heart, there(Feature::Scl), there(Feature::Activity)]
}

/// How many of [`Signal::LEADING`] a window shows.
pub(crate) fn signals(features: &FeatureVector) -> usize {
    seen(features).into_iter().filter(|is| *is).count()
}

/// The one of [`Signal::LEADING`] that a window does not show, where it shows the others.
pub(crate) fn lacking(features: &FeatureVector) -> Option<Signal> {
    let mut lacking = Signal::LEADING.into_iter().zip(seen(features)).filter(|(_, seen)| !seen);
    let first = lacking.next().map(|(signal, _)| signal);
    first.filter(|_| lacking.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_on_which_two_detectors_do_not_agree_are_no_heart() {
        let heart = |rate: Feature, agreement: Option<f64>| {
            let mut features = FeatureVector::default();
            features.set(rate, Some(70.0));
            features.set(Feature::PulseAgreement, agreement);
            signals(&features)
        };
        assert_eq!(heart(Feature::HeartRate, Some(AGREED - 0.01)), 0);
        assert_eq!(heart(Feature::HeartRate, Some(AGREED)), 1);
        assert_eq!(heart(Feature::HeartRateTracked, Some(AGREED)), 1);
        // What a device says of itself has no second detector; a tracked rate alone is none.
        assert_eq!(heart(Feature::HeartRate, None), 1);
        assert_eq!(heart(Feature::HeartRateTracked, None), 0);
    }
}
