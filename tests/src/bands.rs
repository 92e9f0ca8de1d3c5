//! Virtual wristbands in a process of their own, on a private D-Bus.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;

use crate::Process;

/// The bands and their radio.
pub struct Bands {
    /// The process that plays them.
    pub process: Process,
    /// D-Bus address of their radio.
    pub bus: String,
    /// The bands, in the order of the scenario.
    pub bands: Vec<Band>,
    orders: ChildStdin,
}

/// One band as the simulation announces it.
#[derive(Clone, Debug, Deserialize)]
pub struct Band {
    /// Its number, from 1.
    pub band: usize,
    /// Its id in the house.
    pub device: String,
    /// True UTC of a played sample less its time in the recording, microseconds.
    #[serde(default)]
    pub shift_us: Option<i64>,
    /// Where in the recording the playing began, microseconds UTC of the recording.
    #[serde(default)]
    pub plays_from_us: Option<i64>,
}

#[derive(Deserialize)]
struct Ready {
    bus: String,
    bands: Vec<Band>,
}

impl Bands {
    /// Starts the bands of a scenario, written into `folder`.
    ///
    /// # Errors
    /// Where they do not come up within 20 s.
    pub async fn start(folder: &Path, scenario: &str) -> Result<Self> {
        let file = folder.join("bands.toml");
        std::fs::write(&file, scenario)?;
        let args = ["run".as_ref(), file.as_os_str()];
        let pipes = [Stdio::piped(), Stdio::piped(), Stdio::inherit()];
        let mut process = Process::start("firmware-sim", &args, &[], pipes)?;
        let orders = process.child().stdin.take().context("standard input is piped")?;
        let out = process.child().stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(out).lines();
        let ready: Ready = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await? {
                if line.contains("\"ready\"") {
                    return serde_json::from_str(&line).context("the ready line");
                }
            }
            anyhow::bail!("firmware-sim ended before it was ready")
        })
        .await
        .context("firmware-sim was not ready within 20 s")??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, bus: ready.bus, bands: ready.bands, orders })
    }

    /// Tells the simulation what befalls: a line of JSON.
    ///
    /// # Errors
    /// Where the simulation is gone.
    pub async fn order(&mut self, order: &serde_json::Value) -> Result<()> {
        let line = format!("{order}\n");
        self.orders.write_all(line.as_bytes()).await.context("firmware-sim takes no orders")?;
        self.orders.flush().await.context("firmware-sim takes no orders")
    }

    /// Tells what befalls one band.
    ///
    /// # Errors
    /// Where the simulation is gone.
    pub async fn befall(&mut self, band: usize, what: &str) -> Result<()> {
        self.order(&serde_json::json!({ "band": band, "do": what })).await
    }
}
