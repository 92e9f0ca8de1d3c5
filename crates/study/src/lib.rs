//! Researchers' work offline, on what the store keeps and on recordings.
//!
//! What this crate refuses to know: Bluetooth, MQTT, the live house. It reads, computes
//! and prints.
#![expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]

mod account;
mod beats;
mod compare;
mod crop;
mod episodes;
mod evaluate;
mod explain;
mod faults;
mod features;
mod labels;
mod model_file;
mod night;
mod output;
mod parallel;
mod parity;
mod replay;
mod report;
mod run;
mod score;
mod scores;
mod sitting;
mod source;
mod stream;
mod table;
mod train;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Arguments of `tidewatch study`.
#[derive(Args)]
pub struct StudyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare a recording that a virtual band played with what the store holds of it.
    #[command(
        after_help = "Example: tidewatch study compare S02.zip --store /var/lib/tidewatch \\\n    \
        --device c0ffee000001 --shift-us 148000000000000\n\nExit code 3 where anything is missing, doubled or different."
    )]
    Compare(compare::CompareArgs),
    /// Write what the detector says of recordings, hop by hop, as CSV.
    #[command(
        after_help = "Example: tidewatch study replay recordings/S02.zip --out scores --crop 1\n\n\
        Columns: time_unix (end of the window), score (empty = no verdict), level (0 calm or learning,\n\
        1 rising, 2 high, empty = no verdict), quality (0 to 1), state (in words), then every feature."
    )]
    Replay(replay::ReplayArgs),
    /// Say how good a detector is, beside what chance, the clock and plain rules come to.
    #[command(
        after_help = "Example: tidewatch study evaluate recordings --episodes recordings/episodes.csv --crop 1 \\\n    \
        --json figures.json --html report.html\n\n\
        Without --model or --scores, each person is scored by a model trained on all others. Where people have\n\
        several recordings, two further lines know all others and, of the person's own, the earlier ones (forward: what is\n\
        to be expected in use) or all but the one that is scored (leave one session out: optimistic, as the person's\n\
        later days are known)."
    )]
    Evaluate(evaluate::EvaluateArgs),
    /// Make a model from labelled recordings.
    #[command(
        after_help = "Example: tidewatch study train recordings --episodes recordings/episodes.csv --out model.json"
    )]
    Train(train::TrainArgs),
    /// Write what staff said of alerts, to learn from and to evaluate on.
    #[command(
        after_help = "Example: tidewatch study labels --store /var/lib/tidewatch --person p-7f3a --out labels.csv\n\n\
        An incident teaches fully, calmed half as much; exercise, excited, device and other were false; the minutes before\n\
        a true alert, and alerts without an answer, count as neither. Then, with --store and --person: study train\n\
        --personal MODEL --episodes labels.csv, and study evaluate --model with the new one and the old one."
    )]
    Labels(labels::LabelsArgs),
    /// Compare what the detector computes with what the reference libraries do.
    #[command(
        after_help = "Example: tidewatch study parity recordings/\n\nExit code 3 where anything is outside of its tolerance."
    )]
    Parity(parity::ParityArgs),
    /// Say how well heart beats are found live, against whole recordings and NeuroKit2.
    #[command(after_help = "Example: models/peers/neurokit_beats.py recordings/ beats && \\\n    \
        tidewatch study beats recordings/ --neurokit beats")]
    Beats(beats::BeatsArgs),
    /// Say what the detector says while something is wrong with what it is given.
    #[command(after_help = "Example: tidewatch study faults recordings/S02.zip\n\n\
        Exit code 3 where there was a verdict without sight, a panic, or something not refused.")]
    Faults(faults::FaultsArgs),
    /// Say why there was an alert: inputs, what is usual, and what each adds to the score.
    #[command(after_help = "Example: tidewatch study explain recordings/S07.zip --alert 1\n\n\
        Without --alert and --at: every alert of the recording, as it began and as it got worse.")]
    Explain(explain::ExplainArgs),
}

/// Runs a command of `tidewatch study` and prints its answer.
///
/// # Errors
/// Says what could not be read or written.
pub fn execute(args: StudyArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Compare(args) => compare::execute(&args),
        Command::Replay(args) => replay::execute(&args),
        Command::Evaluate(args) => evaluate::execute(&args),
        Command::Train(args) => train::execute(&args),
        Command::Labels(args) => labels::execute(&args),
        Command::Parity(args) => parity::execute(&args),
        Command::Beats(args) => beats::execute(&args),
        Command::Faults(args) => faults::execute(&args),
        Command::Explain(args) => explain::execute(&args),
    }
}
