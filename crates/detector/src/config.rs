use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The detector's settings. What a model was trained with is part of the model, not of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Seconds from one assessment to the next, 1 to 10. Every tenth second teaches and decides
    /// on alerts; those in between look only.
    pub hop_s: u32,
    /// How long to wait for late samples before a second is judged, s.
    pub lateness_s: u32,
    /// No valid sample for so long is no reading, s.
    pub blind_after_s: u32,
    /// Seen for less than this there is no verdict, only "learning", s.
    pub learning_s: u32,
    /// Hops in a row above a threshold before a level is taken.
    pub hold_hops: u32,
    /// RISING alarms a person may have per hour without need; sets the person's threshold.
    pub rising_budget_per_hour: f64,
    /// HIGH alarms a person may have per hour without need; sets the person's threshold.
    pub high_budget_per_hour: f64,
    /// An alert ends where the score falls below this part of RISING's threshold, be it HIGH.
    pub off_ratio: f64,
    /// After an alert, none of the same level for so long, s.
    pub refractory_s: u32,
    /// Half-life of the personal baseline in seconds of valid wear.
    pub baseline_half_life_s: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hop_s: 10,
            lateness_s: 2,
            blind_after_s: 10,
            learning_s: 600,
            hold_hops: 2,
            rising_budget_per_hour: 0.5,
            high_budget_per_hour: 0.125,
            off_ratio: 0.7,
            refractory_s: 600,
            baseline_half_life_s: 7200.0,
        }
    }
}

/// A setting under which nobody could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} must be {must}")]
pub struct ConfigError {
    /// Its name.
    pub setting: &'static str,
    /// What it has to be.
    pub must: &'static str,
}

impl Config {
    /// Checks that the settings can be judged by: a budget of NaN would compare with nothing.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that does not fit.
    pub fn check(&self) -> Result<(), ConfigError> {
        let budget = |per_hour: f64| per_hour.is_finite() && per_hour >= 0.0;
        let part = self.off_ratio > 0.0 && self.off_ratio <= 1.0;
        let half_life = self.baseline_half_life_s.is_finite() && self.baseline_half_life_s > 0.0;
        for (fits, setting, must) in [
            ((1..=10).contains(&self.hop_s), "hop_s", "1 to 10"),
            (self.blind_after_s > 0, "blind_after_s", "1 or more"),
            (self.hold_hops > 0, "hold_hops", "1 or more"),
            (budget(self.rising_budget_per_hour), "rising_budget_per_hour", "a number, 0 or more"),
            (budget(self.high_budget_per_hour), "high_budget_per_hour", "a number, 0 or more"),
            (part, "off_ratio", "above 0, and 1 at most"),
            (half_life, "baseline_half_life_s", "a number above 0"),
        ] {
            if !fits {
                return Err(ConfigError { setting, must });
            }
        }
        Ok(())
    }

    /// A short digest: two detectors with the same one were set the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes = postcard::to_stdvec(self).expect("plain numbers always serialize");
        Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_compares_with_nothing_is_refused_by_name() {
        let usual = Config::default;
        assert_eq!(usual().check(), Ok(()));
        for (config, setting) in [
            (Config { hop_s: 0, ..usual() }, "hop_s"),
            (Config { hold_hops: 0, ..usual() }, "hold_hops"),
            (Config { rising_budget_per_hour: f64::NAN, ..usual() }, "rising_budget_per_hour"),
            (Config { high_budget_per_hour: -0.1, ..usual() }, "high_budget_per_hour"),
            (Config { off_ratio: f64::NAN, ..usual() }, "off_ratio"),
            (Config { baseline_half_life_s: f64::INFINITY, ..usual() }, "baseline_half_life_s"),
        ] {
            assert_eq!(config.check().expect_err("it does not fit").setting, setting);
        }
    }

    #[test]
    fn any_setting_changes_the_fingerprint() {
        let usual = Config::default();
        let other = Config { refractory_s: 601, ..Config::default() };
        assert_eq!(usual.fingerprint(), Config::default().fingerprint());
        assert_ne!(usual.fingerprint(), other.fingerprint());
        assert_eq!(usual.fingerprint().len(), 16);
    }
}
