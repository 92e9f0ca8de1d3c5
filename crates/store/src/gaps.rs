use biosignal::{DeviceId, Gap, GapCause, GatewayId, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Row, Transaction, params};

use crate::error::{Acted, Refusal, StoreError};
use crate::fits;
use crate::rows::{device_number, moment, number_device, word};
use crate::store::Store;

/// A line of the ledger: a gap, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The stretch and its cause.
    pub gap: Gap,
    /// The gateway that saw it.
    pub gateway: GatewayId,
    /// The device's packets that are missing, where they are known.
    pub packets: Option<PacketRange>,
}

/// Consecutive packets of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketRange {
    /// The device's numbering.
    pub epoch: u32,
    /// First packet.
    pub first: u32,
    /// Last packet.
    pub last: u32,
}

impl LedgerEntry {
    /// Checks that the gap is a stretch of time.
    ///
    /// # Errors
    /// [`Refusal`] says what does not fit.
    pub fn validate(&self) -> Result<(), Refusal> {
        let Gap { device, from, until, .. } = &self.gap;
        fits::moment("gap", *from)?;
        fits::moment("gap", *until)?;
        if until < from {
            let why = format!("of {device} ends before it begins");
            return Err(Refusal::Unfit { what: "gap", why });
        }
        Ok(())
    }
}

impl Store {
    /// Enters a gap in the ledger. One that overlaps or touches another of the same device,
    /// gateway, cause and packets becomes one with it, so that it may be told any number of times.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written, or the gap ends before it begins.
    pub async fn record_gap(&self, entry: LedgerEntry) -> Result<(), StoreError> {
        self.record_gaps(vec![entry]).await
    }

    /// Enters gaps in the ledger, all in one transaction.
    ///
    /// # Errors
    /// As [`Store::record_gap`]; then none of them is entered.
    pub async fn record_gaps(&self, entries: Vec<LedgerEntry>) -> Result<(), StoreError> {
        entries.iter().try_for_each(LedgerEntry::validate)?;
        self.house
            .write(move |transaction| {
                entries.iter().try_for_each(|entry| record(transaction, entry))
            })
            .await
    }

    /// The ledger of a device from a moment until another, in the order of time.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn gaps(
        &self,
        device: &DeviceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let device = device.clone();
        self.house.read(move |transaction| ledger(transaction, &device, from, until)).await
    }
}

fn record(transaction: &Transaction<'_>, entry: &LedgerEntry) -> Acted<()> {
    let LedgerEntry { gap, gateway, packets } = entry;
    let device = number_device(transaction, &gap.device)?;
    let packets = packets.map(|it| (it.epoch, it.first, it.last));
    let (epoch, first, last) =
        (packets.map(|it| it.0), packets.map(|it| it.1), packets.map(|it| it.2));
    let (gateway, cause) = (gateway.as_str(), gap.cause.name());
    let mut absorb = transaction.prepare_cached(
        "DELETE FROM gaps WHERE device = ?1 AND from_at <= ?3 AND until_at >= ?2
             AND gateway = ?4 AND cause = ?5
             AND band_epoch IS ?6 AND first_sequence IS ?7 AND last_sequence IS ?8
         RETURNING from_at, until_at",
    )?;
    let (mut from, mut until) = (gap.from.as_micros(), gap.until.as_micros());
    let mut touching =
        absorb.query(params![device, from, until, gateway, cause, epoch, first, last])?;
    while let Some(row) = touching.next()? {
        from = from.min(row.get(0)?);
        until = until.max(row.get(1)?);
    }
    transaction
        .prepare_cached(
            "INSERT INTO gaps (device, from_at, until_at, gateway, cause,
                               band_epoch, first_sequence, last_sequence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![device, from, until, gateway, cause, epoch, first, last])?;
    Ok(())
}

/// The entries that reach into a stretch.
pub(crate) fn ledger(
    transaction: &Transaction<'_>,
    device: &DeviceId,
    from: Timestamp,
    until: Timestamp,
) -> Acted<Vec<LedgerEntry>> {
    let Some(number) = device_number(transaction, device)? else { return Ok(Vec::new()) };
    transaction
        .prepare_cached(
            "SELECT from_at, until_at, cause, gateway, band_epoch, first_sequence, last_sequence
             FROM gaps WHERE device = ?1 AND from_at < ?3 AND until_at > ?2 ORDER BY from_at, id",
        )?
        .query_map(params![number, from.as_micros(), until.as_micros()], |row| entry(row, device))?
        .map(|entry| Ok(entry?))
        .collect()
}

fn entry(row: &Row<'_>, device: &DeviceId) -> rusqlite::Result<LedgerEntry> {
    let packets: (Option<u32>, Option<u32>, Option<u32>) = (row.get(4)?, row.get(5)?, row.get(6)?);
    let packets = match packets {
        (Some(epoch), Some(first), Some(last)) => Some(PacketRange { epoch, first, last }),
        _ => None,
    };
    let gap = Gap {
        device: device.clone(),
        from: moment(row, 0)?,
        until: moment(row, 1)?,
        cause: cause(row, 2)?,
    };
    Ok(LedgerEntry { gap, gateway: word(row, 3)?, packets })
}

fn cause(row: &Row<'_>, index: usize) -> rusqlite::Result<GapCause> {
    let name = row.get_ref(index)?.as_str()?;
    GapCause::from_name(name).ok_or_else(|| {
        let unknown = format!("{name:?} is no cause of a gap").into();
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, unknown)
    })
}
