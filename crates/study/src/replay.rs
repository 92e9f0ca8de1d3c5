//! What the detector says of recordings, hop by hop, as CSV.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use detector::Config;

use crate::crop::crop_seconds;
use crate::model_file;
use crate::run::run;
use crate::source::{Named, Sources};
use crate::words::counted;
use crate::{output, parallel, scores};

/// Arguments of `tidewatch study replay`.
#[derive(clap::Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    sources: Sources,
    /// The folder to write to, one CSV file a recording; made where it is not there.
    #[arg(long)]
    out: PathBuf,
    /// Cut 0 to 10 min off each start, drawn from this seed and the recording's name.
    #[arg(long)]
    crop: Option<u64>,
    /// The model to judge by; else the one that is built in.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Seconds from one row to the next; rows fall on multiples of it since 1970. The detector
    /// learns and decides on whole tens of seconds and only looks in between: a row on a whole
    /// ten is the same at any hop. With a hop of 1, 2, 5 or 10 every whole ten has its row; with 7
    /// only one in 70 s does.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10))]
    hop: u32,
}

/// Writes a file a recording.
pub(crate) fn execute(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let model = Arc::new(model_file::read(args.model.as_deref())?);
    let config = Config { hop_s: args.hop, ..Config::default() };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    output::check(&args.out.join("scores.csv"))?;
    let recordings = args.sources.read()?;
    let rows = parallel::try_each("replaying", &recordings, |recording: &Named| {
        let crop = args.crop.map_or(0, |seed| crop_seconds(seed, &recording.name));
        let found = run(&recording.stream.cropped(crop), &config, &model);
        scores::write(&args.out.join(format!("{}.csv", recording.name)), &found.assessments)?;
        Ok(found.assessments.len())
    })?;
    writeln!(
        stdout(),
        "{}, {}, model {}, written to {}",
        counted(recordings.len(), "recording"),
        counted(rows.iter().sum(), "row"),
        model.id(),
        args.out.display()
    )?;
    let names = recordings.iter().map(|recording| recording.name.as_str());
    if let Some(remark) = model_file::learned_from(&model, names) {
        writeln!(stdout(), "{remark}")?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        replay: ReplayArgs,
    }

    /// Five minutes of a pulse, sweat and a moving wrist.
    fn write_recording(folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        let rows = |rate: u32, value: &dyn Fn(f64) -> String| -> String {
            let samples = (0..300 * rate).map(|index| value(f64::from(index) / f64::from(rate)));
            samples.collect::<Vec<_>>().join("\n")
        };
        let file = |name: &str, head: &str, rate: u32, rows: String| {
            std::fs::write(folder.join(name), format!("{head}\n{rate}\n{rows}\n"))
                .expect("writable");
        };
        let pulse = |t: f64| format!("{:.2}", 60.0 * (t * 7.5).sin() + 20.0 * (t * 15.0).cos());
        file("BVP.csv", "1600000003", 64, rows(64, &pulse));
        file(
            "EDA.csv",
            "1600000003",
            4,
            rows(4, &|t| format!("{:.6}", 2.0 + 0.3 * (t / 9.0).sin())),
        );
        let axes = |t: f64| format!("{:.0},3,{:.0}", 4.0 * (t * 3.0).sin(), 62.0 + (t * 5.0).cos());
        file("ACC.csv", "1600000003,1600000003,1600000003", 32, rows(32, &axes));
    }

    fn replayed(recording: &Path, out: &Path, hop: &str) -> String {
        let [to, every] = ["--out", "--hop"].map(OsStr::new);
        let words = ["replay".as_ref(), recording.as_os_str(), to, out.as_os_str(), every];
        execute(&Cli::parse_from(words.into_iter().chain([hop.as_ref()])).replay).expect("it runs");
        std::fs::read_to_string(out.join("R01.csv")).expect("written")
    }

    #[test]
    fn two_replays_are_the_same_bytes_a_row_a_hop() {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = folder.path().join("R01");
        write_recording(&recording);
        let once = replayed(&recording, &folder.path().join("a"), "10");
        assert_eq!(once, replayed(&recording, &folder.path().join("b"), "10"));
        let rows: Vec<Vec<&str>> = once.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(rows[0][..6], ["time_unix", "score", "level", "quality", "state", "heart_rate"]);
        let times: Vec<i64> = rows[1..].iter().map(|row| row[0].parse().expect("whole")).collect();
        assert_eq!((times[0], times.len()), (1_600_000_010, 30));
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 10));
        assert_eq!(rows[1][1..3], ["", ""]);
        assert_eq!(rows[30][4], "learning");
        assert!(!rows[30][1].is_empty() && rows[30][2] == "0");
    }

    #[test]
    fn a_shorter_hop_adds_rows_and_changes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = folder.path().join("R01");
        write_recording(&recording);
        let usual = replayed(&recording, &folder.path().join("a"), "10");
        let dense = replayed(&recording, &folder.path().join("b"), "1");
        let is_ten = |line: &&str| {
            let time = line.split(',').next().unwrap_or_default();
            time == "time_unix" || time.ends_with('0')
        };
        let tens: Vec<&str> = dense.lines().filter(is_ten).collect();
        assert_eq!(tens, usual.lines().collect::<Vec<_>>());
        assert_eq!(dense.lines().count(), 301);
        let sevens = replayed(&recording, &folder.path().join("c"), "7");
        let shared: Vec<&str> = sevens.lines().filter(is_ten).collect();
        let seventieth = |line: &&str| {
            let time = line.split(',').next().unwrap_or_default().parse();
            time.map_or(true, |time: i64| time % 70 == 0)
        };
        assert_eq!(shared, usual.lines().filter(seventieth).collect::<Vec<_>>());
        assert!(Cli::try_parse_from(["replay", "R01", "--out", "x", "--hop", "11"]).is_err());
    }
}
