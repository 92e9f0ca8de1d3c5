use biosignal::{Channel, DeviceId, PersonId, Reading, Timestamp};
use rusqlite::{Transaction, params};

use crate::assignments;
use crate::batches::reading;
use crate::error::{Acted, StoreError};
use crate::rows::device_number;
use crate::store::Store;

/// Whose data is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// A device's, whoever wore it.
    Device(DeviceId),
    /// A person's, whichever devices they wore, as the assignments say today.
    Person(PersonId),
}

/// Which readings to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Whose.
    pub of: Of,
    /// Of which channels; none means all.
    pub channels: Vec<Channel>,
    /// Readings that begin here or later,
    pub from: Timestamp,
    /// and before this moment. So a stretch can be read in pieces, each reading once.
    pub until: Timestamp,
}

impl Store {
    /// Readings, each once, in the order of their time.
    ///
    /// All of them are in memory at once: about 2 kB a second for each device.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn scan(&self, scan: Scan) -> Result<Vec<Reading>, StoreError> {
        self.house
            .read(move |transaction| {
                let mut readings = Vec::new();
                for stretch in stretches(transaction, &scan)? {
                    each(transaction, &stretch, &scan.channels, |it| readings.push(it))?;
                }
                readings.sort_by_key(|it| (it.measured_at, it.channel, it.epoch, it.sequence));
                Ok(readings)
            })
            .await
    }
}

/// A device, from a moment until another.
pub(crate) struct Stretch {
    pub(crate) device: DeviceId,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

fn stretches(transaction: &Transaction<'_>, scan: &Scan) -> Acted<Vec<Stretch>> {
    let &Scan { from, until, .. } = scan;
    match &scan.of {
        Of::Device(device) => Ok(vec![Stretch { device: device.clone(), from, until }]),
        Of::Person(person) => Ok(assignments::of_person(transaction, person)?
            .into_iter()
            .map(|worn| Stretch {
                device: worn.device,
                from: from.max(worn.from),
                until: worn.until.map_or(until, |end| until.min(end)),
            })
            .collect()),
    }
}

/// Goes through the readings of a stretch, in the order of their time.
pub(crate) fn each(
    transaction: &Transaction<'_>,
    stretch: &Stretch,
    channels: &[Channel],
    mut take: impl FnMut(Reading),
) -> Acted<()> {
    let Some(device) = device_number(transaction, &stretch.device)? else { return Ok(()) };
    let mut find = transaction.prepare_cached(
        "SELECT channel, epoch, sequence, measured_at, received_at, period_us, samples
         FROM readings WHERE device = ?1 AND measured_at >= ?2 AND measured_at < ?3
             AND (?4 >> channel) & 1 ORDER BY measured_at",
    )?;
    let (from, until) = (stretch.from.as_micros(), stretch.until.as_micros());
    let mut rows = find.query(params![device, from, until, bits(channels)])?;
    while let Some(row) = rows.next()? {
        take(reading(row, &stretch.device)?);
    }
    Ok(())
}

/// A bit for each channel, at the place of its code.
fn bits(channels: &[Channel]) -> i64 {
    let wanted = if channels.is_empty() { &Channel::ALL } else { channels };
    wanted.iter().fold(0, |bits, channel| bits | 1 << channel.code())
}
