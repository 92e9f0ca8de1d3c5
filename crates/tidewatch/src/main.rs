//! Tidewatch: an early-warning system for rising arousal, from wristband to tablet.
//!
//! This binary knows the command line, the configuration and which services run in
//! one process. What the services do stands in the library crates.

mod cli;
mod config;
mod detect;
mod record;
mod services;
mod supervisor;
mod telemetry;

use std::io;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::execute(cli::Cli::parse()) {
        Ok(code) => code,
        // Whoever reads the answer has seen enough, as `head` has.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(1)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("tidewatch: {error:#}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_went_is_no_failure() {
        let error = |kind| anyhow::Error::from(io::Error::from(kind));
        assert!(is_closed_pipe(&error(io::ErrorKind::BrokenPipe).context("an answer")));
        assert!(!is_closed_pipe(&error(io::ErrorKind::StorageFull)));
        assert!(!is_closed_pipe(&anyhow::anyhow!("no recording")));
    }
}
