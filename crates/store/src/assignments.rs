use biosignal::{DeviceId, PersonId, Timestamp};
use rusqlite::{Row, Transaction, params};

use crate::error::{Acted, Fault, StoreError};
use crate::rows::{moment, number_device, optional_moment, word};
use crate::store::Store;

/// Who wore what, from when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The device.
    pub device: DeviceId,
    /// The wearer.
    pub person: PersonId,
    /// First moment.
    pub from: Timestamp,
    /// First moment after; none while it lasts.
    pub until: Option<Timestamp>,
    /// Who assigned it.
    pub by: String,
}

/// Who wears a device from a moment on; nobody where `person` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wearing {
    /// The device.
    pub device: DeviceId,
    /// The wearer.
    pub person: Option<PersonId>,
    /// Since when.
    pub from: Timestamp,
}

impl Store {
    /// Gives a device to a person, or takes it from whoever wears it.
    ///
    /// A device has one wearer and a wearer one device: what stood before ends at `at`. Tells
    /// what changed for each device; nothing, where it was so already.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such person, where something that stands began after
    /// `at`, or where the file cannot be written.
    pub async fn assign(
        &self,
        device: &DeviceId,
        person: Option<&PersonId>,
        at: Timestamp,
        by: &str,
    ) -> Result<Vec<Wearing>, StoreError> {
        if let Some(id) = person {
            let known = self.person(id).await?.is_some();
            known
                .then_some(())
                .ok_or_else(|| Fault::unknown("person", id).in_file(self.house.file()))?;
        }
        let wanted = Wearing { device: device.clone(), person: person.cloned(), from: at };
        let by = by.to_owned();
        self.house.write(move |transaction| assign(transaction, wanted, &by)).await
    }

    /// Who wears what at present.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assignments(&self) -> Result<Vec<Assignment>, StoreError> {
        self.house
            .read(|transaction| select(transaction, "a.until_at IS NULL AND ?1 IS NULL", None))
            .await
    }

    /// Who wore a device at a moment.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assignment_at(
        &self,
        device: &DeviceId,
        at: Timestamp,
    ) -> Result<Option<Assignment>, StoreError> {
        let history = self.assignments_of_device(device).await?;
        let covers = |it: &Assignment| it.from <= at && it.until.is_none_or(|until| at < until);
        Ok(history.into_iter().find(covers))
    }

    /// Everybody who ever wore a device, in the order of time.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assignments_of_device(
        &self,
        device: &DeviceId,
    ) -> Result<Vec<Assignment>, StoreError> {
        let device = device.clone();
        self.house
            .read(move |transaction| select(transaction, "d.name = ?1", Some(device.as_str())))
            .await
    }

    /// Every device that a person ever wore, in the order of time.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn assignments_of_person(
        &self,
        person: &PersonId,
    ) -> Result<Vec<Assignment>, StoreError> {
        let person = person.clone();
        self.house.read(move |transaction| of_person(transaction, &person)).await
    }
}

pub(crate) fn of_person(
    transaction: &Transaction<'_>,
    person: &PersonId,
) -> Acted<Vec<Assignment>> {
    select(transaction, "a.person = ?1", Some(person.as_str()))
}

fn assign(transaction: &Transaction<'_>, wanted: Wearing, by: &str) -> Acted<Vec<Wearing>> {
    let mut standing = standing(transaction, &wanted)?;
    if standing
        .iter()
        .any(|it| it.device == wanted.device && Some(&it.person) == wanted.person.as_ref())
    {
        return Ok(Vec::new());
    }
    if standing.is_empty() && wanted.person.is_none() {
        return Ok(Vec::new());
    }
    for before in &standing {
        end(transaction, before, wanted.from)?;
    }
    begin(transaction, &wanted, by)?;
    standing.retain(|before| before.device != wanted.device);
    let freed = |it: Assignment| Wearing { device: it.device, person: None, from: wanted.from };
    let mut changes: Vec<Wearing> = standing.into_iter().map(freed).collect();
    changes.push(wanted);
    Ok(changes)
}

/// What stands now of the device or the person.
fn standing(transaction: &Transaction<'_>, wanted: &Wearing) -> Acted<Vec<Assignment>> {
    let mut standing =
        select(transaction, "a.until_at IS NULL AND d.name = ?1", Some(wanted.device.as_str()))?;
    if let Some(person) = &wanted.person {
        let theirs =
            select(transaction, "a.until_at IS NULL AND a.person = ?1", Some(person.as_str()))?;
        standing.extend(theirs.into_iter().filter(|it| it.device != wanted.device));
    }
    Ok(standing)
}

fn end(transaction: &Transaction<'_>, before: &Assignment, at: Timestamp) -> Acted<()> {
    if at < before.from {
        let why = format!("{} is assigned since a later moment", before.device);
        return Err(Fault::unfit("assignment", why));
    }
    transaction
        .prepare_cached(
            "UPDATE assignments SET until_at = ?2 WHERE until_at IS NULL
             AND device = (SELECT id FROM devices WHERE name = ?1)",
        )?
        .execute(params![before.device.as_str(), at.as_micros()])?;
    Ok(())
}

fn begin(transaction: &Transaction<'_>, wanted: &Wearing, by: &str) -> Acted<()> {
    let Some(person) = &wanted.person else { return Ok(()) };
    let device = number_device(transaction, &wanted.device)?;
    transaction
        .prepare_cached(
            "INSERT INTO assignments (device, person, from_at, by) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![device, person.as_str(), wanted.from.as_micros(), by])?;
    Ok(())
}

fn select(
    transaction: &Transaction<'_>,
    condition: &str,
    id: Option<&str>,
) -> Acted<Vec<Assignment>> {
    transaction
        .prepare_cached(&format!(
            "SELECT d.name, a.person, a.from_at, a.until_at, a.by
             FROM assignments a JOIN devices d ON d.id = a.device
             WHERE {condition} ORDER BY a.from_at, a.id"
        ))?
        .query_map([id], assignment)?
        .map(|assignment| Ok(assignment?))
        .collect()
}

fn assignment(row: &Row<'_>) -> rusqlite::Result<Assignment> {
    Ok(Assignment {
        device: word(row, 0)?,
        person: word(row, 1)?,
        from: moment(row, 2)?,
        until: optional_moment(row, 3)?,
        by: row.get(4)?,
    })
}
