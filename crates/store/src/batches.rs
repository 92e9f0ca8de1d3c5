use std::ops::RangeInclusive;

use biosignal::{DeviceId, GatewayId, Reading, Timestamp};
use rusqlite::{Row, Transaction, params};

use crate::error::{Acted, Fault, Refusal, StoreError};
use crate::fits;
use crate::rows::{channel, count, device_number, moment, word};
use crate::samples;
use crate::store::Store;

/// Readings of one device, as a gateway's spool numbered them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The device that measured.
    pub device: DeviceId,
    /// The gateway that received.
    pub gateway: GatewayId,
    /// The gateway's spool.
    pub epoch: u64,
    /// The number in the spool, per device, from 1.
    pub sequence: u64,
    /// Whether it came live; else it is backfill.
    pub live: bool,
    /// When the recorder received it.
    pub received_at: Timestamp,
    /// Its bytes on the broker.
    pub payload: Vec<u8>,
    /// What the payload says.
    pub readings: Vec<Reading>,
}

impl Batch {
    /// Checks that its parts fit together, and that every moment is a date.
    ///
    /// # Errors
    /// [`Refusal`] says what does not fit.
    pub fn validate(&self) -> Result<(), Refusal> {
        fits::sequence(self.sequence)?;
        let unfit = |why: String| Refusal::Unfit { what: "batch", why };
        for reading in &self.readings {
            if reading.device != self.device {
                return Err(unfit(format!(
                    "of {} with a reading of {}",
                    self.device, reading.device
                )));
            }
            reading.validate().map_err(|error| unfit(error.to_string()))?;
            fits::moment("measured_at", reading.measured_at)?;
            fits::moment("received_at", reading.received_at)?;
        }
        Ok(())
    }
}

impl Store {
    /// The batches of a device and epoch with numbers in a range, by number, each as it came.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn batches(
        &self,
        device: &DeviceId,
        epoch: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Batch>, StoreError> {
        let device = device.clone();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (first, last) = (signed(*range.start()), signed(*range.end()));
        self.house
            .read(move |transaction| {
                let Some(number) = device_number(transaction, &device)? else {
                    return Ok(Vec::new());
                };
                let mut find = transaction.prepare_cached(&format!(
                    "{COLUMNS} WHERE s.device = ?1 AND s.epoch = ?2
                     AND b.sequence BETWEEN ?3 AND ?4 ORDER BY b.sequence"
                ))?;
                let heads = find
                    .query_map(params![number, epoch.cast_signed(), first, last], head(&device))?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                heads.into_iter().map(|head| filled(transaction, head)).collect()
            })
            .await
    }

    /// The batches of a device that arrived at `since` or later, in the order of their arrival.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn batches_received_since(
        &self,
        device: &DeviceId,
        since: Timestamp,
    ) -> Result<Vec<Batch>, StoreError> {
        let device = device.clone();
        self.house
            .read(move |transaction| {
                let Some(number) = device_number(transaction, &device)? else {
                    return Ok(Vec::new());
                };
                let mut find = transaction.prepare_cached(&format!(
                    "{COLUMNS} WHERE s.device = ?1 AND b.received_at >= ?2 ORDER BY b.id"
                ))?;
                let heads = find
                    .query_map(params![number, since.as_micros()], head(&device))?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                heads.into_iter().map(|head| filled(transaction, head)).collect()
            })
            .await
    }
}

const COLUMNS: &str =
    "SELECT b.id, s.gateway, s.epoch, b.sequence, b.live, b.received_at, b.payload
    FROM spools s JOIN batches b ON b.spool = s.id";

/// A batch without its readings, and its number in the file.
fn head(device: &DeviceId) -> impl FnMut(&Row<'_>) -> rusqlite::Result<(i64, Batch)> {
    move |row| {
        let batch = Batch {
            device: device.clone(),
            gateway: word(row, 1)?,
            epoch: row.get::<_, i64>(2)?.cast_unsigned(),
            sequence: count(row, 3)?,
            live: row.get(4)?,
            received_at: moment(row, 5)?,
            payload: row.get(6)?,
            readings: Vec::new(),
        };
        Ok((row.get(0)?, batch))
    }
}

fn filled(transaction: &Transaction<'_>, (number, mut batch): (i64, Batch)) -> Acted<Batch> {
    let mut find = transaction.prepare_cached(
        "SELECT channel, epoch, sequence, measured_at, received_at, period_us, samples, ordinal
             FROM readings WHERE batch = ?1
         UNION ALL
         SELECT channel, epoch, sequence, measured_at, received_at, period_us, samples, ordinal
             FROM repeats WHERE batch = ?1
         ORDER BY ordinal",
    )?;
    let mut rows = find.query([number])?;
    while let Some(row) = rows.next()? {
        batch.readings.push(reading(row, &batch.device)?);
    }
    Ok(batch)
}

/// A reading from the columns channel, epoch, sequence, `measured_at`, `received_at`,
/// `period_us`, samples.
pub(crate) fn reading(row: &Row<'_>, device: &DeviceId) -> Acted<Reading> {
    let channel = channel(row, 0)?;
    let packed = row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?;
    let samples = samples::unpack(packed, channel.components())
        .ok_or_else(|| Fault::Damaged(format!("samples of {channel} of {device}")))?;
    Ok(Reading {
        device: device.clone(),
        channel,
        epoch: row.get(1)?,
        sequence: row.get(2)?,
        measured_at: moment(row, 3)?,
        received_at: moment(row, 4)?,
        period_us: row.get(5)?,
        samples,
    })
}
