//! Messages under way on one connection.
//!
//! A message is under way until the broker's PUBACK. At most a window of them is; the
//! window is smaller than what rumqttc keeps, so that packet numbers never collide.
//! rumqttc tells the number of a packet only when it sends it (`Outgoing::Publish`), in
//! the order in which messages were handed to it: a queue of waiters binds the one to
//! the other. When the connection ends every waiter is told, and decides itself what
//! is to be sent again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::v5::{PubAck, PubAckReason, PublishProperties};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::connection::{Ended, PACKET_LIMIT, qos};
use crate::message::Publication;

/// Packet numbers that rumqttc goes round in.
pub(crate) const INFLIGHT: u16 = 1024;

/// Messages under way at most; a broker that takes fewer at a time has its way.
const WINDOW: u16 = 512;

/// What a packet has besides topic, payload and content type, at most.
const PACKET_OVERHEAD: usize = 32;

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, or it ended before the broker had acknowledged: the
    /// message may have arrived. To be sent again when [`crate::Publisher::connected`].
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

/// One connection, from CONNACK to its end.
#[derive(Debug)]
pub(crate) struct Link {
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
    /// `receive_max` and `packet_limit` are what the broker takes, where it says so.
    pub(crate) fn new(
        client: AsyncClient,
        receive_max: Option<u16>,
        packet_limit: Option<u32>,
    ) -> Self {
        let slots = WINDOW.min(receive_max.unwrap_or(u16::MAX).saturating_sub(1)).max(1);
        Self {
            client,
            window: Arc::new(Semaphore::new(usize::from(slots))),
            slots,
            packet_limit: packet_limit.unwrap_or(u32::MAX).min(PACKET_LIMIT),
            pending: Mutex::default(),
        }
    }

    /// Puts a message under way, as soon as there is room in the window.
    pub(crate) async fn send(&self, publication: Publication) -> Result<Sent, PublishError> {
        self.check(&publication)?;
        let slot = Arc::clone(&self.window)
            .acquire_owned()
            .await
            .map_err(|_| PublishError::Disconnected)?;
        self.hand_over(publication, slot)
    }

    /// Under one lock, so that the waiters queue as the messages do.
    fn hand_over(
        &self,
        publication: Publication,
        slot: OwnedSemaphorePermit,
    ) -> Result<Sent, PublishError> {
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

    /// rumqttc has sent the next message, with this number.
    pub(crate) fn sent(&self, number: u16) -> Result<(), Ended> {
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

    /// The broker has answered.
    pub(crate) fn acknowledged(&self, ack: &PubAck) {
        let waiter = lock(&self.pending).sent.remove(&ack.pkid);
        if let Some(waiter) = waiter {
            let verdict = verdict(ack.reason, waiter.retain);
            waiter.answer(verdict);
        }
    }

    /// Waits until nothing is under way any more.
    pub(crate) async fn all_answered(&self) {
        let _closed = self.window.acquire_many(u32::from(self.slots)).await;
    }

    /// The connection has ended: nobody is left waiting.
    pub(crate) fn close(&self) {
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

/// What the lock guards is whole between any two statements, whoever panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::{EventLoop, MqttOptions};

    use super::*;
    use crate::topic::Qos;

    /// A link to nobody: the event loop is kept, and never polled.
    fn link(receive_max: u16) -> (Link, EventLoop) {
        let options = MqttOptions::new("test", "127.0.0.1", 1);
        let (client, event_loop) = AsyncClient::new(options, usize::from(INFLIGHT));
        (Link::new(client, Some(receive_max), Some(1000)), event_loop)
    }

    fn publication(qos: Qos, retain: bool) -> Publication {
        let topic = "tidewatch/v1/house-1/ack/gw-1".to_owned();
        Publication { topic, payload: vec![7; 10].into(), qos, retain, content_type: "x" }
    }

    fn ack(number: u16, reason: PubAckReason) -> PubAck {
        PubAck { pkid: number, reason, properties: None }
    }

    #[tokio::test]
    async fn each_answer_finds_its_message() {
        let (link, _event_loop) = link(100);
        let [first, second, unasked, third] = [
            link.send(publication(Qos::AtLeastOnce, false)).await.expect("room"),
            link.send(publication(Qos::AtLeastOnce, false)).await.expect("room"),
            link.send(publication(Qos::AtMostOnce, false)).await.expect("room"),
            link.send(publication(Qos::AtLeastOnce, true)).await.expect("room"),
        ];
        for number in [8, 9, 0, 1] {
            link.sent(number).expect("handed over");
        }
        link.acknowledged(&ack(1, PubAckReason::NoMatchingSubscribers));
        link.acknowledged(&ack(9, PubAckReason::NoMatchingSubscribers));
        link.acknowledged(&ack(8, PubAckReason::QuotaExceeded));
        link.acknowledged(&ack(77, PubAckReason::Success));
        assert_eq!(first.acknowledged().await, Err(PublishError::Refused { reason: 151 }));
        assert_eq!(second.acknowledged().await, Err(PublishError::NoMatchingSubscribers));
        assert_eq!(unasked.acknowledged().await, Ok(()));
        assert_eq!(third.acknowledged().await, Ok(()), "what is retained has its place");
    }

    #[tokio::test]
    async fn the_window_is_smaller_than_what_the_broker_takes() {
        let (link, _event_loop) = link(3);
        let _one = link.send(publication(Qos::AtLeastOnce, false)).await.expect("room");
        let _two = link.send(publication(Qos::AtLeastOnce, false)).await.expect("room");
        let mut third = Box::pin(link.send(publication(Qos::AtLeastOnce, false)));
        assert!(must_wait(third.as_mut()), "there is no room");
        link.sent(1).expect("handed over");
        link.acknowledged(&ack(1, PubAckReason::Success));
        let _three = third.await.expect("room again");
    }

    /// Whether a future has to wait.
    fn must_wait<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.poll(&mut context).is_pending()
    }

    #[tokio::test]
    async fn the_end_of_a_connection_leaves_nobody_waiting() {
        let (link, _event_loop) = link(3);
        let sent = link.send(publication(Qos::AtLeastOnce, false)).await.expect("room");
        let handed = link.send(publication(Qos::AtLeastOnce, false)).await.expect("room");
        link.sent(1).expect("handed over");
        let mut waiting = Box::pin(link.send(publication(Qos::AtLeastOnce, false)));
        assert!(must_wait(waiting.as_mut()));
        link.close();
        assert_eq!(sent.acknowledged().await, Err(PublishError::Disconnected));
        assert_eq!(handed.acknowledged().await, Err(PublishError::Disconnected));
        assert!(matches!(waiting.await, Err(PublishError::Disconnected)));
    }

    #[tokio::test]
    async fn a_number_that_is_used_twice_ends_the_connection() {
        let (link, _event_loop) = link(100);
        assert!(link.sent(1).is_err(), "nothing was handed over");
        let _one = link.send(publication(Qos::AtLeastOnce, false)).await;
        let _two = link.send(publication(Qos::AtLeastOnce, false)).await;
        assert!(link.sent(1).is_ok());
        assert!(link.sent(1).is_err());
    }
}
