//! The program itself: JSON lines, signals, cost.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;

use crate::central::{Connected, adapter, find};
use crate::rig::on_own_bus;

/// The running program.
struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_firmware-sim"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take().expect("it was piped");
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { child, input, output }
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it tells");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?} is an event"))
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it listens");
    }

    /// The socket in the address of its bus.
    fn socket(ready: &Value) -> String {
        let address = ready["bus"].as_str().expect("an address");
        let path = address.strip_prefix("unix:path=").expect("a path");
        path.split(',').next().expect("a path").to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SIX_BANDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/six-bands.toml");

#[test]
fn the_shipped_scenario_plays_takes_commands_and_stops() {
    let mut program = Program::start(&["run", SIX_BANDS]);
    let ready = program.event();
    assert_eq!(ready["event"], "ready");
    assert_eq!(ready["bands"].as_array().map(Vec::len), Some(6));
    assert_eq!(ready["bands"][0]["device"], "c0ffee000001");
    assert_eq!(ready["bands"][0]["recording"], Value::Null);
    let episodes = ready["bands"][0]["episodes"].as_array().expect("a person has them");
    assert!(episodes.iter().any(|episode| episode["kind"] == "incident"), "{episodes:?}");
    let socket = Program::socket(&ready);
    UnixStream::connect(&socket).expect("the bus is up");

    program.tell(r#"{"band":2,"do":"vanish"}"#);
    let done = program.event();
    assert_eq!((&done["event"], &done["band"]), (&"done".into(), &2.into()));
    program.tell(r#"{"band":7,"do":"vanish"}"#);
    assert_eq!(program.event()["why"], "there is no band 7");
    program.tell("make tea");
    assert_eq!(program.event()["line"], "make tea");
    program.tell(r#"{"do":"stop"}"#);
    assert_eq!(program.event()["event"], "stopped");
    assert!(program.child.wait().expect("it ends").success());
    UnixStream::connect(&socket).expect_err("the bus ended with it");
}

#[test]
fn it_ends_with_its_bus_on_a_signal_however_rude() {
    for (signal, clean) in [("-TERM", true), ("-INT", true), ("-KILL", false)] {
        let mut program = Program::start(&["run", SIX_BANDS]);
        let socket = Program::socket(&program.event());
        let pid = program.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
        assert_eq!(program.child.wait().expect("it ends").success(), clean, "{signal}");
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_ok() || std::fs::exists(&socket).unwrap_or(true) {
            assert!(begun.elapsed() < Duration::from_secs(10), "{signal}: the bus lives on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_before_anything_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.toml");
    std::fs::write(&path, "[[band]]\nbody = { recording = \"no.zip\" }").expect("it is written");
    let output = Command::new(env!("CARGO_BIN_EXE_firmware-sim"))
        .arg("run")
        .arg(&path)
        .output()
        .expect("the program runs");
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("band 1") && said.contains("no.zip"), "{said}");
}

#[test]
fn eight_bands_at_full_rate_cost_little() {
    on_own_bus("program::eight_bands_at_full_rate_cost_little", |socket| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("eight.toml");
        let bands: String = (1..=8)
            .map(|seed| format!("[[band]]\nbody = {{ person = {seed} }}\nworn_before = \"1h\"\n"))
            .collect();
        std::fs::write(&path, bands).expect("it is written");
        let socket = socket.to_str().expect("a plain path");
        let mut program =
            Program::start(&["run", path.to_str().expect("a plain path"), "--socket", socket]);
        let begun = Instant::now();
        assert_eq!(program.event()["event"], "ready");
        let made = begun.elapsed();
        let adapter = adapter().await;
        let connect = async |number: u32| {
            Connected::streaming(find(&adapter, &format!("TW-{number:04}")).await).await
        };
        let mut bands = join_all((1..=8).map(connect)).await;

        let (before, begun) = (cpu_s(program.child.id()), Instant::now());
        let listen = async |band: &mut Connected| {
            let first = band.packet().await.sequence;
            let mut packets = 1;
            while begun.elapsed() < Duration::from_secs(10) {
                let sequence = band.packet().await.sequence;
                assert_eq!(sequence, first + packets, "no packet is missing");
                packets += 1;
            }
            packets
        };
        let packets: u32 = join_all(bands.iter_mut().map(listen)).await.iter().sum();
        let share = (cpu_s(program.child.id()) - before) / begun.elapsed().as_secs_f64();
        println!(
            "8 bands, an hour in flash made in {made:.1?}: {packets} live packets in 10 s, \
             {:.1} % of a core, {:.0} MB",
            100.0 * share,
            memory_mb(program.child.id())
        );
        assert!(packets >= 8 * 19, "{packets} packets of 8 bands in 10 s");
        assert!(share < 0.15, "{:.1} % of a core", 100.0 * share);
    });
}

/// Processor time that a process has used, seconds.
fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> =
        stat.rsplit(')').next().expect("its name is in brackets").split_whitespace().collect();
    // utime and stime are the fields 14 and 15; the name is the second. 100 ticks a second.
    let ticks = |field: usize| fields[field - 3].parse::<f64>().expect("a number");
    (ticks(14) + ticks(15)) / 100.0
}

fn memory_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    let kilobytes = line.split_whitespace().nth(1).expect("a number");
    kilobytes.parse::<f64>().expect("a number") / 1024.0
}
