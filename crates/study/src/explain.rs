//! Why there was an alert: every number between the measured features and the score.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use detector::{Assessment, Config, Feature, Inputs, Model};

use crate::crop::crop_seconds;
use crate::features::feature_of;
use crate::model_file;
use crate::run::{HOP_S, Run, run};
use crate::source::Sources;
use crate::train::sigmoid;

/// Arguments of `tidewatch study explain`.
#[derive(clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    sources: Sources,
    /// The hop to explain, by a moment in it: unix seconds, or 2026-11-24T08:00:00Z.
    #[arg(long, value_parser = moment, required_unless_present = "alert")]
    at: Option<f64>,
    /// The alert to explain: 1 for the first of the recording.
    #[arg(long, conflicts_with = "at")]
    alert: Option<usize>,
    /// Cut the start off as `replay --crop` does.
    #[arg(long)]
    crop: Option<u64>,
    /// The model to judge by; else the one that is built in.
    #[arg(long)]
    model: Option<PathBuf>,
}

fn moment(text: &str) -> Result<f64, String> {
    let instant = || text.parse::<jiff::Timestamp>().map(|it| it.as_microsecond() as f64 / 1e6);
    text.parse().or_else(|_| instant()).map_err(|_| "neither seconds nor a time".to_owned())
}

/// Prints what one hop's score is made of.
#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub(crate) fn execute(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let model = Arc::new(model_file::read(args.model.as_deref())?);
    let recordings = args.sources.read()?;
    ensure!(recordings.len() == 1, "explain takes one recording, not {}", recordings.len());
    let recording = &recordings[0];
    let crop = args.crop.map_or(0, |seed| crop_seconds(seed, &recording.name));
    let config = Config::default();
    let found = run(&recording.stream.cropped(crop), &config, &model);
    let hop = args.hop(&found)?;
    let before = hop.checked_sub(1).and_then(|before| found.assessments[before].score);
    println!("{}", explain(&recording.name, &found.assessments[hop], before, &model, &config));
    Ok(ExitCode::SUCCESS)
}

impl ExplainArgs {
    /// The place of the hop that is asked for.
    fn hop(&self, found: &Run) -> anyhow::Result<usize> {
        let seconds = match (self.at, self.alert) {
            (Some(at), _) => at,
            (None, number) => {
                let number = number.unwrap_or(1);
                let alert = number.checked_sub(1).and_then(|place| found.alerts.get(place));
                alert
                    .with_context(|| {
                        format!(
                            "there is no alert {number}: the recording has {}",
                            found.alerts.len()
                        )
                    })?
                    .raised_at
                    .as_seconds_f64()
            }
        };
        let covers = |it: &Assessment| {
            let end = it.at.as_seconds_f64();
            end - HOP_S as f64 <= seconds - 1e-6 && seconds <= end + 1e-6
        };
        let place = found.assessments.iter().position(covers);
        place.with_context(|| format!("no hop of the recording holds {seconds}"))
    }
}

/// The words and the numbers.
fn explain(
    name: &str,
    it: &Assessment,
    before: Option<f64>,
    model: &Model,
    config: &Config,
) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("a string takes all");
    line(format!("{name}, time_unix {}, model {}", it.at.as_seconds_f64(), model.id()));
    let Some(score) = it.score else {
        let cause = it.cause.map_or("unknown", detector::Cause::name);
        line(format!("No verdict: {cause}."));
        return text;
    };
    line(format!("State {}, score {score:.4}, quality {:.2}.", it.level, it.quality));
    for reason in &it.reasons {
        line(format!("- {} (adds {:+.2})", reason.text, reason.contribution));
    }
    line(String::new());
    line(format!(
        "{:<32} {:>12} {:<8} {:>9} {:>9} {:>8} {:>8} {:>9}",
        "input", "value", "unit", "weighed", "usual", "spread", "input", "adds"
    ));
    let mut inputs = table(it, model);
    inputs.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
    for input in &inputs {
        line(input.line());
    }
    line(String::new());
    let sum: f64 = inputs.iter().map(|input| input.adds).sum();
    let logit = model.bias() + sum;
    line(format!("bias {:+.4}, all inputs {sum:+.4}, logit {logit:+.4}", model.bias()));
    let raw = sigmoid(logit);
    line(format!("score of the window 1/(1+exp(-logit)) = {raw:.4}"));
    let keep = (-(HOP_S as f64) / config.smoothing_s).exp();
    line(match before {
        Some(before) => {
            let smooth = keep * before + (1.0 - keep) * raw;
            format!(
                "smoothed {keep:.4} x {before:.4} (the hop before) + {:.4} x {raw:.4} = {smooth:.4}",
                1.0 - keep
            )
        }
        None => format!("the first score, not smoothed: {raw:.4}"),
    });
    line("value: as in the replay CSV. weighed: its logarithm where the feature spreads over decades.".into());
    line(".z is (weighed - usual) / spread; the other inputs hold the last minutes against those before.".into());
    text
}

/// From here an input may have been clipped.
const CLIPPED: f64 = 4.0;

/// One input of the model, and what it adds to the logit.
struct Line {
    name: String,
    feature: Option<Feature>,
    value: Option<f64>,
    weighed: Option<f64>,
    usual: Option<f64>,
    spread: Option<f64>,
    input: f64,
    adds: f64,
}

fn table(it: &Assessment, model: &Model) -> Vec<Line> {
    let weighed = it.features.weighed();
    let named = Inputs::names().into_iter().zip(it.inputs.values()).zip(model.terms(&it.inputs));
    named
        .map(|((name, input), adds)| {
            let feature = Feature::ALL.into_iter().find(|it| it.name() == feature_of(&name));
            let spread = feature.map(|feature| model.population(feature).scale);
            let weighed = weighed.get(feature_of(&name));
            let usual = weighed.zip(spread).map(|(weighed, spread)| weighed - input * spread);
            Line {
                value: it.features.get(feature_of(&name)),
                // What is clipped does not tell what it was held against.
                usual: usual.filter(|_| name.ends_with(".z") && input.abs() < CLIPPED),
                spread,
                weighed,
                feature,
                input,
                adds,
                name,
            }
        })
        .collect()
}

impl Line {
    fn line(&self) -> String {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        format!(
            "{:<32} {:>12} {:<8} {:>9} {:>9} {:>8} {:>8.3} {:>+9.4}",
            self.name,
            number(self.value, 4),
            self.feature.map_or("", Feature::unit),
            number(self.weighed, 3),
            number(self.usual, 3),
            number(self.spread, 3),
            self.input,
            self.adds
        )
    }
}
