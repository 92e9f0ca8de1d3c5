//! The recorder: what the broker brings of readings and gaps goes into the store.
//!
//! A message is acknowledged to the broker when the store has it on the disk, and not
//! before; a gateway deletes a batch when the recorder tells that the store has it. The
//! recorder reads live readings and backlog over a connection each, so that a long
//! backlog never stands before a live reading.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use biosignal::{DeviceId, Gap, GapCause, GatewayId, SiteId, Timestamp};
use bus::{AckToken, Delivery, Filter, Message, Publisher, SessionKind, Subscriber, wire};
use prost::Message as _;
use serde::Deserialize;
use store::{Appended, Batch, DeviceAck, LedgerEntry, PacketRange, Quarantined, Store, StoreError};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;

/// `[record]`: how the recorder goes about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RecordConfig {
    /// How long a message may wait for others, to be committed together.
    #[serde(with = "humantime_serde")]
    pub(crate) gather: Duration,
    /// Messages that are committed together at most.
    pub(crate) gather_messages: usize,
    /// How often gateways are told what the store has.
    #[serde(with = "humantime_serde")]
    pub(crate) acknowledge_every: Duration,
}

impl Default for RecordConfig {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(200),
            gather_messages: 500,
            acknowledge_every: Duration::from_secs(1),
        }
    }
}

/// A gateway hears at least so often what the store has, though nothing has changed: the
/// broker may have lost what it retained.
const REPEAT_AFTER: Duration = Duration::from_secs(10);

/// Holes that are told of a device at once; the later ones are told when these are filled.
const HOLES_AT_ONCE: usize = 64;

/// Waits between attempts while the store cannot be written.
const RETRY: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// Records until asked to stop.
pub(crate) async fn run(
    site: SiteId,
    config: RecordConfig,
    endpoint: bus::Endpoint,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut intake = Intake::start(&site, &endpoint, &config, &shutdown)?;
    let publisher =
        Publisher::start(&endpoint, &format!("recorder-tells-{site}"), None, &shutdown)?;
    let tell = Tell { site, publisher, store: store.clone(), said: HashMap::new() };
    tokio::try_join!(
        record(&mut intake, &store, &shutdown),
        tell.run(config.acknowledge_every, &shutdown),
    )?;
    Ok(())
}

async fn record(
    intake: &mut Intake,
    store: &Store,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    while let Some(arrived) = intake.gather().await {
        let begun = Instant::now();
        let mut group = Group::default();
        let received_at = now();
        for (lane, delivery) in arrived {
            group.take(lane, delivery, received_at);
        }
        if !group.commit(store, shutdown).await? {
            break;
        }
        metrics::histogram!("tidewatch_record_commit_seconds").record(begun.elapsed());
        for (lane, ack) in group.acks {
            intake.acknowledge(lane, ack);
        }
    }
    if shutdown.is_cancelled() { Ok(()) } else { bail!("the broker's messages ended") }
}

/// Which way a message came. Live is before backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Live,
    Backlog,
}

/// What arrives, from either way.
struct Intake {
    live: Subscriber,
    backlog: Subscriber,
    gather: Duration,
    gather_messages: usize,
}

impl Intake {
    fn start(
        site: &SiteId,
        endpoint: &bus::Endpoint,
        config: &RecordConfig,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let subscriber = |name: &str, filters| {
            let client = format!("recorder-{name}-{site}");
            Subscriber::start(endpoint, &client, filters, SessionKind::Persistent, shutdown)
                .context("recorder's connection")
        };
        Ok(Self {
            live: subscriber("live", vec![Filter::batches(site), Filter::gaps(site)])?,
            backlog: subscriber("backlog", vec![Filter::backfill(site)])?,
            gather: config.gather,
            gather_messages: config.gather_messages,
        })
    }

    /// What arrives within a moment of the first, live messages first; `None` after shutdown.
    async fn gather(&mut self) -> Option<Vec<(Lane, Delivery)>> {
        let mut arrived = vec![self.next().await?];
        let deadline = Instant::now() + self.gather;
        while arrived.len() < self.gather_messages {
            match timeout_at(deadline, self.next()).await {
                Ok(Some(delivery)) => arrived.push(delivery),
                Ok(None) | Err(_) => break,
            }
        }
        arrived.sort_by_key(|(lane, _)| *lane);
        Some(arrived)
    }

    async fn next(&mut self) -> Option<(Lane, Delivery)> {
        tokio::select! {
            biased;
            delivery = self.live.next() => delivery.map(|it| (Lane::Live, it)),
            delivery = self.backlog.next() => delivery.map(|it| (Lane::Backlog, it)),
        }
    }

    /// Where the connection has ended since, the broker brings the message again.
    fn acknowledge(&self, lane: Lane, ack: AckToken) {
        match lane {
            Lane::Live => self.live.acknowledge(ack),
            Lane::Backlog => self.backlog.acknowledge(ack),
        };
    }
}

/// What is committed together.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    gaps: Vec<LedgerEntry>,
    refused: Vec<Quarantined>,
    acks: Vec<(Lane, AckToken)>,
}

impl Group {
    fn take(&mut self, lane: Lane, delivery: Delivery, received_at: Timestamp) {
        let Delivery { message, topic, payload, ack, .. } = delivery;
        self.acks.push((lane, ack));
        let taken = match message {
            Ok(Message::Batch(it)) => self.take_batch(true, &it, &payload, received_at),
            Ok(Message::Backfill(it)) => self.take_batch(false, &it, &payload, received_at),
            Ok(Message::Gap(it)) => ledger_entry(&it).map(|entry| self.gaps.push(entry)),
            Ok(other) => Err(anyhow::anyhow!("{} is not recorded", other.kind().name())),
            Err(error) => Err(error.into()),
        };
        if let Err(reason) = taken {
            let reason = format!("{reason:#}");
            metrics::counter!("tidewatch_record_refused_total").increment(1);
            tracing::warn!(topic, reason, "refused a message");
            self.refused.extend(refused(&payload, received_at, reason));
        }
    }

    fn take_batch(
        &mut self,
        live: bool,
        batch: &wire::Batch,
        payload: &[u8],
        received_at: Timestamp,
    ) -> anyhow::Result<()> {
        let batch = Batch {
            device: DeviceId::new(batch.device.as_str())?,
            gateway: GatewayId::new(batch.gateway.as_str())?,
            epoch: batch.epoch,
            sequence: batch.sequence,
            live,
            received_at,
            payload: payload.to_vec(),
            readings: bus::readings_from_batch(batch)?,
        };
        batch.validate()?;
        self.batches.push(batch);
        Ok(())
    }

    /// `false` where shutdown came before the store could take it.
    async fn commit(&self, store: &Store, shutdown: &CancellationToken) -> anyhow::Result<bool> {
        if !self.batches.is_empty() {
            let Some(appended) =
                insist(shutdown, async || store.append(self.batches.clone()).await).await?
            else {
                return Ok(false);
            };
            self.count(&appended);
        }
        if !self.gaps.is_empty() {
            let recorded = insist(shutdown, async || store.record_gaps(self.gaps.clone()).await);
            if recorded.await?.is_none() {
                return Ok(false);
            }
            metrics::counter!("tidewatch_record_gaps_total").increment(self.gaps.len() as u64);
        }
        if !self.refused.is_empty() {
            let kept = insist(shutdown, async || store.quarantine(self.refused.clone()).await);
            return Ok(kept.await?.is_some());
        }
        Ok(true)
    }

    fn count(&self, appended: &[Appended]) {
        for (batch, became) in self.batches.iter().zip(appended) {
            let became = match became {
                Appended::New => "new",
                Appended::Duplicate => "duplicate",
                Appended::Quarantined => {
                    let Batch { device, epoch, sequence, .. } = batch;
                    tracing::error!(%device, epoch, sequence, "another payload is stored under this number");
                    "quarantined"
                }
            };
            let way = if batch.live { "live" } else { "backfill" };
            metrics::counter!("tidewatch_record_batches_total", "became" => became, "way" => way)
                .increment(1);
        }
    }
}

/// Does an act of the store as soon as the store is able to; `None` where shutdown is sooner.
/// Meanwhile nothing is acknowledged, so the gateways keep what they have.
async fn insist<T>(
    shutdown: &CancellationToken,
    act: impl AsyncFn() -> Result<T, StoreError>,
) -> anyhow::Result<Option<T>> {
    let mut waits = RETRY.into_iter();
    let mut wait = RETRY[0];
    loop {
        match act().await {
            Ok(done) => return Ok(Some(done)),
            Err(error @ StoreError::Unavailable { .. }) => {
                wait = waits.next().unwrap_or(wait);
                metrics::counter!("tidewatch_record_store_unavailable_total").increment(1);
                tracing::error!(%error, retry_in = ?wait, "cannot write; nothing is acknowledged");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => return Ok(None),
        }
    }
}

fn ledger_entry(gap: &wire::Gap) -> anyhow::Result<LedgerEntry> {
    let packets = match (gap.band_epoch, gap.first_sequence, gap.last_sequence) {
        (Some(epoch), Some(first), Some(last)) => Some(PacketRange { epoch, first, last }),
        _ => None,
    };
    let entry = LedgerEntry {
        gap: Gap {
            device: DeviceId::new(gap.device.as_str())?,
            from: Timestamp::from_micros(gap.from_us),
            until: Timestamp::from_micros(gap.until_us),
            cause: GapCause::from_name(&gap.cause).context("unknown cause")?,
        },
        gateway: GatewayId::new(gap.gateway.as_str())?,
        packets,
    };
    entry.validate()?;
    Ok(entry)
}

/// A refused payload that says which batch it is (of a newer gateway, say) is kept apart, so
/// that it is not lost and not sent for ever.
fn refused(payload: &[u8], received_at: Timestamp, reason: String) -> Option<Quarantined> {
    let batch = wire::Batch::decode(payload).ok()?;
    let refused = Quarantined {
        device: DeviceId::new(batch.device).ok()?,
        gateway: GatewayId::new(batch.gateway).ok()?,
        epoch: batch.epoch,
        sequence: batch.sequence,
        received_at,
        reason,
        payload: payload.to_vec(),
    };
    refused.validate().is_ok().then_some(refused)
}

/// Tells gateways what the store has.
struct Tell {
    site: SiteId,
    publisher: Publisher,
    store: Store,
    /// What each was told last, and when.
    said: HashMap<GatewayId, (Vec<DeviceAck>, Instant)>,
}

impl Tell {
    async fn run(mut self, every: Duration, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let mut turns = interval(every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = async {
            loop {
                turns.tick().await;
                match self.tell_all().await {
                    Ok(()) => {}
                    Err(error @ StoreError::Unavailable { .. }) => {
                        tracing::error!(%error, "cannot read what the store has");
                    }
                    Err(error) => return anyhow::Result::<()>::Err(error.into()),
                }
            }
        };
        tokio::select! {
            ended = work => ended,
            () = shutdown.cancelled() => Ok(()),
        }
    }

    async fn tell_all(&mut self) -> Result<(), StoreError> {
        for gateway in self.store.gateways().await? {
            let stored = self.store.acknowledgements(&gateway).await?;
            let heard = self
                .said
                .get(&gateway)
                .is_some_and(|(said, at)| *said == stored && at.elapsed() < REPEAT_AFTER);
            if !heard {
                self.tell(gateway, stored).await;
            }
        }
        Ok(())
    }

    async fn tell(&mut self, gateway: GatewayId, stored: Vec<DeviceAck>) {
        let message = Message::Acknowledgement(wire::Acknowledgement {
            gateway: gateway.as_str().to_owned(),
            at_us: now().as_micros(),
            devices: stored.iter().map(device_ack).collect(),
        });
        match self.publisher.publish(message.publication(&self.site)).await {
            Ok(()) => {
                metrics::counter!("tidewatch_record_acknowledgements_total").increment(1);
                self.said.insert(gateway, (stored, Instant::now()));
            }
            Err(bus::PublishError::Disconnected) => {}
            Err(error) => {
                tracing::error!(%gateway, %error, "cannot tell the gateway what is stored");
            }
        }
    }
}

fn device_ack(stored: &DeviceAck) -> wire::DeviceAck {
    let ranges = stored.missing.iter().take(HOLES_AT_ONCE);
    wire::DeviceAck {
        device: stored.device.as_str().to_owned(),
        epoch: stored.epoch,
        contiguous_through: stored.contiguous_through,
        missing: ranges.map(|it| wire::Range { first: *it.start(), last: *it.end() }).collect(),
    }
}

fn now() -> Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
