use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use biosignal::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::error::{Acted, Fault, Refusal, StoreError};
use crate::rows::{moment, random_id, word};
use crate::store::{Store, now};
use crate::words::words;

/// An account's id: random, so that audit and alerts name nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UserId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

words! {
    /// What somebody may see and do.
    Role, "role" {
        /// Care staff.
        Carer = "carer",
        /// Support workers, who pair wristbands.
        Support = "support",
        /// Researchers, who see pseudonyms.
        Researcher = "researcher",
        /// Managers.
        Manager = "manager",
        /// Administrators, who make accounts.
        Administrator = "administrator",
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The name to sign in with, and to show.
    pub name: String,
    /// What they may see and do.
    pub role: Role,
    /// The hash of the password, in PHC form; made and checked by the caller.
    pub password_hash: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Store {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError`] where the name is taken (in any case of letters), or the file cannot
    /// be written.
    pub async fn create_user(
        &self,
        name: &str,
        password_hash: &str,
        role: Role,
    ) -> Result<User, StoreError> {
        let (name, hash) = (name.to_owned(), password_hash.to_owned());
        self.identities.write(move |transaction| create(transaction, name, hash, role)).await
    }

    /// Adds the first account, an administrator's. `None` where there is an account already.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn create_first_user(
        &self,
        name: &str,
        password_hash: &str,
    ) -> Result<Option<User>, StoreError> {
        let (name, hash) = (name.to_owned(), password_hash.to_owned());
        self.identities
            .write(move |transaction| {
                if any(transaction)? {
                    return Ok(None);
                }
                create(transaction, name, hash, Role::Administrator).map(Some)
            })
            .await
    }

    /// Whether there is any account.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        self.identities.read(any).await
    }

    /// The account of a name, in any case of letters.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        let name = name.to_owned();
        self.identities.read(move |transaction| find(transaction, "name", &name)).await
    }

    /// An account.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let id = id.clone();
        self.identities.read(move |transaction| find(transaction, "id", id.as_str())).await
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.identities
            .read(|transaction| {
                transaction
                    .prepare_cached(
                        "SELECT id, name, role, password, created_at FROM users ORDER BY name",
                    )?
                    .query_map([], |row| user(row, 0))?
                    .map(|user| Ok(user?))
                    .collect()
            })
            .await
    }
}

fn create(
    transaction: &Transaction<'_>,
    name: String,
    password_hash: String,
    role: Role,
) -> Acted<User> {
    if find(transaction, "name", &name)?.is_some() {
        return Err(Fault::Refused(Refusal::Taken { kind: "user", id: name }));
    }
    let id = UserId(random_id(transaction)?);
    let user = User { id, name, role, password_hash, created_at: now() };
    transaction
        .prepare_cached(
            "INSERT INTO users (id, name, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            user.id.as_str(),
            user.name,
            user.role.as_str(),
            user.password_hash,
            user.created_at.as_micros()
        ])?;
    Ok(user)
}

fn any(transaction: &Transaction<'_>) -> Acted<bool> {
    Ok(transaction.query_row("SELECT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))?)
}

fn find(transaction: &Transaction<'_>, column: &str, value: &str) -> Acted<Option<User>> {
    let mut find = transaction.prepare_cached(&format!(
        "SELECT id, name, role, password, created_at FROM users WHERE {column} = ?1"
    ))?;
    Ok(find.query_row([value], |row| user(row, 0)).optional()?)
}

/// An account from the columns id, name, role, password, `created_at`, of which `at` is the first.
pub(crate) fn user(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    Ok(User {
        id: word(row, at)?,
        name: row.get(at + 1)?,
        role: word(row, at + 2)?,
        password_hash: row.get(at + 3)?,
        created_at: moment(row, at + 4)?,
    })
}
