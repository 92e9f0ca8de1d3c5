//! One band: waits until it is heard, connects, talks, and starts over.
//!
//! A task and a session of its own: whatever a band does, no other notices. The session
//! outlives the connections; what it hands out goes to the collector together with where
//! it then stands.

mod backoff;
mod outbox;
#[cfg(test)]
pub(crate) mod scripted;
mod signals;
mod talk;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use biosignal::{DeviceId, GapCause, Timestamp};
use bus::wire::device_status::Link as LinkState;
use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use wristband::{Event, Session};

use crate::clock;
use crate::collector::Intake;
use crate::config::Config;
use crate::link::{Link, Values};
use crate::spool::Room;
use crate::status::Statuses;
use backoff::Backoff;
use outbox::Outbox;
use signals::Signals;

/// How often a session is told that time went by.
const TICK: Duration = Duration::from_secs(1);

/// What the radio knows of a band. Only the newest counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sighting {
    /// Whether there is an adapter that works.
    pub adapter_up: bool,
    /// The way to the band, once it was seen, and the number of the radio's session that
    /// it belongs to.
    pub way: Option<(u64, Link)>,
    /// When an advertisement was last heard.
    pub heard: Option<Instant>,
    /// How often a connection was lost.
    pub losses: u64,
}

/// What all bands share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub config: Arc<Config>,
    pub statuses: Statuses,
    pub intake: mpsc::Sender<Intake>,
    pub room: watch::Receiver<Room>,
    /// The adapter's connections.
    pub slots: Arc<Semaphore>,
    /// When any band last said something.
    pub pulse: watch::Sender<Instant>,
}

/// One band and its session.
pub(crate) struct Band {
    device: DeviceId,
    session: Session,
    sightings: watch::Receiver<Sighting>,
    shared: Shared,
    outbox: Outbox,
    signals: Signals,
    backoff: Backoff,
    /// The values of a way, which are read for as long as it is the way.
    values: Option<(u64, Values)>,
    /// Advertisements count from here on: those before told of a band that is gone since.
    parted: Option<Instant>,
    /// What to say of a band that is heard and not connected.
    standing: (LinkState, GapCause),
    /// Whether packets are left unread for lack of room.
    holding: bool,
    /// Values refused since the last live reading.
    refused: u64,
    /// Since when the connected band is known to be silent.
    silent_since: Option<Timestamp>,
}

impl Band {
    pub(crate) fn new(
        device: DeviceId,
        session: Session,
        sightings: watch::Receiver<Sighting>,
        shared: Shared,
    ) -> Self {
        shared.statuses.introduce(&device, session.profile(), clock::now());
        Self {
            outbox: Outbox::new(shared.intake.clone()),
            device,
            session,
            sightings,
            shared,
            signals: Signals::default(),
            backoff: Backoff::new(),
            values: None,
            parted: None,
            standing: (LinkState::OutOfRange, GapCause::OutOfRange),
            holding: false,
            refused: 0,
            silent_since: None,
        }
    }

    /// Looks after the band until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        while let Some((session, link)) = self.reachable(&shutdown).await {
            self.meet(session, &link, &shutdown).await;
            self.parted = Some(Instant::now());
        }
        self.outbox.flush(&self.device, &self.session);
    }

    /// Waits until the band can be connected to; `None` at shutdown.
    async fn reachable(&mut self, shutdown: &CancellationToken) -> Option<(u64, Link)> {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            if let Some(way) = self.way() {
                return Some(way);
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                changed = self.sightings.changed() => changed.ok()?,
                // Nobody speaks now; what still comes is of the connection before.
                _ = next(&mut self.values) => {}
                _ = ticks.tick() => self.handle(Event::Tick),
            }
        }
    }

    /// The way to the band, if there is one now; else says in the status why not.
    fn way(&mut self) -> Option<(u64, Link)> {
        let now = Instant::now();
        let sighting = self.sightings.borrow_and_update().clone();
        let unheard_after = self.shared.config.unheard_after;
        let heard = sighting
            .heard
            .filter(|heard| now.saturating_duration_since(*heard) < unheard_after)
            .filter(|heard| self.parted.is_none_or(|parted| *heard > parted));
        if !sighting.adapter_up {
            self.say(LinkState::AdapterDown, Some(GapCause::Adapter));
            return None;
        }
        if heard.is_none() || sighting.way.is_none() {
            self.say_unheard(now, sighting.heard);
            return None;
        }
        if self.backoff.until(now).is_some() {
            let (link, cause) = self.standing;
            self.say(link, Some(cause));
            return None;
        }
        sighting.way
    }

    /// A band that was refused is in range until it is unheard for long.
    fn say_unheard(&mut self, now: Instant, heard: Option<Instant>) {
        let fresh = heard.is_some_and(|heard| {
            now.saturating_duration_since(heard) < self.shared.config.unheard_after
        });
        if !fresh {
            self.standing = (LinkState::OutOfRange, GapCause::OutOfRange);
        }
        let (link, cause) = self.standing;
        self.say(link, Some(cause));
    }

    /// One connection, from the attempt to its end.
    async fn meet(&mut self, session: u64, link: &Link, shutdown: &CancellationToken) {
        let Ok(_slot) = Arc::clone(&self.shared.slots).try_acquire_owned() else {
            let slots = self.shared.config.connection_slots;
            return self.no_slot(&format!("gateway.connection_slots = {slots} are taken"));
        };
        self.say(LinkState::Connecting, Some(self.standing.1));
        let adapter_lost = adapter_lost(self.sightings.clone(), session);
        let connected = tokio::select! {
            connected = self.connect(session, link) => connected,
            () = shutdown.cancelled() => return link.disconnect().await,
            () = adapter_lost => Err(anyhow::anyhow!("the adapter went away")),
        };
        if let Err(error) = connected {
            link.disconnect().await;
            return self.connect_failed(&error);
        }
        let connected_at = Instant::now();
        metrics::counter!("tidewatch_gateway_connections_total").increment(1);
        let cause = self.talk(session, link, shutdown).await;
        self.part(cause, shutdown);
        self.backoff.ended(connected_at, Instant::now());
        link.disconnect().await;
    }

    /// Connects, and subscribes to all that the device has.
    async fn connect(&mut self, session: u64, link: &Link) -> anyhow::Result<()> {
        if self.values.as_ref().map(|(of, _)| *of) != Some(session) {
            self.values = Some((session, link.values().await?));
        }
        link.connect(self.shared.config.connect_timeout).await?;
        while futures::FutureExt::now_or_never(next(&mut self.values)).flatten().is_some() {}
        let subscriptions = self.session.profile().subscriptions();
        for (index, characteristic) in subscriptions.iter().enumerate() {
            // A profile cannot do without its first characteristic.
            if index == 0 || link.has(*characteristic) {
                link.subscribe(*characteristic).await?;
            }
        }
        Ok(())
    }

    fn connect_failed(&mut self, error: &anyhow::Error) {
        let error = format!("{error:#}");
        metrics::counter!("tidewatch_gateway_connect_failures_total").increment(1);
        if error.contains("connection-limit") {
            return self.no_slot(&error);
        }
        tracing::warn!(device = %self.device, error, "could not connect");
        self.standing = (LinkState::OutOfRange, GapCause::OutOfRange);
        self.backoff.failed(Instant::now());
    }

    /// The band too many.
    fn no_slot(&mut self, why: &str) {
        metrics::counter!("tidewatch_gateway_no_slot_total").increment(1);
        tracing::warn!(
            device = %self.device,
            why,
            "no connection left for this band: add a gateway or an adapter, or take a band out"
        );
        self.standing = (LinkState::NoSlot, GapCause::Adapter);
        self.backoff.failed(Instant::now());
    }

    /// The connection ended: said before anything else is done about it.
    fn part(&mut self, cause: GapCause, shutdown: &CancellationToken) {
        self.standing = (LinkState::OutOfRange, cause);
        if !shutdown.is_cancelled() {
            let link = match cause {
                GapCause::Adapter => LinkState::AdapterDown,
                _ => LinkState::OutOfRange,
            };
            self.say(link, Some(cause));
        }
        self.holding = false;
        self.signals.clear(&self.device);
        self.handle(Event::Disconnected { cause });
    }

    fn say(&self, link: LinkState, cause: Option<GapCause>) {
        self.shared.statuses.link(&self.device, link, cause, clock::now());
    }
}

/// The next value, where there is a way.
async fn next(values: &mut Option<(u64, Values)>) -> Option<crate::link::Value> {
    match values {
        Some((_, stream)) => match stream.next().await {
            Some(value) => Some(value),
            // The bus is gone; the radio will say so.
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Waits until the radio's session is over.
async fn adapter_lost(mut sightings: watch::Receiver<Sighting>, session: u64) {
    let over = |sighting: &Sighting| {
        !sighting.adapter_up || sighting.way.as_ref().is_none_or(|(of, _)| *of != session)
    };
    // An end of the radio itself is an end too.
    let _over = sightings.wait_for(over).await;
}
