//! Where alerts come in and go out: kept first, then told to every tablet in the order
//! of the store, whoever made the change.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use biosignal::Timestamp;
use store::{Alert, AlertEvent, AlertEventKind, AlertLevel, AlertState, Store, StoreError};

use crate::alert_view::AlertView;
use crate::directory::{Directory, Entries};
use crate::lock::lock;
use crate::news::{Announcer, News, json};

/// How far back the newest rises of open alerts are looked for at the start.
const EVENTS_READ_AT_START: u64 = 5_000;

/// What the desk knows of alerts besides what the store keeps.
#[derive(Debug)]
pub(crate) struct Desk {
    late_after_us: i64,
    rings_for_us: i64,
    /// The newest event that was told; held while telling, so that the order stands.
    told: tokio::sync::Mutex<u64>,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// When an alert's level rose last.
    rose_at: HashMap<String, Timestamp>,
    /// Alerts that were old when they arrived.
    late: HashSet<String>,
}

impl Desk {
    pub(crate) fn new(late_after: Duration, rings_for: Duration) -> Self {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self {
            late_after_us: micros(late_after),
            rings_for_us: micros(rings_for),
            told: tokio::sync::Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Notes how old a turn of an alert was when it arrived.
    pub(crate) fn arrived(&self, id: &str, turned_at: Timestamp, now: Timestamp) {
        let mut notes = lock(&self.notes);
        if now.micros_since(turned_at) > self.late_after_us {
            notes.late.insert(id.to_owned());
        } else {
            notes.late.remove(id);
        }
    }

    fn note(&self, event: &AlertEvent) {
        let mut notes = lock(&self.notes);
        let id = &event.alert.record.id;
        match event.kind {
            AlertEventKind::Escalated => {
                notes.rose_at.insert(id.clone(), event.at);
            }
            AlertEventKind::Resolved => {
                notes.rose_at.remove(id);
                notes.late.remove(id);
            }
            _ => {}
        }
    }

    /// Until when an alert rings: one that is high and that nobody answered, some time
    /// long. What was old when it arrived does not ring at all.
    fn rings_until(&self, alert: &Alert) -> Option<Timestamp> {
        let notes = lock(&self.notes);
        let id = &alert.record.id;
        let waits = alert.state == AlertState::Raised && alert.record.level == AlertLevel::High;
        let since = notes.rose_at.get(id).copied().unwrap_or(alert.record.raised_at);
        (waits && !notes.late.contains(id)).then(|| since.plus_micros(self.rings_for_us))
    }
    /// An alert as it travels to the tablet.
    pub(crate) fn view(&self, entries: &Entries, alert: &Alert) -> AlertView {
        AlertView::new(entries, self.rings_until(alert), alert)
    }

    /// Goes on from the newest event: what happened before is on the board already.
    pub(crate) async fn start(&self, store: &Store) -> Result<(), StoreError> {
        let newest = store.last_event().await?;
        for event in store.events_since(newest.saturating_sub(EVENTS_READ_AT_START)).await? {
            self.note(&event);
        }
        *self.told.lock().await = newest;
        Ok(())
    }

    /// Tells every tablet what happened since the last telling, in order.
    pub(crate) async fn announce(
        &self,
        store: &Store,
        directory: &Directory,
        announcer: &Announcer,
    ) -> anyhow::Result<()> {
        let mut told = self.told.lock().await;
        for event in store.events_since(*told).await? {
            self.note(&event);
            let data = json(&self.view(&directory.entries(), &event.alert))?;
            announcer.tell(News::Alert { sequence: event.sequence, data });
            *told = event.sequence;
        }
        Ok(())
    }
}
