//! Alerts as they are, and what happened to them in the order of the server.

use biosignal::{DeviceId, PersonId, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::{Acted, StoreError};
use crate::rows::{count, json, moment, optional_moment, optional_word, word};
use crate::store::Store;
use crate::users::UserId;
use crate::words::words;

words! {
    /// How urgent an alert is.
    AlertLevel, "alert level" {
        /// Arousal rises: shown, silent.
        Rising = "rising",
        /// High arousal: somebody should go.
        High = "high",
    }
}

words! {
    /// How far an alert has come.
    AlertState, "alert state" {
        /// Nobody goes yet.
        Raised = "raised",
        /// Somebody goes.
        Acknowledged = "acknowledged",
        /// It is known what came of it.
        Resolved = "resolved",
    }
}

words! {
    /// What came of an alert.
    Outcome, "outcome" {
        /// The person calmed.
        Calmed = "calmed",
        /// There was an incident.
        Incident = "incident",
        /// The person was moving.
        Exercise = "exercise",
        /// The person was excited, gladly.
        Excited = "excited",
        /// The device was wrong.
        Device = "device",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// What happened to an alert.
    AlertEventKind, "alert event" {
        /// It was raised.
        Raised = "raised",
        /// Its level rose.
        Escalated = "escalated",
        /// The cause is over; people may still be on their way.
        Ended = "ended",
        /// Somebody goes.
        Acknowledged = "acknowledged",
        /// It is known what came of it.
        Resolved = "resolved",
    }
}

/// One thing that weighed in raising an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// In words for care staff.
    pub text: String,
    /// The feature behind it.
    pub feature: String,
    /// Its value.
    pub value: f64,
    /// What is usual for the person, where known.
    pub usual: Option<f64>,
    /// The unit of both.
    pub unit: String,
    /// How much it weighed.
    pub contribution: f64,
}

/// An alert as the detector raises it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRecord {
    /// Its id, made once by who raises it.
    pub id: String,
    /// The device.
    pub device: DeviceId,
    /// Who wore it.
    pub person: PersonId,
    /// How urgent.
    pub level: AlertLevel,
    /// When.
    pub raised_at: Timestamp,
    /// Why, heaviest first.
    pub reasons: Vec<Reason>,
    /// Signal quality, 0 to 1.
    pub quality: f64,
    /// The score, 0 to 1.
    pub score: f64,
}

/// An alert as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What was raised; level, reasons, quality and score are those of the highest level.
    pub record: AlertRecord,
    /// How far it has come.
    pub state: AlertState,
    /// When its cause was over.
    pub ended_at: Option<Timestamp>,
    /// Who goes, the first who said so.
    pub acknowledged_by: Option<UserId>,
    /// When they said so.
    pub acknowledged_at: Option<Timestamp>,
    /// Who said what came of it.
    pub resolved_by: Option<UserId>,
    /// When they said so.
    pub resolved_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// In their own words.
    pub note: Option<String>,
    /// The number of its newest event.
    pub sequence: u64,
}

/// Something happened to an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertEvent {
    /// Its place in the order of the server.
    pub sequence: u64,
    /// What happened.
    pub kind: AlertEventKind,
    /// When, by whoever told it.
    pub at: Timestamp,
    /// Who did it, where it was a person.
    pub by: Option<UserId>,
    /// The alert as it is now, which may be later than the event.
    pub alert: Alert,
}

impl Store {
    /// An alert.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        let id = id.to_owned();
        self.house.read(move |transaction| find(transaction, &id)).await
    }

    /// Alerts that are not resolved, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn open_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        self.house
            .read(|transaction| {
                transaction
                    .prepare_cached(&format!(
                        "SELECT {COLUMNS} FROM alerts a WHERE a.state <> 'resolved'
                         ORDER BY a.raised_at, a.id"
                    ))?
                    .query_map([], |row| alert(row, 0))?
                    .map(|alert| Ok(alert?))
                    .collect()
            })
            .await
    }

    /// Alerts about a person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn alerts_of_person(&self, person: &PersonId) -> Result<Vec<Alert>, StoreError> {
        let person = person.clone();
        self.house
            .read(move |transaction| {
                transaction
                    .prepare_cached(&format!(
                        "SELECT {COLUMNS} FROM alerts a WHERE a.person = ?1
                         ORDER BY a.raised_at, a.id"
                    ))?
                    .query_map([person.as_str()], |row| alert(row, 0))?
                    .map(|alert| Ok(alert?))
                    .collect()
            })
            .await
    }

    /// What happened after an event, in order: what a tablet missed that saw `sequence` last.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn events_since(&self, sequence: u64) -> Result<Vec<AlertEvent>, StoreError> {
        self.house
            .read(move |transaction| {
                transaction
                    .prepare_cached(&format!(
                        "SELECT e.sequence, e.kind, e.at, e.by, {COLUMNS}
                         FROM alert_events e JOIN alerts a ON a.id = e.alert
                         WHERE e.sequence > ?1 ORDER BY e.sequence"
                    ))?
                    .query_map([i64::try_from(sequence).unwrap_or(i64::MAX)], event)?
                    .map(|event| Ok(event?))
                    .collect()
            })
            .await
    }

    /// The number of the newest event; 0 where nothing ever happened.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub async fn last_event(&self) -> Result<u64, StoreError> {
        self.house
            .read(|transaction| {
                let mut newest = transaction
                    .prepare_cached("SELECT coalesce(max(sequence), 0) FROM alert_events")?;
                Ok(newest.query_row([], |row| count(row, 0))?)
            })
            .await
    }
}

pub(crate) fn find(transaction: &Transaction<'_>, id: &str) -> Acted<Option<Alert>> {
    let mut find =
        transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM alerts a WHERE a.id = ?1"))?;
    Ok(find.query_row([id], |row| alert(row, 0)).optional()?)
}

const COLUMNS: &str = "a.id, a.device, a.person, a.level, a.raised_at, a.reasons, a.quality,
    a.score, a.state, a.ended_at, a.acknowledged_by, a.acknowledged_at, a.resolved_by,
    a.resolved_at, a.outcome, a.note, a.sequence";

/// An alert from [`COLUMNS`], of which `at` is the first.
fn alert(row: &Row<'_>, at: usize) -> rusqlite::Result<Alert> {
    let record = AlertRecord {
        id: row.get(at)?,
        device: word(row, at + 1)?,
        person: word(row, at + 2)?,
        level: word(row, at + 3)?,
        raised_at: moment(row, at + 4)?,
        reasons: json(row, at + 5)?,
        quality: row.get(at + 6)?,
        score: row.get(at + 7)?,
    };
    Ok(Alert {
        record,
        state: word(row, at + 8)?,
        ended_at: optional_moment(row, at + 9)?,
        acknowledged_by: optional_word(row, at + 10)?,
        acknowledged_at: optional_moment(row, at + 11)?,
        resolved_by: optional_word(row, at + 12)?,
        resolved_at: optional_moment(row, at + 13)?,
        outcome: optional_word(row, at + 14)?,
        note: row.get(at + 15)?,
        sequence: count(row, at + 16)?,
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<AlertEvent> {
    Ok(AlertEvent {
        sequence: count(row, 0)?,
        kind: word(row, 1)?,
        at: moment(row, 2)?,
        by: optional_word(row, 3)?,
        alert: alert(row, 4)?,
    })
}
