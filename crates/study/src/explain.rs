//! Why there was an alert: which hop is asked for.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use detector::{Alert, Assessment, Config};

use crate::account::Account;
use crate::crop::crop_seconds;
use crate::model_file;
use crate::run::{HOP_S, Run, before, run};
use crate::source::Sources;
use crate::words::counted;

/// Arguments of `tidewatch study explain`.
#[derive(clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    sources: Sources,
    /// The hop to explain, by a moment in it: unix seconds, or 2026-11-24T08:00:00Z.
    #[arg(long, value_parser = moment)]
    at: Option<f64>,
    /// The alert to explain, by its number in the list of alerts.
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
    let names: Vec<&str> = recordings.iter().map(|it| it.name.as_str()).collect();
    ensure!(names.len() == 1, "explain takes one recording: name one of {}", names.join(", "));
    let recording = &recordings[0];
    let crop = args.crop.map_or(0, |seed| crop_seconds(seed, &recording.name));
    let (stream, config) = (recording.stream.cropped(crop), Config::default());
    let found = run(&stream, &config, &model);
    let Some(hop) = args.hop(&found)? else {
        write!(stdout(), "{}", list(&recording.name, &found.alerts))?;
        return Ok(ExitCode::SUCCESS);
    };
    let of = &found.assessments[hop];
    let account = Account {
        name: &recording.name,
        of,
        before: hop.checked_sub(1).map(|before| &found.assessments[before]),
        grounds: before(&stream, &config, &model, of.at).grounds(of),
        model: &model,
    };
    write!(stdout(), "{}", account.text())?;
    Ok(ExitCode::SUCCESS)
}

/// Every alert, as it began and as it got worse.
fn list(name: &str, alerts: &[Alert]) -> String {
    let raised = alerts.iter().filter(|it| it.at == it.raised_at).count();
    let worse = alerts.len() - raised;
    let mut text = format!("{name}: {}, of which {worse} got worse\n", counted(raised, "alert"));
    for (number, alert) in (1..).zip(alerts) {
        let at = alert.at.as_seconds_f64();
        let how = if alert.at == alert.raised_at { "raised" } else { "escalated" };
        let reason = alert.reasons.first().map_or("", |reason| &reason.text);
        writeln!(
            text,
            "{number:>3}  time_unix {at}  {how} {}, score {:.4}: {reason}",
            alert.level, alert.score
        )
        .expect("a string takes all");
    }
    text
}

impl ExplainArgs {
    /// The place of the hop that is asked for; none where none is.
    fn hop(&self, found: &Run) -> anyhow::Result<Option<usize>> {
        let count = found.alerts.len();
        let seconds = match (self.at, self.alert) {
            (Some(at), _) => at,
            (None, Some(number)) => {
                let alert = number.checked_sub(1).and_then(|place| found.alerts.get(place));
                alert
                    .with_context(|| {
                        format!("there is no alert {number}: the recording has {count}")
                    })?
                    .at
                    .as_seconds_f64()
            }
            (None, None) => return Ok(None),
        };
        let covers = |it: &Assessment| {
            let end = it.at.as_seconds_f64();
            end - HOP_S as f64 <= seconds - 1e-6 && seconds <= end + 1e-6
        };
        let place = found.assessments.iter().position(covers);
        Ok(Some(place.with_context(|| format!("no hop of the recording holds {seconds}"))?))
    }
}
