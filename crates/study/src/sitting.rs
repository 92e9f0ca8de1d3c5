//! A recording with its labels, and the ways in which it can be told anew.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write as _;

use biosignal::{Reading, Timestamp};
use detector::Signal;
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};

use crate::crop::crop_seconds;
use crate::episodes::{Episode, Episodes, Labels};
use crate::night::evening_and_night;
use crate::source::Named;
use crate::stream::Stream;
use crate::words::counted;

/// One person's recording and what was going on in it.
#[derive(Clone, Debug)]
pub(crate) struct Sitting {
    pub(crate) name: String,
    pub(crate) person: String,
    pub(crate) labels: Labels,
    pub(crate) stream: Stream,
    /// What was worn before it: the detector hears it, and nothing of it is scored.
    pub(crate) before: Vec<Reading>,
    /// When the whole recording began, before anything was cut off.
    pub(crate) origin: Timestamp,
}

/// Gives recordings their labels. One that has none was calm from end to end. Says on standard
/// error which labels tell of no time that was recorded.
///
/// # Errors
/// Standard error is closed.
pub(crate) fn sittings(
    recordings: Vec<Named>,
    episodes: &Episodes,
) -> std::io::Result<Vec<Sitting>> {
    let labelled = |recording: Named| {
        let labels = episodes.get(&recording.name).cloned().unwrap_or_default();
        let person = labels.person.clone().unwrap_or_else(|| recording.name.clone());
        let origin = recording.stream.start;
        let (name, stream) = (recording.name, recording.stream);
        Sitting { name, person, labels, stream, before: Vec::new(), origin }
    };
    let sittings: Vec<Sitting> = recordings.into_iter().map(labelled).collect();
    for warning in sittings.iter().filter_map(Sitting::misplaced) {
        writeln!(std::io::stderr(), "warning: {warning}")?;
    }
    Ok(sittings)
}

/// A recorded person, for tests; says so where the recordings are absent.
#[cfg(test)]
pub(crate) fn recorded(name: &str) -> anyhow::Result<Option<Sitting>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/recordings/stress-predict");
    if !folder.exists() {
        println!("{} is absent: nothing was tested", folder.display());
        return Ok(None);
    }
    let asked = crate::episodes::Asked::default();
    let episodes = crate::episodes::read(&folder.join("episodes.csv"), &asked)?;
    let recording = crate::source::recording(&folder.join(format!("{name}.zip")))?;
    let named = Named { name: name.to_owned(), stream: Stream::of(&recording) };
    Ok(sittings(vec![named], &episodes)?.pop())
}

/// The people of whom at least one episode was recorded.
pub(crate) fn with_episodes<'a>(sittings: impl Iterator<Item = &'a Sitting>) -> BTreeSet<&'a str> {
    sittings.filter(|it| it.has_episode()).map(|it| it.person.as_str()).collect()
}

impl Sitting {
    /// Whether any part of an episode was recorded.
    pub(crate) fn has_episode(&self) -> bool {
        self.labels.episodes.iter().any(|it| self.holds_part_of(it))
    }

    fn holds_part_of(&self, episode: &Episode) -> bool {
        let [start, end] = self.span();
        episode.start < end && episode.end > start
    }

    fn span(&self) -> [f64; 2] {
        [self.stream.start, self.stream.end].map(Timestamp::as_seconds_f64)
    }

    /// A word on episodes of which no part was recorded, where there are any.
    fn misplaced(&self) -> Option<String> {
        let all = self.labels.episodes.len();
        let outside = self.labels.episodes.iter().filter(|it| !self.holds_part_of(it)).count();
        let [start, end] = self.span();
        (outside > 0).then(|| {
            format!(
                "{}: {outside} of {} outside of the recording, which lasts from {start:.0} to \
                 {end:.0} (seconds since 1970)",
                self.name,
                counted(all, "episode")
            )
        })
    }

    /// The same with 0 to 10 min cut off its start.
    pub(crate) fn cropped(&self, seed: u64) -> Self {
        let stream = self.stream.cropped(crop_seconds(seed, &self.name));
        Self { stream, ..self.clone() }
    }

    /// The same where nothing is read of a signal.
    pub(crate) fn without(&self, signal: Signal) -> Self {
        Self { stream: self.stream.clone().without(signal), ..self.clone() }
    }

    /// The same where of a thousand packets so many are lost.
    pub(crate) fn losing(&self, of_1000: u32) -> Self {
        Self { stream: self.stream.clone().losing(of_1000), ..self.clone() }
    }

    /// The same after a made-up night, before which it was worn once already.
    pub(crate) fn after_a_night(&self) -> Self {
        let before = evening_and_night(&self.stream, &self.labels, self.stream.start);
        Self { before, ..self.clone() }
    }

    /// All that the detector hears.
    pub(crate) fn heard(&self) -> Cow<'_, Stream> {
        let Some(first) = self.before.iter().map(|it| it.measured_at).min() else {
            return Cow::Borrowed(&self.stream);
        };
        let readings = [self.before.as_slice(), &self.stream.readings].concat();
        Cow::Owned(Stream::from_readings(readings, first, self.stream.end))
    }

    /// The same of somebody whose skin conducts so many times as much.
    pub(crate) fn conducting(&self, times: f64) -> Self {
        Self { stream: self.stream.clone().conducting(times), ..self.clone() }
    }

    /// The same, cut in the middle of its rests, its blocks in another order and timed anew: no
    /// timetable holds any longer. Where the blocks meet, signals jump, as they did not when
    /// they were worn.
    pub(crate) fn shuffled(&self, seed: u64) -> Self {
        let bounds = self.bounds();
        let mut blocks: Vec<(Timestamp, Timestamp)> =
            bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let seed = seed.wrapping_mul(1_000_003) ^ u64::from_le_bytes(seed_of(&self.name));
        blocks.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        let mut readings = Vec::new();
        let mut labels = Labels { person: self.labels.person.clone(), ..Labels::default() };
        let mut at = self.stream.start;
        for ((from, until), epoch) in blocks.into_iter().zip(1..) {
            let micros = at.micros_since(from);
            readings.extend(self.stream.part(from, until).moved(micros, epoch).readings);
            let [from_s, until_s] = [from, until].map(Timestamp::as_seconds_f64);
            let here = |it: &Episode| {
                let (start, end) = (it.start.max(from_s), it.end.min(until_s));
                let part = Episode { start, end, ..it.clone() };
                (start < end).then(|| part.later(micros as f64 / 1e6))
            };
            labels.episodes.extend(self.labels.episodes.iter().filter_map(here));
            labels.dropped.extend(self.labels.dropped.iter().filter_map(here));
            at = at.plus_micros(until.micros_since(from));
        }
        let stream = Stream::from_readings(readings, self.stream.start, at);
        Self { labels, origin: stream.start, stream, ..self.clone() }
    }

    /// The start, the middle of each rest, in whole seconds, and the end. A rest is what no
    /// label tells of.
    fn bounds(&self) -> Vec<Timestamp> {
        let mut episodes: Vec<&Episode> =
            self.labels.episodes.iter().chain(&self.labels.dropped).collect();
        episodes.sort_by(|a, b| a.start.total_cmp(&b.start));
        let [start, end] = self.span();
        // Labels may overlap: a rest begins where the last one of them ends.
        let ends = episodes.iter().scan(start, |latest, episode| {
            *latest = latest.max(episode.end);
            Some(*latest)
        });
        let rests_begin = std::iter::once(start).chain(ends);
        let rests_end = episodes.iter().map(|episode| episode.start).chain([end]);
        let mut bounds = vec![self.stream.start];
        for (begin, end) in rests_begin.zip(rests_end).filter(|(begin, end)| begin < end) {
            #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
            let middle = Timestamp::from_seconds(f64::midpoint(begin, end) as i64);
            if bounds.last().is_some_and(|last| middle > *last) && middle < self.stream.end {
                bounds.push(middle);
            }
        }
        bounds.push(self.stream.end);
        bounds
    }
}

/// A number from a name, so that recordings are not shuffled alike.
fn seed_of(name: &str) -> [u8; 8] {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(name);
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use biosignal::{Channel, DeviceId, Reading};

    use super::*;

    /// Ten minutes of EDA, a sample a second that says its second, two episodes.
    fn sitting() -> Sitting {
        let readings = vec![Reading {
            device: DeviceId::from_address([1; 6]),
            channel: Channel::Eda,
            epoch: 1,
            sequence: 0,
            measured_at: Timestamp::from_seconds(0),
            received_at: Timestamp::from_seconds(0),
            period_us: 1_000_000,
            samples: (0..600).collect(),
        }];
        let episode = |start, end| Episode::new("x", start, end);
        let stream = Stream::from_readings(
            readings,
            Timestamp::from_seconds(0),
            Timestamp::from_seconds(600),
        );
        Sitting {
            name: "A".into(),
            person: "A".into(),
            labels: Labels {
                episodes: vec![episode(100.0, 200.0), episode(300.0, 350.0)],
                ..Labels::default()
            },
            origin: stream.start,
            before: Vec::new(),
            stream,
        }
    }

    #[test]
    fn labels_of_times_that_were_not_recorded_are_named() {
        assert_eq!(sitting().misplaced(), None);
        let mut late = sitting();
        late.labels.episodes.push(Episode::new("x", 600_000.0, 700_000.0));
        let said = late.misplaced().expect("one is late");
        let place = "outside of the recording, which lasts from 0 to 600 (seconds since 1970)";
        assert_eq!(said, format!("A: 1 of 3 episodes {place}"));
    }

    #[test]
    fn blocks_change_places_with_their_labels() {
        let bounds: Vec<i64> =
            sitting().bounds().iter().map(|it| it.as_micros() / 1_000_000).collect();
        assert_eq!(bounds, [0, 50, 250, 475, 600]);
        for seed in 0..20 {
            let shuffled = sitting().shuffled(seed);
            let values: Vec<i32> =
                shuffled.stream.readings.iter().flat_map(|it| it.samples.clone()).collect();
            for (episode, first) in shuffled.labels.episodes.iter().zip(episode_firsts(&values)) {
                assert_eq!(episode.start, first);
            }
            assert_eq!(values.len(), 600);
        }
        let shuffled = sitting().shuffled(0);
        assert_eq!(shuffled.stream.end, Timestamp::from_seconds(600));
    }

    #[test]
    fn labels_that_overlap_or_began_before_keep_their_samples() {
        let mut overlapping = sitting();
        overlapping.labels.episodes =
            vec![Episode::new("x", 100.0, 200.0), Episode::new("x", 400.0, 450.0)];
        overlapping.labels.dropped =
            vec![Episode::new("y", -50.0, 30.0), Episode::new("y", 150.0, 300.0)];
        let bounds = |it: &Sitting| -> Vec<i64> {
            it.bounds().iter().map(|it| it.as_micros() / 1_000_000).collect()
        };
        assert_eq!(bounds(&overlapping), [0, 65, 350, 525, 600]);
        for seed in 0..20 {
            let shuffled = overlapping.shuffled(seed);
            let values = shuffled.stream.readings.iter().flat_map(|it| it.samples.clone());
            for (second, value) in values.enumerate() {
                let within = |labels: &[Episode], at: f64| labels.iter().any(|it| it.holds(at));
                let (now, before) = (second as f64 + 0.5, f64::from(value) + 0.5);
                for of in [|it: &Labels| it.episodes.clone(), |it: &Labels| it.dropped.clone()] {
                    let (shuffled, whole) = (of(&shuffled.labels), of(&overlapping.labels));
                    assert_eq!(within(&shuffled, now), within(&whole, before), "{value}");
                }
            }
        }
    }

    /// Where samples 100 and 300 went, in the order of time: they began the episodes.
    fn episode_firsts(values: &[i32]) -> Vec<f64> {
        let places = values.iter().zip(0..).filter(|(it, _)| [100, 300].contains(*it));
        places.map(|(_, place)| f64::from(place)).collect()
    }

    #[test]
    fn a_recording_without_a_label_stays_and_is_calm() {
        let stream = sitting().stream;
        let recording = |name: &str| Named { name: name.to_owned(), stream: stream.clone() };
        let episodes = Episodes::from([("A".to_owned(), sitting().labels)]);
        let all = sittings(vec![recording("A"), recording("B")], &episodes).expect("told");
        let calm: Vec<bool> = all.iter().map(|it| !it.has_episode()).collect();
        assert_eq!(calm, [false, true]);
        assert_eq!(with_episodes(all.iter()), BTreeSet::from(["A"]));
    }

    #[test]
    fn a_seed_is_an_order() {
        assert_eq!(sitting().shuffled(3).stream, sitting().shuffled(3).stream);
    }
}
