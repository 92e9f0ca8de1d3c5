//! A test on a bus of its own.

use std::env;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use firmware_sim::{Event, Scenario, Simulation};
use tokio::sync::broadcast::Receiver;

const SOCKET: &str = "FIRMWARE_SIM_TEST_SOCKET";

/// Nothing takes longer, or it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test's body with btleplug's bus at a fresh socket, which the body is given.
///
/// btleplug takes the address from the environment, and a process cannot safely change
/// its own: so the test runs itself again, with the address set.
pub(crate) fn on_own_bus<F: Future<Output = ()>>(test: &str, body: impl FnOnce(PathBuf) -> F) {
    if let Some(socket) = env::var_os(SOCKET) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(body(socket.into()));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("bus");
    let status = Command::new(env::current_exe().expect("this test"))
        .args([test, "--exact", "--nocapture"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", socket.display()))
        .env(SOCKET, &socket)
        .status()
        .expect("it runs again");
    assert!(status.success(), "{test} failed on its bus");
}

/// Starts the bands of a scenario.
pub(crate) async fn start(scenario: &str, socket: &Path) -> Simulation {
    let scenario = Scenario::parse(scenario, Path::new(".")).expect("the scenario is well formed");
    Simulation::start_at(scenario, socket).await.expect("the simulation starts")
}

/// Does something, given as a JSON line.
pub(crate) async fn apply(simulation: &Simulation, line: &str) {
    let command = serde_json::from_str(line).expect("a command");
    simulation.apply(command).await.expect("it can be done");
}

/// Waits for an event.
pub(crate) async fn until(events: &mut Receiver<Event>, wanted: impl Fn(&Event) -> bool) {
    let found = async {
        loop {
            let event = events.recv().await.expect("the simulation runs");
            if wanted(&event) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the event comes");
}
