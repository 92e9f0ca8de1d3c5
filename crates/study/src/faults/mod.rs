//! What the detector says while something is wrong with what it is given.

mod fault;
mod played;
mod refused;
mod script;

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};

use crate::parallel;
use crate::source::recording;
use crate::stream::Stream;
use fault::{Fault, faults};
use played::{Played, play};
use refused::refused;
use script::Script;

/// Arguments of `tidewatch study faults`.
#[derive(clap::Args)]
pub(crate) struct FaultsArgs {
    /// An E4 export of at least 45 min, a zip archive or an unpacked folder.
    recording: PathBuf,
}

/// A fault, and what the detector made of it.
struct Row {
    fault: Fault,
    /// None where it panicked.
    played: Option<Played>,
    /// Whether it said the same as without the fault at every second.
    same: bool,
}

/// Prints the tables; exit code 3 where there was a verdict without sight, or a panic.
pub(crate) fn execute(args: &FaultsArgs) -> anyhow::Result<ExitCode> {
    let stream = Stream::of(&recording(&args.recording)?);
    let rows = rows(&stream, faults())?;
    print(&rows)?;
    let good = rows.iter().all(|row| row.blind_verdicts() == Some(0));
    let all_refused = refused().into_iter().all(|entry| entry.refused.is_some());
    Ok(if good && all_refused { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn rows(stream: &Stream, faults: Vec<Fault>) -> anyhow::Result<Vec<Row>> {
    let minutes = stream.end.micros_since(stream.start) / 60_000_000;
    ensure!(minutes >= 45, "the recording lasts {minutes} min, and 45 are needed");
    let usual = play(&Script::of(stream, &Fault::none())?).context("without a fault")?;
    let scripts = faults.into_iter().map(|fault| Ok((Script::of(stream, &fault)?, fault)));
    let scripts: Vec<(Script, Fault)> = scripts.collect::<anyhow::Result<_>>()?;
    Ok(parallel::each("playing faults", &scripts, |(script, fault)| {
        let played = play(script);
        let same = played.as_ref().is_some_and(|it| it.says_the_same(&usual));
        Row { fault: fault.clone(), played, same }
    }))
}

impl Row {
    /// Seconds at which there was a verdict though nothing valid could be seen; none where it
    /// panicked.
    fn blind_verdicts(&self) -> Option<usize> {
        Some(self.played.as_ref()?.blind_verdicts())
    }
}

fn print(rows: &[Row]) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "{:<41} {:>5} {:>6} {:>11} {:>6} {:>8} {:>8} {:>8}  what the detector said meanwhile",
        "fault", "said", "again", "blind", "panics", "quality", "verdict", "heart"
    )?;
    for Row { fault, played, same } in rows {
        let name = &fault.name;
        let Some(played) = played else {
            writeln!(out, "{name:<41} {:>5} {:>6} {:>11} {:>6}", "-", "-", "-", 1)?;
            continue;
        };
        let seconds = |it: Option<i64>| it.map_or("-".to_owned(), |it| it.to_string());
        let (said, again) = (seconds(played.said_after_s()), seconds(played.again_after_s()));
        let quality = played.quality().map_or("-".to_owned(), |it| format!("{it:.2}"));
        let blind = match played.blind_seconds() {
            0 => "-".to_owned(),
            all => format!("{} of {all}", played.blind_verdicts()),
        };
        let same = if *same { "; at every second as without" } else { "" };
        let shares = played.shares();
        writeln!(
            out,
            "{name:<41} {said:>5} {again:>6} {blind:>11} {:>6} {quality:>8} {:>6.1} % {:>6.1} %  {shares}{same}",
            0,
            played.verdicts(),
            played.hearts()
        )?;
    }
    for note in NOTES {
        writeln!(out, "{note}")?;
    }
    writeln!(out, "\n{:<41} refused with", "what is no sample")?;
    for entry in refused() {
        let answer = entry.refused.unwrap_or_else(|| "NOT REFUSED".to_owned());
        writeln!(out, "{:<41} {answer}", entry.what)?;
    }
    for note in RADIO {
        writeln!(out, "{note}")?;
    }
    Ok(())
}

const NOTES: [&str; 11] = [
    "",
    "Each fault comes 25 min into the recording and lasts 5 min unless it says otherwise; one look a second.",
    "said: s from its start to the first \"no reading\". again: s from its end to the next verdict. quality: at its end,",
    "how much of the window could be used, the mean over heart, skin and motion. verdict: the part of its time with one.",
    "heart: the part of its time with a verdict that has a heart rate; without one, skin and motion judge alone.",
    "Lost packets: each holds all channels of half a second. 10 to 120 s are lost at a time, and 60 to 300 s come in",
    "between; each of these losses, where not from the start, lasts 25 min.",
    "blind: seconds with a verdict (settled, rising, high, learning) among those at which nobody can be seen: from 12 s",
    "after the last valid sample (10 s of silence, 2 s of waiting for late ones), 20 s after the last but one of heart,",
    "skin and motion, 150 s after a band was laid on a table (two minutes of stillness tell it from a resting wrist).",
    "Must be 0. -: two of heart, skin and motion can still be seen.",
];

const RADIO: [&str; 2] = [
    "On the radio, on the broker and in the store a sample is an integer: a strap's heart rate of 16 bit, a band's of 32.",
    "Neither holds NaN or an infinity; the largest and smallest integers stand above.",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::fault::Kind;
    use super::*;

    fn stream() -> Option<Stream> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/recordings/stress-predict/S02.zip");
        if !file.exists() {
            println!("{} is absent: nothing was tested", file.display());
            return None;
        }
        Some(Stream::of(&recording(&file).expect("it is a recording")))
    }

    #[test]
    fn no_fault_makes_anybody_look_calm_who_cannot_be_seen() -> anyhow::Result<()> {
        let Some(stream) = stream() else { return Ok(()) };
        let all = faults();
        let blind = all.iter().filter(|fault| fault.blind_after_s.is_some()).count();
        for row in rows(&stream, all)? {
            let played = row.played.as_ref().expect("it does not panic");
            let name = &row.fault.name;
            assert_eq!(played.blind_verdicts(), 0, "{name}: {}", played.shares());
            if played.blind_seconds() > 0 {
                assert!(played.said_after_s().is_some_and(|s| s <= 150), "{name}");
            }
            assert!(played.again_after_s().is_some(), "{name}: there is no verdict afterwards");
        }
        assert!(blind > 10, "{blind} faults hide the wearer");
        Ok(())
    }

    #[test]
    fn lost_packets_leave_a_verdict_and_many_cost_the_heart() -> anyhow::Result<()> {
        let Some(stream) = stream() else { return Ok(()) };
        let lossy = |fault: &Fault| matches!(fault.kind, Kind::Nothing | Kind::Lossy(_));
        let later = |fault: &Fault| lossy(fault) && fault.from_s > 0;
        let rows = rows(&stream, faults().into_iter().filter(later).collect())?;
        let of = |part: fn(&Played) -> f64| {
            rows.iter().filter_map(|it| Some(part(it.played.as_ref()?))).collect::<Vec<_>>()
        };
        assert_eq!(of(Played::verdicts), [100.0; 4]);
        let [all, few, some, many] = of(Played::hearts)[..] else { panic!("four are played") };
        assert_eq!([all, few], [100.0; 2]);
        assert!(some > 90.0 && many < 20.0, "{some} and {many}");
        Ok(())
    }

    #[test]
    fn packets_twice_or_in_another_order_change_nothing() -> anyhow::Result<()> {
        let Some(stream) = stream() else { return Ok(()) };
        let harmless = faults().into_iter().filter(|fault| fault.is_harmless()).collect();
        let rows = rows(&stream, harmless)?;
        assert_eq!(rows.len(), 2);
        rows.iter().for_each(|row| assert!(row.same, "{}", row.fault.name));
        Ok(())
    }
}
