use anyhow::ensure;
use detector::Inputs;

use crate::episodes::Asked;
use crate::features::{feature_of, names, view_of};

/// How a model is made.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Recipe {
    /// What an input must be worth to be there at all, in parts of the target's spread.
    #[arg(long, default_value_t = 0.009)]
    pub(crate) lasso: f64,
    /// How strongly weights are drawn to 0.
    #[arg(long, default_value_t = 0.02)]
    pub(crate) ridge: f64,
    /// Time constant of the score's smoothing, s.
    #[arg(long, default_value_t = 20.0)]
    pub(crate) smoothing: f64,
    /// Each recording is learned from again so often with its start cropped at random.
    #[arg(long, default_value_t = 3)]
    pub(crate) crops: u64,
    /// Each recording is learned from again so often with its blocks in another order.
    #[arg(long, default_value_t = 9)]
    pub(crate) shuffles: u64,
    /// Features that may be weighed, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = FEATURES.map(str::to_owned))]
    pub(crate) features: Vec<String>,
    /// Views of them that may be weighed, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = VIEWS.map(str::to_owned))]
    pub(crate) views: Vec<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The licence of the recordings, for the model's card.
    #[arg(long, default_value = "unknown")]
    pub(crate) licence: String,
}

/// What was worth its weight on people who were left out; the others stay for reading.
const FEATURES: [&str; 19] = [
    "heart_rate_20s",
    "heart_rate_tracked",
    "rmssd",
    "pnn50",
    "pulse_amplitude",
    "pulse_clean",
    "pulse_clean_20s",
    "scl",
    "scl_20s",
    "scl_slope",
    "eda_rising",
    "scr_rate",
    "phasic_deviation",
    "temperature_slope_3min",
    "posture_change",
    "posture_wander",
    "stereotypy_band",
    "breath_ratio",
    "breath_line",
];
const VIEWS: [&str; 7] = ["level", "rank", "own", "brief", "short", "medium", "long"];

impl Recipe {
    /// Which inputs may be weighed, in the order of [`Inputs::names`].
    ///
    /// # Errors
    /// Names the feature or view that the detector does not have.
    pub(crate) fn mask(&self) -> anyhow::Result<Vec<bool>> {
        let inputs = Inputs::names();
        for feature in &self.features {
            ensure!(names().contains(&feature.as_str()), "there is no feature {feature:?}");
        }
        for view in &self.views {
            let there = inputs.iter().any(|input| view_of(input) == view);
            ensure!(there, "there is no view {view:?}");
        }
        let used = |input: &String| {
            let feature = feature_of(input);
            self.features.iter().any(|it| it == feature)
                && self.views.iter().any(|it| it == view_of(input))
        };
        Ok(inputs.iter().map(used).collect())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        recipe: Recipe,
    }

    #[test]
    fn the_usual_inputs_are_there_and_unknown_ones_are_named() {
        let mask = |words: &[&str]| Cli::parse_from(words).recipe.mask();
        let used = mask(&["train"]).expect("all are there").iter().filter(|it| **it).count();
        assert_eq!(used, FEATURES.len() * VIEWS.len());
        let wrong = mask(&["train", "--features", "scl,minutes"]).expect_err("no such feature");
        assert_eq!(wrong.to_string(), "there is no feature \"minutes\"");
    }
}
