//! From the store to the broker: a decision is published when it is kept, and until it
//! has arrived it is published again, after a restart too.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use biosignal::SiteId;
use bus::{Message, Publisher, wire};
use prost::Message as _;
use store::{Decision, DecisionKind, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// After a failure, and in case a notice was missed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Publishes what is decided, in order, until asked to stop.
pub(super) async fn run(
    site: SiteId,
    store: Store,
    publisher: Publisher,
    decided: Arc<Notify>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    while !shutdown.is_cancelled() {
        let waiting = store.decisions_unpublished().await?;
        let published = tokio::select! {
            () = shutdown.cancelled() => break,
            published = publish(&site, &publisher, waiting) => published,
        };
        if !published.is_empty() {
            store.mark_published(published).await?;
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = decided.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
    Ok(())
}

/// Publishes in order, up to the first that does not arrive.
async fn publish(site: &SiteId, publisher: &Publisher, waiting: Vec<Decision>) -> Vec<u64> {
    let mut published = Vec::new();
    for decision in waiting {
        let sequence = decision.sequence;
        let message = match message(&decision) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(sequence, error = format!("{error:#}"), "decision skipped");
                published.push(sequence);
                continue;
            }
        };
        if let Err(error) = publisher.publish(message.publication(site)).await {
            tracing::warn!(device = %decision.device, %error, "a decision waits for the broker");
            break;
        }
        published.push(sequence);
    }
    published
}

fn message(decision: &Decision) -> anyhow::Result<Message> {
    let payload = decision.payload.as_slice();
    Ok(match decision.kind {
        DecisionKind::Assessment => {
            Message::Assessment(wire::Assessment::decode(payload).context("assessment")?)
        }
        DecisionKind::Alert => Message::Alert(wire::Alert::decode(payload).context("alert")?),
    })
}
