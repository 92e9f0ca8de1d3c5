use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::Frozen;
use super::breath::Breath;
use crate::exertion::Effort;
use crate::features::{
    Activity, BAND_BINS, Enmo, Feature, FeatureVector, Jerk, Rhythm, angle_between, burst,
    pitch_deg, roll_deg, stereotypy, wander,
};
use crate::filter::{Cascade, SEGMENT, Section, Welch, low_pass};

const WINDOW_S: i64 = 60;
/// Off-wrist looks at two minutes.
const KEPT_S: i64 = 120;
/// No wrist and no sensor goes beyond 16 g, in steps of the channel.
const LARGEST_STEP: u32 = 17 * 1024;
const GRAVITY_HZ: f64 = 0.25;
const LONGEST_HOLE_US: i64 = 500_000;
const PERIODS_US: std::ops::RangeInclusive<i64> = 5_000..=100_000;
/// Spectra are made of this rate alone; 8 s of it, every 4 s.
const SPECTRUM_PERIOD_US: i64 = 31_250;
const SEGMENT_EVERY_S: i64 = 4;
/// As many segments as overlap within 60 s.
const SEGMENTS: usize = 14;
const BINS: usize = *BAND_BINS.end() - *BAND_BINS.start() + 1;

/// Movement and posture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Motion {
    period_us: i64,
    frozen: Frozen,
    last: Option<(i64, [f64; 3])>,
    gravity: Option<[Cascade<1>; 3]>,
    #[serde(skip)]
    sections: Option<[Section; 1]>,
    seconds: VecDeque<Second>,
    /// The samples of a segment to come; empty at a rate that has no spectra.
    norms: VecDeque<f64>,
    breath: Breath,
    spectra: VecDeque<Spectrum>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Second {
    at_s: i64,
    enmo: Enmo,
    activity: Activity,
    jerk: Jerk,
    gravity: [f64; 3],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spectrum {
    end_us: i64,
    band: Vec<f64>,
    total: f64,
}

impl Motion {
    pub(crate) fn push(&mut self, at_us: i64, steps: [i32; 3], period_us: i64) {
        if !PERIODS_US.contains(&period_us) {
            return;
        }
        if steps.iter().any(|step| step.unsigned_abs() > LARGEST_STEP) {
            self.last = None;
            return;
        }
        self.frozen.push(at_us, steps);
        if self.frozen.stands(Channel::Acceleration) {
            self.last = None;
            return;
        }
        let axes = steps.map(|step| f64::from(step) * Channel::Acceleration.scale());
        self.start_anew_after_a_hole(at_us, axes, period_us);
        let gravity = self.follow_gravity(axes);
        let norm = axes.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        let before = self.last.replace((at_us, axes));
        let second = self.second(at_us.div_euclid(1_000_000));
        second.enmo.push(norm);
        second.activity.push(norm);
        second.gravity = gravity;
        if let Some((_, before)) = before {
            second.jerk.push(before, axes);
        }
        if period_us == SPECTRUM_PERIOD_US {
            self.follow_rhythm(at_us, norm);
            self.breath.push(axes);
        }
    }

    /// The newest sample's time and for how long its value has stood, us.
    pub(crate) fn standstill(&self) -> Option<(i64, i64)> {
        self.frozen.last_us().map(|last_us| (last_us, self.frozen.stood_us()))
    }

    /// When a sample that moved came last.
    pub(crate) fn heard_us(&self) -> Option<i64> {
        self.last.map(|(at_us, _)| at_us)
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        let from_s = from_us.div_euclid(1_000_000);
        while self.seconds.back().is_some_and(|second| second.at_s >= from_s) {
            self.seconds.pop_back();
        }
        while self.spectra.back().is_some_and(|spectrum| spectrum.end_us > from_us) {
            self.spectra.pop_back();
        }
        self.norms.clear();
        self.breath.interrupt();
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        let oldest_s = now_us.div_euclid(1_000_000) - KEPT_S;
        while self.seconds.front().is_some_and(|second| second.at_s < oldest_s) {
            self.seconds.pop_front();
        }
        while self.spectra.front().is_some_and(|s| s.end_us <= now_us - WINDOW_S * 1_000_000) {
            self.spectra.pop_front();
        }
    }

    /// Sets the features of the window that ends at `now_us`; returns the seen part of it.
    pub(crate) fn features(&self, now_us: i64, into: &mut FeatureVector) -> f64 {
        if self.period_us == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a period")]
        let rate_hz = 1e6 / self.period_us as f64;
        let first = self.first_of(now_us, WINDOW_S);
        let mut sum = Second::default();
        for second in self.seconds.range(first..) {
            sum.enmo.add(&second.enmo);
            sum.activity.add(&second.activity);
            sum.jerk.add(&second.jerk);
        }
        let part = (sum.activity.count() / (60.0 * rate_hz)).min(1.0);
        if part < 0.5 {
            return part;
        }
        into.set(Feature::Enmo, sum.enmo.mean());
        into.set(Feature::Activity, sum.activity.deviation());
        into.set(Feature::Jerk, sum.jerk.mean_per_s(rate_hz));
        let seconds = || self.seconds.range(first..);
        let deviations = seconds().filter_map(|second| second.activity.deviation());
        into.set(Feature::MovementBurst, burst(deviations, 30));
        // One more second: the first way is that from it.
        let ways = self.seconds.range(first.saturating_sub(1)..).map(|second| second.gravity);
        into.set(Feature::PostureWander, wander(ways, 30));
        self.posture(first, into);
        self.rhythm(into);
        part
    }

    /// Standard deviation of norm(a) over the last two minutes, g; missing before they are full.
    pub(crate) fn stillness(&self, now_us: i64) -> Option<f64> {
        self.deviation(now_us, KEPT_S, KEPT_S - 5)
    }

    /// What the heart has to answer to.
    pub(crate) fn effort(&self, now_us: i64) -> Option<Effort> {
        Some(Effort {
            activity_30s: self.deviation(now_us, 30, 15)?,
            activity_120s: self.deviation(now_us, KEPT_S, KEPT_S / 2)?,
            stereotypy: self.strongest_rhythm().map_or(0.0, |rhythm| rhythm.part),
        })
    }

    /// Standard deviation of norm(a) over the last seconds; missing with fewer seconds of it.
    fn deviation(&self, now_us: i64, seconds: i64, fewest: i64) -> Option<f64> {
        let first = self.first_of(now_us, seconds);
        let mut sum = Activity::default();
        for second in self.seconds.range(first..) {
            sum.add(&second.activity);
        }
        let there = i64::try_from(self.seconds.len() - first).unwrap_or(0);
        if there < fewest { None } else { sum.deviation() }
    }

    fn posture(&self, first: usize, into: &mut FeatureVector) {
        let Some(now) = self.seconds.back() else { return };
        into.set(Feature::PosturePitch, Some(pitch_deg(now.gravity)));
        into.set(Feature::PostureRoll, Some(roll_deg(now.gravity)));
        let before = self.seconds.get(first).map(|second| second.gravity);
        into.set(
            Feature::PostureChange,
            before.and_then(|before| angle_between(before, now.gravity)),
        );
    }

    fn rhythm(&self, into: &mut FeatureVector) {
        if let Some(rhythm) = self.strongest_rhythm() {
            into.set(Feature::StereotypyRate, Some(rhythm.hz));
            into.set(Feature::Stereotypy, Some(rhythm.part));
            into.set(Feature::StereotypyBand, Some(rhythm.band));
        }
        if let Some(breathing) = self.breath.breathing() {
            into.set(Feature::BreathRatio, Some(breathing.ratio));
            into.set(Feature::BreathLine, Some(breathing.line));
        }
    }

    fn strongest_rhythm(&self) -> Option<Rhythm> {
        if self.spectra.len() < SEGMENTS / 2 {
            return None;
        }
        let mut band = [0.0; BINS];
        let mut total = 0.0;
        for spectrum in &self.spectra {
            band.iter_mut().zip(&spectrum.band).for_each(|(sum, density)| *sum += density);
            total += spectrum.total;
        }
        stereotypy(&band, total)
    }

    fn start_anew_after_a_hole(&mut self, at_us: i64, axes: [f64; 3], period_us: i64) {
        let goes_on = self.period_us == period_us
            && self.last.is_some_and(|(last_us, _)| at_us - last_us <= LONGEST_HOLE_US);
        if goes_on && self.sections.is_some() {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a period")]
        let sections = [low_pass(GRAVITY_HZ, 1e6 / period_us as f64)];
        self.sections = Some(sections);
        if !goes_on {
            self.period_us = period_us;
            self.last = None;
            self.gravity = Some(axes.map(|axis| Cascade::settled(&sections, axis)));
            self.norms.clear();
            self.breath.interrupt();
        }
    }

    fn follow_gravity(&mut self, axes: [f64; 3]) -> [f64; 3] {
        let (Some(filters), Some(sections)) = (&mut self.gravity, &self.sections) else {
            return axes;
        };
        let mut filters = filters.iter_mut();
        axes.map(|axis| filters.next().map_or(axis, |filter| filter.step(sections, axis)))
    }

    /// Takes spectra whose ends stand on whole multiples of 4 s, so that they are the same
    /// wherever the stream began.
    fn follow_rhythm(&mut self, at_us: i64, norm: f64) {
        if self.norms.len() == SEGMENT {
            self.norms.pop_front();
        }
        self.norms.push_back(norm);
        let end_us = at_us + self.period_us;
        let every_us = SEGMENT_EVERY_S * 1_000_000;
        let ends = end_us.div_euclid(every_us) != at_us.div_euclid(every_us);
        if !ends || self.norms.len() < SEGMENT {
            return;
        }
        let segment: &[f64] = self.norms.make_contiguous();
        let Ok(segment) = <&[f64; SEGMENT]>::try_from(segment) else { return };
        let density = Welch::density(segment, 32.0);
        self.spectra.push_back(Spectrum {
            end_us,
            band: density[BAND_BINS].to_vec(),
            total: density.iter().sum(),
        });
    }

    fn second(&mut self, at_s: i64) -> &mut Second {
        if self.seconds.back().is_none_or(|second| second.at_s != at_s) {
            self.seconds.push_back(Second { at_s, ..Second::default() });
        }
        self.seconds.back_mut().expect("one was just put there")
    }

    fn first_of(&self, now_us: i64, seconds: i64) -> usize {
        let oldest_s = now_us.div_euclid(1_000_000) - seconds;
        self.seconds.partition_point(|second| second.at_s < oldest_s)
    }
}
