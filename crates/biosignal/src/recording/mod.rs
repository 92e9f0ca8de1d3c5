//! A recording as it was worn: the export of an Empatica E4.
//!
//! One CSV file per channel: row 1 the start (unix seconds, UTC), row 2 the rate in
//! Hz, then a row a sample. `IBI.csv` and `tags.csv` hold events. This module parses
//! text and archives that somebody else has read.

mod together;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use crate::{Channel, MICROS_PER_SECOND, Timestamp};

/// The samples of one channel at a fixed rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What was measured.
    pub channel: Channel,
    /// When the first sample was taken.
    pub start: Timestamp,
    /// Microseconds from sample to sample.
    pub period_us: u32,
    /// Integers in steps of [`Channel::scale`], [`Channel::components`] per sample.
    pub samples: Vec<i32>,
}

impl Track {
    /// Number of samples (of all components together).
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len() / self.channel.components()
    }

    /// Whether the track holds no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// First moment after the last sample.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        let samples = i64::try_from(self.len()).unwrap_or(i64::MAX);
        self.start.plus_micros(samples.saturating_mul(i64::from(self.period_us)))
    }
}

/// A heart beat: when it came, and how long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When the beat came.
    pub at: Timestamp,
    /// Length of the interval that it ends, microseconds.
    pub interval_us: i32,
}

/// An Empatica E4 recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Channels at a fixed rate, in the order of their codes, each at most once.
    pub tracks: Vec<Track>,
    /// Inter-beat intervals that the device was sure of.
    pub beats: Vec<Beat>,
    /// Presses of the device's button.
    pub tags: Vec<Timestamp>,
}

impl Recording {
    /// Parses the zip archive that the Empatica site exports.
    ///
    /// # Errors
    /// [`RecordingError`] names the file and row that cannot be read.
    pub fn from_zip(archive: &[u8]) -> Result<Self, RecordingError> {
        let broken = |what: String| RecordingError::Archive { what };
        let mut archive = zip::ZipArchive::new(Cursor::new(archive))
            .map_err(|error| broken(error.to_string()))?;
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
            let path = file.name().map_err(|error| broken(error.to_string()))?;
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            if FILES.contains(&name.as_str()) {
                let mut text = String::new();
                file.read_to_string(&mut text)
                    .map_err(|error| broken(format!("{name}: {error}")))?;
                files.insert(name, text);
            }
        }
        Self::from_files(&files)
    }

    /// Parses the texts of an unpacked recording, keyed by file name (`BVP.csv`, ...).
    /// A file that is missing is a channel that was not recorded.
    ///
    /// # Errors
    /// [`RecordingError`] names the file and row that cannot be read.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, RecordingError> {
        let mut tracks = Vec::new();
        for channel in Channel::ALL {
            let Some(name) = track_file(channel) else { continue };
            if let Some(text) = files.get(name) {
                tracks.push(track(channel, name, text)?);
            }
        }
        if tracks.is_empty() {
            return Err(RecordingError::Empty);
        }
        let beats = files.get("IBI.csv").map_or(Ok(Vec::new()), |text| beats(text))?;
        together::together(&tracks, &beats)?;
        if tracks.iter().all(Track::is_empty) {
            return Err(RecordingError::HeadersOnly);
        }
        let tags = files.get("tags.csv").map_or(Ok(Vec::new()), |text| tags(text))?;
        Ok(Self { tracks, beats, tags })
    }

    /// The track of a channel, where it was recorded.
    #[must_use]
    pub fn track(&self, channel: Channel) -> Option<&Track> {
        self.tracks.iter().find(|track| track.channel == channel)
    }

    /// When the first track that holds a sample starts.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.filled().map(|track| track.start).min().unwrap_or_default()
    }

    /// When the last track that holds a sample ends.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.filled().map(Track::end).max().unwrap_or_default()
    }

    fn filled(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|track| !track.is_empty())
    }
}

/// The files of a recording that are read, by name.
pub const FILES: [&str; 7] =
    ["ACC.csv", "BVP.csv", "EDA.csv", "HR.csv", "IBI.csv", "TEMP.csv", "tags.csv"];

/// A recording that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// The archive itself is damaged.
    #[error("torn, or no zip archive ({what})")]
    Archive {
        /// What the archive reader says.
        what: String,
    },
    /// None of an E4 recording's signal files is there.
    #[error("no E4 signal file (BVP.csv, ACC.csv, EDA.csv, TEMP.csv, HR.csv) found")]
    Empty,
    /// Its signal files hold no sample.
    #[error("no sample in any signal file: each ends with its header")]
    HeadersOnly,
    /// A file that cannot be of the same wearing as the others.
    #[error("{file} {what}: not of one wearing")]
    Apart {
        /// The file's name.
        file: &'static str,
        /// When it starts or ends, and which other one it was compared with.
        what: String,
    },
    /// A file without a byte, or with blank rows alone.
    #[error("{file} is empty")]
    Blank {
        /// The file's name.
        file: &'static str,
    },
    /// A row that cannot be read.
    #[error("{file} row {row}: {what}")]
    Row {
        /// The file's name.
        file: &'static str,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong with it.
        what: String,
    },
}

fn track_file(channel: Channel) -> Option<&'static str> {
    match channel {
        Channel::Bvp => Some("BVP.csv"),
        Channel::Acceleration => Some("ACC.csv"),
        Channel::Eda => Some("EDA.csv"),
        Channel::SkinTemperature => Some("TEMP.csv"),
        Channel::HeartRate => Some("HR.csv"),
        Channel::Ibi | Channel::Button => None,
    }
}

/// The file's own resolution: E4 acceleration is in 1/64 g.
fn steps_per_unit(channel: Channel) -> f64 {
    match channel {
        Channel::Acceleration => 1.0 / 64.0 / channel.scale(),
        _ => 1.0 / channel.scale(),
    }
}

fn track(channel: Channel, file: &'static str, text: &str) -> Result<Track, RecordingError> {
    let mut rows = rows(text);
    let start = start(file, rows.next())?;
    let rate = header(file, rows.next(), 2)?;
    if !(0.01..=10_000.0).contains(&rate) {
        return Err(row_error(file, 2, format!("a rate of {rate} Hz")));
    }
    let per_unit = steps_per_unit(channel);
    let mut samples = Vec::with_capacity(text.len() / 5);
    for (row, line) in rows {
        let before = samples.len();
        for word in line.split(',') {
            samples.push(steps(file, row, word, per_unit)?);
        }
        if samples.len() - before != channel.components() {
            let found = samples.len() - before;
            let expected = channel.components();
            return Err(row_error(file, row, format!("{found} values, not {expected}")));
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are checked above: 100 to 100,000,000 us"
    )]
    let period_us = (1e6 / rate).round() as u32;
    Ok(Track { channel, start, period_us, samples })
}

fn beats(text: &str) -> Result<Vec<Beat>, RecordingError> {
    const FILE: &str = "IBI.csv";
    let mut rows = rows(text);
    let start = start(FILE, rows.next())?;
    rows.map(|(row, line)| {
        let (offset, interval) = line
            .split_once(',')
            .ok_or_else(|| row_error(FILE, row, "no comma between time and interval"))?;
        Ok(Beat {
            at: start.plus_micros(micros(number(FILE, row, offset)?)),
            interval_us: steps(FILE, row, interval, 1e6)?,
        })
    })
    .collect()
}

fn tags(text: &str) -> Result<Vec<Timestamp>, RecordingError> {
    rows(text)
        .map(|(row, line)| {
            let seconds = line.split(',').next().unwrap_or_default();
            moment("tags.csv", row, seconds)
        })
        .collect()
}

/// The rows that hold something, numbered from 1.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty())
}

/// The first row of a file: when it starts.
fn start(file: &'static str, row: Option<(usize, &str)>) -> Result<Timestamp, RecordingError> {
    let (row, line) = row.ok_or(RecordingError::Blank { file })?;
    moment(file, row, line.split(',').next().unwrap_or_default())
}

/// The first value of a header row; the further axes of ACC repeat it.
fn header(
    file: &'static str,
    row: Option<(usize, &str)>,
    expected: usize,
) -> Result<f64, RecordingError> {
    let (row, line) = row.ok_or_else(|| row_error(file, expected, "the header ends here"))?;
    number(file, row, line.split(',').next().unwrap_or_default())
}

fn number(file: &'static str, row: usize, word: &str) -> Result<f64, RecordingError> {
    match word.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(row_error(file, row, format!("{:?} is not a number", word.trim()))),
    }
}

fn steps(file: &'static str, row: usize, word: &str, per_unit: f64) -> Result<i32, RecordingError> {
    let steps = (number(file, row, word)? * per_unit).round();
    if steps.abs() > f64::from(i32::MAX) {
        return Err(row_error(file, row, format!("{} is out of range", word.trim())));
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounded and in range")]
    Ok(steps as i32)
}

/// Until the year 2286 a moment has ten digits; more of them are milliseconds, or no moment.
const MOMENTS_S: std::ops::Range<f64> = 0.0..1e10;

fn moment(file: &'static str, row: usize, word: &str) -> Result<Timestamp, RecordingError> {
    let seconds = number(file, row, word)?;
    if MOMENTS_S.contains(&seconds) {
        return Ok(Timestamp::from_micros(micros(seconds)));
    }
    let what = format!("{} is no moment in seconds since 1970", word.trim());
    Err(row_error(file, row, what))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates far outside of any date")]
#[expect(clippy::cast_precision_loss, reason = "a constant that is exact")]
fn micros(seconds: f64) -> i64 {
    (seconds * MICROS_PER_SECOND as f64).round() as i64
}

fn row_error(file: &'static str, row: usize, what: impl Into<String>) -> RecordingError {
    RecordingError::Row { file, row, what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(named: &[(&str, &str)]) -> BTreeMap<String, String> {
        named.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn an_export_is_read_with_its_units() -> Result<(), RecordingError> {
        let recording = Recording::from_files(&files(&[
            ("ACC.csv", "100.0, 100.0, 100.0\n32.0, 32.0, 32.0\n2,10,-64\n"),
            ("EDA.csv", "100.0\n4.0\n0.000000\n0.622764\n"),
            ("IBI.csv", "100.0, IBI\n604.937500,0.937500\n"),
            ("tags.csv", "112.25,1\n"),
        ]))?;
        let acceleration = recording.track(Channel::Acceleration).expect("ACC.csv was given");
        assert_eq!(acceleration.samples, [32, 160, -1024]);
        assert_eq!(acceleration.period_us, 31_250);
        let eda = recording.track(Channel::Eda).expect("EDA.csv was given");
        assert_eq!(eda.samples, [0, 622_764]);
        assert_eq!(eda.end().as_micros(), 100_500_000);
        assert_eq!(
            recording.beats,
            [Beat { at: Timestamp::from_micros(704_937_500), interval_us: 937_500 }]
        );
        assert_eq!(recording.tags, [Timestamp::from_micros(112_250_000)]);
        Ok(())
    }

    #[test]
    fn a_header_alone_moves_no_start() -> Result<(), RecordingError> {
        let recording = Recording::from_files(&files(&[
            ("EDA.csv", "100\n4\n0.1\n0.1\n"),
            ("TEMP.csv", "40\n4\n"),
        ]))?;
        assert_eq!(recording.start(), Timestamp::from_seconds(100));
        assert_eq!(recording.end(), Timestamp::from_micros(100_500_000));
        Ok(())
    }

    #[test]
    fn a_bad_row_is_named() {
        let says = |named: &[(&str, &str)]| match Recording::from_files(&files(named)) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(says(&[("EDA.csv", "1\n4\n0.1\nx\n")]), "EDA.csv row 4: \"x\" is not a number");
        assert_eq!(says(&[("ACC.csv", "1\n32\n1,2\n")]), "ACC.csv row 3: 2 values, not 3");
        assert_eq!(says(&[("BVP.csv", "1\n0\n")]), "BVP.csv row 2: a rate of 0 Hz");
        assert_eq!(says(&[("BVP.csv", "1\n")]), "BVP.csv row 2: the header ends here");
        assert_eq!(says(&[("EDA.csv", "")]), "EDA.csv is empty");
        assert_eq!(says(&[("EDA.csv", "\n \n")]), "EDA.csv is empty");
        assert_eq!(
            says(&[("EDA.csv", "9999999999999\n4\n0.1\n")]),
            "EDA.csv row 1: 9999999999999 is no moment in seconds since 1970"
        );
        assert_eq!(
            says(&[("EDA.csv", "100\n4\n"), ("BVP.csv", "100\n64\n")]),
            "no sample in any signal file: each ends with its header"
        );
        assert!(matches!(Recording::from_zip(b"PK no"), Err(RecordingError::Archive { .. })));
        assert_eq!(Recording::from_files(&files(&[])), Err(RecordingError::Empty));
    }
}
