//! What goes in comes out: a recording against what the store holds of it.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use biosignal::recording::{Recording, Track};
use biosignal::{Channel, DeviceId, Reading, Timestamp};
use store::{Of, Scan, Store};

use crate::source;

/// Arguments of `tidewatch study compare`.
#[derive(clap::Args)]
pub(crate) struct CompareArgs {
    /// The recording that was played: an E4 zip or folder.
    recording: PathBuf,
    /// The store's folder (`data_dir`).
    #[arg(long)]
    store: PathBuf,
    /// The band that played it.
    #[arg(long)]
    device: DeviceId,
    /// True UTC of a played sample less its time in the recording, microseconds.
    #[arg(long, allow_hyphen_values = true)]
    shift_us: i64,
    /// Compare from this moment of the recording on, microseconds UTC; else from its start.
    #[arg(long)]
    from_us: Option<i64>,
    /// Compare up to this moment of the recording, microseconds UTC; else to its end.
    #[arg(long)]
    until_us: Option<i64>,
    /// By how much a stored time may be off: the band's clock has been mapped.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=60_000))]
    tolerance_ms: u32,
}

/// Prints a line per channel.
pub(crate) fn execute(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let recording = source::recording(&args.recording)?;
    let store = Store::open(&args.store)
        .with_context(|| format!("cannot open the store in {}", args.store.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let window = Window {
        from: args.from_us.map_or(recording.start(), Timestamp::from_micros),
        until: args.until_us.map_or(recording.end(), Timestamp::from_micros),
        shift_us: args.shift_us,
        tolerance_us: i64::from(args.tolerance_ms) * 1000,
    };
    ensure!(window.from < window.until, "--from-us is not before --until-us: nothing is compared");
    let mut out = stdout().lock();
    writeln!(
        out,
        "{:<17} {:>9} {:>9} {:>8} {:>10} {:>9} {:>13}",
        "channel", "expected", "stored", "missing", "duplicated", "different", "largest error"
    )?;
    let mut sound = true;
    for channel in Channel::ALL {
        let scan = Scan {
            of: Of::Device(args.device.clone()),
            channels: vec![channel],
            from: window.from.plus_micros(args.shift_us - SEARCH_US),
            until: window.until.plus_micros(args.shift_us + SEARCH_US),
        };
        let readings = runtime.block_on(store.scan(scan))?;
        let found = window.compare(&recording, channel, readings);
        sound &= found.is_sound(window.tolerance_us);
        writeln!(
            out,
            "{:<17} {:>9} {:>9} {:>8} {:>10} {:>9} {:>10.3} ms",
            channel.name(),
            found.expected,
            found.stored,
            found.missing,
            found.duplicated,
            found.different,
            found.largest_error_us as f64 / 1000.0
        )?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// How far outside of the window stored samples are looked for: a minute of clock error.
const SEARCH_US: i64 = 60_000_000;

/// A stored block belongs where the one before ended unless its time is off by more.
const CONTIGUOUS_US: i64 = 200_000;

/// The stretch of the recording that is compared.
struct Window {
    from: Timestamp,
    until: Timestamp,
    shift_us: i64,
    tolerance_us: i64,
}

/// What a channel came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    expected: usize,
    stored: usize,
    missing: usize,
    duplicated: usize,
    different: usize,
    largest_error_us: i64,
}

impl Found {
    fn is_sound(self, tolerance_us: i64) -> bool {
        self.missing == 0
            && self.duplicated == 0
            && self.different == 0
            && self.largest_error_us <= tolerance_us
    }
}

impl Window {
    fn compare(
        &self,
        recording: &Recording,
        channel: Channel,
        mut readings: Vec<Reading>,
    ) -> Found {
        readings.sort_by_key(|reading| (reading.epoch, reading.sequence));
        match channel {
            Channel::Ibi => {
                let beats = recording.beats.iter().map(|beat| (beat.at, beat.interval_us));
                self.compare_events(beats.collect(), &readings)
            }
            Channel::Button => {
                let tags = recording.tags.iter().map(|at| (*at, 0));
                self.compare_events(tags.collect(), &readings)
            }
            _ => match recording.track(channel) {
                Some(track) => self.compare_track(track, &readings),
                None => Found {
                    stored: readings.iter().map(Reading::len).sum(),
                    different: readings.iter().map(Reading::len).sum(),
                    ..Found::default()
                },
            },
        }
    }

    /// Samples at a rate: each stored block is laid where its time says, or where the
    /// block before ended when that is as near as the mapped clock can tell.
    fn compare_track(&self, track: &Track, readings: &[Reading]) -> Found {
        let (first, last) = self.indices(track);
        let mut times_stored = vec![0_u32; track.len()];
        let mut found = Found { expected: last.saturating_sub(first), ..Found::default() };
        let mut next = None;
        for reading in readings {
            let begin = self.index_of(track, reading, next);
            for (offset, values) in
                reading.samples.chunks_exact(track.channel.components()).enumerate()
            {
                let place = begin + offset as i64;
                let index = usize::try_from(place).unwrap_or(usize::MAX);
                if !(first..last).contains(&index) {
                    continue;
                }
                times_stored[index] += 1;
                found.stored += 1;
                let components = track.channel.components();
                if track.samples[index * components..][..components] != *values {
                    found.different += 1;
                }
                let expected = time_at(track, place).plus_micros(self.shift_us);
                let error = reading.time_of(offset).micros_since(expected).abs();
                found.largest_error_us = found.largest_error_us.max(error);
            }
            next = Some(begin + reading.len() as i64);
        }
        for times in times_stored.get(first..last).unwrap_or_default() {
            found.missing += usize::from(*times == 0);
            found.duplicated += times.saturating_sub(1) as usize;
        }
        found
    }

    /// The samples of a track that lie in the window.
    fn indices(&self, track: &Track) -> (usize, usize) {
        let at_or_after = |moment: Timestamp| {
            let micros = moment.micros_since(track.start).max(0);
            let period = i64::from(track.period_us);
            usize::try_from((micros + period - 1) / period).unwrap_or(0).min(track.len())
        };
        (at_or_after(self.from), at_or_after(self.until))
    }

    /// Where in the track a block belongs: where the one before ended, when its time is
    /// near that. Else where its values stand, within the tolerance of its time.
    fn index_of(&self, track: &Track, reading: &Reading, next: Option<i64>) -> i64 {
        let micros = reading.measured_at.micros_since(track.start) - self.shift_us;
        let period = i64::from(track.period_us);
        let nearest = (micros + period / 2).div_euclid(period);
        if let Some(next) = next
            && ((nearest - next) * period).abs() <= CONTIGUOUS_US
        {
            return next;
        }
        let reach = self.tolerance_us / period;
        (nearest - reach..=nearest + reach)
            .max_by_key(|place| (agreement(track, *place, reading), -(place - nearest).abs()))
            .unwrap_or(nearest)
    }

    /// Events: each is looked for near its time, with its value.
    fn compare_events(&self, events: Vec<(Timestamp, i32)>, readings: &[Reading]) -> Found {
        let expected: Vec<_> = events
            .into_iter()
            .filter(|(at, _)| (self.from..self.until).contains(at))
            .map(|(at, value)| (at.plus_micros(self.shift_us), value))
            .collect();
        let mut stored = self.stored_events(readings);
        let mut found = Found { expected: expected.len(), ..Found::default() };
        for (at, value) in expected {
            let near = |event: &(Timestamp, i32)| {
                event.1 == value && event.0.micros_since(at).abs() <= self.tolerance_us
            };
            let Some(place) = stored.iter().position(near) else {
                found.missing += 1;
                continue;
            };
            let (stored_at, _) = stored.remove(place);
            found.stored += 1;
            let error = stored_at.micros_since(at).abs();
            found.largest_error_us = found.largest_error_us.max(error);
        }
        let inside = |event: &&(Timestamp, i32)| {
            let at = event.0.plus_micros(-self.shift_us);
            let margin = self.tolerance_us;
            (self.from.plus_micros(margin)..self.until.plus_micros(-margin)).contains(&at)
        };
        found.duplicated = stored.iter().filter(inside).count();
        found.stored += found.duplicated;
        found
    }

    fn stored_events(&self, readings: &[Reading]) -> Vec<(Timestamp, i32)> {
        readings
            .iter()
            .flat_map(|reading| {
                let components = reading.channel.components();
                (0..reading.len()).map(move |index| {
                    let value = if components == 2 { reading.samples[index * 2 + 1] } else { 0 };
                    (reading.time_of(index), value)
                })
            })
            .collect()
    }
}

/// How many of a block's integers are the track's from an index on.
fn agreement(track: &Track, place: i64, reading: &Reading) -> usize {
    let first = place * track.channel.components() as i64;
    let at = |index: usize| usize::try_from(first + index as i64).ok();
    let same = |(index, value): &(usize, &i32)| {
        at(*index).and_then(|it| track.samples.get(it)) == Some(value)
    };
    reading.samples.iter().enumerate().filter(same).count()
}

fn time_at(track: &Track, index: i64) -> Timestamp {
    track.start.plus_micros(index * i64::from(track.period_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFT: i64 = 1_000_000_000;

    fn track() -> Track {
        Track {
            channel: Channel::Eda,
            start: Timestamp::from_seconds(100),
            period_us: 250_000,
            samples: (0..40).collect(),
        }
    }

    fn reading(sequence: u32, error_us: i64, samples: Vec<i32>) -> Reading {
        let at = time_at(&track(), i64::from(samples[0]));
        Reading {
            device: DeviceId::from_address([1; 6]),
            channel: Channel::Eda,
            epoch: 1,
            sequence,
            measured_at: at.plus_micros(SHIFT + error_us),
            received_at: at,
            period_us: 250_000,
            samples,
        }
    }

    fn compare(readings: Vec<Reading>) -> Found {
        let recording = Recording { tracks: vec![track()], beats: Vec::new(), tags: Vec::new() };
        let window = Window {
            from: recording.start(),
            until: recording.end(),
            shift_us: SHIFT,
            tolerance_us: 260_000,
        };
        window.compare(&recording, Channel::Eda, readings)
    }

    fn all() -> Vec<Reading> {
        (0..10)
            .map(|packet| reading(packet, 3_000, (packet as i32 * 4..).take(4).collect()))
            .collect()
    }

    #[test]
    fn what_is_whole_is_found_whole() {
        let found = compare(all());
        let sound = Found { expected: 40, stored: 40, largest_error_us: 3_000, ..Found::default() };
        assert_eq!(found, sound);
    }

    #[test]
    fn a_clock_that_is_off_by_samples_moves_no_value() {
        let late = (0..10)
            .map(|packet| reading(packet, 180_000, (packet as i32 * 4..).take(4).collect()))
            .collect();
        let found = compare(late);
        assert_eq!((found.missing, found.different), (0, 0));
        assert_eq!(found.largest_error_us, 180_000);
    }

    #[test]
    fn what_is_lost_doubled_or_changed_is_counted() {
        let mut readings = all();
        readings.remove(3);
        assert_eq!(compare(readings).missing, 4);

        let mut readings = all();
        readings.push(reading(11, 0, vec![8, 9]));
        assert_eq!(compare(readings).duplicated, 2);

        let mut readings = all();
        readings[2].samples[1] += 1;
        assert_eq!(compare(readings).different, 1);
    }
}
