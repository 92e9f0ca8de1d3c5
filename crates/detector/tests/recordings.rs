//! What holds on real wrists: the 20 recordings of people under induced stress.

#![expect(clippy::print_stdout, reason = "figures, and what was not tested")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use biosignal::{Channel, DeviceId, Reading, Timestamp, recording::Recording};
use detector::{Assessment, Cause, Config, Detector, Output, batch, default_model};

/// The recordings; none, and a word of it, where they are absent.
fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/recordings/stress-predict");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("{} is absent: nothing was tested", folder.display());
        return Vec::new();
    };
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "zip")).collect()
}

fn read(file: &Path) -> Recording {
    let bytes = std::fs::read(file).expect("it is there");
    Recording::from_zip(&bytes).expect("it is a recording")
}

fn replay(recording: &Recording) -> Vec<Assessment> {
    let mut detector = Detector::new(Config::default(), Arc::new(default_model()));
    let second = |time: Timestamp| time.as_micros() / 1_000_000;
    let mut all = recording.readings(&DeviceId::from_address([1; 6]), 500_000);
    all.sort_by_key(Reading::end);
    let (mut next, mut found) = (0, Vec::new());
    for now in second(recording.start())..second(recording.end()) {
        while all.get(next).is_some_and(|reading| reading.end() <= Timestamp::from_seconds(now)) {
            detector.push(&all[next]);
            next += 1;
        }
        let outputs = detector.tick(Timestamp::from_seconds(now));
        found.extend(outputs.into_iter().filter_map(|output| match output {
            Output::Assessment(assessment) => Some(assessment),
            Output::Alert(_) => None,
        }));
    }
    found
}

#[test]
fn worn_wrists_are_seen_almost_always_and_never_taken_for_tables() {
    for file in recordings() {
        let found = replay(&read(&file));
        let of = |cause| found.iter().filter(|a| a.cause == Some(cause)).count();
        assert_eq!(of(Cause::OffWrist), 0, "{}", file.display());
        assert_eq!(of(Cause::Frozen), 0, "{}", file.display());
        let unseen = found.iter().filter(|a| a.score.is_none()).count();
        assert!(100 * unseen <= 6 * found.len(), "{}: {unseen}", file.display());
    }
}

/// Of the beats that the whole recording shows, those found live, and the other way round.
/// The whole's threshold follows its liveliest minutes and so misses quiet beats.
#[test]
fn live_beats_are_those_of_the_whole_recording() {
    let (mut beats, mut found, mut live, mut true_live) = (0, 0, 0, 0);
    for file in recordings() {
        let recording = read(&file);
        let pulse = recording.track(Channel::Bvp).expect("a pulse wave");
        let samples: Vec<f64> =
            pulse.samples.iter().map(|step| f64::from(*step) * Channel::Bvp.scale()).collect();
        let whole: Vec<f64> =
            batch::pulse_peaks(&samples, 64.0).into_iter().map(|at| at as f64 / 64.0).collect();
        let causal = batch::live_pulse_peaks(&samples, pulse.period_us);
        let near = |all: &[f64], beat: f64| {
            let next = all.partition_point(|other| *other < beat - 0.05);
            all.get(next).is_some_and(|other| *other <= beat + 0.05)
        };
        (beats, live) = (beats + whole.len(), live + causal.len());
        found += whole.iter().filter(|beat| near(&causal, **beat)).count();
        true_live += causal.iter().filter(|beat| near(&whole, **beat)).count();
    }
    println!("{found} of {beats} beats found live, {true_live} of {live} live beats true");
    assert!(100 * found >= 97 * beats && 100 * true_live >= 92 * live);
}
