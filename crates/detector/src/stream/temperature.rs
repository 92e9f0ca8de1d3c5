use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::Frozen;
use super::means::Means;
use crate::features::{Feature, FeatureVector, plausible_skin, slope_per_minute};
use crate::samples::Run;

/// Five minutes of seconds.
const KEPT_S: i64 = 300;

/// Skin temperature: a mean each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Temperature {
    frozen: Frozen,
    seconds: Means,
}

impl Temperature {
    /// A run of samples within a second.
    pub(crate) fn take(&mut self, run: Run, steps: &[[i32; 1]]) {
        let frozen = self.frozen.take(Channel::SkinTemperature, run, steps);
        let at_s = run.at_us.div_euclid(1_000_000);
        for (place, [step]) in steps.iter().enumerate() {
            let celsius = f64::from(*step) * Channel::SkinTemperature.scale();
            if plausible_skin(celsius) && !frozen.contains(&place) {
                self.seconds.take(at_s, celsius);
            }
        }
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        self.seconds.reject_since(from_us.div_euclid(1_000_000));
    }

    /// Lets a second pass.
    pub(crate) fn pass_second(&mut self) {
        self.seconds.pass_second();
    }

    /// Lets what is too old go.
    pub(crate) fn forget(&mut self, now_us: i64) {
        self.seconds.forget(now_us.div_euclid(1_000_000) - KEPT_S);
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

    fn since(&self, now_us: i64, seconds: i64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let now_s = now_us.div_euclid(1_000_000);
        self.seconds.since(now_s - seconds).map(move |(at_s, mean)| {
            #[expect(clippy::cast_precision_loss, reason = "five minutes")]
            let ago = (at_s - now_s) as f64;
            (ago, mean)
        })
    }
}
