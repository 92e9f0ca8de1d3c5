//! What goes in comes out: every sample of a recording, once, with its value and time,
//! whatever is killed on the way.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tests::{Band, Bands, House, Roles, program, recording, until};

const RECORDING: &str = "S02.zip";

#[tokio::test]
async fn a_recording_goes_through_the_house_whole() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bands = Bands::start(folder.path(), &worn_for_all_of_it(2_000)).await?;
    let house = House::start(folder.path(), &bands.bus, Roles::Apart).await?;
    everything_comes_out(folder.path(), &bands.bands[0]).await?;
    house.stop().await
}

#[tokio::test]
async fn a_recording_survives_the_death_of_gateway_broker_and_recorder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bands = Bands::start(folder.path(), &worn_for_all_of_it(150)).await?;
    let mut house = House::start(folder.path(), &bands.bus, Roles::Apart).await?;
    for (round, role) in
        ["gateway", "broker", "record", "broker", "gateway"].into_iter().enumerate()
    {
        let some_more = 4000 * (round + 1);
        let data = folder.path().to_owned();
        until("some more of the recording to be stored", Duration::from_secs(120), || async {
            Ok(rows(&data).await? >= some_more)
        })
        .await?;
        house.kill_and_restart(role).await?;
    }
    everything_comes_out(folder.path(), &bands.bands[0]).await?;
    house.stop().await
}

/// A band whose flash holds the whole recording.
fn worn_for_all_of_it(replay_packets_per_s: u32) -> String {
    format!(
        "seed = 2\n[[band]]\naddress = \"C0:FF:EE:00:00:02\"\nname = \"TW-0002\"\n\
         body = {{ recording = {:?} }}\nworn_before = \"all\"\nclock_drift_ppm = 20.0\n\
         replay_packets_per_s = {replay_packets_per_s}\n",
        recording(RECORDING)
    )
}

/// Asks the comparison until nothing is missing, and prints it.
async fn everything_comes_out(folder: &Path, band: &Band) -> Result<()> {
    let mut last = String::new();
    let whole = until("every sample to be stored", Duration::from_secs(240), || {
        let compared = compare(folder, band);
        async {
            let (sound, table) = compared.await?;
            Ok(sound || {
                tokio::time::sleep(Duration::from_secs(2)).await;
                anyhow::ensure!(!table.is_empty(), "the comparison printed nothing");
                false
            })
        }
    })
    .await;
    let (_, table) = compare(folder, band).await?;
    last.push_str(&table);
    println!("{last}");
    whole.with_context(|| format!("the comparison says:\n{last}"))
}

async fn compare(folder: &Path, band: &Band) -> Result<(bool, String)> {
    let shift = band.shift_us.context("the band plays a recording")?;
    let output = tokio::process::Command::new(program("tidewatch")?)
        .args(["study", "compare"])
        .arg(recording(RECORDING))
        .arg("--store")
        .arg(folder.join("data"))
        .args(["--device", &band.device, "--shift-us", &shift.to_string()])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        matches!(output.status.code(), Some(0 | 3)),
        "the comparison failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((output.status.success(), said))
}

/// How many readings the store has; about 30,000 make the recording.
async fn rows(folder: &Path) -> Result<usize> {
    let output = tokio::process::Command::new("sqlite3")
        .arg("-readonly")
        .arg(folder.join("data/tidewatch.sqlite"))
        .arg("SELECT count(*) FROM readings")
        .output()
        .await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0))
}
