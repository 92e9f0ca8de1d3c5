use std::collections::VecDeque;

use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::Frozen;
use crate::features::{Feature, FeatureVector, plausible_skin, slope_per_minute};
use crate::samples::Run;

/// Five minutes of seconds.
const KEPT_S: i64 = 300;

/// Skin temperature: a mean each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Temperature {
    frozen: Frozen,
    seconds: VecDeque<(i64, f64, f64)>,
}

impl Temperature {
    /// A run of samples within a second.
    pub(crate) fn take(&mut self, run: Run, steps: &[[i32; 1]]) {
        let frozen = self.frozen.take(Channel::SkinTemperature, run, steps);
        let at_s = run.at_us.div_euclid(1_000_000);
        for (place, [step]) in steps.iter().enumerate() {
            let celsius = f64::from(*step) * Channel::SkinTemperature.scale();
            if plausible_skin(celsius) && !frozen.contains(&place) {
                self.keep(at_s, celsius);
            }
        }
    }

    fn keep(&mut self, at_s: i64, celsius: f64) {
        match self.seconds.back_mut() {
            Some((second, sum, count)) if *second == at_s => {
                *sum += celsius;
                *count += 1.0;
            }
            _ => self.seconds.push_back((at_s, celsius, 1.0)),
        }
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        let from_s = from_us.div_euclid(1_000_000);
        while self.seconds.back().is_some_and(|(at_s, ..)| *at_s >= from_s) {
            self.seconds.pop_back();
        }
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        let oldest_s = now_us.div_euclid(1_000_000) - KEPT_S;
        while self.seconds.front().is_some_and(|(at_s, ..)| *at_s < oldest_s) {
            self.seconds.pop_front();
        }
    }

    /// Sets the features of the window that ends at `now_us`.
    pub(crate) fn features(&self, now_us: i64, into: &mut FeatureVector) {
        let minute = self.since(now_us, 60);
        let (sum, count) = minute.fold((0.0, 0.0), |(sum, n), (_, mean)| (sum + mean, n + 1.0));
        into.set(Feature::SkinTemperature, (count >= 30.0).then(|| sum / count));
        into.set(Feature::TemperatureSlope3, slope_per_minute(self.since(now_us, 180), 90));
        into.set(Feature::TemperatureSlope5, slope_per_minute(self.since(now_us, 300), 150));
    }

    /// Slope over the last two minutes, C/min.
    pub(crate) fn recent_slope(&self, now_us: i64) -> Option<f64> {
        slope_per_minute(self.since(now_us, 120), 60)
    }

    fn since(&self, now_us: i64, seconds: i64) -> impl Iterator<Item = (f64, f64)> + Clone + '_ {
        let now_s = now_us.div_euclid(1_000_000);
        let first = self.seconds.partition_point(move |(at_s, ..)| *at_s < now_s - seconds);
        self.seconds.range(first..).map(move |(at_s, sum, count)| {
            #[expect(clippy::cast_precision_loss, reason = "five minutes")]
            let ago = (at_s - now_s) as f64;
            (ago, sum / count)
        })
    }
}
