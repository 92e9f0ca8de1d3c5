//! The detector at work: readings and assignments come in from the broker, decisions
//! are kept in the store and then published.
//!
//! The store is asked as well: for a person's last snapshot at the start, and for
//! whatever the broker did not deliver.

mod consumed;
mod message;
mod outbox;
mod reproduce;
mod session;
mod watch;
mod wearer;

use std::sync::Arc;
use std::time::Duration;

use biosignal::{SiteId, Timestamp};
use bus::{Filter, Publisher, SessionKind, Subscriber};
use store::Store;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub(crate) use reproduce::{ReproduceArgs, reproduce};
pub(crate) use wearer::Judge;

use watch::Watch;

/// How often the store is asked for batches that the broker did not deliver.
const CATCH_UP_EVERY: Duration = Duration::from_secs(30);

/// Runs the detector until asked to stop.
pub(crate) async fn run(
    site: SiteId,
    judge: Judge,
    endpoint: bus::Endpoint,
    store: Store,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let filters = vec![Filter::assignments(&site), Filter::batches(&site), Filter::backfill(&site)];
    let name = format!("detect-{site}");
    let mut subscriber =
        Subscriber::start(&endpoint, &name, filters, SessionKind::Clean, &shutdown)?;
    let publisher = Publisher::start(&endpoint, &format!("{name}-out"), None, &shutdown)?;

    let decided = Arc::new(Notify::new());
    let outbox =
        outbox::run(site, store.clone(), publisher, Arc::clone(&decided), shutdown.clone());
    let outbox = tokio::spawn(outbox);
    let mut watch = Watch::new(judge, store, decided);
    watch.begin(now()).await?;

    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut catch_up = interval(CATCH_UP_EVERY);
    catch_up.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            _ = second.tick() => watch.tick(now()).await?,
            _ = catch_up.tick() => watch.catch_up(now()).await?,
            delivery = subscriber.next() => {
                let Some(delivery) = delivery else { break };
                watch.receive(delivery.message, now()).await?;
                subscriber.acknowledge(delivery.ack);
            }
        }
    }
    outbox.await?
}

fn now() -> Timestamp {
    let micros = jiff::Timestamp::now().as_microsecond();
    Timestamp::from_micros(micros)
}
