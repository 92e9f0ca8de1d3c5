use std::collections::{BTreeMap, BTreeSet};

use biosignal::Timestamp;
use zbus::message::Message;

/// What BlueZ knows of a device.
#[derive(Debug)]
pub(crate) struct Device {
    /// Its object path.
    pub(crate) path: String,
    /// Whether it has been seen, and so has an object.
    pub(crate) known: bool,
    /// A device that was connected once is not forgotten.
    pub(crate) kept: bool,
    pub(crate) last_seen: Timestamp,
    pub(crate) next_advertisement: Timestamp,
    pub(crate) rssi_dbm: Option<i16>,
    pub(crate) link: Link,
    /// Clients that are notified, by service and characteristic.
    pub(crate) notified: BTreeMap<(usize, usize), BTreeSet<String>>,
}

/// A link to a device.
#[derive(Debug, Default)]
pub(crate) enum Link {
    #[default]
    Down,
    Connecting {
        /// The call that waits for it.
        call: Message,
        /// When the link is up; `None` while the device is not heard.
        up_at: Option<Timestamp>,
    },
    Up {
        /// When the services are resolved; `None` once they are.
        resolved_at: Option<Timestamp>,
        /// When the link counts as lost; `None` while the device is heard.
        lost_at: Option<Timestamp>,
    },
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }

    pub(crate) fn is_resolved(&self) -> bool {
        matches!(self, Self::Up { resolved_at: None, .. })
    }

    /// When something changes by itself.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Down => None,
            Self::Connecting { up_at, .. } => *up_at,
            Self::Up { resolved_at, lost_at } => {
                [*resolved_at, *lost_at].into_iter().flatten().min()
            }
        }
    }
}

impl Device {
    pub(crate) fn new(path: String) -> Self {
        Self {
            path,
            known: false,
            kept: false,
            last_seen: Timestamp::default(),
            next_advertisement: Timestamp::default(),
            rssi_dbm: None,
            link: Link::Down,
            notified: BTreeMap::new(),
        }
    }
}
