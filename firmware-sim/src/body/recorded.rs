use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use biosignal::recording::{FILES, Recording, Track};
use biosignal::{Channel, Timestamp};

use super::{Seen, Segment, round_up, whole_windows};
use crate::scenario::{AtEnd, WornBefore};

/// Reads an E4 recording from a zip archive or an unpacked folder.
///
/// # Errors
/// Names the file and row that cannot be read.
pub fn read_recording(path: &Path) -> anyhow::Result<Recording> {
    if !path.is_dir() {
        return Ok(Recording::from_zip(&std::fs::read(path)?)?);
    }
    let mut files = BTreeMap::new();
    for name in FILES {
        let file = path.join(name);
        if file.exists() {
            let text = std::fs::read_to_string(&file).with_context(|| format!("reading {name}"))?;
            files.insert(name.to_owned(), text);
        }
    }
    Ok(Recording::from_files(&files)?)
}

/// A recording played as it was worn: every sample at its time, once.
#[derive(Debug)]
pub(crate) struct Recorded {
    recording: Recording,
    /// Time in the recording of body time 0.
    first: Timestamp,
    /// Body time that is already over at the start.
    played_us: i64,
    at_end: AtEnd,
}

impl Recorded {
    pub(crate) fn new(
        mut recording: Recording,
        start: Duration,
        worn_before: WornBefore,
        at_end: AtEnd,
    ) -> anyhow::Result<Self> {
        recording.beats.sort_by_key(|beat| beat.at);
        recording.tags.sort();
        let length = round_up(recording.end().micros_since(recording.start()));
        let start = whole_windows(start);
        if start >= length {
            bail!("`start` is behind its end, {} s in", length / 1_000_000);
        }
        let (played_us, now) = match worn_before {
            WornBefore::All => (length, length),
            WornBefore::For(before) => (whole_windows(before).min(start), start),
        };
        let at_end = match (worn_before, at_end) {
            (WornBefore::All, AtEnd::TakeOff) => AtEnd::Stop,
            _ => at_end,
        };
        let first = recording.start().plus_micros(now - played_us);
        warn_of_strays(&recording);
        Ok(Self { recording, first, played_us, at_end })
    }

    pub(crate) fn first(&self) -> Timestamp {
        self.first
    }

    pub(crate) fn start(&self) -> Timestamp {
        self.recording.start()
    }

    pub(crate) fn played_us(&self) -> i64 {
        self.played_us
    }

    /// What was recorded in a window that does not reach over the end of a round.
    pub(crate) fn see(&self, from_us: i64, until_us: i64) -> Seen {
        let length = round_up(self.recording.end().micros_since(self.first));
        let round = from_us.div_euclid(length);
        if round == 0 || self.at_end == AtEnd::Loop {
            return Seen::Worn(self.segments(from_us, until_us, round * length));
        }
        if self.at_end == AtEnd::Stop { Seen::Over } else { Seen::TakenOff }
    }

    /// Segments of body time; in a later round all of it lies `later` behind the first.
    fn segments(&self, from_us: i64, until_us: i64, later: i64) -> Vec<Segment> {
        let time = |body_us: i64| self.first.plus_micros(body_us - later);
        let body_time = |moment: Timestamp| moment.micros_since(self.first) + later;
        let (from, until) = (time(from_us), time(until_us));
        let tracks = self.recording.tracks.iter().filter_map(|track| {
            let (index, samples) = cut(track, from, until)?;
            let at_us = body_time(track.start) + index * i64::from(track.period_us);
            Some(Segment { channel: track.channel, at_us, period_us: track.period_us, samples })
        });
        let offset = |at: Timestamp| i32::try_from(at.micros_since(from)).unwrap_or(0);
        let beats = within(&self.recording.beats, from, until, |beat| beat.at);
        let beats = beats.iter().flat_map(|beat| [offset(beat.at), beat.interval_us]);
        let tags = within(&self.recording.tags, from, until, |tag| *tag);
        let tags = tags.iter().map(|tag| offset(*tag));
        let events = [(Channel::Ibi, beats.collect()), (Channel::Button, tags.collect())];
        let events = events.into_iter().filter(|(_, samples): &(_, Vec<i32>)| !samples.is_empty());
        tracks
            .chain(events.map(|(channel, samples)| Segment {
                channel,
                at_us: from_us,
                period_us: 0,
                samples,
            }))
            .collect()
    }
}

/// The samples of a track from `from` to before `until`, and the index of the first.
fn cut(track: &Track, from: Timestamp, until: Timestamp) -> Option<(i64, Vec<i32>)> {
    let period = i64::from(track.period_us);
    let length = i64::try_from(track.len()).ok()?;
    let index = |moment: Timestamp| {
        (moment.micros_since(track.start) + period - 1).div_euclid(period).clamp(0, length)
    };
    let (first, end) = (index(from), index(until));
    let place = |index: i64| usize::try_from(index).unwrap_or(0) * track.channel.components();
    (first < end).then(|| (first, track.samples[place(first)..place(end)].to_vec()))
}

fn within<T>(
    sorted: &[T],
    from: Timestamp,
    until: Timestamp,
    at: impl Fn(&T) -> Timestamp,
) -> &[T] {
    let start = sorted.partition_point(|event| at(event) < from);
    let end = sorted.partition_point(|event| at(event) < until);
    &sorted[start..end]
}

/// Events outside of the time that was recorded cannot be played (the clock of some
/// recordings' tags is wrong by hours).
fn warn_of_strays(recording: &Recording) {
    let beats = recording.beats.iter().map(|beat| beat.at);
    let events = beats.chain(recording.tags.iter().copied());
    let strays = events.filter(|at| *at < recording.start() || *at >= recording.end()).count();
    if strays > 0 {
        tracing::warn!(strays, "events outside of the recording's time are not played");
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use biosignal::recording::Beat;

    use super::*;
    use crate::body::WINDOW_US;

    fn recording() -> Recording {
        let start = Timestamp::from_seconds(100);
        let track = |channel, after: i64, period_us, samples: Vec<i32>| Track {
            channel,
            start: start.plus_micros(after),
            period_us,
            samples,
        };
        let beat = |at, interval_us| Beat { at: start.plus_micros(at), interval_us };
        Recording {
            tracks: vec![
                track(Channel::Acceleration, 0, 31_250, (0..3 * 96).collect()),
                track(Channel::Eda, 100, 250_000, (0..12).collect()),
                track(Channel::HeartRate, 1_000_000, 1_000_000, vec![70, 71]),
            ],
            beats: vec![beat(700_000, 800_000), beat(2_500_000, 810_000)],
            tags: vec![start.plus_micros(1_999_999), start.plus_micros(-9)],
        }
    }

    fn play(recorded: &Recorded, until_us: i64) -> Vec<Segment> {
        let windows = (0..until_us / WINDOW_US).map(|index| index * WINDOW_US);
        windows
            .flat_map(|from| match recorded.see(from, from + WINDOW_US) {
                Seen::Worn(segments) => segments,
                _ => Vec::new(),
            })
            .collect()
    }

    /// All samples of a channel with their body times.
    fn timed(segments: &[Segment], channel: Channel) -> Vec<(i64, i32)> {
        let of = segments.iter().filter(|segment| segment.channel == channel);
        of.flat_map(|segment| {
            let at = |index: usize| {
                let each = index / channel.components();
                segment.at_us + i64::try_from(each).expect("short") * i64::from(segment.period_us)
            };
            segment.samples.iter().enumerate().map(move |(index, sample)| (at(index), *sample))
        })
        .collect()
    }

    #[test]
    fn every_sample_is_played_once_at_its_time() {
        let for_none = WornBefore::default();
        let recorded = Recorded::new(recording(), Duration::ZERO, for_none, AtEnd::Stop)
            .expect("it starts at its start");
        let segments = play(&recorded, 10_000_000);
        let acceleration = timed(&segments, Channel::Acceleration);
        assert_eq!(acceleration.len(), 3 * 96);
        assert!(acceleration.iter().enumerate().all(|(index, (at, sample))| {
            index == *sample as usize && *at == i64::from(sample / 3) * 31_250
        }));
        let eda: Vec<_> = (0..12).map(|index| (100 + i64::from(index) * 250_000, index)).collect();
        assert_eq!(timed(&segments, Channel::Eda), eda);
        let heart_rate = [(1_000_000, 70), (2_000_000, 71)];
        assert_eq!(timed(&segments, Channel::HeartRate), heart_rate);
        let beats = [(500_000, 200_000), (500_000, 800_000), (2_500_000, 0), (2_500_000, 810_000)];
        assert_eq!(timed(&segments, Channel::Ibi), beats);
        assert_eq!(timed(&segments, Channel::Button), [(1_500_000, 499_999)]);
    }

    #[test]
    fn it_ends_as_it_is_told() {
        let play = |at_end| {
            Recorded::new(recording(), Duration::ZERO, WornBefore::default(), at_end)
                .expect("it starts at its start")
        };
        assert_eq!(play(AtEnd::Stop).see(3_500_000, 4_000_000), Seen::Over);
        assert_eq!(play(AtEnd::TakeOff).see(3_500_000, 4_000_000), Seen::TakenOff);
        let Seen::Worn(again) = play(AtEnd::Loop).see(3_500_000, 4_000_000) else {
            panic!("a loop never ends")
        };
        assert_eq!(timed(&again, Channel::Eda)[0], (3_500_100, 0));
    }

    #[test]
    fn what_was_worn_before_is_over_at_the_start() {
        let start = Duration::from_secs(2);
        let worn = |before| Recorded::new(recording(), start, before, AtEnd::TakeOff);
        let second = worn(WornBefore::For(Duration::from_secs(1))).expect("it has two seconds");
        assert_eq!((second.first(), second.played_us()), (Timestamp::from_seconds(101), 1_000_000));
        let all = worn(WornBefore::All).expect("it has all");
        assert_eq!(all.played_us(), 3_500_000);
        assert_eq!(all.see(3_500_000, 4_000_000), Seen::Over);
        let late = Duration::from_secs(4);
        assert!(Recorded::new(recording(), late, WornBefore::All, AtEnd::Stop).is_err());
    }

    #[test]
    fn a_recording_that_is_not_there_is_named() {
        let error = read_recording(&PathBuf::from("/no/such.zip")).expect_err("there is none");
        assert!(error.to_string().contains("No such file"), "{error}");
    }
}
