use std::path::PathBuf;

use biosignal::{DeviceId, Timestamp};
use rusqlite::Transaction;

use crate::error::{Acted, StoreError};
use crate::rows::{count, moment, optional_moment, word};
use crate::store::Store;

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The file with all but names.
    pub file: PathBuf,
    /// Its size, the log that belongs to it not counted.
    pub file_bytes: u64,
    /// Batches that arrived.
    pub batches: u64,
    /// Batches that are kept apart.
    pub quarantined: u64,
    /// When the newest batch arrived.
    pub received_at: Option<Timestamp>,
    /// Decisions that wait to be published.
    pub unpublished: u64,
}

/// A device that the store has batches of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSeen {
    /// The device.
    pub device: DeviceId,
    /// When its newest batch arrived.
    pub received_at: Timestamp,
}

impl Store {
    /// How the store is. Also takes the write lock for a moment, so that an `Ok` means that
    /// the store takes what comes.
    ///
    /// # Errors
    /// [`StoreError`] says why it does not.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let file = self.house.file().to_owned();
        self.house
            .write(move |transaction| {
                let pages: u64 = pragma(transaction, "page_count")?;
                Ok(Health {
                    file,
                    file_bytes: pages * pragma(transaction, "page_size")?,
                    batches: number(transaction, "SELECT total(last - first + 1) FROM received")?,
                    quarantined: number(transaction, "SELECT count(*) FROM quarantine")?,
                    received_at: transaction.query_row(
                        "SELECT max(received_at) FROM spools",
                        [],
                        |row| optional_moment(row, 0),
                    )?,
                    unpublished: number(
                        transaction,
                        "SELECT count(*) FROM decisions WHERE published = 0",
                    )?,
                })
            })
            .await
    }

    /// Every device that the store has batches of.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn devices(&self) -> Result<Vec<DeviceSeen>, StoreError> {
        self.house
            .read(|transaction| {
                transaction
                    .prepare_cached(
                        "SELECT d.name, max(s.received_at) FROM spools s
                         JOIN devices d ON d.id = s.device GROUP BY d.id ORDER BY d.name",
                    )?
                    .query_map([], |row| {
                        Ok(DeviceSeen { device: word(row, 0)?, received_at: moment(row, 1)? })
                    })?
                    .map(|device| Ok(device?))
                    .collect()
            })
            .await
    }
}

fn pragma(transaction: &Transaction<'_>, name: &str) -> Acted<u64> {
    Ok(transaction.pragma_query_value(None, name, |row| count(row, 0))?)
}

fn number(transaction: &Transaction<'_>, query: &str) -> Acted<u64> {
    Ok(transaction
        .query_row(&format!("SELECT CAST(({query}) AS INTEGER)"), [], |row| count(row, 0))?)
}
