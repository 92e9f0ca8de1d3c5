//! Subscribing, with acknowledgement by hand.
//!
//! Each connection has a generation. A message can be acknowledged only to the
//! connection that brought it: packet numbers begin anew on the next, where the
//! broker delivers again what was not acknowledged.

use biosignal::SiteId;
use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter as MqttFilter, Packet, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::{self, Connect, Ended, Handler, qos};
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::PayloadError;
use crate::message::Message;
use crate::topic::{self, Filter};

/// Messages that the broker is asked to send ahead of our acknowledgements at most.
const RECEIVE_MAXIMUM: u16 = 1000;

/// Messages that can be unacknowledged at all, as packets are numbered: Mosquitto
/// goes beyond what it is asked when it empties a queue.
const UNACKNOWLEDGED_LIMIT: usize = u16::MAX as usize;

/// Places for messages that the broker does not wait for us with (QoS 0).
const AT_MOST_ONCE_QUEUE: usize = 8192;

/// Connections that may have come and gone before the first is taken up.
const GENERATIONS: usize = 8;

/// What the broker keeps for a subscriber while it is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Nothing: each connection starts anew.
    Clean,
    /// Everything at least once, for as long as the broker lives.
    Persistent,
}

/// Receives over a connection that mends itself.
#[derive(Debug)]
pub struct Subscriber {
    generations: mpsc::Receiver<Generation>,
    current: Option<Generation>,
    connected: watch::Receiver<bool>,
    _until_dropped: DropGuard,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Delivery {
    /// The site that its topic names.
    pub site: SiteId,
    /// The message, or why it is refused. What is refused is to be acknowledged too.
    pub message: Result<Message, PayloadError>,
    /// Its topic.
    pub topic: String,
    /// Its payload as it came.
    pub payload: Bytes,
    /// Whether the broker had kept it, rather than passing it on as it came.
    pub retained: bool,
    /// To be given to [`Subscriber::acknowledge`].
    pub ack: AckToken,
}

/// The right to acknowledge one message, once.
#[derive(Debug)]
pub struct AckToken {
    generation: u64,
    /// 0 where the broker expects nothing.
    number: u16,
}

/// What one connection brings.
#[derive(Debug)]
struct Generation {
    number: u64,
    client: AsyncClient,
    publishes: mpsc::Receiver<Publish>,
}

impl Subscriber {
    /// Connects, subscribes, and stays so, until `shutdown` or until dropped.
    ///
    /// # Errors
    /// [`EndpointError`] where a password or certificate cannot be read. That the
    /// broker cannot be reached is no error here.
    pub fn start(
        endpoint: &Endpoint,
        client_id: &str,
        filters: Vec<Filter>,
        session: SessionKind,
        shutdown: &CancellationToken,
    ) -> Result<Self, EndpointError> {
        endpoint.check()?;
        let shutdown = shutdown.child_token();
        let until_dropped = shutdown.clone().drop_guard();
        // Where nobody calls `next`, connections come and go; when full, the newest is
        // given up and tried again later.
        let (offer, generations) = mpsc::channel(GENERATIONS);
        let (connected, watch) = watch::channel(false);
        let connections = Connections {
            endpoint: endpoint.clone(),
            client_id: client_id.to_owned(),
            filters,
            session,
            offer,
            connected,
            generation: 0,
        };
        tokio::spawn(connection::keep(client_id.to_owned(), connections, shutdown));
        Ok(Self { generations, current: None, connected: watch, _until_dropped: until_dropped })
    }

    /// The next message; `None` after shutdown. Safe to be dropped while it waits.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(current) = &mut self.current {
                match current.publishes.recv().await {
                    Some(publish) => match delivery(current.number, publish) {
                        Some(delivery) => return Some(delivery),
                        None => continue,
                    },
                    None => self.current = None,
                }
            }
            self.current = Some(self.generations.recv().await?);
        }
    }

    /// Tells the broker that a message is dealt with. `false` where the connection
    /// that brought it has ended: a persistent session will bring it again.
    pub fn acknowledge(&self, ack: AckToken) -> bool {
        if ack.number == 0 {
            return true;
        }
        let current = self.current.as_ref().filter(|it| it.number == ack.generation);
        current.is_some_and(|current| {
            let mut publish = Publish { pkid: ack.number, ..Publish::default() };
            publish.qos = QoS::AtLeastOnce;
            current.client.try_ack(&publish).is_ok()
        })
    }

    /// Whether every subscription stands, now and whenever that changes.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.clone()
    }
}

fn delivery(generation: u64, publish: Publish) -> Option<Delivery> {
    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
    let Some(site) = topic::site(&topic) else {
        tracing::warn!(topic, "a message of no site, though a site was asked for");
        return None;
    };
    let message = Message::parse(&topic, &publish.payload).map(|(_, message)| message);
    if let Err(error) = &message {
        metrics::counter!("tidewatch_bus_payloads_refused_total").increment(1);
        tracing::warn!(topic, %error, "refused a payload");
    }
    Some(Delivery {
        site,
        message,
        topic,
        payload: publish.payload,
        retained: publish.retain,
        ack: AckToken { generation, number: publish.pkid },
    })
}

/// Makes one connection after the other.
struct Connections {
    endpoint: Endpoint,
    client_id: String,
    filters: Vec<Filter>,
    session: SessionKind,
    offer: mpsc::Sender<Generation>,
    connected: watch::Sender<bool>,
    generation: u64,
}

impl Connect for Connections {
    async fn connect(&mut self, shutdown: &CancellationToken) -> Ended {
        let (client, event_loop) = match self.client() {
            Ok(client) => client,
            Err(error) => return error.into(),
        };
        self.generation += 1;
        // When full, QoS 0 is dropped and counted; there is room for all of QoS 1 that can be.
        let (queue, publishes) = mpsc::channel(UNACKNOWLEDGED_LIMIT + AT_MOST_ONCE_QUEUE);
        let generation = Generation { number: self.generation, client: client.clone(), publishes };
        let handler = Inbox {
            client: client.clone(),
            filters: self.filters.clone(),
            generation: Some(generation),
            offer: self.offer.clone(),
            queue,
            connected: self.connected.clone(),
        };
        connection::serve(client, event_loop, handler, shutdown, std::future::ready(())).await
    }
}

impl Connections {
    fn client(&self) -> Result<(AsyncClient, rumqttc::v5::EventLoop), EndpointError> {
        let mut options = connection::options(&self.endpoint, &self.client_id)?;
        options.set_manual_acks(true);
        options.set_receive_maximum(Some(RECEIVE_MAXIMUM));
        // It publishes nothing; rumqttc would keep 8 MB for that.
        options.set_outgoing_inflight_upper_limit(1);
        match self.session {
            SessionKind::Clean => options.set_clean_start(true),
            SessionKind::Persistent => {
                options.set_clean_start(false).set_session_expiry_interval(Some(u32::MAX))
            }
        };
        // Never full: there is room for an acknowledgement of all that can be
        // unacknowledged, for SUBSCRIBE and for the goodbye.
        Ok(AsyncClient::new(options, UNACKNOWLEDGED_LIMIT + 2))
    }
}

/// Takes in what a connection brings.
struct Inbox {
    client: AsyncClient,
    filters: Vec<Filter>,
    /// Offered at CONNACK.
    generation: Option<Generation>,
    offer: mpsc::Sender<Generation>,
    queue: mpsc::Sender<Publish>,
    connected: watch::Sender<bool>,
}

impl Handler for Inbox {
    fn handle(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.offer()?;
                self.subscribe()
            }
            Event::Incoming(Packet::SubAck(granted)) => self.granted(&granted),
            Event::Incoming(Packet::Publish(publish)) => self.take(publish),
            _ => Ok(()),
        }
    }
}

impl Inbox {
    fn offer(&mut self) -> Result<(), Ended> {
        let Some(generation) = self.generation.take() else { return Ok(()) };
        self.offer.try_send(generation).map_err(|error| match error {
            TrySendError::Full(_) => Ended::Protocol("nobody has taken up the connections before"),
            TrySendError::Closed(_) => Ended::Goodbye,
        })
    }

    fn subscribe(&self) -> Result<(), Ended> {
        let filters: Vec<MqttFilter> = self
            .filters
            .iter()
            .map(|filter| MqttFilter::new(filter.topic.as_str(), qos(filter.qos)))
            .collect();
        self.client
            .try_subscribe_many(filters)
            .map_err(|_| Ended::Protocol("SUBSCRIBE could not be handed over"))
    }

    fn granted(&self, granted: &SubAck) -> Result<(), Ended> {
        for (filter, code) in self.filters.iter().zip(&granted.return_codes) {
            if !matches!(code, SubscribeReasonCode::Success(_)) {
                let filter = filter.topic.clone();
                return Err(Ended::SubscriptionRefused { filter, reason: format!("{code:?}") });
            }
        }
        self.connected.send_replace(true);
        Ok(())
    }

    fn take(&self, publish: Publish) -> Result<(), Ended> {
        let at_most_once = publish.qos == QoS::AtMostOnce;
        if at_most_once && self.queue.capacity() <= UNACKNOWLEDGED_LIMIT {
            metrics::counter!("tidewatch_bus_dropped_total").increment(1);
            return Ok(());
        }
        match self.queue.try_send(publish) {
            Err(TrySendError::Full(_)) => Err(Ended::Protocol("the broker numbers packets twice")),
            // The subscriber is dropped: the goodbye is on its way, after the last acknowledgements.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.connected.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::{EventLoop, MqttOptions};

    use super::*;

    /// An inbox to nobody with so many places: the event loop is kept, and never polled.
    fn inbox(places: usize) -> (Inbox, mpsc::Receiver<Publish>, EventLoop) {
        let options = MqttOptions::new("test", "127.0.0.1", 1);
        let (client, event_loop) = AsyncClient::new(options, 10);
        let (queue, publishes) = mpsc::channel(places);
        let site = SiteId::new("house-1").expect("a good word");
        let inbox = Inbox {
            client,
            filters: vec![Filter::batches(&site), Filter::gaps(&site)],
            generation: None,
            offer: mpsc::channel(1).0,
            queue,
            connected: watch::channel(false).0,
        };
        (inbox, publishes, event_loop)
    }

    fn publish(qos: QoS) -> Event {
        let mut publish = Publish { pkid: 1, ..Publish::default() };
        publish.qos = qos;
        Event::Incoming(Packet::Publish(publish))
    }

    #[test]
    fn it_is_connected_when_every_subscription_stands() {
        let (mut inbox, _publishes, _event_loop) = inbox(1);
        let mut granted = |second| {
            let return_codes = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce), second];
            let ack = SubAck { pkid: 1, return_codes, properties: None };
            let handled = inbox.handle(Event::Incoming(Packet::SubAck(ack)));
            (handled.map_err(|ended| ended.to_string()), *inbox.connected.borrow())
        };
        assert_eq!(
            granted(SubscribeReasonCode::NotAuthorized),
            (
                Err("subscription to tidewatch/v1/house-1/+/+/gap refused: NotAuthorized".into()),
                false
            )
        );
        assert_eq!(granted(SubscribeReasonCode::Success(QoS::AtMostOnce)), (Ok(()), true));
    }

    #[test]
    fn at_most_once_gives_way_to_at_least_once() {
        let (mut inbox, mut publishes, _event_loop) = inbox(UNACKNOWLEDGED_LIMIT + 1);
        assert!(inbox.handle(publish(QoS::AtMostOnce)).is_ok());
        assert!(inbox.handle(publish(QoS::AtMostOnce)).is_ok(), "dropped, and counted");
        for _ in 0..UNACKNOWLEDGED_LIMIT {
            assert!(inbox.handle(publish(QoS::AtLeastOnce)).is_ok());
        }
        assert!(inbox.handle(publish(QoS::AtLeastOnce)).is_err(), "more than there are numbers");
        assert_eq!(publishes.try_recv().map(|it| it.qos), Ok(QoS::AtMostOnce));
        assert_eq!(publishes.try_recv().map(|it| it.qos), Ok(QoS::AtLeastOnce));
    }
}
