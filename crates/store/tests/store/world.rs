//! What the tests measure and keep.

use std::fmt::Debug;
use std::future::Future;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use biosignal::{Channel, DeviceId, GatewayId, PersonId, Reading, Timestamp};
use store::{AlertLevel, AlertRecord, Batch, Reason, Scan, Store};
use tempfile::TempDir;

pub(crate) const START: i64 = 1_700_000_000;

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

pub(crate) fn open(folder: &Path) -> Store {
    Store::open(folder).expect("the store opens")
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, number])
}

pub(crate) fn gateway(name: &str) -> GatewayId {
    GatewayId::new(name).expect("a good word")
}

pub(crate) fn person(name: &str) -> PersonId {
    PersonId::new(name).expect("a good word")
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

/// What a band sends in its packet of a second: two channels that tell the packet.
pub(crate) fn readings(device: &DeviceId, packet: u32) -> Vec<Reading> {
    let reading = |channel: Channel, period_us, samples| Reading {
        device: device.clone(),
        channel,
        epoch: 7,
        sequence: packet,
        measured_at: at(i64::from(packet)),
        received_at: at(i64::from(packet)).plus_micros(1_100_000),
        period_us,
        samples,
    };
    let level = i32::try_from(packet).expect("few packets");
    vec![
        reading(Channel::Eda, 250_000, vec![level * 1000, level * 1000 + 1, -level, level]),
        reading(Channel::Acceleration, 500_000, vec![0, level, 1024, 16, -level, 1008]),
    ]
}

/// Batch `sequence` of a spool, with one packet.
pub(crate) fn batch(device: &DeviceId, gateway: &str, epoch: u64, sequence: u64) -> Batch {
    let packet = u32::try_from(sequence).expect("few batches");
    Batch {
        device: device.clone(),
        gateway: self::gateway(gateway),
        epoch,
        sequence,
        live: true,
        received_at: at(i64::from(packet) + 2),
        payload: format!("{device} {gateway} {epoch} {sequence}").into_bytes(),
        readings: readings(device, packet),
    }
}

pub(crate) fn everything(of: store::Of) -> Scan {
    Scan { of, channels: vec![], from: at(-1_000_000), until: at(1_000_000) }
}

pub(crate) fn alert(id: &str) -> AlertRecord {
    AlertRecord {
        id: id.to_owned(),
        device: device(1),
        person: person("p1"),
        level: AlertLevel::Rising,
        raised_at: at(10),
        reasons: vec![Reason {
            text: "sweat up 3 uS in 4 minutes".to_owned(),
            feature: "scl_slope".to_owned(),
            value: 0.75,
            usual: Some(0.1),
            unit: "uS/min".to_owned(),
            contribution: 1.5,
        }],
        quality: 0.9,
        score: 0.6,
    }
}

/// A process that runs one of this binary's `child_...` tests on a folder.
pub(crate) struct Process {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

const FOLDER: &str = "STORE_TEST_FOLDER";
const NAME: &str = "STORE_TEST_NAME";

impl Process {
    pub(crate) fn start(test: &str, folder: &Path, name: &str) -> Self {
        let this = std::env::current_exe().expect("this binary");
        Self::spawn(Command::new(this), test, folder, name)
    }

    /// The same, where no file may grow beyond so many blocks of 512 bytes, as on a full disk.
    pub(crate) fn start_limited(blocks: u32, test: &str, folder: &Path, name: &str) -> Self {
        let this = std::env::current_exe().expect("this binary");
        let mut shell = Command::new("sh");
        // The signal that goes with it would end the process; ignored, writing fails instead.
        shell.args(["-c", r#"trap '' XFSZ; ulimit -f "$0"; exec "$@""#, &blocks.to_string()]);
        shell.arg(this);
        Self::spawn(shell, test, folder, name)
    }

    fn spawn(mut command: Command, test: &str, folder: &Path, name: &str) -> Self {
        let mut child = command
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .env(NAME, name)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process of this binary");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// The next line that the child said with [`say`]; `None` when it has ended.
    pub(crate) fn hear(&mut self) -> Option<String> {
        self.lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, said) = line.split_once("child says ")?;
            Some(said.to_owned())
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a child was asked to do; `None` where the test was not run as a child.
pub(crate) fn asked() -> Option<(Store, String)> {
    let folder = std::env::var_os(FOLDER)?;
    Some((open(Path::new(&folder)), std::env::var(NAME).expect("set with the folder")))
}

/// Standard output is flushed with each line: what was said is heard, though the child is killed.
pub(crate) fn say(what: impl Debug) {
    println!("child says {what:?}");
}
