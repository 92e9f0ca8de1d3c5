//! The command line: what can be asked, and who answers.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::services::Role;
use crate::{detect, services};

/// Flags signs of rising arousal, from wristband to tablet.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: tidewatch hub --config /etc/tidewatch/tidewatch.toml\n\n\
    Exit codes: 0 done or stopped as asked, 1 failed (the last line says why), 2 wrong usage,\n\
    3 a comparison or reproduction found differences."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole house in one process, with the embedded broker.
    #[command(after_help = "Example: tidewatch hub --config tidewatch.toml")]
    Hub(ConfigFile),
    /// Run the embedded broker alone.
    #[command(after_help = "Example: tidewatch broker --config tidewatch.toml")]
    Broker(ConfigFile),
    /// Read wristbands over Bluetooth LE and publish what they say.
    #[command(after_help = "Example: tidewatch gateway --config tidewatch.toml")]
    Gateway(ConfigFile),
    /// Judge readings as they come, and raise alerts.
    #[command(after_help = "Example: tidewatch detect --config tidewatch.toml")]
    Detect(ConfigFile),
    /// Keep every reading, and tell the gateways what is kept.
    #[command(after_help = "Example: tidewatch record --config tidewatch.toml")]
    Record(ConfigFile),
    /// Serve the tablets.
    #[command(after_help = "Example: tidewatch console --config tidewatch.toml")]
    Console(ConfigFile),
    /// Look at the configuration without starting anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Judge what the store holds once more, and compare with what was said live, byte for byte.
    #[command(
        after_help = "Example: tidewatch reproduce --config tidewatch.toml --device c0ffee000001"
    )]
    Reproduce(detect::ReproduceArgs),
    /// Researchers' work offline.
    Study(Box<study::StudyArgs>),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check a configuration file and print what it comes to.
    #[command(after_help = "Example: tidewatch config check --config tidewatch.toml")]
    Check(ConfigFile),
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The configuration file.
    #[arg(long, env = "TIDEWATCH_CONFIG", default_value = "/etc/tidewatch/tidewatch.toml")]
    config: PathBuf,
}

pub(crate) fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Hub(file) => serve(Role::Hub, &file.config),
        Command::Broker(file) => serve(Role::Broker, &file.config),
        Command::Gateway(file) => serve(Role::Gateway, &file.config),
        Command::Detect(file) => serve(Role::Detect, &file.config),
        Command::Record(file) => serve(Role::Record, &file.config),
        Command::Console(file) => serve(Role::Console, &file.config),
        Command::Config(ConfigCommand::Check(file)) => check(&file.config),
        Command::Reproduce(args) => detect::reproduce(&args),
        Command::Study(args) => study::execute(*args),
    }
}

fn serve(role: Role, file: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::read(file)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(services::run(role, config))?;
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::read(file)?;
    writeln!(stdout(), "{} is sound.\n\n{config}", file.display())?;
    Ok(ExitCode::SUCCESS)
}
