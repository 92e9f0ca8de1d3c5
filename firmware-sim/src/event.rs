//! What a simulation tells: one JSON line each.

use biosignal::DeviceId;
use serde::Serialize;

use crate::body::Episode;
use crate::{Address, Command};

/// Something that happened in the simulation.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Everything is up.
    Ready {
        /// Address of the private bus, for `DBUS_SYSTEM_BUS_ADDRESS`.
        bus: String,
        /// Bands and straps, by number.
        bands: Vec<BandInfo>,
    },
    /// A central connected to a band.
    Connected {
        /// The band's number.
        band: usize,
        /// True time, microseconds.
        at_us: i64,
    },
    /// A band's link ended.
    Disconnected {
        /// The band's number.
        band: usize,
        /// True time, microseconds.
        at_us: i64,
    },
    /// A central listens to a band's samples.
    Streaming {
        /// The band's number.
        band: usize,
        /// True time, microseconds.
        at_us: i64,
    },
    /// A command was carried out.
    Done {
        /// The band's number, where it was done to a band.
        band: Option<usize>,
        /// What was done.
        what: String,
        /// True time, microseconds.
        at_us: i64,
    },
    /// A line that could not be carried out.
    Refused {
        /// The line.
        line: String,
        /// Why not.
        why: String,
    },
    /// The simulation is over.
    Stopped,
}

/// A band or strap, as it was made.
#[derive(Clone, Debug, Serialize)]
pub struct BandInfo {
    /// The number by which commands call it.
    pub band: usize,
    /// Its Bluetooth address.
    pub address: Address,
    /// Its identity in the house.
    pub device: DeviceId,
    /// Its advertised name.
    pub name: String,
    /// The recording's file name, where it plays one.
    pub recording: Option<String>,
    /// Seed of the simulated person, where it has one.
    pub person: Option<u64>,
    /// When the recording itself starts, microseconds UTC.
    pub recording_start_us: Option<i64>,
    /// Time in the recording of the first sample that is played, microseconds UTC.
    pub plays_from_us: Option<i64>,
    /// True time of a played sample minus its time in the recording.
    pub shift_us: Option<i64>,
    /// True time of the first sample.
    pub worn_from_us: i64,
    /// What is sure to happen to a simulated person, true time.
    pub episodes: Vec<Episode>,
}

impl Event {
    pub(crate) fn done(command: &Command, at_us: i64) -> Self {
        let (band, what) = match command {
            Command::Band { band, fault, .. } => (Some(*band), format!("{fault:?}")),
            Command::Radio { fault, .. } => (None, format!("{fault:?}")),
            Command::Stop => (None, "Stop".to_owned()),
        };
        Self::Done { band, what, at_us }
    }
}
