//! How well heart beats are found live, against whole recordings and against NeuroKit2.

mod heart;
mod matching;
mod row;
mod wave;
mod windows;

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use detector::{Assessment, Config, batch, default_model, find_peaks_msptd};

use crate::parallel;
use crate::run::run;
use crate::source::{Named, Sources};
use crate::table::Table;
use crate::words::counted;
use heart::Heart;
use matching::matched;
use row::{Row, Source, rows};
use wave::Wave;
use windows::{Stretch, Windows};

/// Arguments of `tidewatch study beats`.
#[derive(clap::Args)]
pub(crate) struct BeatsArgs {
    #[command(flatten)]
    sources: Sources,
    /// NeuroKit2's beats of the same recordings, as `models/peers/neurokit_beats.py` writes
    /// them: a folder with RECORDING.csv, one column `peak_s`.
    #[arg(long)]
    neurokit: Option<PathBuf>,
    /// From this standard deviation of the norm of acceleration on, g, a window is a moving one.
    #[arg(long, default_value_t = MOVING_G)]
    moving_from: f64,
}

/// Half of the windows of the 20 recordings move less.
const MOVING_G: f64 = 0.025;

/// All that is compared of a recording.
struct Compared {
    windows: Windows,
    sources: BTreeMap<Source, Found>,
    /// Live beats that the whole recording does not show, and those of them that a second
    /// detector of another kind finds too.
    unconfirmed: [usize; 2],
}

/// What one way of finding beats found.
struct Found {
    /// Unix seconds.
    beats: Vec<f64>,
    /// What the heart did, window by window.
    hearts: Vec<Heart>,
}

/// Prints the table.
pub(crate) fn execute(args: &BeatsArgs) -> anyhow::Result<ExitCode> {
    ensure!(args.moving_from > 0.0, "--moving-from takes a positive number, g");
    let all = compare(args)?;
    let whole: usize = all.iter().map(|it| it.windows.len()).sum();
    ensure!(whole > 0, "no recording is long enough for a window of 60 s");
    let share = |stretch| {
        let count: usize = all.iter().map(|it| it.windows.count(stretch)).sum();
        100.0 * count as f64 / whole as f64
    };
    let mut out = stdout().lock();
    writeln!(out, "{}, windows of 60 s", counted(all.len(), "recording"))?;
    for stretch in Stretch::EVERY {
        writeln!(out, "{:<7} {:>5.1} % of the time", stretch.name(), share(stretch))?;
    }
    writeln!(out, "\n{}", Row::HEAD)?;
    for row in rows(&all) {
        writeln!(out, "{row}")?;
    }
    writeln!(out)?;
    let [extra, confirmed] =
        all.iter().fold([0, 0], |sum, it| [0, 1].map(|at| sum[at] + it.unconfirmed[at]));
    writeln!(
        out,
        "{extra} live beats are not in the batch; MSPTDfast, of another kind, finds {confirmed} of them too.\n"
    )?;
    for note in NOTES {
        writeln!(out, "{note}")?;
    }
    Ok(ExitCode::SUCCESS)
}

const NOTES: [&str; 17] = [
    "clean: still, and in the batch Elgendi and MSPTDfast agree on 90 % of the beats or more. still, moving: the norm of",
    "acceleration scatters by less, or not by less, than --moving-from.",
    "live: causal, sample by sample, the threshold from the last minute. batch: the same filter, the threshold from the",
    "whole recording. NeuroKit2: ppg_clean and ppg_findpeaks (elgendi), which filters forwards and backwards. features:",
    "heart_rate and rmssd as the running detector had them at the window's end: without the beats of the last seconds,",
    "which it is not told of yet, and with intervals from steepest rise to steepest rise where all others have them from",
    "top to top.",
    "beats: of the second. recall: of these, found by the first within 50 ms. precision: of the first's, in the second.",
    "lag: by how much the first is later, the median over all; one lag for all is taken off before beats are matched.",
    "HR, RMSSD: mean absolute difference over the windows in which both have it: at least 60 % of the window covered by",
    "intervals that are plausible (0.3 to 2 s) and normal (Lipponen & Tarvainen 2019); of those the ones within a quarter",
    "of their median, no difference across a gap.",
    "same beats: the difference of HR over those of them in which each has every beat of the other. What is left there",
    "comes from intervals that only one of the two counts, since what correction takes for normal rests on 90 beats around.",
    "Beats of the batch and of NeuroKit2 lie on samples of 1/64 s, live ones between them. On the same filtered wave the",
    "batch finds NeuroKit2's very beats (`study parity`): what they differ by is the filter, a symmetric one here too, but",
    "one that needs no more than 0.84 s of what comes after.",
];

fn compare(args: &BeatsArgs) -> anyhow::Result<Vec<Compared>> {
    let recordings = args.sources.read()?;
    parallel::try_each("finding beats", &recordings, |recording| {
        of_recording(recording, args).with_context(|| recording.name.clone())
    })
}

fn of_recording(recording: &Named, args: &BeatsArgs) -> anyhow::Result<Compared> {
    let wave = Wave::of(&recording.stream)?;
    let whole = wave.times(&batch::pulse_peaks(&wave.samples, wave.rate_hz()));
    let second = second_opinion(&wave);
    let windows = Windows::of(&recording.stream, &wave, [&whole, &second], args.moving_from);
    let live: Vec<f64> = batch::live_pulse_peaks(&wave.samples, wave.period_us)
        .into_iter()
        .map(|at| wave.start + at)
        .collect();
    let unconfirmed = unconfirmed(&live, &whole, &second);
    let mut sources = BTreeMap::new();
    let features = run(&recording.stream, &Config::default(), &Arc::new(default_model()));
    let hearts = windows.each().map(|window| said(&features.assessments, window.end)).collect();
    sources.insert(Source::Features, Found { beats: Vec::new(), hearts });
    if let Some(folder) = &args.neurokit {
        let beats = peaks(&folder.join(format!("{}.csv", recording.name)), wave.start)?;
        sources.insert(Source::NeuroKit, Found::of(beats, &windows));
    }
    sources.insert(Source::Batch, Found::of(whole, &windows));
    sources.insert(Source::Live, Found::of(live, &windows));
    Ok(Compared { windows, sources, unconfirmed })
}

impl Found {
    fn of(beats: Vec<f64>, windows: &Windows) -> Self {
        let hearts = batch::hearts(&beats, windows.each()).iter().map(Heart::of).collect();
        Self { beats, hearts }
    }
}

/// What the running detector's features say of the window that ends then.
fn said(assessments: &[Assessment], end: i64) -> Heart {
    let at = assessments.iter().find(|it| it.at.as_micros() == end * 1_000_000);
    at.map_or_else(Heart::default, |it| Heart::of(&it.features))
}

/// The beats of a detector of another kind on the same filtered wave.
fn second_opinion(wave: &Wave) -> Vec<f64> {
    let filtered = batch::pulse_band(&wave.samples, wave.rate_hz());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sensor's rate")]
    let rate_hz = wave.rate_hz().round() as usize;
    wave.times(&find_peaks_msptd(&filtered, rate_hz))
}

fn unconfirmed(live: &[f64], whole: &[f64], second: &[f64]) -> [usize; 2] {
    let known = matched(live, whole, 0.0);
    let confirmed = matched(live, second, 0.0);
    let extra = known.iter().zip(confirmed).filter(|(known, _)| !**known);
    extra.fold([0, 0], |[all, too], (_, second)| [all + 1, too + usize::from(second)])
}

/// Reads beats, s from the first sample of the pulse wave, as unix seconds.
fn peaks(path: &Path, start: f64) -> anyhow::Result<Vec<f64>> {
    let mut table = Table::open(path)?;
    let column = table.column("peak_s")?;
    let mut peaks: Vec<f64> = Vec::new();
    while let Some(row) = table.next_row()? {
        let peak = start + row.number(column)?;
        if peaks.last().is_some_and(|before| *before >= peak) {
            return Err(row.complain(column, "peaks are not in the order of time"));
        }
        peaks.push(peak);
    }
    Ok(peaks)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::row::row;
    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        beats: BeatsArgs,
    }

    fn recording() -> Option<PathBuf> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/recordings/stress-predict/S02.zip");
        let there = file.exists().then_some(file.clone());
        if there.is_none() {
            println!("{} is absent: nothing was tested", file.display());
        }
        there
    }

    fn args(words: &[&std::ffi::OsStr]) -> BeatsArgs {
        let command = std::iter::once("beats".as_ref()).chain(words.iter().copied());
        Cli::parse_from(command).beats
    }

    #[test]
    fn live_beats_of_a_still_wrist_are_those_of_the_whole_recording() -> anyhow::Result<()> {
        let Some(file) = recording() else { return Ok(()) };
        let all = compare(&args(&[file.as_os_str()]))?;
        let of = |stretch| row(&all, Source::Live, Source::Batch, stretch).expect("both are there");
        let (clean, moving) = (of(Stretch::Clean), of(Stretch::Moving));
        let still = of(Stretch::Still);
        assert!(clean.recall() > 0.98 && clean.precision() > 0.97, "{clean}");
        assert!(clean.lag_s.abs() < 0.01, "{clean}");
        assert!(clean.rate.mean().is_some_and(|bpm| bpm < 1.0), "{clean}");
        assert!(clean.rate_of_same.mean().is_some_and(|bpm| bpm < 0.5), "{clean}");
        assert!(clean.beats < still.beats);
        assert_eq!(of(Stretch::All).beats, still.beats + moving.beats);
        assert!(row(&all, Source::Live, Source::NeuroKit, Stretch::All).is_none());
        Ok(())
    }

    /// The whole recording's beats, written as if they were NeuroKit2's, and later by a lag.
    #[test]
    fn beats_from_a_file_are_compared_less_their_lag() -> anyhow::Result<()> {
        let Some(file) = recording() else { return Ok(()) };
        let folder = tempfile::tempdir()?;
        let stream = crate::stream::Stream::of(&crate::source::recording(&file)?);
        let wave = Wave::of(&stream)?;
        let whole = batch::pulse_peaks(&wave.samples, wave.rate_hz());
        let lines = whole.iter().map(|at| format!("{:.6}\n", *at as f64 / 64.0 - 0.125));
        std::fs::write(
            folder.path().join("S02.csv"),
            "peak_s\n".to_owned() + &lines.collect::<String>(),
        )?;
        let all =
            compare(&args(&[file.as_os_str(), "--neurokit".as_ref(), folder.path().as_os_str()]))?;
        let found = row(&all, Source::Batch, Source::NeuroKit, Stretch::All).expect("both");
        assert!((found.lag_s - 0.125).abs() < 1e-4, "{found}");
        assert!(found.recall() > 0.999 && found.precision() > 0.999, "{found}");
        Ok(())
    }

    #[test]
    fn a_file_that_is_out_of_order_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("R.csv");
        std::fs::write(&path, "peak_s\n1.5\n1.25\n").expect("writable");
        let error = peaks(&path, 0.0).expect_err("it is out of order").to_string();
        assert!(error.ends_with("line 3, column peak_s: peaks are not in the order of time"));
    }
}
