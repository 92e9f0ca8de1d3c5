//! The whole evaluation protocol, as one table.

mod contender;
mod folds;
#[cfg(test)]
mod made;
pub(crate) mod outcome;
mod plain;
mod sessions;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::builder::RangedU64ValueParser;
use clap::value_parser;
use detector::Thresholds;

use crate::episodes::{self, Episodes};
use crate::report;
use crate::score::{Effort, NEVER};
use crate::sitting::{Sitting, sittings};
use crate::source::Sources;
use crate::table::Table;
use crate::train::{Lesson, Recipe, grade};
use crate::words::counted;
use crate::{model_file, output, parallel};
use contender::Contender;
use plain::Plain;
use sessions::{Own, by_session};

use outcome::{Outcome, Protocol, Row};

/// Arguments of `tidewatch study evaluate`.
#[derive(clap::Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    sources: Sources,
    /// When what was going on: recording,label,start_unix_utc,end_unix_utc and, at will, person
    /// and weight (0 to 1, or neither). `study labels` writes what staff said of alerts.
    #[arg(long)]
    episodes: PathBuf,
    /// Score a finished model on everybody, instead of training without each person in turn.
    #[arg(long, conflicts_with = "scores", conflicts_with_all = Recipe::MAKING)]
    model: Option<PathBuf>,
    /// Take scores from a folder of RECORDING.csv (time_unix,score[,level]); no recording needed.
    #[arg(long, conflicts_with_all = Recipe::MAKING)]
    scores: Option<PathBuf>,
    /// When the uncropped recordings began (recording,start_unix_utc), for scores without
    /// recordings; else at their first row. One that is named here and has no episode counts as
    /// calm from end to end.
    #[arg(long)]
    starts: Option<PathBuf>,
    /// Score files of another detector, as a further line: NAME=FOLDER. May be given again.
    #[arg(long, value_name = "NAME=FOLDER")]
    compare: Vec<String>,
    /// Cut 0 to 10 min off the start of what is scored, drawn from this seed and the recording's name.
    #[arg(long, conflicts_with = "scores")]
    crop: Option<u64>,
    /// Write every figure as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write a report for the browser, one file that needs nothing else.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Copies of the scores that are turned in time, for chance.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u64).range(0..=100_000))]
    surrogates: u64,
    /// Draws of people, for intervals.
    #[arg(long, default_value_t = 2000,
        value_parser = RangedU64ValueParser::<usize>::new().range(0..=100_000))]
    bootstrap: usize,
    /// Orders of blocks that are averaged for the shuffled AUROC.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(0..=1000))]
    orders: u64,
    /// Seed of whatever is drawn.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    recipe: Recipe,
}

/// Prints the table, and writes what was asked for. What can be refused at once is so before
/// anything is computed, and a file that fails takes neither the table nor the other file along.
pub(crate) fn execute(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    args.recipe.mask()?;
    let files = [&args.json, &args.html];
    files.into_iter().flatten().try_for_each(|path| output::check(path))?;
    ensure!(args.json.is_none() || args.json != args.html, "--json and --html name the same file");
    let outcome = evaluate(args)?;
    let printed = writeln!(stdout(), "{}", report::text(&outcome));
    let json = args.json.as_ref().map_or(Ok(()), |path| {
        output::write(path, &(serde_json::to_string_pretty(&outcome)? + "\n"))
    });
    let html = args.html.as_ref().map_or(Ok(()), |path| {
        output::write(path, &report::html(&outcome, &report::command(std::env::args_os())))
    });
    json.and(html)?;
    printed?;
    Ok(ExitCode::SUCCESS)
}

fn evaluate(args: &EvaluateArgs) -> anyhow::Result<Outcome> {
    let episodes = episodes::read(&args.episodes, &args.recipe.asked)?;
    let whole = args.sittings(&episodes)?;
    let sittings = args.scored(&whole);
    let starts = args.starts(&sittings)?;
    let effort = Effort { surrogates: args.surrogates, bootstrap: args.bootstrap, seed: args.seed };
    let mut remarks = Vec::new();
    let mut contenders = args.contenders(&whole, &sittings, &episodes, &starts, &mut remarks)?;
    let plain = (!sittings.is_empty()).then(|| Plain::of(&sittings, args.orders));
    let mut further = match &plain {
        Some(plain) => plain.contenders(&contenders[0]),
        None => plain::knowing_no_signal(&contenders[0]),
    };
    for named in &args.compare {
        let (name, folder) =
            named.split_once('=').with_context(|| format!("--compare {named}: not NAME=FOLDER"))?;
        further.push(Contender::read(name, folder.as_ref(), &episodes, &starts)?);
    }
    contenders.extend(further);
    ensure!(
        contenders[0].graded.iter().any(|it| it.points.iter().any(|point| point.inside)),
        "no scored window lies in an episode: do the times of {} fit?",
        args.episodes.display()
    );
    remarks.extend(calm_throughout(&contenders[0]));
    remarks.extend(without_alerts(&contenders[0]));
    let rows = parallel::each("scoring", &contenders, |it| Row::of(it, plain.as_ref(), &effort));
    let protocol = args.protocol(&contenders[0], &args.asked_for(&episodes, &starts));
    Ok(Outcome { protocol, rows, remarks })
}

/// Says whose recordings hold no episode: they count where alarms are false.
fn calm_throughout(detector: &Contender) -> Option<String> {
    let calm = detector.graded.iter().filter(|it| it.events.is_empty());
    let calm: Vec<&str> = calm.map(|it| it.recording.as_str()).collect();
    (!calm.is_empty())
        .then(|| format!("No episode in {}: there every alarm counts as false.", calm.join(", ")))
}

/// Says for how many recordings no alert could be raised at a level.
fn without_alerts(detector: &Contender) -> Option<String> {
    let thresholds = detector.alerting.as_ref()?;
    let never = |of: fn(&Thresholds) -> f64| thresholds.iter().filter(|it| of(it) >= NEVER).count();
    let (rising, high) = (never(|it| it.rising), never(|it| it.high));
    (high > 0).then(|| {
        format!(
            "Of {}, other people led to no threshold within its budget of false alerts for {rising} \
             at RISING and {high} at HIGH: there no such alert rings.",
            counted(thresholds.len(), "recording")
        )
    })
}

impl EvaluateArgs {
    fn sittings(&self, episodes: &Episodes) -> anyhow::Result<Vec<Sitting>> {
        if self.scores.is_some() && self.sources.is_empty() {
            return Ok(Vec::new());
        }
        let sittings = sittings(self.sources.read()?, episodes)?;
        ensure!(
            sittings.iter().any(Sitting::has_episode),
            "{} has no episode of these recordings",
            self.episodes.display()
        );
        Ok(sittings)
    }

    /// What is scored: models learn from whole recordings of others, as the shipped one does.
    fn scored(&self, whole: &[Sitting]) -> Vec<Sitting> {
        let scored = |it: &Sitting| self.crop.map_or_else(|| it.clone(), |seed| it.cropped(seed));
        whole.iter().map(scored).collect()
    }

    /// When recordings began: as a file says, else as they say themselves.
    fn starts(&self, sittings: &[Sitting]) -> anyhow::Result<BTreeMap<String, f64>> {
        let own = sittings.iter().map(|it| (it.name.clone(), it.origin.as_seconds_f64()));
        let mut starts: BTreeMap<String, f64> = own.collect();
        if let Some(path) = &self.starts {
            let mut table = Table::open(path)?;
            let (recording, start) = (table.column("recording")?, table.column("start_unix_utc")?);
            while let Some(row) = table.next_row()? {
                starts.insert(row.text(recording).to_owned(), row.number(start)?);
            }
        }
        Ok(starts)
    }

    /// The detector first, and what is made of it.
    fn contenders(
        &self,
        whole: &[Sitting],
        sittings: &[Sitting],
        episodes: &Episodes,
        starts: &BTreeMap<String, f64>,
        remarks: &mut Vec<String>,
    ) -> anyhow::Result<Vec<Contender>> {
        if let Some(folder) = &self.scores {
            return Ok(vec![Contender::read("scores", folder, episodes, starts)?]);
        }
        if let Some(path) = &self.model {
            let model = Arc::new(model_file::read(Some(path))?);
            let judged =
                |sittings: &[Sitting]| parallel::each("judging", sittings, |it| grade(it, &model));
            let graded = judged(sittings).into_iter().flatten().collect();
            let order = |seed| {
                let anew: Vec<Sitting> = sittings.iter().map(|it| it.shuffled(seed)).collect();
                judged(&anew).into_iter().flatten().collect()
            };
            let shuffled = (0..self.orders).map(order).collect();
            let names = sittings.iter().map(|it| it.name.as_str());
            remarks.extend(model_file::learned_from(&model, names).map(|it| {
                it + " Leave --model out to score each person by a model of the others."
            }));
            let contender = Contender::new(model.id(), graded, shuffled);
            let thresholds = vec![model.parts().thresholds; contender.graded.len()];
            return Ok(vec![contender.alerting(thresholds)]);
        }
        let lessons =
            parallel::each("measuring", whole, |sitting| Lesson::of(sitting, &self.recipe));
        let mut contenders = folds::leave_one_out(&lessons, sittings, &self.recipe, self.orders)?;
        let detectors = contenders.len();
        for own in [Own::Earlier, Own::Others] {
            contenders.extend(by_session(&lessons, sittings, &self.recipe, own)?);
        }
        if contenders.len() == detectors {
            remarks.push(
                "Forward chaining by date and leaving one session out were skipped: nobody has more \
                 than one recording."
                    .to_owned(),
            );
        }
        Ok(contenders)
    }

    /// Recordings that ought to be scored: those that are given, else those that have a label.
    fn asked_for(&self, episodes: &Episodes, starts: &BTreeMap<String, f64>) -> BTreeSet<String> {
        let labelled = episodes.keys().filter(|_| self.sources.is_empty());
        starts.keys().chain(labelled).cloned().collect()
    }

    fn protocol(&self, detector: &Contender, asked_for: &BTreeSet<String>) -> Protocol {
        let scored: BTreeSet<&String> = detector.graded.iter().map(|it| &it.recording).collect();
        let people: BTreeSet<&String> = detector.graded.iter().map(|it| &it.person).collect();
        let scored_by = match (&self.scores, &self.model) {
            (Some(_), _) => "score files".to_owned(),
            (_, Some(_)) => format!("the model {} as it is", detector.name),
            _ => "leaving one person out".to_owned(),
        };
        Protocol {
            detector: detector::VERSION.to_owned(),
            label: self.recipe.asked.label(),
            scored_by,
            crop_seed: self.crop,
            shuffled_orders: self.orders,
            surrogates: self.surrogates,
            bootstrap_draws: self.bootstrap,
            people: people.len(),
            recordings: scored.len(),
            missing_recordings: asked_for
                .iter()
                .filter(|it| !scored.contains(it))
                .cloned()
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::score::Graded;
    use crate::scores::{Hop, Scores};

    use super::*;

    #[test]
    fn levels_at_which_nothing_can_ring_are_told() {
        let of = |thresholds: &[[f64; 2]]| {
            let thresholds =
                thresholds.iter().map(|[rising, high]| Thresholds { rising: *rising, high: *high });
            let detector = Contender::new("x", Vec::new(), Vec::new());
            without_alerts(&detector.alerting(thresholds.collect()))
        };
        assert_eq!(of(&[[0.6, 0.8], [0.7, 0.9]]), None);
        let said = of(&[[0.6, 0.8], [0.7, NEVER], [NEVER, NEVER]]).expect("two of them");
        assert!(said.starts_with("Of 3 recordings,"), "{said}");
        assert!(said.contains(" for 1 at RISING and 2 at HIGH:"), "{said}");
    }

    #[test]
    fn each_line_says_on_how_many_recordings_it_rests() {
        let hop = |at: i32| Hop { time: f64::from(10 * at), score: Some(0.1), level: None };
        let scores = Scores { hops: (1..60).map(hop).collect(), has_level: false };
        let episodes = vec![episodes::Episode::new("x", 200.0, 300.0)];
        let labels = episodes::Labels { episodes, ..episodes::Labels::default() };
        let graded = |name: &str| Graded::of(name, &labels, &scores, None).expect("it has hops");
        let effort = Effort { surrogates: 0, bootstrap: 0, seed: 0 };
        let row = |(name, recordings): (&str, &[&str])| {
            let graded = recordings.iter().map(|it| graded(it)).collect();
            Row::of(&Contender::new(name, graded, Vec::new()), None, &effort)
        };
        let all = [("tidewatch", &["A1", "A2", "A3", "B"][..]), (LONG, &["A1", "A2", "A3"])];
        let rows: Vec<Row> = all.into_iter().map(row).collect();
        let outcome = Outcome { protocol: protocol(), rows, remarks: Vec::new() };
        let text = report::text(&outcome);
        for line in text.lines().filter(|it| it.starts_with("tidewatch")) {
            let expected = if line.starts_with(LONG) { "3" } else { "4" };
            let rest = line.trim_start_matches(LONG).trim_start_matches("tidewatch");
            let mut words = rest.trim_start_matches(", in hindsight").split_whitespace();
            assert_eq!(words.next(), Some(expected), "{line}");
        }
        let ends: BTreeSet<Option<usize>> = text.lines().map(|it| it.find(" n ")).collect();
        assert_eq!(ends.len(), 3, "two tables have the column: {text}");
        let html = report::html(&outcome, "");
        assert_eq!(html.matches("<th>n</th>").count(), 2);
        assert!(html.contains(&format!("<td>{LONG}</td><td>3</td>")));
        assert!(html.contains("<td>tidewatch</td><td>4</td>"));
    }

    const LONG: &str = "tidewatch, leave one session out";

    fn protocol() -> Protocol {
        Protocol {
            detector: String::new(),
            label: "",
            scored_by: String::new(),
            crop_seed: None,
            shuffled_orders: 0,
            surrogates: 0,
            bootstrap_draws: 0,
            people: 2,
            recordings: 4,
            missing_recordings: Vec::new(),
        }
    }
}
