//! What the store has, for gateways to delete it or to send what is missing again.

use std::collections::HashMap;
use std::time::Duration;

use biosignal::{GatewayId, SiteId};
use bus::{Message, Publisher, wire};
use store::{DeviceAck, Store, StoreError};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::now;

/// A gateway hears at least so often what the store has, though nothing has changed: the
/// broker may have lost what it retained.
const REPEAT_AFTER: Duration = Duration::from_secs(10);

/// Holes that are told of a device at once; the later ones are told when these are filled.
const HOLES_AT_ONCE: usize = 64;

/// Tells gateways what the store has.
pub(super) struct Tell {
    site: SiteId,
    publisher: Publisher,
    store: Store,
    /// What each was told last, and when.
    said: HashMap<GatewayId, (Vec<DeviceAck>, Instant)>,
}

impl Tell {
    pub(super) fn new(site: SiteId, publisher: Publisher, store: Store) -> Self {
        Self { site, publisher, store, said: HashMap::new() }
    }

    pub(super) async fn run(
        mut self,
        every: Duration,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
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
