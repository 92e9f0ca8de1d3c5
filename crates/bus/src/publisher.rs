//! Publishing, over a connection that mends itself, with an honest answer for each message.

use std::sync::{Arc, Mutex};

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{LastWill, LastWillProperties, Packet};
use rumqttc::v5::{AsyncClient, Event};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::{self, Connect, Ended, Handler, qos};
use crate::endpoint::{Endpoint, EndpointError};
use crate::link::{INFLIGHT, Link, PublishError, Sent, lock};
use crate::message::Publication;

/// Publishes over a connection that mends itself. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Publisher {
    state: Arc<State>,
    _until_last_clone: Arc<DropGuard>,
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
    /// [`crate::Qos::AtMostOnce`]: that it was sent).
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
        link.send(publication).await
    }

    /// Whether there is a connection, now and whenever that changes.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.state.connected.subscribe()
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
        link.all_answered().await;
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
                let takes = connack.properties.as_ref();
                let receive_max = takes.and_then(|it| it.receive_max);
                let packet_limit = takes.and_then(|it| it.max_packet_size);
                let link = Arc::new(Link::new(self.client.clone(), receive_max, packet_limit));
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
