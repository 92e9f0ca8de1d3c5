//! What the gateway has taken from the bands and the store does not have yet.
//!
//! One SQLite file. A batch and the session cursor of the band that it came from go in
//! with one transaction, so that after a `kill -9` the band is asked for exactly what is
//! missing. A batch leaves only when the *store* says that it has it.

mod database;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use biosignal::{DeviceId, Gap};
use tokio::sync::watch;

pub(crate) use database::Database;

/// The spool's file in the data folder.
pub(crate) const FILE: &str = "gateway-spool.sqlite";

/// What is to be kept, all or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flush {
    /// Batches in the order of their numbers to come.
    pub batches: Vec<Draft>,
    /// The bands that these came from, as their sessions stand after them.
    pub bands: BTreeMap<DeviceId, BandRecord>,
    /// Gaps to tell of.
    pub gaps: Vec<Gap>,
}

impl Flush {
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.bands.is_empty() && self.gaps.is_empty()
    }
}

/// A batch before it has a number.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub device: DeviceId,
    /// The encoded batch without its epoch and sequence.
    pub body: Vec<u8>,
}

/// A band as the spool knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BandRecord {
    pub profile: String,
    /// The session's cursor, encoded.
    pub cursor: Option<Vec<u8>>,
}

/// What names a batch once and for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub device: DeviceId,
    /// The spool's numbering.
    pub epoch: u64,
    /// From 1, one more each time, per device.
    pub sequence: u64,
}

/// A batch and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spooled {
    pub key: Key,
    pub body: Vec<u8>,
}

/// The numbers of a device's batches in the spool: what is kept is `first..=newest`,
/// nothing where `first > newest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub first: u64,
    pub newest: u64,
}

/// How much the spool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    pub batches: u64,
    pub bytes: u64,
}

/// What may still be taken from the bands. Their flash keeps what is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Everything.
    Free,
    /// Live readings; no backlog is asked for.
    LiveOnly,
    /// Nothing: packets are left unread, and asked for again once there is room.
    Full,
}

impl Room {
    /// Backlog stops at nine tenths of the limit, so that live readings never wait for it.
    pub(crate) fn of(depth: Depth, limit_bytes: u64) -> Self {
        if depth.bytes >= limit_bytes {
            Self::Full
        } else if depth.bytes >= limit_bytes / 10 * 9 {
            Self::LiveOnly
        } else {
            Self::Free
        }
    }
}

/// The spool's async face: SQLite blocks, so each call runs on a blocking thread.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    database: Arc<Mutex<Database>>,
    limit_bytes: u64,
    /// As of the last call: to be read while another call is at the disk.
    depth: watch::Sender<Depth>,
    room: watch::Sender<Room>,
}

impl Spool {
    pub(crate) fn open(data_dir: &Path, limit_bytes: u64) -> anyhow::Result<Self> {
        let path = data_dir.join(FILE);
        let database = Database::open(&path)
            .with_context(|| format!("cannot open the spool {}", path.display()))?;
        let depth = watch::Sender::new(database.depth());
        let room = watch::Sender::new(Room::Free);
        let spool = Self { database: Arc::new(Mutex::new(database)), limit_bytes, depth, room };
        spool.measure();
        Ok(spool)
    }

    /// What may still be taken from the bands.
    pub(crate) fn room(&self) -> watch::Receiver<Room> {
        self.room.subscribe()
    }

    /// Keeps a flush; `Ok` means that it is on the disk.
    pub(crate) async fn append(&self, flush: Arc<Flush>) -> anyhow::Result<Vec<Key>> {
        self.call(move |database| database.append(&flush)).await
    }

    /// Lets go of devices' batches, each up to and with a number, which the store has.
    pub(crate) async fn free(&self, through: Vec<(DeviceId, u64)>) -> anyhow::Result<()> {
        self.call(move |database| database.free(&through)).await
    }

    /// A device's batches from a number on, oldest first.
    pub(crate) async fn batches(
        &self,
        device: DeviceId,
        from: u64,
        limit: u32,
    ) -> anyhow::Result<Vec<Spooled>> {
        self.call(move |database| database.batches(&device, from, limit)).await
    }

    /// What is kept, per device.
    pub(crate) async fn extents(&self) -> anyhow::Result<BTreeMap<DeviceId, Extent>> {
        self.call(|database| database.extents()).await
    }

    /// Gives every kept batch a new number under a new epoch, which it returns.
    pub(crate) async fn renumber(&self) -> anyhow::Result<u64> {
        self.call(Database::renumber).await
    }

    /// The bands that were ever kept.
    pub(crate) async fn bands(&self) -> anyhow::Result<BTreeMap<DeviceId, BandRecord>> {
        self.call(|database| database.bands()).await
    }

    /// Gaps that were not told yet, oldest first.
    pub(crate) async fn gaps(&self, limit: u32) -> anyhow::Result<Vec<(i64, Gap)>> {
        self.call(move |database| database.gaps(limit)).await
    }

    /// Lets go of a gap that was told.
    pub(crate) async fn forget_gap(&self, id: i64) -> anyhow::Result<()> {
        self.call(move |database| database.forget_gap(id)).await
    }

    /// The numbering's epoch.
    pub(crate) async fn epoch(&self) -> anyhow::Result<u64> {
        self.call(|database| Ok(database.epoch())).await
    }

    pub(crate) fn depth(&self) -> Depth {
        *self.depth.borrow()
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let database = Arc::clone(&self.database);
        let (outcome, depth) = tokio::task::spawn_blocking(move || {
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            (work(&mut database), database.depth())
        })
        .await
        .context("the spool's thread ended")?;
        if self.depth.send_replace(depth) != depth {
            self.measure();
        }
        outcome.context("the spool's file")
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge for people")]
    fn measure(&self) {
        let depth = self.depth();
        metrics::gauge!("tidewatch_gateway_spool_batches").set(depth.batches as f64);
        metrics::gauge!("tidewatch_gateway_spool_bytes").set(depth.bytes as f64);
        let room = Room::of(depth, self.limit_bytes);
        let changed = self.room.send_if_modified(|now| std::mem::replace(now, room) != room);
        if !changed {
            return;
        }
        let limit_mib = self.limit_bytes >> 20;
        match room {
            Room::Free => tracing::info!("the spool has room again"),
            Room::LiveOnly => tracing::warn!(
                bytes = depth.bytes,
                limit_mib,
                "the spool is nearly full: bands keep their backlog; is the recorder running?"
            ),
            Room::Full => tracing::error!(
                bytes = depth.bytes,
                limit_mib,
                "the spool is full: bands keep their readings; start the recorder, or raise \
                 gateway.spool_limit_mib"
            ),
        }
    }
}
