//! What changes an alert. Each act is one transaction that holds the file's write lock:
//! of two who do the same at once, in whichever processes, one is first.

use biosignal::Timestamp;
use rusqlite::{Transaction, params};

use crate::alerts::{
    self, Alert, AlertEvent, AlertEventKind, AlertLevel, AlertRecord, AlertState, Outcome, Reason,
};
use crate::error::{Acted, Fault, StoreError};
use crate::store::Store;
use crate::users::UserId;

/// What came of saying "I'm going".
#[derive(Clone, Debug, PartialEq)]
pub struct Acknowledged {
    /// Whether this one was first.
    pub won: bool,
    /// Who goes; none where the alert was resolved before anybody said so.
    pub by: Option<UserId>,
    /// When they said so.
    pub at: Option<Timestamp>,
    /// The alert as it is now.
    pub alert: Alert,
}

impl Store {
    /// Keeps a new alert. `None` where it was there already: nothing changes then.
    ///
    /// # Errors
    /// [`StoreError`], and nothing is kept.
    pub async fn raise(&self, record: AlertRecord) -> Result<Option<AlertEvent>, StoreError> {
        self.house.write(move |transaction| raise(transaction, &record)).await
    }

    /// Raises an alert's level, with the reasons for it. `None` where it is as high already.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such alert, or the file cannot be written.
    pub async fn escalate(
        &self,
        id: &str,
        level: AlertLevel,
        at: Timestamp,
        reasons: Vec<Reason>,
        score: f64,
    ) -> Result<Option<AlertEvent>, StoreError> {
        let id = id.to_owned();
        self.house
            .write(move |transaction| {
                if existing(transaction, &id)?.record.level >= level {
                    return Ok(None);
                }
                transaction.execute(
                    "UPDATE alerts SET level = ?2, reasons = ?3, score = ?4 WHERE id = ?1",
                    params![id, level.as_str(), serde_json::json!(reasons).to_string(), score],
                )?;
                tell(transaction, &id, AlertEventKind::Escalated, at, None).map(Some)
            })
            .await
    }

    /// Notes that an alert's cause is over. `None` where that is known.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such alert, or the file cannot be written.
    pub async fn end(&self, id: &str, at: Timestamp) -> Result<Option<AlertEvent>, StoreError> {
        let id = id.to_owned();
        self.house
            .write(move |transaction| {
                if existing(transaction, &id)?.ended_at.is_some() {
                    return Ok(None);
                }
                transaction.execute(
                    "UPDATE alerts SET ended_at = ?2 WHERE id = ?1",
                    params![id, at.as_micros()],
                )?;
                tell(transaction, &id, AlertEventKind::Ended, at, None).map(Some)
            })
            .await
    }

    /// Says that somebody goes. The first one wins, in the order of the server, whatever
    /// `at` says; the one who won may say so again.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such alert, or the file cannot be written.
    pub async fn acknowledge(
        &self,
        id: &str,
        user: &UserId,
        at: Timestamp,
    ) -> Result<Acknowledged, StoreError> {
        let (id, user) = (id.to_owned(), user.clone());
        self.house
            .write(move |transaction| {
                let mut alert = existing(transaction, &id)?;
                if alert.state == AlertState::Raised {
                    transaction.execute(
                        "UPDATE alerts SET state = 'acknowledged', acknowledged_by = ?2,
                             acknowledged_at = ?3 WHERE id = ?1",
                        params![id, user.as_str(), at.as_micros()],
                    )?;
                    let kind = AlertEventKind::Acknowledged;
                    alert = tell(transaction, &id, kind, at, Some(&user))?.alert;
                }
                Ok(Acknowledged {
                    won: alert.acknowledged_by.as_ref() == Some(&user),
                    by: alert.acknowledged_by.clone(),
                    at: alert.acknowledged_at,
                    alert,
                })
            })
            .await
    }

    /// Says what came of an alert. The first answer stands; the alert tells whose it is.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such alert, or the file cannot be written.
    pub async fn resolve(
        &self,
        id: &str,
        user: &UserId,
        outcome: Outcome,
        note: Option<String>,
        at: Timestamp,
    ) -> Result<Alert, StoreError> {
        let (id, user) = (id.to_owned(), user.clone());
        self.house
            .write(move |transaction| {
                let alert = existing(transaction, &id)?;
                if alert.state == AlertState::Resolved {
                    return Ok(alert);
                }
                transaction.execute(
                    "UPDATE alerts SET state = 'resolved', resolved_by = ?2, resolved_at = ?3,
                         outcome = ?4, note = ?5 WHERE id = ?1",
                    params![id, user.as_str(), at.as_micros(), outcome.as_str(), note],
                )?;
                Ok(tell(transaction, &id, AlertEventKind::Resolved, at, Some(&user))?.alert)
            })
            .await
    }
}

fn raise(transaction: &Transaction<'_>, record: &AlertRecord) -> Acted<Option<AlertEvent>> {
    let inserted = transaction.execute(
        "INSERT INTO alerts (id, device, person, level, state, raised_at, reasons, quality,
                             score, sequence)
         VALUES (?1, ?2, ?3, ?4, 'raised', ?5, ?6, ?7, ?8, 0) ON CONFLICT DO NOTHING",
        params![
            record.id,
            record.device.as_str(),
            record.person.as_str(),
            record.level.as_str(),
            record.raised_at.as_micros(),
            serde_json::json!(record.reasons).to_string(),
            record.quality,
            record.score
        ],
    )?;
    if inserted == 0 {
        return Ok(None);
    }
    tell(transaction, &record.id, AlertEventKind::Raised, record.raised_at, None).map(Some)
}

fn existing(transaction: &Transaction<'_>, id: &str) -> Acted<Alert> {
    alerts::find(transaction, id)?.ok_or_else(|| Fault::unknown("alert", id))
}

/// Gives what happened its place in the order of the server.
fn tell(
    transaction: &Transaction<'_>,
    id: &str,
    kind: AlertEventKind,
    at: Timestamp,
    by: Option<&UserId>,
) -> Acted<AlertEvent> {
    let sequence = transaction.query_row(
        "INSERT INTO alert_events (alert, kind, at, by) VALUES (?1, ?2, ?3, ?4)
         RETURNING sequence",
        params![id, kind.as_str(), at.as_micros(), by.map(UserId::as_str)],
        |row| row.get::<_, i64>(0),
    )?;
    transaction.execute("UPDATE alerts SET sequence = ?2 WHERE id = ?1", params![id, sequence])?;
    let alert = existing(transaction, id)?;
    Ok(AlertEvent { sequence: sequence.cast_unsigned(), kind, at, by: by.cloned(), alert })
}
