use biosignal::{PersonId, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::error::{Acted, Fault, StoreError};
use crate::rows::{json, moment, random_id, word};
use crate::store::{Store, now};

/// Somebody who is cared for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The pseudonym: random, and all that the rest of the house knows.
    pub id: PersonId,
    /// The name, for the care view alone.
    pub name: String,
    /// What helps, as agreed in the support plan; the first is tried first.
    pub strategies: Vec<String>,
    /// Since when the house knows them.
    pub created_at: Timestamp,
}

impl Store {
    /// Adds a person under a new pseudonym.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn create_person(
        &self,
        name: &str,
        strategies: Vec<String>,
    ) -> Result<Person, StoreError> {
        let name = name.to_owned();
        self.identities
            .write(move |transaction| {
                let id = PersonId::new(random_id(transaction)?)
                    .map_err(|error| Fault::Damaged(error.to_string()))?;
                let person = Person { id, name, strategies, created_at: now() };
                transaction
                    .prepare_cached(
                        "INSERT INTO people (id, name, strategies, created_at)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        person.id.as_str(),
                        person.name,
                        serde_json::json!(person.strategies).to_string(),
                        person.created_at.as_micros()
                    ])?;
                Ok(person)
            })
            .await
    }

    /// Changes a person's name and strategies.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such person, or the file cannot be written.
    pub async fn update_person(
        &self,
        id: &PersonId,
        name: &str,
        strategies: Vec<String>,
    ) -> Result<Person, StoreError> {
        let (id, name) = (id.clone(), name.to_owned());
        self.identities
            .write(move |transaction| {
                let strategies = serde_json::json!(strategies).to_string();
                transaction
                    .prepare_cached("UPDATE people SET name = ?2, strategies = ?3 WHERE id = ?1")?
                    .execute(params![id.as_str(), name, strategies])?;
                find(transaction, &id)?.ok_or_else(|| Fault::unknown("person", &id))
            })
            .await
    }

    /// A person.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn person(&self, id: &PersonId) -> Result<Option<Person>, StoreError> {
        let id = id.clone();
        self.identities.read(move |transaction| find(transaction, &id)).await
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        self.identities
            .read(|transaction| {
                transaction
                    .prepare_cached(
                        "SELECT id, name, strategies, created_at FROM people
                         ORDER BY name COLLATE NOCASE, id",
                    )?
                    .query_map([], person)?
                    .map(|person| Ok(person?))
                    .collect()
            })
            .await
    }
}

fn find(transaction: &Transaction<'_>, id: &PersonId) -> Acted<Option<Person>> {
    let mut find = transaction
        .prepare_cached("SELECT id, name, strategies, created_at FROM people WHERE id = ?1")?;
    Ok(find.query_row([id.as_str()], person).optional()?)
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: word(row, 0)?,
        name: row.get(1)?,
        strategies: json(row, 2)?,
        created_at: moment(row, 3)?,
    })
}
