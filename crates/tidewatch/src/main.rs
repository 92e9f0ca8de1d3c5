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

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::execute(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::from(1)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("tidewatch: {error:#}");
}
