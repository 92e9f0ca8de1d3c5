use biosignal::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::error::StoreError;
use crate::rows::moment;
use crate::store::Store;
use crate::users::{User, UserId, user};

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: User,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, at the latest.
    pub expires_at: Timestamp,
}

/// The SHA-256 of the token that a browser holds: whoever reads the file cannot sign in with it.
type TokenHash = [u8; 32];

impl Store {
    /// Signs an account in.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn create_session(
        &self,
        token_hash: TokenHash,
        user: &UserId,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let user = user.clone();
        self.identities
            .write(move |transaction| {
                transaction
                    .prepare_cached(
                        "INSERT INTO sessions (token, user, created_at, expires_at)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        token_hash,
                        user.as_str(),
                        at.as_micros(),
                        expires_at.as_micros()
                    ])?;
                Ok(())
            })
            .await
    }

    /// Who holds a token; nobody once it has expired.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn session(
        &self,
        token_hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.identities
            .read(move |transaction| {
                let mut find = transaction.prepare_cached(
                    "SELECT s.created_at, s.expires_at, u.id, u.name, u.role, u.password, u.created_at
                     FROM sessions s JOIN users u ON u.id = s.user
                     WHERE s.token = ?1 AND s.expires_at > ?2",
                )?;
                let session = find.query_row(params![token_hash, now.as_micros()], |row| {
                    Ok(Session {
                        created_at: moment(row, 0)?,
                        expires_at: moment(row, 1)?,
                        user: user(row, 2)?,
                    })
                });
                Ok(session.optional()?)
            })
            .await
    }

    /// Signs out. Tells whether there was such a session.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn delete_session(&self, token_hash: TokenHash) -> Result<bool, StoreError> {
        self.identities
            .write(move |transaction| {
                let deleted = transaction
                    .execute("DELETE FROM sessions WHERE token = ?1", params![token_hash])?;
                Ok(deleted > 0)
            })
            .await
    }

    /// Forgets sessions that have expired, and tells how many they were.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn expire_sessions(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.identities
            .write(move |transaction| {
                Ok(transaction
                    .execute("DELETE FROM sessions WHERE expires_at <= ?1", [now.as_micros()])?)
            })
            .await
    }
}
