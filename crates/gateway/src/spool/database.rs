use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use biosignal::{DeviceId, Gap};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, Transaction, params};

use super::{BandRecord, Depth, Draft, Extent, Flush, Key, Spooled, schema};

/// A gateway that is being replaced needs a moment to stop.
const OWNER_WAIT: Duration = Duration::from_secs(5);

/// The spool's file and its numbers.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    epoch: u64,
    depth: Depth,
}

impl Database {
    /// Opens the file. One that is damaged is set aside: its bands are asked again for
    /// what their flash still holds.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::open_within(path, OWNER_WAIT)
    }

    /// Opens the file, waiting so long for the process that has it to let go of it.
    pub(super) fn open_within(path: &Path, wait: Duration) -> rusqlite::Result<Self> {
        match Self::open_file(path, wait) {
            Err(error) if is_damage(&error) => {
                let aside = path.with_extension(format!("damaged-{}", random()));
                tracing::error!(%error, aside = %aside.display(), "the spool is damaged: set aside");
                metrics::counter!("tidewatch_gateway_spool_damaged_total").increment(1);
                set_aside(path, &aside);
                Self::open_file(path, wait)
            }
            outcome => outcome,
        }
    }

    fn open_file(path: &Path, wait: Duration) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(wait)?;
        schema::prepare(&mut connection, random())?;
        let epoch = connection
            .query_row("SELECT epoch FROM spool", [], |row| row.get::<_, i64>(0))?
            .cast_unsigned();
        let depth = connection.query_row(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM batches",
            [],
            |row| Ok(Depth { batches: number(row, 0)?, bytes: number(row, 1)? }),
        )?;
        Ok(Self { connection, epoch, depth })
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) fn depth(&self) -> Depth {
        self.depth
    }

    /// Keeps a flush in one transaction and gives its batches their numbers.
    pub(crate) fn append(&mut self, flush: &Flush) -> rusqlite::Result<Vec<Key>> {
        let transaction = self.connection.transaction()?;
        let mut keys = Vec::with_capacity(flush.batches.len());
        for draft in &flush.batches {
            keys.push(insert(&transaction, self.epoch, draft)?);
        }
        for (device, band) in &flush.bands {
            transaction.prepare_cached(
                "INSERT INTO bands (device, profile, cursor) VALUES (?1, ?2, ?3)
                 ON CONFLICT (device) DO UPDATE SET profile = excluded.profile, cursor = excluded.cursor",
            )?
            .execute(params![device.as_str(), band.profile, band.cursor])?;
        }
        for gap in &flush.gaps {
            let json = serde_json::to_string(gap).map_err(unwritable)?;
            transaction.prepare_cached("INSERT INTO gaps (gap) VALUES (?1)")?.execute([json])?;
        }
        transaction.commit()?;
        self.depth.batches += keys.len() as u64;
        self.depth.bytes += flush.batches.iter().map(|draft| draft.body.len() as u64).sum::<u64>();
        Ok(keys)
    }

    /// Lets go of devices' batches, each up to and with a number.
    pub(crate) fn free(&mut self, through: &[(DeviceId, u64)]) -> rusqlite::Result<()> {
        let mut freed = Depth::default();
        let transaction = self.connection.transaction()?;
        for (device, through) in through {
            let key = params![device.as_str(), i64::try_from(*through).unwrap_or(i64::MAX)];
            let (batches, bytes) = transaction.query_row(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM batches
                 WHERE device = ?1 AND sequence <= ?2",
                key,
                |row| Ok((number(row, 0)?, number(row, 1)?)),
            )?;
            transaction.execute("DELETE FROM batches WHERE device = ?1 AND sequence <= ?2", key)?;
            freed.batches += batches;
            freed.bytes += bytes;
        }
        transaction.commit()?;
        self.depth.batches -= freed.batches;
        self.depth.bytes -= freed.bytes;
        Ok(())
    }

    /// A device's batches from a number on, oldest first.
    pub(crate) fn batches(
        &self,
        device: &DeviceId,
        from: u64,
        limit: u32,
    ) -> rusqlite::Result<Vec<Spooled>> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached(
                "SELECT sequence, body FROM batches WHERE device = ?1 AND sequence >= ?2
                 ORDER BY sequence LIMIT ?3",
            )?
            .query_map(params![device.as_str(), from, limit], |row| {
                let sequence = number(row, 0)?;
                let key = Key { device: device.clone(), epoch: self.epoch, sequence };
                Ok(Spooled { key, body: row.get(1)? })
            })?
            .collect()
    }

    /// What is kept, per device.
    pub(crate) fn extents(&self) -> rusqlite::Result<BTreeMap<DeviceId, Extent>> {
        self.connection
            .prepare(
                "SELECT device, newest, (SELECT min(sequence) FROM batches b
                 WHERE b.device = numbers.device) FROM numbers",
            )?
            .query_map([], |row| {
                let newest = number(row, 1)?;
                let first = match row.get::<_, Option<i64>>(2)? {
                    Some(_) => number(row, 2)?,
                    None => newest + 1,
                };
                Ok((device(row, 0)?, Extent { first, newest }))
            })?
            .collect()
    }

    /// Numbers every kept batch anew, from 1, under a new epoch. For when the store's book
    /// and this one cannot be made to agree: one of the two came from an older copy.
    pub(crate) fn renumber(&mut self) -> rusqlite::Result<u64> {
        let epoch = random();
        let transaction = self.connection.transaction()?;
        // By way of negative numbers, as a row must not meet another on its way.
        transaction.execute_batch(
            "CREATE TEMP TABLE firsts AS
                 SELECT device, min(sequence) AS first FROM batches GROUP BY device;
             UPDATE batches SET sequence = (SELECT first FROM firsts
                 WHERE firsts.device = batches.device) - 1 - sequence;
             UPDATE batches SET sequence = -sequence;
             DROP TABLE firsts;
             UPDATE numbers SET newest = (SELECT coalesce(max(sequence), 0) FROM batches
                 WHERE batches.device = numbers.device);",
        )?;
        transaction.execute("UPDATE spool SET epoch = ?1", [epoch.cast_signed()])?;
        transaction.commit()?;
        self.epoch = epoch;
        Ok(epoch)
    }

    /// The bands that were ever kept.
    pub(crate) fn bands(&self) -> rusqlite::Result<BTreeMap<DeviceId, BandRecord>> {
        self.connection
            .prepare("SELECT device, profile, cursor FROM bands")?
            .query_map([], |row| {
                Ok((device(row, 0)?, BandRecord { profile: row.get(1)?, cursor: row.get(2)? }))
            })?
            .collect()
    }

    /// Gaps that were not told yet, oldest first.
    pub(crate) fn gaps(&self, limit: u32) -> rusqlite::Result<Vec<(i64, Gap)>> {
        self.connection
            .prepare_cached("SELECT id, gap FROM gaps ORDER BY id LIMIT ?1")?
            .query_map([limit], |row| {
                let gap = serde_json::from_str(&row.get::<_, String>(1)?).map_err(unreadable)?;
                Ok((row.get(0)?, gap))
            })?
            .collect()
    }

    /// Lets go of a gap that was told.
    pub(crate) fn forget_gap(&mut self, id: i64) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM gaps WHERE id = ?1", [id]).map(|_| ())
    }
}

fn insert(transaction: &Transaction<'_>, epoch: u64, draft: &Draft) -> rusqlite::Result<Key> {
    let sequence: i64 = transaction
        .prepare_cached(
            "INSERT INTO numbers (device, newest) VALUES (?1, 1)
             ON CONFLICT (device) DO UPDATE SET newest = newest + 1 RETURNING newest",
        )?
        .query_row([draft.device.as_str()], |row| row.get(0))?;
    transaction
        .prepare_cached("INSERT INTO batches (device, sequence, body) VALUES (?1, ?2, ?3)")?
        .execute(params![draft.device.as_str(), sequence, draft.body])?;
    Ok(Key { device: draft.device.clone(), epoch, sequence: sequence.cast_unsigned() })
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let found: i64 = row.get(column)?;
    u64::try_from(found).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, found))
}

fn device(row: &Row<'_>, column: usize) -> rusqlite::Result<DeviceId> {
    DeviceId::new(row.get::<_, String>(column)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn set_aside(path: &Path, aside: &Path) {
    if let Err(error) = std::fs::rename(path, aside) {
        tracing::error!(%error, "the damaged spool could not be set aside");
    }
    // The write-ahead log belongs to the damaged file alone.
    for suffix in ["-wal", "-shm"] {
        let mut companion = path.as_os_str().to_owned();
        companion.push(suffix);
        let _ = std::fs::remove_file(companion);
    }
}

/// Random, never 0: no numbering of another spool has the same.
fn random() -> u64 {
    (uuid::Uuid::new_v4().as_u64_pair().1).max(1)
}

#[cfg(test)]
impl Database {
    /// Makes the insertion of every batch that gets this number's place in the file fail;
    /// 0 = none.
    pub(super) fn fail_at(&self, place: u32) {
        let trigger = format!(
            "DROP TRIGGER IF EXISTS torn;
             CREATE TEMP TRIGGER torn AFTER INSERT ON batches WHEN new.rowid = {place}
             BEGIN SELECT raise(ABORT, 'torn'); END;"
        );
        self.connection.execute_batch(&trigger).expect("the trigger is well formed");
    }
}
