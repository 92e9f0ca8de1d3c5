//! The house's own processes: all in one, or a process for each role.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{Process, until};

/// How the house is split over processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// `tidewatch hub`.
    Hub,
    /// `tidewatch broker`, `record`, `detect`, `console` and `gateway`.
    Apart,
}

/// A running house.
pub struct House {
    folder: PathBuf,
    bus: String,
    processes: BTreeMap<&'static str, Process>,
    ports: BTreeMap<&'static str, u16>,
}

impl House {
    /// Starts the house on a data folder, with Bluetooth at a D-Bus address.
    ///
    /// # Errors
    /// Where a part does not come up.
    pub async fn start(folder: &Path, bus: &str, roles: Roles) -> Result<Self> {
        let mut house = Self {
            folder: folder.to_owned(),
            bus: bus.to_owned(),
            processes: BTreeMap::new(),
            ports: ports(&["broker", "console"])?,
        };
        let names: &[&'static str] = match roles {
            Roles::Hub => &["hub"],
            Roles::Apart => &["broker", "record", "detect", "console", "gateway"],
        };
        for role in names {
            house.start_role(role).await?;
        }
        Ok(house)
    }

    /// Starts a role and waits until it says that it is well.
    ///
    /// # Errors
    /// Where it does not come up within 30 s.
    pub async fn start_role(&mut self, role: &'static str) -> Result<()> {
        let telemetry = ports(&["telemetry"])?["telemetry"];
        let config = self.folder.join(format!("{role}.toml"));
        std::fs::write(&config, self.configuration(role, telemetry))?;
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{role}.log")))?;
        let args = [role.as_ref(), "--config".as_ref(), config.as_os_str()];
        let env = [("DBUS_SYSTEM_BUS_ADDRESS", self.bus.as_str()), ("NO_COLOR", "1")];
        let pipes = [Stdio::null(), Stdio::null(), log.into()];
        let process = Process::start("tidewatch", &args, &env, pipes)?;
        self.processes.insert(role, process);
        let health = format!("http://127.0.0.1:{telemetry}/healthz");
        until(&format!("{role} to be well"), Duration::from_secs(30), || async {
            Ok(reqwest::get(&health).await?.status().is_success())
        })
        .await
        .with_context(|| self.log(role))?;
        if matches!(role, "hub" | "console") {
            let door = format!("{}/healthz", self.address());
            until("the console to be well", Duration::from_secs(30), || async {
                Ok(reqwest::get(&door).await?.status().is_success())
            })
            .await
            .with_context(|| self.log(role))?;
        }
        Ok(())
    }

    /// `kill -9` of a role, and its start again.
    ///
    /// # Errors
    /// Where it does not come up again.
    pub async fn kill_and_restart(&mut self, role: &'static str) -> Result<()> {
        let process = self.processes.remove(role).context("no such role runs")?;
        process.kill().await?;
        self.start_role(role).await
    }

    /// The console's address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports["console"])
    }

    /// A configuration file of the house, for other commands.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.processes
            .keys()
            .next()
            .map_or_else(PathBuf::new, |role| self.folder.join(format!("{role}.toml")))
    }

    /// The processes by role.
    pub fn processes(&self) -> impl Iterator<Item = (&'static str, &Process)> {
        self.processes.iter().map(|(role, process)| (*role, process))
    }

    /// What a role has logged.
    #[must_use]
    pub fn log(&self, role: &str) -> String {
        let log = std::fs::read_to_string(self.folder.join(format!("{role}.log")));
        format!("log of {role}:\n{}", log.unwrap_or_default())
    }

    /// Asks every process to stop, and checks that each says that all went well.
    ///
    /// # Errors
    /// Where one fails or does not stop.
    pub async fn stop(mut self) -> Result<()> {
        for role in ["gateway", "console", "detect", "record", "broker", "hub"] {
            if let Some(process) = self.processes.remove(role) {
                let status = process.stop().await?;
                anyhow::ensure!(status.success(), "{role} ended with {status}\n{}", self.log(role));
            }
        }
        Ok(())
    }

    fn configuration(&self, role: &str, telemetry: u16) -> String {
        let broker = self.ports["broker"];
        let console = self.ports["console"];
        let mqtt = match role {
            "hub" | "broker" => String::new(),
            _ => format!("[mqtt]\nhost = \"127.0.0.1\"\nport = {broker}\n"),
        };
        format!(
            "site = \"house-1\"\ndata_dir = {data:?}\n{mqtt}\n[broker]\nlisten = \"127.0.0.1:{broker}\"\n\
             [console]\nlisten = \"127.0.0.1:{console}\"\n\
             [telemetry]\nlisten = \"127.0.0.1:{telemetry}\"\nlog = \"info\"\n",
            data = self.folder.join("data"),
        )
    }
}

/// Free ports, from the operating system.
fn ports(names: &[&'static str]) -> Result<BTreeMap<&'static str, u16>> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners =
        names.iter().map(|_| TcpListener::bind(any)).collect::<std::io::Result<Vec<_>>>()?;
    names
        .iter()
        .zip(&listeners)
        .map(|(name, listener)| Ok((*name, listener.local_addr()?.port())))
        .collect()
}
