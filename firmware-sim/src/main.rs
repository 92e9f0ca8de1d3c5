//! `firmware-sim`: virtual wristbands on a private bus, steered by JSON lines.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use firmware_sim::body::{People, write_people};
use firmware_sim::{Command, Event, Scenario, Simulation};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Wristbands that are not there, for tests, demonstrations and work without a radio.
#[derive(Parser)]
#[command(version, after_help = EXAMPLE)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Plays a scenario until it is stopped (SIGINT, SIGTERM or {"do":"stop"}).
    ///
    /// Prints what happens as JSON lines; the first one tells the bus address for
    /// DBUS_SYSTEM_BUS_ADDRESS. Takes commands as JSON lines on standard input.
    Run {
        /// The scenario, a TOML file.
        scenario: PathBuf,
        /// Where to put the bus's socket, rather than into a folder of its own.
        #[arg(long)]
        socket: Option<PathBuf>,
    },
    /// Writes days of simulated people as E4 recordings, with what truly happened.
    ///
    /// Makes DIR/P001, DIR/P002, .. (E4 exports), DIR/episodes.csv (incidents as staff would log
    /// them) and DIR/truth.csv (all that moved a person: kind, whether silent, rise, onset, end).
    #[command(after_help = PEOPLE_EXAMPLE)]
    People {
        /// How many people.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// Hours of each.
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
        /// Seed of the first person; each next one has the next seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The folder to make.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
}

const PEOPLE_EXAMPLE: &str = "Example:
  firmware-sim people --count 24 --hours 10 --into people
  tidewatch study evaluate people --episodes people/episodes.csv";

const EXAMPLE: &str = r#"Example:
  firmware-sim run firmware-sim/scenarios/six-bands.toml
  DBUS_SYSTEM_BUS_ADDRESS=unix:path=... tidewatch gateway --config gateway.toml

Commands, one a line on standard input ("for" undoes a fault by itself):
  {"band":1,"do":"vanish","for":"10s"}    return, drop_link, reboot
  {"band":1,"do":"freeze"}                thaw
  {"band":1,"do":"off_wrist"}             on_wrist
  {"band":1,"do":"garbage","for":"5s"}    sane
  {"band":1,"do":"lose","share":0.05}     reorder
  {"band":1,"do":"button"}
  {"do":"adapter_off","for":"5s"}         adapter_on
  {"do":"bluetoothd_restart","for":"2s"}
  {"do":"slots","slots":3}
  {"do":"resolve_after","after":"20s"}
  {"do":"stop"}"#;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let done = perform(Arguments::parse().task).await;
    done.map_or_else(complain, |()| ExitCode::SUCCESS)
}

async fn perform(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Run { scenario, socket } => run(Scenario::load(&scenario)?, socket).await,
        Task::People { count, hours, seed, into } => people(People { count, hours, seed }, &into),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn complain(error: anyhow::Error) -> ExitCode {
    eprintln!("firmware-sim: {error:#}");
    ExitCode::FAILURE
}

fn people(people: People, into: &Path) -> anyhow::Result<()> {
    let incidents = write_people(&people, into)?;
    let People { count, hours, .. } = people;
    let folder = into.display();
    Ok(writeln!(
        std::io::stdout(),
        "{folder}: {count} x {hours} h, {incidents} incidents in {folder}/episodes.csv"
    )?)
}

async fn run(scenario: Scenario, socket: Option<PathBuf>) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut simulation = match socket {
        Some(socket) => Simulation::start_at(scenario, &socket).await?,
        None => Simulation::start(scenario).await?,
    };
    let mut events = simulation.events();
    tell(&Event::Ready {
        bus: simulation.bus_address().to_owned(),
        bands: simulation.bands().to_vec(),
    })?;
    let mut lines = Some(standard_input());
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            event = events.recv() => match event {
                Ok(event) => tell(&event)?,
                Err(error) => tracing::warn!(%error, "events were missed"),
            },
            line = next(&mut lines) => match line {
                Some(line) => match obey(&simulation, &line).await {
                    Ok(Command::Stop) => break,
                    Ok(_) => {}
                    Err(error) => tell(&Event::Refused { line, why: format!("{error:#}") })?,
                },
                // The end of the input does not end the simulation.
                None => lines = None,
            },
            ended = simulation.ended() => {
                ended?;
                return tell(&Event::Stopped);
            }
        }
    }
    simulation.stop().await?;
    tell(&Event::Stopped)
}

/// The lines of standard input, read by a thread of its own: a read cannot be called off,
/// and must not hold up the end.
fn standard_input() -> mpsc::Receiver<String> {
    // When commands come faster than they are carried out, the writer waits.
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

async fn next(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

async fn obey(simulation: &Simulation, line: &str) -> anyhow::Result<Command> {
    let command: Command = serde_json::from_str(line)?;
    if command != Command::Stop {
        simulation.apply(command.clone()).await?;
    }
    Ok(command)
}

fn tell(event: &Event) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, event)?;
    out.write_all(b"\n")?;
    out.flush().context("nobody reads what happens")
}
