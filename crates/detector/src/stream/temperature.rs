use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::Frozen;
use super::means::Means;
use super::trend::Trend;
use crate::features::{Feature, FeatureVector, plausible_skin};
use crate::samples::Run;

/// Skin temperature: a mean each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Temperature {
    frozen: Frozen,
    seconds: Means<300>,
    minute: Trend<60>,
    two: Trend<120>,
    three: Trend<180>,
    five: Trend<300>,
}

impl Temperature {
    /// A run of samples within a second.
    pub(crate) fn take(&mut self, run: Run, steps: &[[i32; 1]]) {
        let frozen = self.frozen.take(Channel::SkinTemperature, run, steps);
        for (place, [step]) in steps.iter().enumerate() {
            let celsius = f64::from(*step) * Channel::SkinTemperature.scale();
            if plausible_skin(celsius) && !frozen.contains(&place) {
                self.seconds.take(celsius);
            }
        }
    }

    /// Takes back everything from a moment on.
    pub(crate) fn reject_since(&mut self, from_us: i64) {
        let Self { seconds, minute, two, three, five, .. } = self;
        seconds.reject_since(from_us.div_euclid(1_000_000), |ago_s, mean| {
            minute.take_back(ago_s, mean);
            two.take_back(ago_s, mean);
            three.take_back(ago_s, mean);
            five.take_back(ago_s, mean);
        });
    }

    /// Lets a second pass.
    pub(crate) fn pass_second(&mut self, now_us: i64) {
        let go = [60, 120, 180, 300].map(|ago_s| self.seconds.ago(ago_s));
        self.seconds.pass_second(now_us.div_euclid(1_000_000));
        let comes = self.seconds.ago(1);
        self.minute.pass_second(comes, go[0]);
        self.two.pass_second(comes, go[1]);
        self.three.pass_second(comes, go[2]);
        self.five.pass_second(comes, go[3]);
    }

    /// Sets the features of the window that ends with the last second.
    pub(crate) fn features(&self, into: &mut FeatureVector) {
        into.set(Feature::SkinTemperature, self.minute.mean(30));
        into.set(Feature::TemperatureSlope3, self.three.per_minute(90));
        into.set(Feature::TemperatureSlope5, self.five.per_minute(150));
    }

    /// Slope over the last two minutes, C/min.
    pub(crate) fn recent_slope(&self) -> Option<f64> {
        self.two.per_minute(60)
    }
}
