//! The recorder: what the broker brings of readings and gaps goes into the store.
//!
//! A message is acknowledged to the broker when the store has it on the disk, and not
//! before; a gateway deletes a batch when the recorder tells that the store has it. The
//! recorder reads live readings and backlog over a connection each, so that a long
//! backlog never stands before a live reading.

mod group;
mod tell;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use biosignal::{SiteId, Timestamp};
use bus::{AckToken, Delivery, Filter, Publisher, SessionKind, Subscriber};
use serde::Deserialize;
use store::Store;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use group::Group;
use tell::Tell;

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

/// Records until asked to stop.
pub(crate) async fn run(
    site: SiteId,
    config: RecordConfig,
    endpoint: bus::Endpoint,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    ensure!(!config.acknowledge_every.is_zero(), "record.acknowledge_every: 0s is no interval");
    let mut intake = Intake::start(&site, &endpoint, &config, &shutdown)?;
    let publisher =
        Publisher::start(&endpoint, &format!("recorder-tells-{site}"), None, &shutdown)?;
    let tell = Tell::new(site, publisher, store.clone());
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

fn now() -> Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
