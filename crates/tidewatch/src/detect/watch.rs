use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use biosignal::{DeviceId, PersonId, Timestamp};
use bus::{Message, PayloadError, wire};
use detector::Detector;
use prost::Message as _;
use store::{Snapshot, Store, StoredAlert, StoredAssessment};
use tokio::sync::Notify;

use super::session::Session;
use super::wearer::{Decision, Judge, Wearer};

/// How far back the store is asked for what the broker did not deliver, us: three times as far as
/// it was asked last.
const CATCH_UP_BACK_US: i64 = 90_000_000;

/// Everybody under watch at a site.
pub(super) struct Watch {
    judge: Judge,
    store: Store,
    decided: Arc<Notify>,
    wearers: BTreeMap<DeviceId, Wearer>,
}

impl Watch {
    pub(super) fn new(judge: Judge, store: Store, decided: Arc<Notify>) -> Self {
        Self { judge, store, decided, wearers: BTreeMap::new() }
    }

    /// Takes up who wears what.
    pub(super) async fn begin(&mut self, now: Timestamp) -> anyhow::Result<()> {
        for assignment in self.store.assignments().await? {
            self.assign(assignment.device, Some(assignment.person), assignment.from, now).await?;
        }
        Ok(())
    }

    pub(super) async fn receive(
        &mut self,
        message: Result<Message, PayloadError>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        match message {
            Ok(Message::Batch(batch) | Message::Backfill(batch)) => self.feed(&batch),
            Ok(Message::Assignment(assignment)) => {
                let device = DeviceId::new(assignment.device)?;
                let person = assignment.person.map(PersonId::new).transpose()?;
                let from = Timestamp::from_micros(assignment.from_us);
                self.assign(device, person, from, now).await?;
            }
            // What is refused, the bus has counted and logged.
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    fn feed(&mut self, batch: &wire::Batch) {
        let wearer = DeviceId::new(batch.device.as_str())
            .ok()
            .and_then(|device| self.wearers.get_mut(&device));
        let Some(wearer) = wearer else { return };
        match bus::readings_from_batch(batch) {
            Ok(readings) => {
                wearer.feed(batch.epoch, batch.sequence, &readings);
            }
            Err(error) => tracing::warn!(device = batch.device, %error, "batch refused"),
        }
    }

    /// Somebody puts a band on, takes it off, or swaps it.
    async fn assign(
        &mut self,
        device: DeviceId,
        person: Option<PersonId>,
        since: Timestamp,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if self.wearers.get(&device).map(Wearer::person) == person.as_ref() {
            return Ok(());
        }
        self.wearers.remove(&device);
        let Some(person) = person else { return Ok(()) };
        self.wearers.retain(|_, wearer| *wearer.person() != person);
        let (wearer, heard_until) = self.take_up(person, device.clone(), since, now).await?;
        tracing::info!(%device, session = wearer.session(), "watching");
        self.wearers.insert(device.clone(), wearer);
        // A band may be worn for months. Of all that, this is what is new and of use.
        let oldest = now.plus_micros(-1_000_000 * i64::from(Detector::MOST_WAITING_S));
        let new = heard_until.map_or(since, |at| at.plus_micros(-CATCH_UP_BACK_US));
        self.feed_from_store(&device, since.max(oldest).max(new)).await
    }

    /// Goes on from the person's last snapshot, or begins anew where there is none that fits.
    /// Tells until when the band was heard before.
    async fn take_up(
        &self,
        person: PersonId,
        device: DeviceId,
        since: Timestamp,
        now: Timestamp,
    ) -> anyhow::Result<(Wearer, Option<Timestamp>)> {
        let snapshot = self.store.latest_snapshot(&person).await?;
        let fresh = || {
            let session = Session::fresh(now);
            Wearer::fresh(person.clone(), device.clone(), since, &self.judge, session)
        };
        let Some(snapshot) = snapshot else { return Ok((fresh(), None)) };
        let resumed = fresh().resumed(&snapshot.bytes, &self.judge, Session::resumed(now));
        let wearer = resumed.unwrap_or_else(|error| {
            tracing::warn!(%device, error = format!("{error:#}"), "learning anew");
            fresh()
        });
        let heard_until = wearer.knows_the_band().then_some(snapshot.at);
        Ok((wearer, heard_until))
    }

    /// Feeds what the store has received lately and the broker did not deliver here.
    pub(super) async fn catch_up(&mut self, now: Timestamp) -> anyhow::Result<()> {
        for device in self.wearers.keys().cloned().collect::<Vec<_>>() {
            self.feed_from_store(&device, now.plus_micros(-CATCH_UP_BACK_US)).await?;
        }
        Ok(())
    }

    async fn feed_from_store(&mut self, device: &DeviceId, since: Timestamp) -> anyhow::Result<()> {
        let batches = self.store.batches_received_since(device, since).await?;
        let Some(wearer) = self.wearers.get_mut(device) else { return Ok(()) };
        for batch in batches {
            if wearer.feed(batch.epoch, batch.sequence, &batch.readings) {
                metrics::counter!("tidewatch_detect_caught_up_total").increment(1);
            }
        }
        Ok(())
    }

    /// Lets time pass for everybody, and keeps what is decided.
    pub(super) async fn tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut decisions = Vec::new();
        for wearer in self.wearers.values_mut() {
            if let Some(decision) = wearer.tick(now)? {
                decisions.push((wearer.person().clone(), wearer.device().clone(), decision));
            }
        }
        metrics::histogram!("tidewatch_detect_tick_seconds").record(started.elapsed());
        for (person, device, decision) in decisions {
            self.keep(&person, &device, now, decision).await?;
        }
        Ok(())
    }

    async fn keep(
        &self,
        person: &PersonId,
        device: &DeviceId,
        decided_at: Timestamp,
        decision: Decision,
    ) -> anyhow::Result<()> {
        let assessments = decision.assessments.iter().map(|it| StoredAssessment {
            device: device.clone(),
            person: person.clone(),
            at: Timestamp::from_micros(it.at_us),
            decided_at,
            payload: it.encode_to_vec(),
        });
        let alerts = decision.alerts.iter().map(|it| StoredAlert {
            id: it.id.clone(),
            device: device.clone(),
            person: person.clone(),
            at: Timestamp::from_micros(it.at_us),
            decided_at,
            payload: it.encode_to_vec(),
        });
        let snapshot = Snapshot {
            bytes: decision.snapshot,
            at: decided_at,
            version: detector::VERSION.to_owned(),
        };
        self.store.save_decision(person, snapshot, assessments.collect(), alerts.collect()).await?;
        for alert in &decision.alerts {
            tracing::info!(%device, alert = alert.id, transition = ?alert.transition(), "alert");
        }
        self.decided.notify_one();
        Ok(())
    }
}
