use biosignal::{DeviceId, PersonId, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::error::{Acted, StoreError};
use crate::rows::{count, moment, number_device, word};
use crate::scan::Of;
use crate::store::Store;
use crate::words::words;

/// Where the detector of a person stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The detector's own bytes.
    pub bytes: Vec<u8>,
    /// When it stood so.
    pub at: Timestamp,
    /// The version of the detector that reads the bytes.
    pub version: String,
}

/// An assessment to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAssessment {
    /// The device.
    pub device: DeviceId,
    /// Who wore it.
    pub person: PersonId,
    /// End of the stretch that was judged.
    pub at: Timestamp,
    /// When it was judged.
    pub decided_at: Timestamp,
    /// Its bytes on the broker.
    pub payload: Vec<u8>,
}

/// A turn of an alert, to be kept until it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// The alert.
    pub id: String,
    /// The device.
    pub device: DeviceId,
    /// Who wore it.
    pub person: PersonId,
    /// When it turned.
    pub at: Timestamp,
    /// When that was decided.
    pub decided_at: Timestamp,
    /// Its bytes on the broker.
    pub payload: Vec<u8>,
}

/// What was decided, with its place in the order of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The place.
    pub sequence: u64,
    /// Of which kind.
    pub kind: DecisionKind,
    /// The device.
    pub device: DeviceId,
    /// Who wore it.
    pub person: PersonId,
    /// Its bytes on the broker.
    pub payload: Vec<u8>,
}

words! {
    /// Kinds of decisions.
    DecisionKind, "kind of decision" {
        /// An assessment.
        Assessment = "assessment",
        /// A turn of an alert.
        Alert = "alert",
    }
}

impl Store {
    /// Keeps what a person's detector decided and where it then stood, in one transaction:
    /// after a crash it goes on from there, with nothing decided twice or not at all.
    ///
    /// # Errors
    /// [`StoreError`], and nothing is kept.
    pub async fn save_decision(
        &self,
        person: &PersonId,
        snapshot: Snapshot,
        assessments: Vec<StoredAssessment>,
        alerts: Vec<StoredAlert>,
    ) -> Result<(), StoreError> {
        let person = person.clone();
        self.house
            .write(move |transaction| {
                assessments.iter().try_for_each(|it| insert_assessment(transaction, it))?;
                alerts.iter().try_for_each(|it| insert_alert(transaction, it))?;
                replace_snapshot(transaction, &person, &snapshot)
            })
            .await
    }

    /// Where a person's detector stood last.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn latest_snapshot(&self, person: &PersonId) -> Result<Option<Snapshot>, StoreError> {
        let person = person.clone();
        self.house
            .read(move |transaction| {
                let mut find = transaction
                    .prepare_cached("SELECT bytes, at, version FROM snapshots WHERE person = ?1")?;
                Ok(find
                    .query_row([person.as_str()], |row| {
                        Ok(Snapshot {
                            bytes: row.get(0)?,
                            at: moment(row, 1)?,
                            version: row.get(2)?,
                        })
                    })
                    .optional()?)
            })
            .await
    }

    /// Assessments whose stretch ends at `from` or later and before `until`, in the order in
    /// which they were decided.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assessments(
        &self,
        of: &Of,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<StoredAssessment>, StoreError> {
        let of = of.clone();
        self.house.read(move |transaction| assessments(transaction, &of, from, until)).await
    }

    /// Every assessment of a device, in the order in which they were decided.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assessments_of(
        &self,
        device: &DeviceId,
    ) -> Result<Vec<StoredAssessment>, StoreError> {
        let (from, until) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        self.assessments(&Of::Device(device.clone()), from, until).await
    }

    /// What was decided and not yet published, in order.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn decisions_unpublished(&self) -> Result<Vec<Decision>, StoreError> {
        self.house
            .read(|transaction| {
                transaction
                    .prepare_cached(
                        "SELECT c.sequence, c.kind, d.name, c.person, c.payload
                         FROM decisions c JOIN devices d ON d.id = c.device
                         WHERE c.published = 0 ORDER BY c.sequence",
                    )?
                    .query_map([], decision)?
                    .map(|decision| Ok(decision?))
                    .collect()
            })
            .await
    }

    /// Notes that decisions were published.
    ///
    /// # Errors
    /// [`StoreError`], and nothing is noted.
    pub async fn mark_published(&self, sequences: Vec<u64>) -> Result<(), StoreError> {
        self.house
            .write(move |transaction| {
                let mut mark = transaction
                    .prepare_cached("UPDATE decisions SET published = 1 WHERE sequence = ?1")?;
                for sequence in sequences {
                    mark.execute([sequence.cast_signed()])?;
                }
                Ok(())
            })
            .await
    }
}

fn insert_assessment(transaction: &Transaction<'_>, it: &StoredAssessment) -> Acted<()> {
    insert(
        transaction,
        ("assessment", ""),
        (&it.device, &it.person),
        (it.at, it.decided_at),
        &it.payload,
    )
}

fn insert_alert(transaction: &Transaction<'_>, it: &StoredAlert) -> Acted<()> {
    insert(
        transaction,
        ("alert", &it.id),
        (&it.device, &it.person),
        (it.at, it.decided_at),
        &it.payload,
    )
}

fn insert(
    transaction: &Transaction<'_>,
    (kind, id): (&str, &str),
    (device, person): (&DeviceId, &PersonId),
    (at, decided_at): (Timestamp, Timestamp),
    payload: &[u8],
) -> Acted<()> {
    let device = number_device(transaction, device)?;
    transaction
        .prepare_cached(
            "INSERT INTO decisions (kind, id, device, person, at, decided_at, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            kind,
            id,
            device,
            person.as_str(),
            at.as_micros(),
            decided_at.as_micros(),
            payload
        ])?;
    Ok(())
}

fn replace_snapshot(
    transaction: &Transaction<'_>,
    person: &PersonId,
    snapshot: &Snapshot,
) -> Acted<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO snapshots (person, at, version, bytes) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            person.as_str(),
            snapshot.at.as_micros(),
            snapshot.version,
            snapshot.bytes
        ])?;
    Ok(())
}

fn assessments(
    transaction: &Transaction<'_>,
    of: &Of,
    from: Timestamp,
    until: Timestamp,
) -> Acted<Vec<StoredAssessment>> {
    let (column, id) = match of {
        Of::Device(device) => ("d.name", device.as_str()),
        Of::Person(person) => ("c.person", person.as_str()),
    };
    transaction
        .prepare_cached(&format!(
            "SELECT d.name, c.person, c.at, c.decided_at, c.payload
             FROM decisions c JOIN devices d ON d.id = c.device
             WHERE {column} = ?1 AND c.kind = 'assessment' AND c.at >= ?2 AND c.at < ?3
             ORDER BY c.sequence"
        ))?
        .query_map(params![id, from.as_micros(), until.as_micros()], |row| {
            Ok(StoredAssessment {
                device: word(row, 0)?,
                person: word(row, 1)?,
                at: moment(row, 2)?,
                decided_at: moment(row, 3)?,
                payload: row.get(4)?,
            })
        })?
        .map(|assessment| Ok(assessment?))
        .collect()
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    Ok(Decision {
        sequence: count(row, 0)?,
        kind: word(row, 1)?,
        device: word(row, 2)?,
        person: word(row, 3)?,
        payload: row.get(4)?,
    })
}
