//! Researchers' work offline, on what the store keeps and on recordings.
//!
//! What this crate refuses to know: Bluetooth, MQTT, the live house. It reads, computes
//! and prints.

mod compare;
mod parity;
mod source;

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
    /// Compare what the detector computes with what the reference libraries do.
    #[command(
        after_help = "Example: tidewatch study parity recordings/\n\nExit code 3 where anything is outside of its tolerance."
    )]
    Parity(parity::ParityArgs),
}

/// Runs a command of `tidewatch study` and prints its answer.
///
/// # Errors
/// Says what could not be read or written.
pub fn execute(args: StudyArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Compare(args) => compare::execute(&args),
        Command::Parity(args) => parity::execute(&args),
    }
}
