//! Many simulated people as recordings, with what truly happened beside them.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::export::{START_S, write_person};
use super::{Episode, EpisodeKind};

/// Which people to write, and how much of their lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// How many.
    pub count: u32,
    /// Hours of each.
    pub hours: u32,
    /// Seed of the first; each next one has the next seed.
    pub seed: u64,
}

/// Writes people as E4 recordings into `folder`, a folder each (`P001`, `P002`, ..), and beside
/// them, times in seconds since 1970 UTC:
/// - `episodes.csv` (`recording,label,start_unix_utc,end_unix_utc`): incidents as staff would
///   log them, from onset to end;
/// - `truth.csv` (`recording,kind,silent,rise_unix_utc,onset_unix_utc,end_unix_utc`): all that
///   moved a person, with the moment from which it did.
///
/// The same people come of the same seeds, whatever the count. On a terminal a bar tells how
/// far it is. Tells how many incidents there are in `episodes.csv`.
///
/// # Errors
/// The folder holds something already, which would be mistaken for one of them, or cannot be
/// written.
pub fn write_people(people: &People, folder: &Path) -> anyhow::Result<usize> {
    let empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    ensure!(empty, "{} is not empty: name a new folder, or empty it first", folder.display());
    let style = ProgressStyle::with_template("living {wide_bar} {pos}/{len} {eta}")
        .expect("the template is fixed");
    let bar = ProgressBar::new(people.count.into()).with_style(style);
    let write = |place: u32| {
        let name = format!("P{:03}", place + 1);
        let seed = people.seed.wrapping_add(place.into());
        let truth = write_person(seed, people.hours, &folder.join(&name))?;
        bar.inc(1);
        Ok((name, truth))
    };
    let truth: Vec<(String, Vec<Episode>)> =
        (0..people.count).into_par_iter().map(write).collect::<anyhow::Result<_>>()?;
    bar.finish_and_clear();
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    };
    let logged = episodes(&truth, people.hours);
    let incidents = logged.lines().count() - 1;
    file("episodes.csv", logged)?;
    file("truth.csv", everything(&truth))?;
    Ok(incidents)
}

/// What staff would have logged while the recordings ran.
fn episodes(truth: &[(String, Vec<Episode>)], hours: u32) -> String {
    let over_us = i64::from(hours) * 3_600_000_000;
    let mut rows = String::from("recording,label,start_unix_utc,end_unix_utc\n");
    for (name, episode) in each(truth) {
        if episode.kind == EpisodeKind::Incident && episode.onset_us < over_us {
            let (start, end) = (unix_s(episode.onset_us), unix_s(episode.end_us.min(over_us)));
            rows.push_str(&format!("{name},incident,{start:.1},{end:.1}\n"));
        }
    }
    rows
}

fn everything(truth: &[(String, Vec<Episode>)]) -> String {
    let mut rows =
        String::from("recording,kind,silent,rise_unix_utc,onset_unix_utc,end_unix_utc\n");
    for (name, Episode { kind, silent, rise_us, onset_us, end_us }) in each(truth) {
        let [rise, onset, end] = [rise_us, onset_us, end_us].map(|micros| unix_s(*micros));
        rows.push_str(&format!("{name},{kind},{silent},{rise:.1},{onset:.1},{end:.1}\n"));
    }
    rows
}

fn each(truth: &[(String, Vec<Episode>)]) -> impl Iterator<Item = (&str, &Episode)> {
    truth.iter().flat_map(|(name, episodes)| episodes.iter().map(move |it| (name.as_str(), it)))
}

#[expect(clippy::cast_precision_loss, reason = "days in microseconds")]
fn unix_s(micros: i64) -> f64 {
    (START_S * 1_000_000 + micros) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read_recording;

    fn rows(folder: &Path, name: &str) -> Vec<Vec<String>> {
        let text = fs::read_to_string(folder.join(name)).expect("it was written");
        text.lines().map(|row| row.split(',').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn people_are_written_with_what_staff_log_and_what_truly_happened() {
        let folder = tempfile::tempdir().expect("a folder");
        let people = People { count: 4, hours: 8, seed: 1 };
        let incidents = write_people(&people, folder.path()).expect("it can be written");
        let truth = rows(folder.path(), "truth.csv");
        let logged = rows(folder.path(), "episodes.csv");
        assert_eq!(logged.len(), incidents + 1);
        assert_eq!(logged[0].join(","), "recording,label,start_unix_utc,end_unix_utc");
        assert!(logged.len() > 1 && logged.len() < truth.len(), "{logged:?}");
        for row in &logged[1..] {
            let of = |it: &&Vec<String>| it[0] == row[0] && it[1] == "incident" && it[4] == row[2];
            assert!(truth.iter().any(|it| of(&it)), "{row:?} did not happen");
        }
        for row in &truth[1..] {
            let [rise, onset, end] =
                [3, 4, 5].map(|at| row[at].parse::<f64>().expect("a time of this century"));
            assert!(rise < onset && onset < end, "{row:?}");
        }
        let again = write_people(&people, folder.path()).expect_err("others are there");
        assert!(again.to_string().ends_with("is not empty: name a new folder, or empty it first"));
        let names: Vec<&String> = truth[1..].iter().map(|row| &row[0]).collect();
        assert!(names.is_sorted() && names.contains(&&"P004".to_owned()), "{names:?}");
    }

    #[test]
    fn a_person_is_the_same_among_few_and_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, count, seed| {
            let into = folder.path().join(name);
            write_people(&People { count, hours: 1, seed }, &into).expect("it can be written");
            into
        };
        let (many, one) = (write("many", 2, 6), write("one", 1, 7));
        let read = |path: std::path::PathBuf| read_recording(&path).expect("it can be read");
        assert_eq!(read(many.join("P002")).tracks, read(one.join("P001")).tracks);
    }
}
