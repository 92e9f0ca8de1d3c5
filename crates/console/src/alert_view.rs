use biosignal::Timestamp;
use serde::Serialize;
use store::{Alert, AlertLevel, AlertState, Outcome, Reason, UserId};

use crate::directory::Entries;
use crate::moment::Millis;

/// An alert as it travels to the tablet, with the names that the store keeps apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertView {
    pub(crate) id: String,
    pub(crate) person: String,
    pub(crate) name: String,
    pub(crate) level: AlertLevel,
    pub(crate) state: AlertState,
    pub(crate) raised_at: Millis,
    /// When its cause was over, as the detector sees it.
    pub(crate) ended_at: Option<Millis>,
    /// Until when it rings, unless somebody goes; none where it is silent.
    pub(crate) rings_until: Option<Millis>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) quality: f64,
    /// What helps this person.
    pub(crate) strategies: Vec<String>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) acknowledged_at: Option<Millis>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) resolved_at: Option<Millis>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) note: Option<String>,
    /// The number of its newest event.
    pub(crate) sequence: u64,
}

impl AlertView {
    pub(crate) fn new(entries: &Entries, rings_until: Option<Timestamp>, alert: &Alert) -> Self {
        let record = &alert.record;
        let person = entries.people.get(&record.person);
        let staff = |id: &Option<UserId>| {
            id.as_ref()
                .map(|id| entries.staff.get(id).map_or("somebody", String::as_str).to_owned())
        };
        Self {
            id: record.id.clone(),
            person: record.person.to_string(),
            name: person.map_or_else(|| "Unknown person".to_owned(), |person| person.name.clone()),
            level: record.level,
            state: alert.state,
            raised_at: record.raised_at.into(),
            ended_at: alert.ended_at.map(Millis::from),
            rings_until: rings_until.map(Millis::from),
            reasons: record.reasons.clone(),
            quality: record.quality,
            strategies: person.map(|person| person.strategies.clone()).unwrap_or_default(),
            acknowledged_by: staff(&alert.acknowledged_by),
            acknowledged_at: alert.acknowledged_at.map(Millis::from),
            resolved_by: staff(&alert.resolved_by),
            resolved_at: alert.resolved_at.map(Millis::from),
            outcome: alert.outcome,
            note: alert.note.clone(),
            sequence: alert.sequence,
        }
    }
}

/// Whether an alert belongs on the board: a high one until it is resolved; a rising one
/// passes by itself, at the latest after a day.
pub(crate) fn is_open(alert: &Alert, now: Timestamp) -> bool {
    const DAY_US: i64 = 86_400_000_000;
    let passed = alert.ended_at.is_some() || now.micros_since(alert.record.raised_at) > DAY_US;
    alert.state != AlertState::Resolved && (alert.record.level == AlertLevel::High || !passed)
}
