use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::Frozen;
use super::breath::Breath;
use super::bridge::bridge;
use super::gravity::{BLOCK, Gravity};
use super::rest::Rest;
use super::rhythm::Rhythms;
use crate::exertion::Effort;
use crate::features::{
    Activity, Enmo, Feature, FeatureVector, Jerk, angle_between, burst, distance, log_deviation,
    pitch_deg, roll_deg, wander,
};
use crate::hops::HOP_S;
use crate::samples::Run;

const WINDOW_S: i64 = 60;
/// Off-wrist looks at two minutes.
const KEPT_S: i64 = 120;
/// No wrist and no sensor goes beyond 16 g, in steps of the channel.
const LARGEST_STEP: u32 = 17 * 1024;
/// Two packets of half a second may be lost; after a longer hole all starts anew.
const LONGEST_HOLE_US: i64 = 1_100_000;
const PERIODS_US: std::ops::RangeInclusive<i64> = 5_000..=100_000;
/// Spectra are made of this rate alone.
const SPECTRUM_PERIOD_US: i64 = 31_250;

/// Movement and posture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Motion {
    period_us: i64,
    frozen: Frozen,
    /// The newest sample, in steps of the channel.
    last: Option<(i64, [i32; 3])>,
    /// In steps of the channel, as what it is made of.
    gravity: Option<Gravity>,
    seconds: VecDeque<Second>,
    rhythms: Rhythms,
    breath: Breath,
    rest: Rest,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Second {
    at_s: i64,
    enmo: Enmo,
    activity: Activity,
    jerk: Jerk,
    gravity: [f64; 3],
    /// Gravity's way from the second before.
    way: f64,
    /// The logarithm of its activity.
    log: f64,
}

impl Motion {
    /// A run of samples within a second.
    pub(crate) fn take(&mut self, run: Run, steps: &[[i32; 3]]) {
        if !PERIODS_US.contains(&i64::from(run.period_us)) {
            return;
        }
        let far = |step: &i32| step.unsigned_abs() > LARGEST_STEP;
        // All of them are asked, rather than until one is: so they are asked side by side.
        if !steps.as_flattened().iter().fold(false, |any, step| any | far(step)) {
            return self.take_plausible(run, steps);
        }
        let mut from = 0;
        for part in steps.split(|axes| axes.iter().any(far)) {
            let until = from + part.len();
            self.take_plausible(run.part(from..until), part);
            if until < steps.len() {
                self.last = None;
            }
            from = until + 1;
        }
    }

    fn take_plausible(&mut self, run: Run, steps: &[[i32; 3]]) {
        let frozen = self.frozen.take(Channel::Acceleration, run, steps);
        self.follow(run.part(0..frozen.start), &steps[..frozen.start]);
        if !frozen.is_empty() {
            self.last = None;
        }
        self.follow(run.part(frozen.end..steps.len()), &steps[frozen.end..]);
    }

    fn follow(&mut self, run: Run, steps: &[[i32; 3]]) {
        let (Some(first), Some(newest)) = (steps.first(), steps.last()) else { return };
        let period_us = i64::from(run.period_us);
        self.start_anew_after_a_hole(run.at_us, *first, period_us);
        let mut second = self.open(run.at_us.div_euclid(1_000_000));
        if let Some((last_us, before)) = self.last {
            match bridge((last_us, before), (run.at_us, *first), run.period_us) {
                Some((run, lacking)) => self.cross(run, &lacking),
                None => second.jerk.take(way(&[before, *first]), 1.0),
            }
        }
        second.jerk.take(way(steps), pairs(steps));
        for steps in steps.chunks(BLOCK) {
            let (mut axes, mut norms) = ([[0.0; 3]; BLOCK], [0.0; BLOCK]);
            let (axes, norms) = (&mut axes[..steps.len()], &mut norms[..steps.len()]);
            let flat = axes.as_flattened_mut().iter_mut();
            flat.zip(steps.as_flattened()).for_each(|(axis, step)| *axis = f64::from(*step));
            norms.iter_mut().zip(&*axes).for_each(|(norm, axes)| *norm = length(*axes));
            second.enmo.take(norms);
            second.activity.take(norms);
            if let Some(gravity) = &mut self.gravity {
                second.gravity = gravity.follow(axes).map(|axis| axis * g(1));
            }
            if period_us == SPECTRUM_PERIOD_US {
                self.rhythms.take(norms);
                self.breath.take(steps);
            }
        }
        let before = self.seconds.back().map(|before| before.gravity);
        second.way = before.map_or(0.0, |before| distance(before, second.gravity));
        second.log = second.activity.deviation().map_or(0.0, log_deviation);
        self.seconds.push_back(second);
        self.last = Some((run.last(), *newest));
        if period_us == SPECTRUM_PERIOD_US {
            self.rhythms.end(run.last(), SPECTRUM_PERIOD_US);
        }
    }

    /// Lets spectra go on over a hole, by samples that it may have held.
    fn cross(&mut self, run: Run, lacking: &[[i32; 3]]) {
        if i64::from(run.period_us) != SPECTRUM_PERIOD_US {
            return;
        }
        for (at_us, steps) in run.times().zip(lacking) {
            self.rhythms.take(&[length(steps.map(f64::from))]);
            self.breath.take(&[*steps]);
            self.rhythms.end(at_us, SPECTRUM_PERIOD_US);
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
        self.rhythms.reject_since(from_us);
        self.breath.interrupt();
    }

    /// Lets a hop pass that ends with the last second.
    pub(crate) fn pass_hop(&mut self, now_us: i64) {
        let since_s = now_us.div_euclid(1_000_000) - HOP_S;
        if let Some(last) = self.seconds.back().filter(|second| second.at_s >= since_s) {
            self.rest.pass_hop(last.gravity);
        }
    }

    /// For how long the arm has rested as it does in sleep, s; 0 where it does not.
    pub(crate) fn rested_s(&self) -> i64 {
        self.rest.rested_s()
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        let oldest_s = now_us.div_euclid(1_000_000) - KEPT_S;
        while self.seconds.front().is_some_and(|second| second.at_s < oldest_s) {
            self.seconds.pop_front();
        }
        self.rhythms.forget(now_us);
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
        self.seconds.range(first..).for_each(|second| {
            sum.enmo.add(&second.enmo);
            sum.activity.add(&second.activity);
            sum.jerk.add(&second.jerk);
        });
        let part = (sum.activity.count() / (60.0 * rate_hz)).min(1.0);
        if part < 0.5 {
            return part;
        }
        into.set(Feature::Enmo, sum.enmo.mean());
        into.set(Feature::Activity, sum.activity.deviation());
        into.set(Feature::Jerk, sum.jerk.mean_per_s(rate_hz));
        let logs = self.seconds.range(first..).map(|second| second.log);
        into.set(Feature::MovementBurst, burst(logs, 30));
        // Before the very first second there was none.
        let ways = self.seconds.range(first.max(1)..).map(|second| second.way);
        into.set(Feature::PostureWander, wander(ways, 30));
        self.posture(first, into);
        self.rhythm(into);
        part
    }

    /// Standard deviation of norm(a) over the last two minutes, g; missing before they are full.
    pub(crate) fn stillness(&self, now_us: i64) -> Option<f64> {
        self.deviation(now_us, KEPT_S, KEPT_S - 5)
    }

    /// The same over the last seconds; missing where hardly any came.
    pub(crate) fn lately(&self, now_us: i64) -> Option<f64> {
        self.deviation(now_us, 5, 3)
    }

    /// What the heart has to answer to.
    pub(crate) fn effort(&self, now_us: i64) -> Option<Effort> {
        Some(Effort {
            activity_30s: self.deviation(now_us, 30, 15)?,
            activity_120s: self.deviation(now_us, KEPT_S, KEPT_S / 2)?,
            stereotypy: self.rhythms.strongest().map_or(0.0, |rhythm| rhythm.part),
        })
    }

    /// Standard deviation of norm(a) over the last seconds; missing with fewer seconds of it.
    fn deviation(&self, now_us: i64, seconds: i64, fewest: i64) -> Option<f64> {
        let first = self.first_of(now_us, seconds);
        let mut sum = Activity::default();
        self.seconds.range(first..).for_each(|second| sum.add(&second.activity));
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
        if let Some(rhythm) = self.rhythms.strongest() {
            into.set(Feature::StereotypyRate, Some(rhythm.hz));
            into.set(Feature::Stereotypy, Some(rhythm.part));
            into.set(Feature::StereotypyBand, Some(rhythm.band));
            into.set(Feature::StereotypyRepeats, Some(rhythm.repeats));
        }
        if let Some(breathing) = self.breath.breathing() {
            into.set(Feature::BreathRatio, Some(breathing.ratio));
            into.set(Feature::BreathLine, Some(breathing.line));
        }
    }

    fn start_anew_after_a_hole(&mut self, at_us: i64, steps: [i32; 3], period_us: i64) {
        let goes_on = self.period_us == period_us
            && self.last.is_some_and(|(last_us, _)| at_us - last_us <= LONGEST_HOLE_US);
        if !goes_on {
            self.period_us = period_us;
            self.last = None;
            self.gravity = Some(Gravity::settled(steps.map(f64::from), period_us));
            self.rhythms.interrupt();
            self.breath.interrupt();
        }
    }

    /// Takes out the newest second if it is this one, to go on with.
    fn open(&mut self, at_s: i64) -> Second {
        let open = self.seconds.pop_back_if(|second| second.at_s == at_s);
        open.unwrap_or_else(|| Second { at_s, ..Second::default() })
    }

    fn first_of(&self, now_us: i64, seconds: i64) -> usize {
        let oldest_s = now_us.div_euclid(1_000_000) - seconds;
        self.seconds.partition_point(|second| second.at_s < oldest_s)
    }
}

fn g(step: i32) -> f64 {
    f64::from(step) * Channel::Acceleration.scale()
}

/// Of axes in steps: those are whole, so that nothing is lost before the root.
fn length([x, y, z]: [f64; 3]) -> f64 {
    g(1) * (x * x + y * y + z * z).sqrt()
}

/// The way along all axes from sample to sample, g.
fn way(steps: &[[i32; 3]]) -> f64 {
    let flat = steps.as_flattened();
    let pairs = flat.iter().zip(flat.get(3..).unwrap_or_default());
    g(1) * f64::from(pairs.map(|(before, after)| (after - before).unsigned_abs()).sum::<u32>())
}

#[expect(clippy::cast_precision_loss, reason = "a second of samples")]
fn pairs(steps: &[[i32; 3]]) -> f64 {
    steps.len().saturating_sub(1) as f64
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made numbers")]
mod tests {
    use super::*;

    /// A wrist that rocks and breathes, of which some packets of half a second are lost.
    fn after(lost: &[i64]) -> FeatureVector {
        let mut motion = Motion::default();
        let halves = 0..140;
        for half in halves.filter(|half| !lost.contains(half)) {
            let steps: Vec<[i32; 3]> = (0..16)
                .map(|at| {
                    let seconds = (half * 16 + at) as f64 / 32.0;
                    let rocks = 100.0 * (std::f64::consts::TAU * 1.5 * seconds).sin();
                    let breathes = 30.0 * (std::f64::consts::TAU * 0.3 * seconds).sin();
                    [rocks as i32, breathes as i32, 1024 + (rocks / 2.0) as i32]
                })
                .collect();
            let run = Run { at_us: half * 500_000, period_us: 31_250, count: steps.len() };
            motion.take(run, &steps);
        }
        let mut features = FeatureVector::default();
        motion.features(70_000_000, &mut features);
        features
    }

    #[test]
    fn rhythms_and_breath_go_on_over_a_lost_packet() {
        let (whole, lossy) = (after(&[]), after(&[9, 28, 47, 48, 71, 90, 117, 118, 131]));
        let near = |feature: Feature, most: f64| {
            let [one, other] = [&whole, &lossy].map(|it| it.of(feature).expect("it is there"));
            assert!((one - other).abs() <= most * one.abs(), "{feature:?}: {one}, {other}");
        };
        near(Feature::StereotypyRate, 0.01);
        near(Feature::Stereotypy, 0.1);
        near(Feature::StereotypyRepeats, 0.07);
        near(Feature::BreathRatio, 0.1);
        // What lies on both sides of a hole is no jerk.
        near(Feature::Jerk, 0.02);
        assert_eq!(after(&[131, 132, 133]).of(Feature::BreathRatio), None);
    }
}
