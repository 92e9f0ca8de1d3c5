//! Whether the files of a recording are of one wearing.

use super::{Beat, RecordingError, Track, track_file};
use crate::{MICROS_PER_SECOND, Timestamp};

/// An E4 starts and stops its channels together, and a torn file ends minutes early. A clock that
/// was set to another zone, or a file of another wearing, is off by an hour at least.
const APART_US: i64 = 3600 * MICROS_PER_SECOND;
/// From the end of one channel to the start of another: `HR.csv` starts 10 s late.
const GAP_US: i64 = 60 * MICROS_PER_SECOND;

/// Refuses channels that start or end an hour or more apart, or that do not overlap, and beats an
/// hour or more outside of them.
///
/// # Errors
/// [`RecordingError::Apart`] names the file, and the one that it was compared with.
pub(super) fn together(tracks: &[Track], beats: &[Beat]) -> Result<(), RecordingError> {
    let filled: Vec<&Track> = tracks.iter().filter(|it| !it.is_empty()).collect();
    no_odd_one(&tracks.iter().collect::<Vec<_>>(), "starts", |it| it.start)?;
    no_odd_one(&filled, "ends", Track::end)?;
    let first_to_end = filled.iter().min_by_key(|it| it.end());
    let last_to_start = filled.iter().max_by_key(|it| it.start);
    let Some((before, after)) = first_to_end.zip(last_to_start) else { return Ok(()) };
    if after.start.micros_since(before.end()) > GAP_US {
        return Err(apart(file(after), "starts", after.start, "ends", before, before.end()));
    }
    let last_to_end = filled.iter().max_by_key(|it| it.end()).unwrap_or(before);
    let first_to_start = filled.iter().min_by_key(|it| it.start).unwrap_or(after);
    for Beat { at, .. } in beats {
        if first_to_start.start.micros_since(*at) >= APART_US {
            let start = first_to_start.start;
            return Err(apart("IBI.csv", "has a beat", *at, "starts", first_to_start, start));
        }
        if at.micros_since(last_to_end.end()) >= APART_US {
            let end = last_to_end.end();
            return Err(apart("IBI.csv", "has a beat", *at, "ends", last_to_end, end));
        }
    }
    Ok(())
}

/// Compares with the channel in the middle, so that it is the odd one that is named.
fn no_odd_one(
    tracks: &[&Track],
    does: &str,
    moment: impl Fn(&Track) -> Timestamp,
) -> Result<(), RecordingError> {
    let mut sorted = tracks.to_vec();
    sorted.sort_by_key(|it| moment(it));
    let Some(middle) = sorted.get(sorted.len().saturating_sub(1) / 2) else { return Ok(()) };
    let distance = |it: &Track| moment(it).micros_since(moment(middle)).saturating_abs();
    match sorted.iter().max_by_key(|it| distance(it)) {
        Some(odd) if distance(odd) >= APART_US => {
            Err(apart(file(odd), does, moment(odd), does, middle, moment(middle)))
        }
        _ => Ok(()),
    }
}

fn file(track: &Track) -> &'static str {
    track_file(track.channel).unwrap_or(track.channel.name())
}

fn apart(
    file: &'static str,
    does: &str,
    at: Timestamp,
    other_does: &str,
    other: &Track,
    other_at: Timestamp,
) -> RecordingError {
    let micros = at.micros_since(other_at);
    let side = if micros < 0 { "before" } else { "after" };
    RecordingError::Apart {
        file,
        what: format!(
            "{does} at {}, {} {side} {} {other_does} at {} (unix seconds)",
            at.as_seconds_f64(),
            length(micros.saturating_abs()),
            self::file(other),
            other_at.as_seconds_f64()
        ),
    }
}

/// A length in the unit that suits it.
fn length(micros: i64) -> String {
    let seconds = Timestamp::from_micros(micros).as_seconds_f64();
    match seconds {
        ..3600.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recording;

    /// Two hours of the channels at 1 Hz, from these starts, and what is said of them.
    fn says(files: &[(&str, &str, usize)]) -> String {
        let text = |(name, start, rows): &(&str, &str, usize)| {
            let row = if *name == "ACC.csv" { "1,2,3\n" } else { "1\n" };
            ((*name).to_owned(), format!("{start}\n1\n{}", row.repeat(*rows)))
        };
        match Recording::from_files(&files.iter().map(text).collect()) {
            Ok(_) => "good".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn channels_of_one_wearing_start_and_end_together() {
        let bvp = ("BVP.csv", "1644226061", 7200);
        let acc = ("ACC.csv", "1644226061", 7200);
        assert_eq!(says(&[bvp, acc, ("HR.csv", "1644226071", 7190)]), "good");
        assert_eq!(says(&[bvp, acc, ("EDA.csv", "1644226061", 3700)]), "good");
        assert_eq!(
            says(&[bvp, acc, ("EDA.csv", "1.000000", 7200)]),
            "EDA.csv starts at 1, 19030 days before BVP.csv starts at 1644226061 (unix seconds): \
             not of one wearing"
        );
        assert_eq!(
            says(&[bvp, acc, ("EDA.csv", "1644312461", 7200)]),
            "EDA.csv starts at 1644312461, 24.0 h after ACC.csv starts at 1644226061 (unix \
             seconds): not of one wearing"
        );
        assert_eq!(
            says(&[bvp, acc, ("EDA.csv", "1644226061", 60)]),
            "EDA.csv ends at 1644226121, 2.0 h before BVP.csv ends at 1644233261 (unix seconds): \
             not of one wearing"
        );
        assert_eq!(
            says(&[("BVP.csv", "1000", 600), ("EDA.csv", "2200", 600)]),
            "EDA.csv starts at 2200, 10 min after BVP.csv ends at 1600 (unix seconds): not of one \
             wearing"
        );
    }

    #[test]
    fn the_start_of_a_header_alone_counts_too() {
        let said = says(&[("BVP.csv", "1644226061", 7200), ("EDA.csv", "1", 0)]);
        assert!(
            said.starts_with("BVP.csv starts at 1644226061, 19030 days after EDA.csv"),
            "{said}"
        );
    }

    #[test]
    fn beats_lie_where_the_channels_do() {
        let files = [
            ("EDA.csv".to_owned(), format!("1644226061\n1\n{}", "1\n".repeat(600))),
            ("IBI.csv".to_owned(), "1,IBI\n7.5,0.8\n".to_owned()),
        ];
        assert_eq!(
            Recording::from_files(&files.into()).expect_err("another year").to_string(),
            "IBI.csv has a beat at 8.5, 19030 days before EDA.csv starts at 1644226061 (unix \
             seconds): not of one wearing"
        );
    }
}
