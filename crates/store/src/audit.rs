//! Who did and saw what. Each entry's hash covers its own words and the hash before, so
//! that no entry can be changed, taken out or put in without it showing.

use biosignal::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use sha2::{Digest, Sha256};

use crate::error::{Acted, StoreError};
use crate::rows::{count, moment};
use crate::store::{Store, now};

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who: an account's id, or a part of the house.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// To what or about whom: an id, never a name.
    pub subject: String,
    /// SHA-256 over all this and the hash of the entry before.
    pub hash: Vec<u8>,
}

/// What reading the whole log over came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many entries there are.
    pub entries: u64,
    /// The first entry that does not fit the one before it.
    pub broken_at: Option<u64>,
}

impl Store {
    /// Notes who did what, now. Tells the entry's place.
    ///
    /// # Errors
    /// [`StoreError`], and nothing is noted: what was to be noted should not be done.
    pub async fn audit(&self, actor: &str, action: &str, subject: &str) -> Result<u64, StoreError> {
        let (actor, action, subject) = (actor.to_owned(), action.to_owned(), subject.to_owned());
        self.house
            .write(move |transaction| {
                let (before, previous) = newest(transaction)?;
                let mut entry = AuditEntry {
                    sequence: before + 1,
                    at: now(),
                    actor,
                    action,
                    subject,
                    hash: Vec::new(),
                };
                entry.hash = hash(&previous, &entry);
                insert(transaction, &entry)?;
                Ok(entry.sequence)
            })
            .await
    }

    /// Entries after a place, in order, at most so many.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn audit_log(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.house
            .read(move |transaction| {
                transaction
                    .prepare_cached(&format!(
                        "{SELECT} WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"
                    ))?
                    .query_map(params![i64::try_from(after).unwrap_or(i64::MAX), limit], entry)?
                    .map(|entry| Ok(entry?))
                    .collect()
            })
            .await
    }

    /// Reads the whole log over.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn check_audit(&self) -> Result<AuditCheck, StoreError> {
        self.house.read(check).await
    }
}

const SELECT: &str = "SELECT sequence, at, actor, action, subject, hash FROM audit";

fn newest(transaction: &Transaction<'_>) -> Acted<(u64, Vec<u8>)> {
    let newest = transaction
        .prepare_cached("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")?
        .query_row([], |row| Ok((count(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(newest.unwrap_or_default())
}

fn insert(transaction: &Transaction<'_>, entry: &AuditEntry) -> Acted<()> {
    transaction
        .prepare_cached(
            "INSERT INTO audit (sequence, at, actor, action, subject, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            entry.sequence.cast_signed(),
            entry.at.as_micros(),
            entry.actor,
            entry.action,
            entry.subject,
            entry.hash
        ])?;
    Ok(())
}

/// Texts are hashed with their length, so that no two entries read the same.
fn hash(previous: &[u8], entry: &AuditEntry) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(entry.sequence.to_be_bytes());
    hash.update(entry.at.as_micros().to_be_bytes());
    for text in [&entry.actor, &entry.action, &entry.subject] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().to_vec()
}

fn check(transaction: &Transaction<'_>) -> Acted<AuditCheck> {
    let mut all = transaction.prepare(&format!("{SELECT} ORDER BY sequence"))?;
    let mut result = AuditCheck { entries: 0, broken_at: None };
    let mut previous = Vec::new();
    for entry in all.query_map([], entry)? {
        let entry = entry?;
        result.entries += 1;
        let fits = entry.sequence == result.entries && entry.hash == hash(&previous, &entry);
        if !fits && result.broken_at.is_none() {
            result.broken_at = Some(entry.sequence);
        }
        previous = entry.hash;
    }
    Ok(result)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        sequence: count(row, 0)?,
        at: moment(row, 1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        hash: row.get(5)?,
    })
}
