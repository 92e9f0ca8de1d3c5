use biosignal::{DeviceId, GatewayId, Reading, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::batches::Batch;
use crate::error::{Acted, Fault, Refusal, StoreError};
use crate::fits;
use crate::received;
use crate::rows::number_device;
use crate::samples;
use crate::store::Store;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Appended {
    /// It was new.
    New,
    /// The same was there already.
    Duplicate,
    /// Another payload was there already under the same device, epoch and number: that one
    /// stands, and this one is kept apart.
    Quarantined,
}

/// A batch that is refused, though one can tell which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The device.
    pub device: DeviceId,
    /// The gateway that sent it.
    pub gateway: GatewayId,
    /// The gateway's spool.
    pub epoch: u64,
    /// The number in the spool.
    pub sequence: u64,
    /// When the recorder received it.
    pub received_at: Timestamp,
    /// Why it is refused.
    pub reason: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

impl Quarantined {
    /// Checks what the store must be able to tell it by.
    ///
    /// # Errors
    /// [`Refusal`] says what does not fit.
    pub fn validate(&self) -> Result<(), Refusal> {
        fits::sequence(self.sequence)
    }
}

impl Store {
    /// Keeps batches, all in one transaction, and tells what became of each, in their order.
    ///
    /// A batch is known by device, epoch and number, a reading by device, its device's epoch
    /// and packet, and channel: what comes again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`], and none of the batches is kept: the file cannot be written now, or
    /// a batch cannot be one ([`StoreError::Refused`]).
    pub async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Appended>, StoreError> {
        batches.iter().try_for_each(Batch::validate)?;
        self.house
            .write(move |transaction| {
                batches.iter().map(|batch| append(transaction, batch)).collect()
            })
            .await
    }

    /// Keeps refused batches apart, for somebody to look at. They count as received, so that
    /// a gateway does not send them for ever; a good batch of the same number is still taken.
    ///
    /// # Errors
    /// [`StoreError`], and none of them is kept.
    pub async fn quarantine(&self, refused: Vec<Quarantined>) -> Result<(), StoreError> {
        refused.iter().try_for_each(Quarantined::validate)?;
        self.house
            .write(move |transaction| {
                for batch in &refused {
                    let key = Key::of_refused(transaction, batch)?;
                    set_apart(transaction, batch)?;
                    received::add(transaction, key.spool, key.sequence)?;
                }
                Ok(())
            })
            .await
    }
}

/// Where a batch belongs in the file.
struct Key {
    device: i64,
    spool: i64,
    sequence: i64,
}

impl Key {
    fn of(transaction: &Transaction<'_>, batch: &Batch) -> Acted<Self> {
        let Batch { device, gateway, epoch, received_at, .. } = batch;
        Self::find(transaction, device, gateway, *epoch, batch.sequence, *received_at)
    }

    fn of_refused(transaction: &Transaction<'_>, batch: &Quarantined) -> Acted<Self> {
        let Quarantined { device, gateway, epoch, received_at, .. } = batch;
        Self::find(transaction, device, gateway, *epoch, batch.sequence, *received_at)
    }

    fn find(
        transaction: &Transaction<'_>,
        device: &DeviceId,
        gateway: &GatewayId,
        epoch: u64,
        number: u64,
        received_at: Timestamp,
    ) -> Acted<Self> {
        let sequence = number.cast_signed();
        let device = number_device(transaction, device)?;
        // A spool belongs to the gateway that spoke of it last, as gateways are renamed.
        let spool = transaction
            .prepare_cached(
                "INSERT INTO spools (device, epoch, gateway, received_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (device, epoch) DO UPDATE
                     SET gateway = ?3, received_at = max(received_at, ?4)
                 RETURNING id",
            )?
            .query_row(
                params![device, epoch.cast_signed(), gateway.as_str(), received_at.as_micros()],
                |row| row.get(0),
            )?;
        Ok(Self { device, spool, sequence })
    }
}

fn append(transaction: &Transaction<'_>, batch: &Batch) -> Acted<Appended> {
    let key = Key::of(transaction, batch)?;
    let hash = Sha256::digest(&batch.payload);
    let present: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT hash FROM batches WHERE spool = ?1 AND sequence = ?2")?
        .query_row(params![key.spool, key.sequence], |row| row.get(0))
        .optional()?;
    match present {
        Some(present) if present == hash.as_slice() => Ok(Appended::Duplicate),
        Some(_) => {
            set_apart(transaction, &conflicting(batch))?;
            Ok(Appended::Quarantined)
        }
        None => {
            insert(transaction, &key, batch, &hash)?;
            received::add(transaction, key.spool, key.sequence)?;
            Ok(Appended::New)
        }
    }
}

fn insert(transaction: &Transaction<'_>, key: &Key, batch: &Batch, hash: &[u8]) -> Acted<()> {
    let number = transaction
        .prepare_cached(
            "INSERT INTO batches (spool, sequence, live, received_at, hash, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .insert(params![
            key.spool,
            key.sequence,
            batch.live,
            batch.received_at.as_micros(),
            hash,
            batch.payload
        ])?;
    for (ordinal, reading) in (0_i64..).zip(&batch.readings) {
        insert_reading(transaction, (number, ordinal), key.device, reading)?;
    }
    Ok(())
}

/// A reading that is there already goes with the repeats.
fn insert_reading(
    transaction: &Transaction<'_>,
    (batch, ordinal): (i64, i64),
    device: i64,
    reading: &Reading,
) -> Acted<()> {
    let samples = samples::pack(&reading.samples, reading.channel.components());
    let values = params![
        batch,
        ordinal,
        device,
        reading.channel.code(),
        reading.epoch,
        reading.sequence,
        reading.measured_at.as_micros(),
        reading.received_at.as_micros(),
        reading.period_us,
        samples
    ];
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO readings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (device, epoch, sequence, channel) DO NOTHING",
        )?
        .execute(values)?;
    if inserted == 0 {
        transaction
            .prepare_cached("INSERT INTO repeats VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(values)?;
    }
    Ok(())
}

fn conflicting(batch: &Batch) -> Quarantined {
    Quarantined {
        device: batch.device.clone(),
        gateway: batch.gateway.clone(),
        epoch: batch.epoch,
        sequence: batch.sequence,
        received_at: batch.received_at,
        reason: "another payload is stored under the same device, epoch and number".to_owned(),
        payload: batch.payload.clone(),
    }
}

fn set_apart(transaction: &Transaction<'_>, batch: &Quarantined) -> Acted<()> {
    transaction
        .prepare_cached(
            "INSERT INTO quarantine
                 (device, gateway, epoch, sequence, received_at, reason, hash, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            batch.device.as_str(),
            batch.gateway.as_str(),
            batch.epoch.cast_signed(),
            batch.sequence.cast_signed(),
            batch.received_at.as_micros(),
            batch.reason,
            Sha256::digest(&batch.payload).as_slice(),
            batch.payload
        ])
        .map(drop)
        .map_err(Fault::from)
}
