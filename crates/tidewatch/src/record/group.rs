//! What the recorder commits together.

use std::time::Duration;

use anyhow::Context as _;
use biosignal::{DeviceId, Gap, GapCause, GatewayId, Timestamp};
use bus::{AckToken, Delivery, Message, wire};
use prost::Message as _;
use store::{Appended, Batch, LedgerEntry, PacketRange, Quarantined, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::Lane;

/// Waits between attempts while the store cannot be written.
const RETRY: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// What is committed together.
#[derive(Default)]
pub(super) struct Group {
    batches: Vec<Batch>,
    gaps: Vec<LedgerEntry>,
    refused: Vec<Quarantined>,
    /// To be given back once the group is committed.
    pub(super) acks: Vec<(Lane, AckToken)>,
}

impl Group {
    pub(super) fn take(&mut self, lane: Lane, delivery: Delivery, received_at: Timestamp) {
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
            self.refused.extend(refused(&topic, &payload, received_at, reason));
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

    /// `false` where shutdown came before the store could take it. Gaps come first: who
    /// hears of a batch finds the gaps that were told before it.
    pub(super) async fn commit(
        &self,
        store: &Store,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let Self { gaps, refused, batches, .. } = self;
        if !gaps.is_empty() {
            let kept = insist(shutdown, async || store.record_gaps(gaps.clone()).await);
            if kept.await?.is_none() {
                return Ok(false);
            }
            metrics::counter!("tidewatch_record_gaps_total").increment(gaps.len() as u64);
        }
        if !refused.is_empty() {
            let kept = insist(shutdown, async || store.quarantine(refused.clone()).await);
            if kept.await?.is_none() {
                return Ok(false);
            }
        }
        if batches.is_empty() {
            return Ok(true);
        }
        let appended = insist(shutdown, async || store.append(batches.clone()).await).await?;
        appended.iter().for_each(|became| self.count(became));
        Ok(appended.is_some())
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
async fn insist<T, Act>(
    shutdown: &CancellationToken,
    act: impl Fn() -> Act,
) -> anyhow::Result<Option<T>>
where
    Act: Future<Output = Result<T, StoreError>>,
{
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
fn refused(
    topic: &str,
    payload: &[u8],
    received_at: Timestamp,
    reason: String,
) -> Option<Quarantined> {
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
    // Nobody may have another device's batch taken for received.
    let ours = topic.split('/').any(|level| level == refused.device.as_str());
    (ours && refused.validate().is_ok()).then_some(refused)
}
