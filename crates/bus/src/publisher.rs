//! Publishing, with an honest answer for each message.
//!
//! A message is under way from [`Publisher::publish`] to the broker's PUBACK. At
//! most a window of them is; the window is smaller than what rumqttc keeps, so that
//! packet numbers never collide. rumqttc tells the number of a packet only when it
//! sends it (`Outgoing::Publish`), in the order in which messages were handed to
//! it: a queue of waiters binds the one to the other. When a connection ends, every
//! waiter is told so, and whoever waits decides what is to be sent again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, LastWill, LastWillProperties, Packet, PubAck, PubAckReason, PublishProperties,
};
use rumqttc::v5::{AsyncClient, Event};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::{self, Connect, Ended, Handler, PACKET_LIMIT};
use crate::endpoint::{Endpoint, EndpointError};
use crate::message::Publication;
use crate::topic::Qos;

/// Packet numbers that rumqttc goes round in.
const INFLIGHT: u16 = 1024;

/// Messages under way at most; a broker that takes fewer at a time has its way.
const WINDOW: u16 = 512;

/// What a packet has besides topic, payload and content type, at most.
const PACKET_OVERHEAD: usize = 32;

/// Publishes over a connection that mends itself. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Publisher {
    state: Arc<State>,
    _until_last_clone: Arc<DropGuard>,
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, or it ended before the broker had acknowledged: the
    /// message may have arrived. To be sent again when [`Publisher::connected`].
    #[error("not connected to the broker")]
    Disconnected,
    /// The broker took the message and nobody was there for it (reason 16); what is
    /// retained is never answered so.
    #[error("nobody subscribes to the topic")]
    NoMatchingSubscribers,
    /// The broker refused the message with an MQTT 5 reason of 128 or more.
    #[error("refused by the broker: reason {reason}")]
    Refused {
        /// The reason: 135 is "not authorised", 151 "quota exceeded".
        reason: u8,
    },
    /// The message can never be sent: its topic has a wildcard or is empty, or it is too large.
    #[error("cannot be published: {what}")]
    Unpublishable {
        /// What is wrong with it.
        what: String,
    },
}

impl Publisher {
    /// Connects, and stays connected, until `shutdown` or until the last clone is dropped.
    ///
    /// `will` is what the broker publishes when this connection ends without a goodbye.
    ///
    /// # Errors
    /// [`EndpointError`] where a password or certificate cannot be read. That the
    /// broker cannot be reached is no error here.
    pub fn start(
        endpoint: &Endpoint,
        client_id: &str,
        will: Option<Publication>,
        shutdown: &CancellationToken,
    ) -> Result<Self, EndpointError> {
        endpoint.check()?;
        let state = Arc::new(State::default());
        let shutdown = shutdown.child_token();
        let publisher = Self {
            state: Arc::clone(&state),
            _until_last_clone: Arc::new(shutdown.clone().drop_guard()),
        };
        let client_id = client_id.to_owned();
        let connections =
            Connections { endpoint: endpoint.clone(), client_id: client_id.clone(), will, state };
        tokio::spawn(connection::keep(client_id, connections, shutdown));
        Ok(publisher)
    }

    /// Publishes a message. `Ok` means that the broker has acknowledged it (for
    /// [`Qos::AtMostOnce`]: that it was sent).
    ///
    /// # Errors
    /// [`PublishError`] says what became of the message.
    pub async fn publish(&self, publication: Publication) -> Result<(), PublishError> {
        self.send(publication).await?.acknowledged().await
    }

    /// Puts a message under way. Messages are sent in the order of these calls, and
    /// their acknowledgements can be awaited later.
    ///
    /// Waits while the window is full, so that a fast caller is slowed to the broker's
    /// pace.
    ///
    /// # Errors
    /// [`PublishError`] where the message cannot be put under way.
    pub async fn send(&self, publication: Publication) -> Result<Sent, PublishError> {
        let link = self.state.link().ok_or(PublishError::Disconnected)?;
        let slot = Arc::clone(&link.window)
            .acquire_owned()
            .await
            .map_err(|_| PublishError::Disconnected)?;
        link.send(publication, slot)
    }

    /// Whether there is a connection, now and whenever that changes.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.state.connected.subscribe()
    }
}

/// A message under way. Dropped, it stays under way, and nobody learns what became of it.
#[derive(Debug)]
#[must_use]
pub struct Sent {
    answer: oneshot::Receiver<Result<(), PublishError>>,
}

impl Sent {
    /// Waits for the broker's acknowledgement.
    ///
    /// # Errors
    /// [`PublishError`] says what became of the message.
    pub async fn acknowledged(self) -> Result<(), PublishError> {
        self.answer.await.unwrap_or(Err(PublishError::Disconnected))
    }
}

/// What the publisher's clones share with its task.
#[derive(Debug, Default)]
struct State {
    link: Mutex<Option<Arc<Link>>>,
    connected: watch::Sender<bool>,
}

impl State {
    fn link(&self) -> Option<Arc<Link>> {
        lock(&self.link).clone()
    }

    fn set(&self, link: Option<Arc<Link>>) {
        let connected = link.is_some();
        *lock(&self.link) = link;
        self.connected.send_replace(connected);
    }
}

/// One connection, from CONNACK to its end.
#[derive(Debug)]
struct Link {
    client: AsyncClient,
    window: Arc<Semaphore>,
    slots: u16,
    packet_limit: u32,
    pending: Mutex<Pending>,
}

/// Messages under way.
#[derive(Debug, Default)]
struct Pending {
    closed: bool,
    /// Handed to rumqttc, in order, their packet numbers not known yet.
    handed: VecDeque<Waiter>,
    /// Sent, by packet number.
    sent: HashMap<u16, Waiter>,
}

#[derive(Debug)]
struct Waiter {
    answer: oneshot::Sender<Result<(), PublishError>>,
    retain: bool,
    _slot: OwnedSemaphorePermit,
}

impl Link {
    fn new(client: AsyncClient, connack: &ConnAck) -> Self {
        let properties = connack.properties.as_ref();
        let broker_takes = properties.and_then(|it| it.receive_max).unwrap_or(u16::MAX);
        let slots = WINDOW.min(broker_takes.saturating_sub(1)).max(1);
        let packet_limit = properties.and_then(|it| it.max_packet_size).unwrap_or(u32::MAX);
        Self {
            client,
            window: Arc::new(Semaphore::new(usize::from(slots))),
            slots,
            packet_limit: packet_limit.min(PACKET_LIMIT),
            pending: Mutex::default(),
        }
    }

    /// Hands a message over; under one lock, so that the waiters queue as the messages do.
    fn send(
        &self,
        publication: Publication,
        slot: OwnedSemaphorePermit,
    ) -> Result<Sent, PublishError> {
        self.check(&publication)?;
        let (told, answer) = oneshot::channel();
        let waiter = Waiter { answer: told, retain: publication.retain, _slot: slot };
        let mut pending = lock(&self.pending);
        if pending.closed {
            return Err(PublishError::Disconnected);
        }
        pending.handed.push_back(waiter);
        let handed = self.client.try_publish_with_properties(
            publication.topic,
            qos(publication.qos),
            publication.retain,
            publication.payload,
            PublishProperties {
                content_type: Some(publication.content_type.to_owned()),
                ..PublishProperties::default()
            },
        );
        if handed.is_err() {
            pending.handed.pop_back();
            return Err(PublishError::Disconnected);
        }
        Ok(Sent { answer })
    }

    /// Keeps from rumqttc what would make it, or the broker, end the connection.
    fn check(&self, publication: &Publication) -> Result<(), PublishError> {
        let unpublishable = |what| Err(PublishError::Unpublishable { what });
        let topic = &publication.topic;
        if topic.is_empty() || topic.len() > 65_535 || topic.contains(['+', '#', '\0']) {
            return unpublishable(format!("{topic:?} is no topic"));
        }
        let size = topic.len()
            + publication.payload.len()
            + publication.content_type.len()
            + PACKET_OVERHEAD;
        match u32::try_from(size) {
            Ok(size) if size <= self.packet_limit => Ok(()),
            _ => unpublishable(format!("about {size} bytes of at most {}", self.packet_limit)),
        }
    }

    fn sent(&self, number: u16) -> Result<(), Ended> {
        let mut pending = lock(&self.pending);
        let waiter =
            pending.handed.pop_front().ok_or(Ended::Protocol("sent what nobody handed over"))?;
        if number == 0 {
            waiter.answer(Ok(()));
        } else if pending.sent.insert(number, waiter).is_some() {
            return Err(Ended::Protocol("a packet number was used twice"));
        }
        Ok(())
    }

    fn acknowledged(&self, ack: &PubAck) {
        let waiter = lock(&self.pending).sent.remove(&ack.pkid);
        if let Some(waiter) = waiter {
            let verdict = verdict(ack.reason, waiter.retain);
            waiter.answer(verdict);
        }
    }

    fn close(&self) {
        self.window.close();
        let mut pending = lock(&self.pending);
        pending.closed = true;
        pending.handed.clear();
        pending.sent.clear();
    }
}

impl Waiter {
    fn answer(self, verdict: Result<(), PublishError>) {
        metrics::counter!("tidewatch_bus_published_total").increment(u64::from(verdict.is_ok()));
        if let Err(PublishError::Refused { reason }) = verdict {
            metrics::counter!("tidewatch_bus_refused_total").increment(1);
            tracing::warn!(reason, "the broker refused a message");
        }
        // Whoever asked may have stopped waiting.
        let _gone = self.answer.send(verdict);
    }
}

fn verdict(reason: PubAckReason, retain: bool) -> Result<(), PublishError> {
    let refused = |reason| Err(PublishError::Refused { reason });
    match reason {
        PubAckReason::Success => Ok(()),
        PubAckReason::NoMatchingSubscribers if retain => Ok(()),
        PubAckReason::NoMatchingSubscribers => Err(PublishError::NoMatchingSubscribers),
        PubAckReason::UnspecifiedError => refused(128),
        PubAckReason::ImplementationSpecificError => refused(131),
        PubAckReason::NotAuthorized => refused(135),
        PubAckReason::TopicNameInvalid => refused(144),
        PubAckReason::PacketIdentifierInUse => refused(145),
        PubAckReason::QuotaExceeded => refused(151),
        PubAckReason::PayloadFormatInvalid => refused(153),
    }
}

/// Makes one connection after the other.
struct Connections {
    endpoint: Endpoint,
    client_id: String,
    will: Option<Publication>,
    state: Arc<State>,
}

impl Connect for Connections {
    async fn connect(&mut self, shutdown: &CancellationToken) -> Ended {
        let mut options = match connection::options(&self.endpoint, &self.client_id) {
            Ok(options) => options,
            Err(error) => return error.into(),
        };
        options.set_clean_start(true);
        options.set_outgoing_inflight_upper_limit(INFLIGHT);
        if let Some(will) = &self.will {
            options.set_last_will(last_will(will));
        }
        // Never full: the window is smaller, and so there is room for the goodbye.
        let (client, event_loop) = AsyncClient::new(options, usize::from(INFLIGHT));
        let acks = Acks { client: client.clone(), state: Arc::clone(&self.state), link: None };
        connection::serve(client, event_loop, acks, shutdown, all_answered(&self.state)).await
    }
}

/// Waits until nothing is under way any more.
async fn all_answered(state: &State) {
    if let Some(link) = state.link() {
        let _closed = link.window.acquire_many(u32::from(link.slots)).await;
    }
}

fn last_will(will: &Publication) -> LastWill {
    let properties = LastWillProperties {
        delay_interval: None,
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: Some(will.content_type.to_owned()),
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    let payload = will.payload.to_vec();
    LastWill::new(will.topic.as_str(), payload, qos(will.qos), will.retain, Some(properties))
}

/// Turns a connection's events into answers.
struct Acks {
    client: AsyncClient,
    state: Arc<State>,
    link: Option<Arc<Link>>,
}

impl Acks {
    fn link(&self) -> Result<&Link, Ended> {
        self.link.as_deref().ok_or(Ended::Protocol("an event before CONNACK"))
    }
}

impl Handler for Acks {
    fn handle(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Incoming(Packet::ConnAck(connack)) => {
                let link = Arc::new(Link::new(self.client.clone(), &connack));
                self.link = Some(Arc::clone(&link));
                self.state.set(Some(link));
                Ok(())
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                self.link()?.acknowledged(&ack);
                Ok(())
            }
            Event::Outgoing(Outgoing::Publish(number)) => self.link()?.sent(number),
            Event::Outgoing(Outgoing::AwaitAck(_)) => {
                Err(Ended::Protocol("the broker acknowledges far out of order"))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Acks {
    /// However the connection ends, nobody is left waiting.
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.state.set(None);
            link.close();
        }
    }
}

pub(crate) fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}

/// What the lock guards is whole between any two statements, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
