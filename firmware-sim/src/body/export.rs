use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use biosignal::Channel;

use super::{Episode, Person, WINDOW_US};

/// Writes a simulated person as an Empatica E4 recording, a folder of CSV files that
/// starts at 2026-01-01T08:00:00Z, and tells what truly happened.
///
/// # Errors
/// The folder cannot be written.
pub fn write_person(seed: u64, hours: u32, folder: &Path) -> anyhow::Result<Vec<Episode>> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let mut person = Person::new(seed, Vec::new());
    let mut files = Files::create(folder)?;
    for window in 1..=i64::from(hours) * 3_600_000_000 / WINDOW_US {
        for segment in person.live_until(window * WINDOW_US) {
            files.write(segment.channel, segment.at_us, &segment.samples)?;
        }
    }
    files.finish()?;
    Ok(person.truth())
}

/// When every recording starts, seconds since 1970 UTC.
pub(super) const START_S: i64 = 1_767_254_400;

/// The files of a recording, open for writing.
struct Files(Vec<(Channel, BufWriter<fs::File>, bool)>);

impl Files {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        let names = [
            (Channel::Bvp, "BVP.csv"),
            (Channel::Acceleration, "ACC.csv"),
            (Channel::Eda, "EDA.csv"),
            (Channel::SkinTemperature, "TEMP.csv"),
            (Channel::HeartRate, "HR.csv"),
            (Channel::Ibi, "IBI.csv"),
        ];
        let open = |(channel, name): (Channel, &str)| {
            let file = fs::File::create(folder.join(name)).with_context(|| name.to_owned())?;
            Ok((channel, BufWriter::new(file), false))
        };
        names.into_iter().map(open).collect::<anyhow::Result<_>>().map(Self)
    }

    fn write(&mut self, channel: Channel, at_us: i64, samples: &[i32]) -> anyhow::Result<()> {
        let found = self.0.iter_mut().find(|(of, ..)| *of == channel);
        let (_, file, begun) = found.context("a person has no such channel")?;
        if !std::mem::replace(begun, true) {
            header(file, channel, START_S + at_us / 1_000_000)?;
        }
        for sample in samples.chunks(channel.components()) {
            match (channel, sample) {
                (Channel::Acceleration, [x, y, z]) => {
                    writeln!(file, "{},{},{}", x / 16, y / 16, z / 16)?;
                }
                (Channel::Ibi, [beat, interval]) => {
                    let seconds = |micros: f64| micros / 1e6;
                    #[expect(clippy::cast_precision_loss, reason = "hours in microseconds")]
                    let beat = seconds((at_us + i64::from(*beat)) as f64);
                    writeln!(file, "{beat:.6},{:.6}", seconds(f64::from(*interval)))?;
                }
                (_, [value]) => writeln!(file, "{:.6}", f64::from(*value) * channel.scale())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        self.0.into_iter().try_for_each(|(_, mut file, _)| Ok(file.flush()?))
    }
}

fn header(file: &mut impl Write, channel: Channel, start_s: i64) -> anyhow::Result<()> {
    match channel {
        // The times of beats count from the beginning of the recording.
        Channel::Ibi => writeln!(file, "{START_S}.000000, IBI")?,
        Channel::Acceleration => {
            let axes = |value: String| [value.clone(), value.clone(), value].join(", ");
            writeln!(file, "{}\n{}", axes(format!("{start_s}.000000")), axes("32.000000".into()))?;
        }
        _ => {
            let rate = match channel {
                Channel::Bvp => 64,
                Channel::HeartRate => 1,
                _ => 4,
            };
            writeln!(file, "{start_s}.000000\n{rate}.000000")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read_recording;

    #[test]
    fn a_person_is_written_as_a_recording_that_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        write_person(7, 1, folder.path()).expect("it can be written");
        let recording = read_recording(folder.path()).expect("it can be read");
        let mut person = Person::new(7, Vec::new());
        let lived = (1..=7_200).flat_map(|window| person.live_until(window * WINDOW_US));
        let lived: Vec<_> = lived.collect();
        for channel in [Channel::Bvp, Channel::Acceleration, Channel::Eda, Channel::HeartRate] {
            let of = lived.iter().filter(|segment| segment.channel == channel);
            let expected: Vec<i32> = of.flat_map(|segment| segment.samples.clone()).collect();
            let track = recording.track(channel).expect("it was written");
            assert_eq!(track.samples, expected, "{channel}");
        }
        let beats = lived.iter().filter(|segment| segment.channel == Channel::Ibi);
        assert_eq!(
            recording.beats.len(),
            beats.map(|segment| segment.samples.len() / 2).sum::<usize>()
        );
    }
}
