//! What runs on a device: sampling, packets, flash, and what it says over GATT.
//!
//! No I/O and no clock in here: the time comes in, notifications go out.

mod band;
mod clock;
mod flash;
mod gatt;
mod replay;
mod strap;

use biosignal::Timestamp;
use uuid::Uuid;

pub(crate) use band::{Band, BandParts};
pub(crate) use gatt::{AttError, Characteristic, Service};
pub(crate) use strap::Strap;

use crate::body::Wearer;

/// The two kinds of device that there are.
#[derive(Debug)]
pub(crate) enum Firmware {
    Band(Box<Band>),
    Strap(Box<Strap>),
}

/// A value that a device sends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) characteristic: Uuid,
    pub(crate) bytes: Vec<u8>,
    /// Whether it was measured just now, rather than sent from flash.
    pub(crate) live: bool,
}

impl Firmware {
    /// The services that the device offers once connected.
    pub(crate) fn services(&self) -> &[Service] {
        match self {
            Self::Band(band) => band.services(),
            Self::Strap(strap) => strap.services(),
        }
    }

    /// The service that the device advertises.
    pub(crate) fn advertised(&self) -> Uuid {
        match self {
            Self::Band(_) => wristband::uuids::SERVICE,
            Self::Strap(_) => wristband::uuids::HEART_RATE_SERVICE,
        }
    }

    pub(crate) fn link_up(&mut self) {
        match self {
            Self::Band(band) => band.link_up(),
            Self::Strap(strap) => strap.link_up(),
        }
    }

    pub(crate) fn link_lost(&mut self) {
        match self {
            Self::Band(band) => band.link_lost(),
            Self::Strap(strap) => strap.link_lost(),
        }
    }

    pub(crate) fn subscribe(&mut self, characteristic: Uuid, on: bool) {
        match self {
            Self::Band(band) => band.subscribe(characteristic, on),
            Self::Strap(strap) => strap.subscribe(characteristic, on),
        }
    }

    pub(crate) fn read(&self, now: Timestamp, characteristic: Uuid) -> Result<Vec<u8>, AttError> {
        match self {
            Self::Band(band) => band.read(now, characteristic),
            Self::Strap(strap) => strap.read(now, characteristic),
        }
    }

    pub(crate) fn write(
        &mut self,
        now: Timestamp,
        characteristic: Uuid,
        bytes: &[u8],
    ) -> Result<(), AttError> {
        match self {
            Self::Band(band) => band.write(now, characteristic, bytes),
            Self::Strap(_) => Err(AttError::WRITE_NOT_PERMITTED),
        }
    }

    /// Does everything that is due by now.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Notification> {
        match self {
            Self::Band(band) => band.tick(now),
            Self::Strap(strap) => strap.tick(now),
        }
    }

    /// When there is something to do next.
    pub(crate) fn due(&self) -> Timestamp {
        match self {
            Self::Band(band) => band.due(),
            Self::Strap(strap) => strap.due(),
        }
    }

    /// Whether it has been restarted and is not up yet.
    pub(crate) fn booting(&self, now: Timestamp) -> bool {
        match self {
            Self::Band(band) => band.booting(now),
            Self::Strap(_) => false,
        }
    }

    /// Whether somebody listens to the samples.
    pub(crate) fn streams(&self) -> bool {
        match self {
            Self::Band(band) => band.streams(),
            Self::Strap(strap) => strap.streams(),
        }
    }

    pub(crate) fn set_worn(&mut self, worn: bool) {
        match self {
            Self::Band(band) => band.set_worn(worn),
            Self::Strap(strap) => strap.set_worn(worn),
        }
    }

    pub(crate) fn wearer(&self) -> &Wearer {
        match self {
            Self::Band(band) => band.wearer(),
            Self::Strap(strap) => strap.wearer(),
        }
    }
}

/// A battery that lasts two days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Battery {
    full: Timestamp,
    percent: u8,
}

const MICROS_PER_PERCENT: i64 = 1_728_000_000;

impl Battery {
    pub(crate) fn new(now: Timestamp, percent: u8) -> Self {
        Self { full: now, percent }
    }

    pub(crate) fn percent(&self, now: Timestamp) -> u8 {
        let used = now.micros_since(self.full).max(0) / MICROS_PER_PERCENT;
        self.percent.saturating_sub(u8::try_from(used).unwrap_or(u8::MAX))
    }
}
