//! The eight hours that every benchmark runs over, as a wristband would have sent them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use biosignal::recording::{FILES, Recording};
use biosignal::{DeviceId, Reading, Timestamp};
use detector::{Detector, Output};
use rustix::time::{ClockId, clock_gettime};

/// A packet holds so much of a signal.
const PACKET_US: u32 = 500_000;

/// What a wristband sent, second by second.
pub(crate) struct Worn {
    /// The second after the first packets were sent.
    start: i64,
    seconds: Vec<Vec<Reading>>,
}

impl Worn {
    /// Reads what `tests/speed` made.
    pub(crate) fn read() -> Result<Self> {
        let folder = folder();
        let recording = read(&folder).with_context(|| {
            format!("no recording in {}; tests/speed makes it", folder.display())
        })?;
        let start = second_of(recording.start()) + 1;
        let mut seconds: Vec<Vec<Reading>> = Vec::new();
        let device = DeviceId::from_address([0xe4, 0, 0, 0, 0, 1]);
        let tracks = recording.tracks.iter();
        for reading in tracks.flat_map(|track| track.readings(&device, PACKET_US)) {
            let sent = second_of(reading.end().plus_micros(999_999));
            let at = usize::try_from(sent - start).unwrap_or(0);
            seconds.resize_with(seconds.len().max(at + 1), Vec::new);
            seconds[at].push(reading);
        }
        Ok(Self { start, seconds })
    }

    /// How many seconds there are.
    pub(crate) fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Has a detector take one of the seconds.
    pub(crate) fn wear(&self, second: usize, detector: &mut Detector) -> Vec<Output> {
        self.seconds[second].iter().for_each(|reading| detector.push(reading));
        let since = i64::try_from(second).unwrap_or(i64::MAX);
        detector.tick(Timestamp::from_seconds(self.start + since))
    }
}

fn folder() -> PathBuf {
    std::env::var_os("TIDEWATCH_SPEED_RECORDING").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/e4_8h"),
        PathBuf::from,
    )
}

fn read(folder: &Path) -> Result<Recording> {
    let mut files = BTreeMap::new();
    for name in FILES {
        if let Ok(text) = std::fs::read_to_string(folder.join(name)) {
            files.insert(name.to_owned(), text);
        }
    }
    Ok(Recording::from_files(&files)?)
}

fn second_of(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(biosignal::MICROS_PER_SECOND)
}

/// What a piece of work costs this thread, whatever else the machine does.
pub(crate) fn cpu_time(work: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let before = now();
    work();
    now() - before
}
