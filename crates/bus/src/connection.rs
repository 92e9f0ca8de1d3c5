//! One connection after the other, each with a client and an event loop of its own.
//!
//! rumqttc's own retransmission is not relied on: on any error the client and its
//! event loop are thrown away, with all that was under way, and the callers are told.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::endpoint::{Endpoint, EndpointError};
use crate::topic::Qos;

/// Largest packet that is sent or taken. rumqttc's own limit is 10 KiB.
pub(crate) const PACKET_LIMIT: u32 = 1 << 20;

/// A dead peer is noticed after two of these.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("said goodbye")]
    Goodbye,
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
    #[error("{0}")]
    Connection(Box<ConnectionError>),
    #[error("subscription to {filter} refused: {reason}")]
    SubscriptionRefused { filter: String, reason: String },
    #[error("{0}")]
    Protocol(&'static str),
}

/// What an event means to a connection's owner. Nothing here may wait.
pub(crate) trait Handler: Send + 'static {
    fn handle(&mut self, event: Event) -> Result<(), Ended>;
}

/// Whatever makes one connection after the other.
pub(crate) trait Connect: Send {
    /// Makes a connection and stays until it ends.
    fn connect(&mut self, shutdown: &CancellationToken) -> impl Future<Output = Ended> + Send;
}

/// The options that both sides share.
pub(crate) fn options(endpoint: &Endpoint, client_id: &str) -> Result<MqttOptions, EndpointError> {
    let mut options = endpoint.options(client_id)?;
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_max_packet_size(Some(PACKET_LIMIT));
    Ok(options)
}

/// Polls in a task of its own that does nothing else, until the connection ends
/// or `shutdown` has said goodbye.
pub(crate) async fn serve(
    client: AsyncClient,
    event_loop: EventLoop,
    handler: impl Handler,
    shutdown: &CancellationToken,
    before_goodbye: impl Future<Output = ()> + Send,
) -> Ended {
    let mut polling = tokio::spawn(poll(event_loop, handler));
    tokio::select! {
        ended = &mut polling => return ended.unwrap_or(Ended::Protocol("the event loop panicked")),
        () = shutdown.cancelled() => {}
    }
    let goodbye = async {
        before_goodbye.await;
        // Refused only where the queue is full or the loop is gone: then there is no goodbye.
        if client.try_disconnect().is_ok() {
            let _ended = (&mut polling).await;
        }
    };
    let _late = tokio::time::timeout(GOODBYE, goodbye).await;
    polling.abort();
    Ended::Goodbye
}

async fn poll(mut event_loop: EventLoop, mut handler: impl Handler) -> Ended {
    let mut goodbye = false;
    loop {
        match event_loop.poll().await {
            // The broker has read all that we sent when it closes the connection.
            Ok(Event::Outgoing(Outgoing::Disconnect)) => goodbye = true,
            Err(_) if goodbye => return Ended::Goodbye,
            Ok(event) => {
                if let Err(ended) = handler.handle(event) {
                    return ended;
                }
            }
            Err(error) => return last_words(event_loop, handler, error),
        }
    }
}

/// What came just before the end, such as why, has been read and not told.
fn last_words(
    mut event_loop: EventLoop,
    mut handler: impl Handler,
    error: ConnectionError,
) -> Ended {
    mem::take(&mut event_loop.state.events)
        .into_iter()
        .try_for_each(|event| handler.handle(event))
        .err()
        .unwrap_or_else(|| Ended::Connection(Box::new(error)))
}

/// Connects again and again until `shutdown`, with a pause that grows while it fails.
pub(crate) async fn keep(
    client_id: String,
    mut connections: impl Connect,
    shutdown: CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        let started = Instant::now();
        let ended = connections.connect(&shutdown).await;
        if shutdown.is_cancelled() {
            break;
        }
        metrics::counter!("tidewatch_bus_connections_ended_total").increment(1);
        tracing::warn!(client = client_id, cause = %ended, "connection to the broker ended");
        if started.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = tokio::time::sleep(scattered(pause)) => {}
            () = shutdown.cancelled() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Half as long to half as long again, so that many clients do not return all at once.
fn scattered(pause: Duration) -> Duration {
    let percent = 50 + RandomState::new().hash_one(0) % 101;
    pause * u32::try_from(percent).expect("at most 150") / 100
}

pub(crate) fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}
