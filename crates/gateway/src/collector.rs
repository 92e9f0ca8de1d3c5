//! From what the bands' tasks pass on to numbered batches: all bands in one transaction,
//! several times a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use biosignal::{DeviceId, Gap, GatewayId, Reading, Timestamp};
use bus::{BatchHead, Message, batch_from_readings, wire};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wristband::{ClockEstimate, Cursor, Profile};

use crate::clock;
use crate::spool::{BandRecord, Draft, Flush, Key, Spool};

/// What a band's task passes on, to be kept all or nothing.
#[derive(Debug)]
pub(crate) struct Intake {
    pub device: DeviceId,
    pub profile: Profile,
    /// As they came.
    pub live: Vec<Reading>,
    /// From the band's flash.
    pub late: Vec<Reading>,
    pub gaps: Vec<Gap>,
    /// The newest mapping of the band's clock.
    pub clock: Option<ClockEstimate>,
    /// Where the session stands after all this.
    pub cursor: Cursor,
}

/// A batch that is in the spool, on its way to the publisher.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub key: Key,
    /// The batch, where its readings are live.
    pub live: Option<wire::Batch>,
}

/// Readings in a batch at most: some 50 KB, well below what a broker takes.
const MOST_READINGS: usize = 500;

/// Readings that are waited for at most: a burst from flash is kept sooner.
const MOST_PENDING: usize = 4 * MOST_READINGS;

/// Time between attempts when the disk refuses.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Keeps what comes until every sender is gone, and says what is kept.
pub(crate) struct Collector {
    pub gateway: GatewayId,
    pub spool: Spool,
    pub flush_every: Duration,
    pub intake: mpsc::Receiver<Intake>,
    /// Where the kept batches are announced. When it is full the announcement is
    /// dropped: the publisher finds the batches in the spool, as backlog.
    pub fresh: mpsc::Sender<Vec<Fresh>>,
}

impl Collector {
    /// Ends when every band's task has, or with the last flush after `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut pending = Pending::default();
        let mut ticks = tokio::time::interval(self.flush_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                intake = self.intake.recv() => match intake {
                    Some(intake) => pending.add(intake),
                    None => return self.keep(&mut pending, &shutdown).await,
                },
                _ = ticks.tick() => self.keep(&mut pending, &shutdown).await?,
            }
            if pending.readings >= MOST_PENDING {
                self.keep(&mut pending, &shutdown).await?;
            }
        }
    }

    /// Tries until the disk takes it: meanwhile the intake fills, and the bands' tasks
    /// leave to the bands what does not fit.
    async fn keep(
        &self,
        pending: &mut Pending,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        let (flush, batches) = std::mem::take(pending).into_flush(&self.gateway, clock::now());
        if flush.is_empty() {
            return Ok(());
        }
        let flush = Arc::new(flush);
        loop {
            match self.spool.append(Arc::clone(&flush)).await {
                Ok(keys) => {
                    self.announce(keys, batches);
                    return Ok(());
                }
                Err(error) if shutdown.is_cancelled() => {
                    return Err(error).context("the last readings could not be kept");
                }
                Err(error) => {
                    metrics::counter!("tidewatch_gateway_spool_errors_total").increment(1);
                    tracing::error!(
                        error = format!("{error:#}"),
                        "readings cannot be kept: is the disk full? Trying again"
                    );
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    fn announce(&self, keys: Vec<Key>, batches: Vec<Option<wire::Batch>>) {
        let fresh = keys.into_iter().zip(batches).map(|(key, live)| {
            let live =
                live.map(|batch| wire::Batch { epoch: key.epoch, sequence: key.sequence, ..batch });
            Fresh { key, live }
        });
        if self.fresh.try_send(fresh.collect()).is_err() {
            metrics::counter!("tidewatch_gateway_announcements_dropped_total").increment(1);
        }
    }
}

#[derive(Debug, Default)]
struct Pending {
    bands: BTreeMap<DeviceId, PendingBand>,
    gaps: Vec<Gap>,
    readings: usize,
}

#[derive(Debug)]
struct PendingBand {
    profile: Profile,
    cursor: Cursor,
    clock: Option<ClockEstimate>,
    live: Vec<Reading>,
    late: Vec<Reading>,
}

impl Pending {
    fn add(&mut self, intake: Intake) {
        self.readings += intake.live.len() + intake.late.len();
        self.gaps.extend(intake.gaps);
        let Intake { device, profile, live, late, clock, cursor, .. } = intake;
        match self.bands.get_mut(&device) {
            Some(band) => {
                band.live.extend(live);
                band.late.extend(late);
                band.clock = clock.or(band.clock);
                band.cursor = cursor;
            }
            None => {
                self.bands.insert(device, PendingBand { profile, cursor, clock, live, late });
            }
        }
    }

    /// The flush, and for each of its batches the batch itself where it is live.
    fn into_flush(self, gateway: &GatewayId, now: Timestamp) -> (Flush, Vec<Option<wire::Batch>>) {
        let mut flush = Flush { gaps: self.gaps, ..Flush::default() };
        let mut batches = Vec::new();
        for (device, band) in self.bands {
            let head = BatchHead {
                device: device.clone(),
                gateway: gateway.clone(),
                epoch: 0,
                sequence: 0,
                created_at: now,
                clock: band.clock.map(wire_clock),
            };
            for (readings, live) in [(&band.live, true), (&band.late, false)] {
                for chunk in readings.chunks(MOST_READINGS) {
                    let Some(batch) = pack(&head, chunk) else { continue };
                    let message = Message::Batch(batch);
                    let body = message.encode().to_vec();
                    flush.batches.push(Draft { device: device.clone(), body });
                    let Message::Batch(batch) = message else { continue };
                    batches.push(live.then_some(batch));
                }
            }
            flush.bands.insert(device, record(band.profile, &band.cursor));
        }
        (flush, batches)
    }
}

fn pack(head: &BatchHead, readings: &[Reading]) -> Option<wire::Batch> {
    match batch_from_readings(head, readings) {
        Ok(batch) => Some(batch),
        Err(error) => {
            // A session makes well-formed readings of its own device only.
            metrics::counter!("tidewatch_gateway_unpackable_readings_total")
                .increment(readings.len() as u64);
            tracing::error!(device = %head.device, %error, "readings that make no batch: a defect");
            None
        }
    }
}

fn record(profile: Profile, cursor: &Cursor) -> BandRecord {
    let cursor = serde_json::to_vec(cursor)
        .inspect_err(|error| tracing::error!(%error, "a session's cursor cannot be kept: a defect"))
        .ok();
    BandRecord { profile: profile.name().to_owned(), cursor }
}

fn wire_clock(clock: ClockEstimate) -> wire::Clock {
    wire::Clock {
        epoch: clock.epoch,
        offset_us: clock.offset_us,
        drift_ppm: clock.drift_ppm,
        uncertainty_us: clock.uncertainty_us.into(),
    }
}
