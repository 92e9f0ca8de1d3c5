//! What staff said of alerts, as labels to learn from and to evaluate on.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use biosignal::{PersonId, Timestamp};
use store::{Alert, Outcome};

use crate::episodes::NEITHER;
use crate::output;
use crate::source::{ensure_worn, open_store, runtime};
use crate::words::counted;

/// Arguments of `tidewatch study labels`.
#[derive(clap::Args)]
pub(crate) struct LabelsArgs {
    /// A store's folder (`data_dir`).
    #[arg(long)]
    store: PathBuf,
    /// Whose alerts, by pseudonym; may be given more than once.
    #[arg(long, required = true)]
    person: Vec<PersonId>,
    /// The file to write, for `--episodes`.
    #[arg(long)]
    out: PathBuf,
}

/// An alert comes late: so long before it, s, nobody knows when it began.
const BEFORE_S: i64 = 300;
/// An alert that did not end counts as unknown for so long, s.
const OPEN_S: i64 = 3600;

/// Writes what staff said of alerts as episodes.
pub(crate) fn execute(args: &LabelsArgs) -> anyhow::Result<ExitCode> {
    output::check(&args.out)?;
    let (store, runtime) = (open_store(&args.store)?, runtime()?);
    let mut alerts = Vec::new();
    for person in &args.person {
        runtime.block_on(ensure_worn(&store, person))?;
        alerts.extend(runtime.block_on(store.alerts_of_person(person))?);
    }
    let answered = alerts.iter().filter(|it| it.outcome.is_some()).count();
    ensure!(
        answered > 0,
        "nobody said what came of any alert of {} ({}); nothing was written",
        counted(args.person.len(), "person"),
        counted(alerts.len(), "alert")
    );
    output::write(&args.out, &csv(&alerts)?)?;
    let aroused = alerts.iter().filter(|it| weight(it).is_some_and(|weight| weight > 0.0)).count();
    writeln!(
        stdout(),
        "{}: {} of {}, {answered} with an answer: {aroused} true, {} false. Add what nobody was \
         alerted to before you learn from it.",
        args.out.display(),
        counted(alerts.len(), "alert"),
        counted(args.person.len(), "person"),
        answered - aroused
    )?;
    Ok(ExitCode::SUCCESS)
}

fn csv(alerts: &[Alert]) -> anyhow::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let head = ["recording", "label", "start_unix_utc", "end_unix_utc", "person", "weight"];
    csv.write_record(head)?;
    for alert in alerts {
        let mut row = |label: &str, from: Timestamp, until: Timestamp, weight: &str| {
            let person = alert.record.person.as_str();
            let [from, until] = [from, until].map(|it| it.as_seconds_f64().to_string());
            csv.write_record([person, label, &from, &until, person, weight])
        };
        let raised = alert.record.raised_at;
        let weight = weight(alert);
        let label = alert.outcome.map_or("no answer", Outcome::as_str);
        if weight.is_none_or(|weight| weight > 0.0) {
            row(
                &format!("before {label}"),
                raised.plus_micros(-BEFORE_S * 1_000_000),
                raised,
                NEITHER,
            )?;
        }
        let said = weight.map_or_else(|| NEITHER.to_owned(), |weight| weight.to_string());
        row(label, raised, end(alert), &said)?;
    }
    String::from_utf8(csv.into_inner()?).context("labels are words")
}

/// When it was over, as far as is known.
fn end(alert: &Alert) -> Timestamp {
    let raised = alert.record.raised_at;
    let ended = alert.ended_at.or(alert.resolved_at).filter(|at| *at > raised);
    ended.unwrap_or_else(|| raised.plus_micros(OPEN_S * 1_000_000))
}

/// How much an answer teaches of arousal: whoever calmed with help might have calmed without.
/// None where there is none.
fn weight(alert: &Alert) -> Option<f64> {
    alert.outcome.map(|outcome| match outcome {
        Outcome::Incident => 1.0,
        Outcome::Calmed => 0.5,
        Outcome::Exercise | Outcome::Excited | Outcome::Device | Outcome::Other => 0.0,
    })
}
