//! Score files: what a detector said of a recording, a row a hop.
//!
//! `time_unix,score,level,quality,state` and then every feature. `time_unix` is the end of the
//! window. An empty score means no verdict. `level` is the alarm state as a number: 0 calm or
//! still learning, 1 rising, 2 high, empty without a verdict. `state` says it in words.

use std::path::Path;

use anyhow::Context;
use detector::{Assessment, Level};

use crate::features;
use crate::table::Table;

/// What was said of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hop {
    /// End of the window, seconds since 1970 UTC.
    pub(crate) time: f64,
    /// None where there is no verdict.
    pub(crate) score: Option<f64>,
    /// The alarm state, 0 = calm.
    pub(crate) level: Option<f64>,
}

impl Hop {
    pub(crate) fn of(assessment: &Assessment) -> Self {
        Self {
            time: assessment.at.as_seconds_f64(),
            score: assessment.score,
            level: assessment.score.and(level(assessment.level)),
        }
    }
}

/// The alarm state as a number.
fn level(level: Level) -> Option<f64> {
    match level {
        Level::NoReading => None,
        Level::Learning | Level::Settled => Some(0.0),
        Level::Rising => Some(1.0),
        Level::High => Some(2.0),
    }
}

/// Writes findings as CSV.
pub(crate) fn write(path: &Path, assessments: &[Assessment]) -> anyhow::Result<()> {
    let names = features::names();
    let mut writer =
        csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
    let head = ["time_unix", "score", "level", "quality", "state"];
    writer.write_record(head.into_iter().chain(names))?;
    for it in assessments {
        let hop = Hop::of(it);
        let said = [
            hop.time.to_string(),
            text(hop.score),
            text(hop.level),
            text(Some(it.quality)),
            it.level.name().to_owned(),
        ];
        let measured = names.iter().map(|name| text(it.features.get(name)));
        writer.write_record(said.into_iter().chain(measured))?;
    }
    writer.flush().with_context(|| format!("cannot write {}", path.display()))
}

/// A number as it is, 0 without a sign: a sum of nothing is -0.
fn text(value: Option<f64>) -> String {
    value.map(|value| (value + 0.0).to_string()).unwrap_or_default()
}

/// Scores with, where every row may have one, the alarm state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scores {
    pub(crate) hops: Vec<Hop>,
    pub(crate) has_level: bool,
}

/// Reads a score file of any detector: `time_unix,score` and, at will, `level`.
///
/// # Errors
/// Names the file, line and column that cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<Scores> {
    let mut table = Table::open(path)?;
    let (time, score) = (table.column("time_unix")?, table.column("score")?);
    let level = table.column("level").ok();
    let mut hops = Vec::new();
    while let Some(row) = table.next_row()? {
        hops.push(Hop {
            time: row.number(time)?,
            score: row.optional(score)?,
            level: level.map(|column| row.optional(column)).transpose()?.flatten(),
        });
    }
    hops.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(Scores { hops, has_level: level.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_0_and_what_is_missing_is_empty() {
        assert_eq!([Some(-0.0), Some(-0.5), None].map(text), ["0", "-0.5", ""]);
    }

    #[test]
    fn a_level_that_is_no_verdict_is_no_calm() {
        assert_eq!(level(Level::NoReading), None);
        assert_eq!(level(Level::Learning), Some(0.0));
        assert!(level(Level::High) > level(Level::Rising));
    }

    #[test]
    fn scores_of_any_detector_are_read_in_the_order_of_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("A.csv");
        std::fs::write(&path, "score,time_unix\n0.5,20\n,10\nNaN,30\n").expect("writable");
        let scores = read(&path).expect("good");
        assert_eq!(scores.hops.iter().map(|it| it.time).collect::<Vec<_>>(), [10.0, 20.0, 30.0]);
        assert_eq!(
            scores.hops.iter().map(|it| it.score).collect::<Vec<_>>(),
            [None, Some(0.5), None]
        );
        assert!(!scores.has_level);
        std::fs::write(&path, "time_unix,score\n10,high\n").expect("writable");
        let complaint = read(&path).expect_err("bad").to_string();
        assert!(complaint.ends_with("A.csv line 2, column score: \"high\" is not a number"));
    }
}
