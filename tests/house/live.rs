//! Eight bands at full rate: nothing missing, nothing doubled, in time, at what cost.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tests::{Bands, House, Roles, Tablet, Usage, percentiles, program, recording, until};

const RECORDINGS: [&str; 8] = ["S01", "S02", "S04", "S05", "S06", "S07", "S08", "S09"];

/// Seconds of live data: one minute in the checks, more by hand with
/// `TIDEWATCH_LIVE_SECONDS=600`.
fn seconds() -> u64 {
    std::env::var("TIDEWATCH_LIVE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60)
}

#[tokio::test]
async fn eight_bands_live() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bands = Bands::start(folder.path(), &scenario()).await?;
    let house = House::start(folder.path(), &bands.bus, Roles::Hub).await?;
    let tablet = Tablet::set_up(&house.address()).await?;
    for band in &bands.bands {
        tablet.put_on(&format!("Person {}", band.band), &band.device).await?;
    }
    until("every band to be seen", Duration::from_secs(60), || async {
        Ok(tablet.cards().await?.iter().all(|card| card.last_sample_at.is_some()))
    })
    .await?;

    let before = usage(&house, &bands)?;
    let began = SystemTime::now();
    let delays = tablet.painted(bands.bands.len(), Duration::from_secs(seconds())).await?;
    let lasted = began.elapsed()?.as_secs_f64();
    for ((name, before), (_, after)) in before.iter().zip(usage(&house, &bands)?) {
        let share = 100.0 * (after.cpu_s - before.cpu_s) / lasted;
        println!("{name:<13} {share:5.1} % of one core, {:6.1} MiB resident", after.memory_mib);
    }
    let [p50, p95, p99] = percentiles(&delays);
    println!(
        "from a sample's measurement to the frame of Chromium that shows it ({} frames): \
         p50 {p50:.2} s, p95 {p95:.2} s, p99 {p99:.2} s",
        delays.len()
    );

    let ended = micros(SystemTime::now())? - 5_000_000;
    for (band, name) in bands.bands.iter().zip(RECORDINGS) {
        let shift = band.shift_us.context("the band plays a recording")?;
        let window = (micros(began)? - shift, ended - shift);
        nothing_is_missing(folder.path(), name, &band.device, shift, window).await?;
    }
    for band in &bands.bands {
        reproduced(&house, &band.device).await?;
    }
    house.stop().await
}

fn scenario() -> String {
    let bands = RECORDINGS.iter().enumerate().map(|(index, name)| {
        format!(
            "[[band]]\naddress = \"C0:FF:EE:00:00:1{index}\"\nname = \"TW-001{index}\"\n\
             body = {{ recording = {:?}, start = \"20min\" }}\nworn_before = \"15min\"\n\
             clock_drift_ppm = {:.1}\n",
            recording(&format!("{name}.zip")),
            12.0 * index as f64 - 48.0
        )
    });
    format!("seed = 8\n{}", bands.collect::<String>())
}

fn usage(house: &House, bands: &Bands) -> Result<Vec<(String, Usage)>> {
    let mut all = vec![("firmware-sim".to_owned(), Usage::of(bands.process.id())?)];
    for (role, process) in house.processes() {
        all.push((role.to_owned(), Usage::of(process.id())?));
    }
    Ok(all)
}

async fn nothing_is_missing(
    folder: &Path,
    name: &str,
    device: &str,
    shift: i64,
    (from, until): (i64, i64),
) -> Result<()> {
    let output = tokio::process::Command::new(program("tidewatch")?)
        .args(["study", "compare"])
        .arg(recording(&format!("{name}.zip")))
        .arg("--store")
        .arg(folder.join("data"))
        .args(["--device", device, "--shift-us", &shift.to_string()])
        .args(["--from-us", &from.to_string(), "--until-us", &until.to_string()])
        .output()
        .await?;
    let table = String::from_utf8_lossy(&output.stdout);
    println!("{name} on {device}\n{table}");
    anyhow::ensure!(
        output.status.success(),
        "{name}: {}\n{table}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The same raw data gives the same assessments, byte for byte.
async fn reproduced(house: &House, device: &str) -> Result<()> {
    let output = tokio::process::Command::new(program("tidewatch")?)
        .args(["reproduce", "--device", device, "--config"])
        .arg(house.config())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    anyhow::ensure!(
        output.status.success(),
        "{}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn micros(time: SystemTime) -> Result<i64> {
    Ok(i64::try_from(time.duration_since(UNIX_EPOCH)?.as_micros())?)
}
