//! The same score files under these rules and under the independent scorer's.

use std::path::{Path, PathBuf};
use std::process::Command;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde_json::Value;

use super::*;
use crate::{episodes, scores};

const CLOSE: f64 = 1e-4;

/// Score files with gaps, ties, a level and two labels, and the episodes to go with them.
fn generate(folder: &Path) -> (PathBuf, PathBuf) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(11);
    let files = folder.join("scores");
    std::fs::create_dir(&files).expect("a folder");
    let mut labels = String::from("recording,label,start_unix_utc,end_unix_utc\n");
    for person in 0..8 {
        let start = 1_600_000_000.0 + f64::from(person) * 86_400.0;
        let mut rows = String::from("time_unix,score,level\n");
        let onsets = [400.0, 1500.0, 2600.0].map(|it| it + f64::from(random.random_range(0..300)));
        for (onset, label) in onsets.iter().zip(["x", "y", "x"]) {
            labels += &format!("P{person},{label},{},{}\n", start + onset, start + onset + 330.0);
        }
        let mut state: f64 = 0.0;
        for hop in 0..350 {
            let time = f64::from(hop) * 10.0;
            let inside = onsets.iter().any(|it| (*it..it + 330.0).contains(&time));
            state =
                0.8 * state + random.random_range(-0.2..0.2) + 0.05 * f64::from(u8::from(inside));
            let score = (state * 50.0).round() / 100.0 + 0.5;
            let level = u8::from(score > 0.75);
            let silent = (100..110).contains(&hop) || random.random_range(0..40) == 0;
            let said = if silent { ",".to_owned() } else { format!("{score},{level}") };
            rows += &format!("{},{said}\n", start + time);
        }
        std::fs::write(files.join(format!("P{person}.csv")), rows).expect("writable");
    }
    let path = folder.join("episodes.csv");
    std::fs::write(&path, labels).expect("writable");
    (files, path)
}

/// The independent scorer's figures; none where it cannot run here.
fn independent(folder: &Path, files: &Path, labels: &Path) -> Option<Value> {
    let scorer =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peers/score_detector.py");
    let numpy = Command::new("python3").args(["-c", "import numpy"]).output().ok()?;
    if !scorer.exists() || !numpy.status.success() {
        return None;
    }
    let json = folder.join("figures.json");
    let run = Command::new("python3")
        .arg(scorer)
        .args([files, labels])
        .args(["--surrogates", "2", "--bootstrap", "2", "--json"])
        .arg(&json)
        .output()
        .expect("it started before");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_str(&std::fs::read_to_string(json).expect("written")).ok()
}

fn check(what: &str, theirs: &Value, ours: &Value) {
    match (theirs.as_f64(), ours.as_f64()) {
        (Some(theirs), Some(ours)) => {
            assert!((theirs - ours).abs() <= CLOSE, "{what}: {theirs} and {ours}");
        }
        (theirs, ours) => assert_eq!(theirs, ours, "{what}"),
    }
}

#[test]
fn figures_are_those_of_the_independent_scorer() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, labels) = generate(folder.path());
    let Some(theirs) = independent(folder.path(), &files, &labels) else {
        println!("not compared: the scorer, or python3 with numpy, is not here");
        return;
    };
    let graded: Vec<Graded> = episodes::read(&labels, &episodes::Asked::default())
        .expect("good")
        .iter()
        .map(|(name, labels)| {
            let scores = scores::read(&files.join(format!("{name}.csv"))).expect("good");
            Graded::of(name, labels, &scores, None).expect("rows")
        })
        .collect();
    let ours = summary(&graded, &Effort { surrogates: 0, bootstrap: 0, seed: 0 });
    let ours = serde_json::to_value(ours).expect("numbers");
    for figure in [
        "windows",
        "prevalence",
        "events",
        "non_episode_hours",
        "no_verdict_pct",
        "auroc",
        "auprc",
        "auroc_no_verdict_as_lowest",
        "auroc_person_median",
        "auroc_person_normalised",
        "auroc_clock_same_windows",
        "auroc_time_balanced",
        "auroc_time_balanced_guarded",
    ] {
        check(figure, &theirs[figure], &ours[figure]);
    }
    let figures = ["sensitivity", "fa_per_h", "median_latency_s"];
    for (their_budget, our_budget) in [("0.5", "0.5"), ("1.0", "1"), ("2.0", "2")] {
        for figure in figures {
            let (theirs, ours) =
                (&theirs["events_at"][their_budget], &ours["events_at"][our_budget]);
            check(&format!("{figure} at {our_budget}"), &theirs[figure], &ours[figure]);
        }
    }
    for figure in figures {
        check(
            &format!("{figure} of the level"),
            &theirs["own_level"][figure],
            &ours["own_level"][figure],
        );
    }
}
