//! Why there was an alert: every number between the measured features and the score.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
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
pub(crate) fn execute(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let model = Arc::new(model_file::read(args.model.as_deref())?);
    let recordings = args.sources.read()?;
    ensure!(recordings.len() == 1, "explain takes one recording, not {}", recordings.len());
    let recording = &recordings[0];
    let crop = args.crop.map_or(0, |seed| crop_seconds(seed, &recording.name));
    let found = run(&recording.stream.cropped(crop), &Config::default(), &model);
    let hop = args.hop(&found)?;
    writeln!(stdout(), "{}", explain(&recording.name, &found.assessments[hop], &model))?;
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
fn explain(name: &str, it: &Assessment, model: &Model) -> String {
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
    let head = ["input", "value", "unit", "weighed", "usual", "spread", "input", "adds"];
    let [name, value, unit, weighed, usual, spread, input, adds] = head;
    line(format!(
        "{name:<32} {value:>12} {unit:<8} {weighed:>9} {usual:>9} {spread:>8} {input:>8} {adds:>9}"
    ));
    let mut inputs = table(it, model);
    inputs.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
    for input in &inputs {
        line(input.line());
    }
    let sum: f64 = inputs.iter().map(|input| input.adds).sum();
    let bias = model.parts().bias;
    line(format!(
        "bias {bias:+.4}, all inputs {sum:+.4}: logit of this window alone {:+.4}",
        bias + sum
    ));
    line(String::new());
    line(format!("{:<32} {:>9} {:>9}", "feature", "adds now", "smoothed"));
    let mut smoothed: Vec<(&str, f64)> = it.contributions.clone();
    smoothed.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    for (feature, smooth) in smoothed.iter().filter(|(_, smooth)| *smooth != 0.0) {
        let now = inputs.iter().filter(|input| feature_of(&input.name) == *feature);
        let now: f64 = now.map(|input| input.adds).sum();
        line(format!("{feature:<32} {now:>+9.4} {smooth:>+9.4}"));
    }
    let all: f64 = smoothed.iter().map(|(_, smooth)| smooth).sum();
    line(format!(
        "bias {bias:+.4}, all features smoothed {all:+.4}: logit {:+.4}, score 1/(1+exp(-logit)) = {:.4}",
        bias + all,
        Model::score(bias + all)
    ));
    line(String::new());
    for note in [
        "value: as in the replay CSV. weighed: its logarithm or root where the feature is skewed.",
        "usual, spread: of the population. .level is (weighed - usual) / spread, within 4. .rank says",
        "where .level stands among the person's own hops so far, -1.5 lowest to 1.5 highest. .brief,",
        ".short, .medium, .long: the mean .level of the last 2, 3, 6, 6 hops less that of the hops 3-11,",
        "6-23, 18-35, 36-71 before, in the scatter of the person's own hops. smoothed: each hop keeps",
        "exp(-10 s / the model's smoothing) of what the feature added before.",
    ] {
        line(note.to_owned());
    }
    text
}

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
    let all: BTreeMap<String, f64> = Inputs::names().into_iter().zip(it.inputs.values()).collect();
    let terms = model.parts().terms.iter().zip(model.weigh(&it.inputs));
    terms
        .map(|(term, adds)| {
            let name = term.input.clone();
            let input = all[&name];
            let feature = Feature::ALL.into_iter().find(|it| it.name() == feature_of(&name));
            let population = model.parts().population.get(feature_of(&name));
            let weighed = weighed.get(feature_of(&name));
            Line {
                value: it.features.get(feature_of(&name)),
                usual: population.map(|it| it.usual),
                spread: population.map(|it| it.scale),
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
