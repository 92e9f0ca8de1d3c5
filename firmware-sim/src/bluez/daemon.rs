use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};

/// A `dbus-daemon` of our own, in its own folder, that ends with us.
///
/// A shell stands between: it waits on a pipe that we hold, and ends the daemon and
/// removes the folder when the pipe closes, which it does however we end.
#[derive(Debug)]
pub(crate) struct PrivateBus {
    address: String,
    guard: Child,
    lifeline: Option<ChildStdin>,
    _folder: TempDir,
}

const GUARD: &str = r#""$1" --config-file="$2/bus.conf" --nofork --nopidfile --print-address=1 &
exec >&- 2>&-
while read -r _; do :; done
kill $!
wait $!
rm -rf "$2" "$3""#;

const STARTS_WITHIN: Duration = Duration::from_secs(10);
const STOPS_WITHIN: Duration = Duration::from_secs(5);

impl PrivateBus {
    /// Starts the bus, at a socket of that path if one is given.
    pub(crate) async fn start(socket: Option<&Path>) -> anyhow::Result<Self> {
        let daemon = find_daemon()?;
        let folder = tempfile::Builder::new().prefix("firmware-sim-").tempdir()?;
        let own = folder.path().join("bus");
        let socket = socket.unwrap_or(&own);
        std::fs::write(folder.path().join("bus.conf"), configuration(socket))?;
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .args([daemon.as_path(), folder.path(), socket])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("starting the dbus-daemon")?;
        let lifeline = guard.stdin.take();
        let stdout = guard.stdout.take().context("the dbus-daemon has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(STARTS_WITHIN, lines.next_line())
            .await
            .context("the dbus-daemon does not start")??;
        let stderr = guard.stderr.take().context("the dbus-daemon has no error output")?;
        let mut complaints = BufReader::new(stderr).lines();
        let Some(address) = line else {
            let why = complaints.next_line().await?.unwrap_or_default();
            bail!("the dbus-daemon ended at once: {why}");
        };
        tokio::spawn(log(complaints));
        Ok(Self { address, guard, lifeline, _folder: folder })
    }

    /// The bus's address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends the daemon and waits until it is gone.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.lifeline.take());
        tokio::time::timeout(STOPS_WITHIN, self.guard.wait())
            .await
            .context("the dbus-daemon does not stop")??;
        Ok(())
    }
}

async fn log(mut complaints: Lines<BufReader<ChildStderr>>) {
    while let Ok(Some(line)) = complaints.next_line().await {
        tracing::debug!(line, "dbus-daemon");
    }
}

fn find_daemon() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("dbus-daemon"));
    match found.into_iter().find(|program| program.exists()) {
        Some(program) => Ok(program),
        None => {
            bail!("dbus-daemon is not installed (Debian and Ubuntu: the package `dbus-daemon`)")
        }
    }
}

/// Everybody who can reach the socket may do everything; only we can reach it.
fn configuration(socket: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>firmware-sim</type>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"#,
        socket.display()
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn the_bus_is_there_until_it_is_stopped() {
        let bus = PrivateBus::start(None).await.expect("dbus-daemon is installed");
        let path = bus.address().strip_prefix("unix:path=").expect("it listens on a path");
        let socket = path.split(',').next().expect("a path").to_owned();
        UnixStream::connect(&socket).expect("it listens");
        bus.stop().await.expect("it stops");
        UnixStream::connect(&socket).expect_err("nobody is left");
        assert!(!Path::new(&socket).parent().expect("in its folder").exists());
    }

    #[tokio::test]
    async fn a_bus_that_cannot_be_says_why() {
        let error = PrivateBus::start(Some(Path::new("/no/such/folder/bus"))).await;
        let error = error.expect_err("the folder is not there").to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }

    #[tokio::test]
    async fn a_bus_that_is_dropped_goes_away() {
        let bus = PrivateBus::start(None).await.expect("dbus-daemon is installed");
        let path = bus.address().strip_prefix("unix:path=").expect("it listens on a path");
        let socket = path.split(',').next().expect("a path").to_owned();
        drop(bus);
        while UnixStream::connect(&socket).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
