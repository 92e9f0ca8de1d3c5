use std::ops::RangeInclusive;

use anyhow::ensure;
use clap::value_parser;
use detector::Inputs;

use crate::episodes::Asked;
use crate::features::{feature_of, names, view_of};

/// How a model is made.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Recipe {
    /// What an input must be worth to be there at all, in parts of the target's spread.
    /// 0 to 1: with 1 nothing is.
    #[arg(long, default_value_t = 0.009, value_parser = |text: &str| within(text, 0.0..=1.0))]
    pub(crate) lasso: f64,
    /// How strongly weights are drawn to 0: from 0, not at all, to 1000.
    #[arg(long, default_value_t = 0.02, value_parser = |text: &str| within(text, 0.0..=1000.0))]
    pub(crate) ridge: f64,
    /// Time constant of the score's smoothing, s: 0 to 600.
    #[arg(long, default_value_t = 20.0, value_parser = |text: &str| within(text, 0.0..=600.0))]
    pub(crate) smoothing: f64,
    /// Each recording is learned from again so often with its start cropped at random.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(0..=100))]
    pub(crate) crops: u64,
    /// Each recording is learned from again so often with its blocks in another order.
    #[arg(long, default_value_t = 9, value_parser = value_parser!(u64).range(0..=100))]
    pub(crate) shuffles: u64,
    /// Each recording is learned from again with its skin conductance multiplied by each of
    /// these, separated by commas: how much skin conducts differs between people and electrodes
    /// by more than a few people show.
    #[arg(long, value_delimiter = ',', default_values_t = CONDUCTANCES,
        value_parser = |text: &str| within(text, 0.01..=100.0))]
    pub(crate) conductances: Vec<f64>,
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

const CONDUCTANCES: [f64; 2] = [4.0, 16.0];

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
    /// The flags that tell how a model is made from nothing: without a use where there is one.
    pub(crate) const MAKING: [&str; 9] = [
        "lasso",
        "ridge",
        "smoothing",
        "crops",
        "shuffles",
        "conductances",
        "features",
        "views",
        "licence",
    ];

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

/// A number in a range; no number, NaN and infinities are in none.
fn within(text: &str, range: RangeInclusive<f64>) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("not a number from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use clap::{Args, Parser};

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

    #[test]
    fn what_makes_no_model_is_refused() {
        let says = |flag: &str| match Cli::try_parse_from(["train", flag]) {
            Ok(_) => "good".to_owned(),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        assert_eq!(
            says("--lasso=-1"),
            "error: invalid value '-1' for '--lasso <LASSO>': not a number from 0 to 1"
        );
        for flag in [
            "--lasso=100",
            "--ridge=nan",
            "--ridge=-0.1",
            "--smoothing=inf",
            "--smoothing=601",
            "--crops=101",
            "--shuffles=-1",
        ] {
            assert!(says(flag).contains(" for '--"), "{flag}: {}", says(flag));
        }
        for flag in ["--lasso=0", "--ridge=0", "--smoothing=0", "--crops=0", "--shuffles=100"] {
            assert_eq!(says(flag), "good", "{flag}");
        }
    }

    #[test]
    fn every_flag_is_of_the_making_or_of_what_is_asked() {
        let flags = |command: clap::Command| -> Vec<String> {
            command.get_arguments().map(|it| it.get_id().to_string()).collect()
        };
        let asked = flags(Asked::augment_args(clap::Command::new("asked")));
        let mut all = flags(Recipe::augment_args(clap::Command::new("recipe")));
        all.retain(|flag| !asked.contains(flag));
        all.sort();
        let mut making = Recipe::MAKING.map(str::to_owned).to_vec();
        making.sort();
        assert_eq!(all, making);
    }
}
