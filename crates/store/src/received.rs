//! Which batches of a spool have arrived, as ranges.

use std::ops::RangeInclusive;

use biosignal::{DeviceId, GatewayId};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::error::{Acted, StoreError};
use crate::rows::{count, word};
use crate::store::Store;

/// What the store has of a device's batches in one epoch of a gateway's spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAck {
    /// The device.
    pub device: DeviceId,
    /// The spool's epoch.
    pub epoch: u64,
    /// Every number from 1 to this one is here; 0 where number 1 is not.
    pub contiguous_through: u64,
    /// What is not here below the highest number that is, ascending.
    pub missing: Vec<RangeInclusive<u64>>,
}

/// Spools that were silent for so long before the gateway's newest batch are done with: a
/// gateway that still has something of theirs sends it again, and hears of it then.
const SILENT_US: i64 = 24 * 3600 * 1_000_000;

impl Store {
    /// What a gateway may delete, and what it is to send again.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn acknowledgements(
        &self,
        gateway: &GatewayId,
    ) -> Result<Vec<DeviceAck>, StoreError> {
        let gateway = gateway.clone();
        self.house.read(move |transaction| acknowledgements(transaction, &gateway)).await
    }

    /// Every gateway that ever sent a batch.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn gateways(&self) -> Result<Vec<GatewayId>, StoreError> {
        self.house
            .read(|transaction| {
                transaction
                    .prepare_cached("SELECT DISTINCT gateway FROM spools ORDER BY gateway")?
                    .query_map([], |row| word(row, 0))?
                    .map(|gateway| Ok(gateway?))
                    .collect()
            })
            .await
    }
}

/// Notes that a number has arrived, once or again.
pub(crate) fn add(transaction: &Transaction<'_>, spool: i64, number: i64) -> Acted<()> {
    let before: Option<(i64, i64)> = transaction
        .prepare_cached(
            "SELECT first, last FROM received WHERE spool = ?1 AND first <= ?2
             ORDER BY first DESC LIMIT 1",
        )?
        .query_row(params![spool, number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if before.is_some_and(|(_, last)| number <= last) {
        return Ok(());
    }
    // The range that begins with the next number, if any, becomes part of this one.
    let after: Option<i64> = transaction
        .prepare_cached("DELETE FROM received WHERE spool = ?1 AND first = ?2 RETURNING last")?
        .query_row(params![spool, number + 1], |row| row.get(0))
        .optional()?;
    let first = before.filter(|(_, last)| last + 1 == number).map_or(number, |(first, _)| first);
    transaction
        .prepare_cached(
            "INSERT INTO received (spool, first, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (spool, first) DO UPDATE SET last = ?3",
        )?
        .execute(params![spool, first, after.unwrap_or(number)])?;
    Ok(())
}

fn acknowledgements(transaction: &Transaction<'_>, gateway: &GatewayId) -> Acted<Vec<DeviceAck>> {
    let mut find = transaction.prepare_cached(
        "SELECT s.id, d.name, s.epoch FROM spools s JOIN devices d ON d.id = s.device
         WHERE s.gateway = ?1 AND s.received_at >=
             (SELECT max(received_at) FROM spools WHERE gateway = ?1) - ?2
         ORDER BY d.name, s.received_at",
    )?;
    let mut ranges = transaction
        .prepare_cached("SELECT first, last FROM received WHERE spool = ?1 ORDER BY first")?;
    let mut rows = find.query(params![gateway.as_str(), SILENT_US])?;
    let mut acknowledgements = Vec::new();
    while let Some(row) = rows.next()? {
        let present = ranges
            .query_map([row.get::<_, i64>(0)?], |row| Ok((count(row, 0)?, count(row, 1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let (contiguous_through, missing) = holes(&present);
        acknowledgements.push(DeviceAck {
            device: word(row, 1)?,
            epoch: row.get::<_, i64>(2)?.cast_unsigned(),
            contiguous_through,
            missing,
        });
    }
    Ok(acknowledgements)
}

/// How far numbers are here without a hole from 1, and the holes.
fn holes(present: &[(u64, u64)]) -> (u64, Vec<RangeInclusive<u64>>) {
    let contiguous = present.first().filter(|(first, _)| *first == 1).map_or(0, |(_, last)| *last);
    let mut next = 1;
    let mut missing = Vec::new();
    for &(first, last) in present {
        if first > next {
            missing.push(next..=first - 1);
        }
        next = last + 1;
    }
    (contiguous, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_counted_from_one() {
        assert_eq!(holes(&[]), (0, vec![]));
        assert_eq!(holes(&[(1, 7)]), (7, vec![]));
        assert_eq!(holes(&[(3, 4), (9, 9)]), (0, vec![1..=2, 5..=8]));
        assert_eq!(holes(&[(1, 1), (3, 4)]), (1, vec![2..=2]));
    }
}
