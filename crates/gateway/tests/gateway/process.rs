//! The gateway as a process of its own: the bus that it talks to is a matter of its
//! environment, and it can be killed.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use biosignal::SiteId;
use bus::Endpoint;
use gateway::Config;
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::sync::CancellationToken;

const CONFIG: &str = "TIDEWATCH_TEST_CONFIG";
const DATA_DIR: &str = "TIDEWATCH_TEST_DATA_DIR";
const PORT: &str = "TIDEWATCH_TEST_PORT";

pub(crate) fn site() -> SiteId {
    SiteId::new("house-1").unwrap()
}

/// A running gateway. It ends with the test, whichever way that ends.
pub(crate) struct Gateway {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Gateway {
    /// `config` is JSON.
    pub(crate) fn start(bus_address: &str, port: u16, data_dir: &Path, config: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "process::gateway_process"])
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus_address)
            .env(CONFIG, config)
            .env(DATA_DIR, data_dir)
            .env(PORT, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        Self { child, stdin }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop; says whether it did so in good order.
    pub(crate) async fn stop(mut self) -> bool {
        drop(self.stdin.take());
        let ended = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await;
        ended.expect("it stops in time").unwrap().success()
    }

    /// CPU time used so far, seconds, and resident memory, MiB.
    pub(crate) fn usage(&self) -> (f64, u64) {
        let pid = self.child.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        let pages: u64 = fields[21].parse().unwrap();
        ((ticks(11) + ticks(12)) / 100.0, (pages * 4096) >> 20)
    }
}

/// Not a test: what [`Gateway::start`] runs. It stops when its standard input ends.
#[tokio::test]
#[ignore = "run by the other tests, as a process of its own"]
async fn gateway_process() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    tracing_subscriber::fmt()
        .with_env_filter(std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()))
        .with_writer(std::io::stderr)
        .init();
    let config: Config = serde_json::from_str(&config).unwrap();
    let port = std::env::var(PORT).unwrap().parse().unwrap();
    let data_dir = std::env::var(DATA_DIR).unwrap().into();
    let endpoint = Endpoint { port, ..Endpoint::default() };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    std::thread::spawn(move || {
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        stop.cancel();
    });
    gateway::run(site(), config, endpoint, data_dir, shutdown).await.unwrap();
}
