//! What the detector computes against what NeuroKit2, scipy, numpy and hrv-analysis compute
//! from the same samples: its formulas on single windows, and what it finds live.

mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use biosignal::{Channel, recording::Recording};
use clap::Args;
use detector::{BeatClass, FeatureVector, batch, classify, find_peaks_msptd};
use serde_json::Value;

const SYNTHETIC: &str = include_str!("../../../../models/golden/window.json");
const BEATS: &str = include_str!("../../../../models/golden/beats.json");
const RECORDED: &str = include_str!("../../../../models/golden/recorded.json");
const WINDOW_S: usize = 60;
const PULSE_HZ: f64 = 64.0;
const SLOW_PERIOD_US: u32 = 250_000;

/// Arguments of `tidewatch study parity`.
#[derive(Args)]
pub(crate) struct ParityArgs {
    /// The folder with the recordings whose windows the reference values are of; without it
    /// only synthetic windows are compared.
    recordings: Option<PathBuf>,
}

/// What was compared so far of one feature.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    reference: &'static str,
    tolerance: f64,
    windows: usize,
    largest: f64,
}

/// By feature.
type Table = BTreeMap<(&'static str, How), Row>;

/// How a value came about that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// By the detector's formula, from a window that stands alone.
    Formula,
    /// By the whole detector, from all that it heard before.
    Live,
}

impl How {
    const fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::Live => "live",
        }
    }
}

/// Prints the table; exit code 3 where anything is outside of its tolerance.
pub(crate) fn execute(args: &ParityArgs) -> anyhow::Result<ExitCode> {
    let table = compare(args.recordings.as_deref())?;
    print(&table)?;
    let within = table.values().all(|row| row.largest <= row.tolerance);
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn print(table: &Table) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "{:<22} {:<8} {:<34} {:>7} {:>12} {:>9}",
        "feature", "found", "reference", "windows", "largest", "tolerance"
    )?;
    for ((feature, how), Row { reference, tolerance, windows, largest }) in table {
        let how = how.name();
        let verdict = if largest <= tolerance { "within" } else { "OUTSIDE" };
        writeln!(
            out,
            "{feature:<22} {how:<8} {reference:<34} {windows:>7} {largest:>12.1e} {tolerance:>9.0e} {verdict}"
        )?;
    }
    let outside = table.values().filter(|row| row.largest > row.tolerance).count();
    let verdict =
        if outside == 0 { "All are within.".to_owned() } else { format!("{outside} are OUTSIDE.") };
    writeln!(
        out,
        "\n{verdict} largest: the largest difference, in parts of the reference where that is above 1. \
         formula: a window that stands alone; live: the whole detector, after all that came before."
    )
}

fn compare(recordings: Option<&Path>) -> anyhow::Result<Table> {
    let mut table = Table::new();
    synthetic(&mut table)?;
    let Some(folder) = recordings else { return Ok(table) };
    let recorded: Value = serde_json::from_str(RECORDED)?;
    let windows = recorded["windows"].as_array().context("no recorded windows")?;
    let moments = live::moments()?;
    let names: BTreeSet<&str> = moments.iter().map(|moment| moment.recording.as_str()).collect();
    for name in names {
        let file = folder.join(format!("{name}.zip"));
        let bytes = std::fs::read(&file).with_context(|| {
            format!(
                "cannot read {}: parity needs the recordings of Iqbal et al. 2022 that reference \
                 values are of; name no folder to compare made-up windows alone",
                file.display()
            )
        })?;
        let recording = Recording::from_zip(&bytes)?;
        for window in windows.iter().filter(|window| window["recording"] == name) {
            let start = window["start_s"].as_u64().context("a window without a start")?;
            recorded_window(&mut table, window, &recording, usize::try_from(start)?)?;
        }
        let of = moments.iter().filter(|moment| moment.recording == name);
        live::compare(&mut table, of, &recording)?;
    }
    Ok(table)
}

/// The synthetic window and the synthetic beats.
fn synthetic(table: &mut Table) -> anyhow::Result<()> {
    let beats: Value = serde_json::from_str(BEATS)?;
    let peaks = indices(&beats["peaks_ms"]);
    note(table, "beat_classes", How::Formula, differing(&peaks, 1000.0, &beats["classes"]));
    let [times, values, hz, power] =
        ["times_s", "intervals_ms", "hz", "power"].map(|name| numbers(&beats["lomb"][name]));
    let found = detector::lomb(&times, &values, &hz);
    let differences = found.iter().zip(&power).map(|(found, power)| relative(*found, *power));
    note(table, "lf_hf", How::Formula, differences.max_by(f64::total_cmp).unwrap_or(f64::NAN));
    let window: Value = serde_json::from_str(SYNTHETIC)?;
    let pulse = numbers(&window["reference"]["pulse"]["clean"]);
    let reference = &window["reference"]["pulse"];
    let peaks = detector::find_peaks(&pulse, PULSE_HZ);
    note(table, "beats", How::Formula, apart(&peaks, &indices(&reference["peaks"])));
    note(
        table,
        "beats_msptd",
        How::Formula,
        apart(&find_peaks_msptd(&pulse, 64), &indices(&reference["msptd_peaks"])),
    );
    Ok(())
}

fn recorded_window(
    table: &mut Table,
    window: &Value,
    recording: &Recording,
    start: usize,
) -> anyhow::Result<()> {
    let pulse = samples(recording, Channel::Bvp, start)?;
    let peaks = batch::pulse_peaks(&pulse, PULSE_HZ);
    let band = batch::pulse_band(&pulse, PULSE_HZ);
    note(table, "beats", How::Formula, apart(&peaks, &indices(&window["peaks"])));
    let second = find_peaks_msptd(&band, 64);
    note(table, "beats_msptd", How::Formula, apart(&second, &indices(&window["msptd_peaks"])));
    note(table, "beat_classes", How::Formula, differing(&peaks, PULSE_HZ, &window["classes"]));
    features(table, &batch::heart(&peaks, PULSE_HZ), &window["heart"]);
    let skin = batch::skin(&samples(recording, Channel::Eda, start)?, SLOW_PERIOD_US);
    features(table, &skin, &window["skin"]);
    responses(table, &skin, &window["skin"]["scr"]);
    let warmth = samples(recording, Channel::SkinTemperature, start)?;
    let slope = batch::slope(&warmth, SLOW_PERIOD_US).context("a slope")?;
    note(
        table,
        "temperature_slope",
        How::Formula,
        relative(slope, number(&window["skin"]["temperature_slope"])),
    );
    let axes = samples(recording, Channel::Acceleration, start)?;
    let rows: Vec<[f64; 3]> = axes.chunks_exact(3).map(|row| [row[0], row[1], row[2]]).collect();
    let motion = batch::motion(&rows);
    features(table, &motion, &window["motion"]);
    for (ours, theirs) in [("posture_pitch", "pitch_deg"), ("posture_roll", "roll_deg")] {
        let found = motion.get(ours).context(ours)?;
        note(table, ours, How::Formula, relative(found, number(&window["motion"][theirs])));
    }
    Ok(())
}

/// Compares every feature that the reference has under the same name.
fn features(table: &mut Table, found: &FeatureVector, reference: &Value) {
    for (name, value) in found.iter() {
        if let Some(expected) = reference[name].as_f64() {
            note(table, name, How::Formula, relative(value, expected));
        }
    }
}

fn responses(table: &mut Table, skin: &FeatureVector, reference: &Value) {
    let expected: Vec<Vec<f64>> =
        reference.as_array().map(|rows| rows.iter().map(numbers).collect()).unwrap_or_default();
    let count = expected.iter().fold(0.0, |count, _| count + 1.0);
    let amplitude = expected.iter().map(|response| response[1]).sum::<f64>();
    let rise = expected.iter().map(|response| response[2]).sum::<f64>() / count;
    for (name, expected) in [("scr_rate", count), ("scr_amplitude", amplitude), ("scr_rise", rise)]
    {
        if let Some(found) = skin.get(name).filter(|_| expected.is_finite()) {
            note(table, name, How::Formula, relative(found, expected));
        }
    }
}

fn note(table: &mut Table, feature: &'static str, how: How, difference: f64) {
    let (reference, tolerance) = match how {
        How::Formula => reference_of(feature),
        How::Live => ("definition in numpy and scipy", 1e-9),
    };
    let row = table.entry((feature, how)).or_insert(Row { reference, tolerance, ..Row::default() });
    row.windows += 1;
    // What cannot be compared is outside.
    row.largest = if difference.is_nan() { f64::INFINITY } else { row.largest.max(difference) };
}

fn reference_of(feature: &str) -> (&'static str, f64) {
    match feature {
        "beats" => ("NeuroKit2 ppg_findpeaks elgendi", 0.0),
        "beats_msptd" => ("NeuroKit2 ppg_findpeaks charlton", 0.0),
        "beat_classes" => ("NeuroKit2 signal_fixpeaks kubios", 0.0),
        "lf_hf" => ("scipy lombscargle", 1e-8),
        "heart_rate" | "sdnn" | "rmssd" | "pnn50" => ("hrv-analysis time domain", 1e-9),
        "scl" => ("numpy median", 1e-9),
        "scl_slope" | "temperature_slope" => ("numpy polyfit", 1e-9),
        "scr_rate" | "scr_amplitude" | "scr_rise" => ("scipy find_peaks", 1e-9),
        "phasic_deviation" => ("scipy sosfilt, numpy std", 1e-9),
        "posture_pitch" | "posture_roll" => ("scipy sosfilt", 1e-9),
        "stereotypy_rate" | "stereotypy" | "stereotypy_band" | "stereotypy_repeats" => {
            ("scipy welch", 1e-9)
        }
        _ => ("numpy", 1e-12),
    }
}

/// How many intervals are of another class than in the reference.
fn differing(peaks: &[usize], rate_hz: f64, reference: &Value) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut intervals: Vec<f64> =
        peaks.windows(2).map(|pair| number(pair[1] - pair[0]) / rate_hz).collect();
    intervals.insert(0, intervals.iter().sum::<f64>() / number(intervals.len()));
    let found = classify(&intervals);
    let classes = [
        ("ectopic", BeatClass::Ectopic),
        ("missed", BeatClass::Missed),
        ("extra", BeatClass::Extra),
        ("longshort", BeatClass::LongShort),
    ];
    let wrong = classes.map(|(name, class)| {
        let of: Vec<usize> = (0..found.len()).filter(|at| found[*at] == class).collect();
        apart(&of, &indices(&reference[name]))
    });
    wrong.iter().sum()
}

/// How many peaks only one of the two has.
fn apart(found: &[usize], expected: &[usize]) -> f64 {
    let missing = |one: &[usize], other: &[usize]| {
        u32::try_from(one.iter().filter(|peak| !other.contains(peak)).count()).unwrap_or(u32::MAX)
    };
    f64::from(missing(found, expected) + missing(expected, found))
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs().max(1.0)
}

/// The samples of a window in physical units, axes interleaved.
fn samples(recording: &Recording, channel: Channel, start: usize) -> anyhow::Result<Vec<f64>> {
    let track = recording.track(channel).with_context(|| format!("no {channel}"))?;
    let a_second = 1_000_000 / usize::try_from(track.period_us)? * channel.components();
    let part = track.samples.get(start * a_second..(start + WINDOW_S) * a_second);
    let steps = part.with_context(|| format!("{channel} ends before second {start}"))?;
    Ok(steps.iter().map(|step| f64::from(*step) * channel.scale()).collect())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().map(|list| list.iter().map(number).collect()).unwrap_or_default()
}

fn indices(value: &Value) -> Vec<usize> {
    let index = |value: &Value| value.as_u64().and_then(|index| usize::try_from(index).ok());
    value.as_array().map(|list| list.iter().filter_map(index).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use detector::Feature;

    use super::*;

    #[test]
    fn everything_is_within_its_tolerance() -> anyhow::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/recordings/stress-predict");
        let recordings = folder.exists().then_some(folder.as_path());
        if recordings.is_none() {
            println!("{} is absent: only synthetic windows are compared", folder.display());
        }
        let table = compare(recordings)?;
        for (feature, row) in &table {
            assert!(row.windows > 0 && row.largest <= row.tolerance, "{feature:?}: {row:?}");
        }
        let live = |name: &&str| table.contains_key(&(*name, How::Live));
        let missing: Vec<_> =
            Feature::ALL.map(Feature::name).into_iter().filter(|name| !live(name)).collect();
        assert!(recordings.is_none() || missing.is_empty(), "not compared live: {missing:?}");
        Ok(())
    }

    #[test]
    fn what_cannot_be_compared_is_outside() {
        let mut table = Table::new();
        note(&mut table, "scl", How::Formula, relative(1.0, f64::NAN));
        assert_eq!(table[&("scl", How::Formula)].largest, f64::INFINITY);
    }
}
