use std::time::{Duration, Instant};

use biosignal::GapCause;
use bus::wire::device_status::Link as LinkState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use wristband::{Action, Command, Event};

use super::outbox::has_flash;
use super::{Band, Sighting, TICK, adapter_lost, next};
use crate::clock;
use crate::link::{Link, Value};
use crate::spool::Room;

/// How often BlueZ is asked whether the connection stands, as it may forget to say.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Questions without an answer that make a connection count as lost.
const UNANSWERED: u32 = 2;

/// Places for writes on their way to the band. When they are all taken a write is
/// dropped: the session asks again.
const WRITES: usize = 32;

impl Band {
    /// Talks with the connected band until the connection ends; says why it did.
    pub(super) async fn talk(
        &mut self,
        session: u64,
        link: &Link,
        shutdown: &CancellationToken,
    ) -> GapCause {
        let (writes, queue) = mpsc::channel(WRITES);
        let _writer = AbortOnDropHandle::new(tokio::spawn(write_all(link.clone(), queue)));
        let mut standing = AbortOnDropHandle::new(tokio::spawn(stands(link.clone())));
        let losses = self.sightings.borrow().losses;
        let lost = lost(self.sightings.clone(), losses);
        let adapter_lost = adapter_lost(self.sightings.clone(), session);
        tokio::pin!(lost, adapter_lost);

        self.begin(&writes);
        self.read_once(link, &writes).await;
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return GapCause::Gateway,
                () = &mut adapter_lost => return GapCause::Adapter,
                () = &mut lost => return GapCause::OutOfRange,
                _ = &mut standing => return GapCause::OutOfRange,
                value = next(&mut self.values) => {
                    if let Some(value) = value {
                        self.take(&value, &writes);
                    }
                }
                _ = ticks.tick() => {
                    if self.check(&writes) == Verdict::Relink {
                        return GapCause::Band;
                    }
                }
            }
        }
    }

    fn begin(&mut self, writes: &Writes) {
        self.refused = 0;
        self.silent_since = None;
        self.say(LinkState::Connected, None);
        self.act(Event::Connected, writes);
    }

    /// What is to be read once; a device that does not answer is none the worse.
    async fn read_once(&mut self, link: &Link, writes: &Writes) {
        for characteristic in self.session.profile().reads() {
            if !link.has(*characteristic) {
                continue;
            }
            match link.read(*characteristic).await {
                Ok(bytes) => self.take(&Value { characteristic: *characteristic, bytes }, writes),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(device = %self.device, %characteristic, error, "no answer");
                }
            }
        }
    }

    /// Takes a value in, or leaves it to the band's flash where there is no room.
    fn take(&mut self, value: &Value, writes: &Writes) {
        let Value { characteristic, bytes } = value;
        tracing::trace!(device = %self.device, %characteristic, bytes = bytes.len(), "value");
        self.shared.pulse.send_replace(Instant::now());
        let has_readings = self.session.profile().subscriptions().first() == Some(characteristic);
        if has_readings && self.hold(writes) {
            metrics::counter!("tidewatch_gateway_packets_left_total").increment(1);
            return;
        }
        let event = Event::Notified { characteristic: *characteristic, bytes };
        self.act(event, writes);
    }

    /// Whether readings are not to be taken now. A band keeps them, and the session finds
    /// the hole afterwards; a strap cannot, so its session is told of a gap.
    fn hold(&mut self, writes: &Writes) -> bool {
        let full = *self.shared.room.borrow() == Room::Full || self.outbox.is_blocked();
        if full == self.holding {
            return full;
        }
        self.holding = full;
        self.say(LinkState::Connected, full.then_some(GapCause::Store));
        if !has_flash(self.session.profile()) {
            let event = match full {
                true => Event::Disconnected { cause: GapCause::Store },
                false => Event::Connected,
            };
            self.act(event, writes);
        }
        full
    }

    /// Time went by.
    fn check(&mut self, writes: &Writes) -> Verdict {
        self.act(Event::Tick, writes);
        if !self.holding {
            self.signals.tick(&self.device, Instant::now());
        }
        let Some(since) = self.silent_since.filter(|_| !self.holding) else {
            return Verdict::Stay;
        };
        let silence = clock::now().micros_since(since);
        let exceeds =
            |limit: Duration| silence >= i64::try_from(limit.as_micros()).unwrap_or(i64::MAX);
        if exceeds(self.shared.config.silent_after) {
            let link = if self.refused > 0 { LinkState::Garbage } else { LinkState::Silent };
            self.say(link, Some(GapCause::Band));
        }
        if exceeds(self.shared.config.relink_after) {
            metrics::counter!("tidewatch_gateway_relinks_total").increment(1);
            tracing::warn!(device = %self.device, "connected but silent: connecting anew");
            return Verdict::Relink;
        }
        Verdict::Stay
    }

    /// Lets the session take an event in, and does what it says.
    fn act(&mut self, event: Event<'_>, writes: &Writes) {
        for action in self.session.handle(clock::now(), event) {
            if let Action::Write { characteristic, bytes } = action {
                self.write(characteristic, bytes, writes);
            } else {
                self.take_action(action);
            }
        }
        self.outbox.flush(&self.device, &self.session);
    }

    /// Lets the session take an event in while nothing can be written.
    pub(super) fn handle(&mut self, event: Event<'_>) {
        for action in self.session.handle(clock::now(), event) {
            self.take_action(action);
        }
        self.outbox.flush(&self.device, &self.session);
    }

    fn take_action(&mut self, action: Action) {
        match action {
            Action::Reading { reading, live } => {
                if live {
                    self.heard_live(reading.channel);
                }
                self.outbox.reading(reading, live);
            }
            Action::Gap(gap) => self.outbox.gap(gap),
            Action::Clock(clock) => {
                tracing::debug!(device = %self.device, ?clock, "clock");
            }
            Action::Battery(percent) => self.shared.statuses.battery(&self.device, percent),
            Action::Contact(contact) => self.shared.statuses.contact(&self.device, contact),
            Action::Silent { since } => self.silent_since = Some(since),
            Action::Rejected { characteristic, error } => self.refuse(characteristic, &error),
            // Nothing to write to; the session asks again once it is connected.
            Action::Write { .. } => {}
        }
    }

    fn heard_live(&mut self, channel: biosignal::Channel) {
        self.refused = 0;
        self.signals.heard(channel, Instant::now());
        if self.silent_since.take().is_some() {
            self.say(LinkState::Connected, None);
        }
    }

    fn refuse(&mut self, characteristic: Uuid, error: &wristband::DecodeError) {
        metrics::counter!("tidewatch_gateway_values_refused_total").increment(1);
        if self.refused == 0 {
            tracing::warn!(device = %self.device, %characteristic, %error, "refused a value");
        } else {
            tracing::debug!(device = %self.device, %characteristic, %error, "refused a value");
        }
        self.refused += 1;
    }

    /// Passes a write on, save for a request for backlog that there is no room for.
    fn write(&self, characteristic: Uuid, bytes: Vec<u8>, writes: &Writes) {
        let replay = matches!(Command::decode(&bytes), Ok(Command::Replay { .. }));
        if replay && *self.shared.room.borrow() != Room::Free {
            metrics::counter!("tidewatch_gateway_replays_put_off_total").increment(1);
            return;
        }
        if writes.try_send((characteristic, bytes)).is_err() {
            tracing::debug!(device = %self.device, "a write was dropped: the band is slow");
        }
    }
}

type Writes = mpsc::Sender<(Uuid, Vec<u8>)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Stay,
    Relink,
}

/// Writes one after the other. One that fails is not repeated: the session knows what it
/// still wants.
async fn write_all(link: Link, mut queue: mpsc::Receiver<(Uuid, Vec<u8>)>) {
    while let Some((characteristic, bytes)) = queue.recv().await {
        if let Err(error) = link.write(characteristic, &bytes).await {
            metrics::counter!("tidewatch_gateway_write_failures_total").increment(1);
            tracing::debug!(%characteristic, error = format!("{error:#}"), "write");
        }
    }
}

/// Returns when BlueZ says that the connection does not stand, or says nothing.
async fn stands(link: Link) {
    let mut unanswered = 0;
    while unanswered < UNANSWERED {
        tokio::time::sleep(ASK_EVERY).await;
        match link.is_connected().await {
            Ok(true) => unanswered = 0,
            Ok(false) => return,
            Err(_) => unanswered += 1,
        }
    }
}

/// Waits for the next loss of a connection that the radio hears of.
async fn lost(mut sightings: watch::Receiver<Sighting>, before: u64) {
    let _lost = sightings.wait_for(|sighting| sighting.losses != before).await;
}
