//! The broker that comes with the house, for a site without one of its own.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::access::Access;
pub use crate::access::User;
use crate::connection::PACKET_LIMIT;
use crate::endpoint::Endpoint;

/// The embedded broker's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Who may come in, and what they may do there. Empty: whoever reaches it may do
    /// everything, which is taken only where `listen` is a loopback address.
    pub users: Vec<User>,
    /// Where sessions and retained messages are kept over a restart; none: in memory alone.
    pub data_dir: Option<PathBuf>,
    /// Messages kept for a subscriber that is away; the oldest go first.
    pub max_queued_messages: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            users: Vec::new(),
            data_dir: None,
            max_queued_messages: 200_000,
        }
    }
}

/// A running broker.
pub struct Broker {
    address: SocketAddr,
    running: JoinHandle<anyhow::Result<()>>,
    shutdown: BrokerShutdownHandle,
}

impl Broker {
    /// Starts a broker; when this returns it takes connections.
    ///
    /// # Errors
    /// Where the address is taken, a file cannot be read, or nobody is asked for a
    /// password on an address that others can reach.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        if config.users.is_empty() && !config.listen.ip().is_loopback() {
            bail!("broker on {}: without users it may only listen on loopback", config.listen);
        }
        let access = Access::load(&config.users).context("broker users")?;
        let broker = MqttBroker::with_config(engine(&config))
            .await
            .with_context(|| format!("broker on {}", config.listen))?;
        let mut broker = broker.with_auth_provider(Arc::new(access));
        let address = broker.local_addr().context("the broker listens nowhere")?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let running = tokio::spawn(async move { broker.run().await.context("broker") });
        if ready.wait_for(|ready| *ready).await.is_err() {
            running.await.context("the broker's task")??;
            bail!("the broker ended before it was ready");
        }
        Ok(Self { address, running, shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a client wants it; without user and password.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            ..Endpoint::default()
        }
    }

    /// Waits until the broker ends by itself, which it does not unless something is wrong.
    ///
    /// # Errors
    /// Says what was wrong.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        (&mut self.running).await.context("the broker's task")?
    }

    /// Stops the broker, with what it keeps written down.
    ///
    /// # Errors
    /// Where it does not end well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.shutdown();
        self.ended().await
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}

fn engine(config: &Config) -> BrokerConfig {
    let storage = StorageConfig::default()
        .with_cleanup_interval(Duration::from_secs(60))
        .with_max_queued_messages_per_client(config.max_queued_messages);
    let storage = match &config.data_dir {
        Some(dir) => storage.with_backend(StorageBackend::File).with_base_dir(dir.clone()),
        None => storage.with_backend(StorageBackend::Memory),
    };
    let mut engine = BrokerConfig::default()
        .with_bind_address(config.listen)
        .with_max_packet_size(PACKET_LIMIT as usize)
        .with_max_outbound_inflight(512)
        .with_storage(storage)
        .with_sys_topics_enabled(false);
    engine.topic_alias_maximum = 0;
    engine
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(config: Config) -> String {
        match Broker::start(config).await {
            Ok(broker) => panic!("started on {}", broker.address()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[tokio::test]
    async fn a_broker_without_users_is_not_open_to_others() {
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let says = refusal(Config { listen, ..Config::default() }).await;
        assert_eq!(says, "broker on 0.0.0.0:0: without users it may only listen on loopback");
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        let user = User {
            name: "gw-1".to_owned(),
            password_file: "/nowhere/password".into(),
            publish: Vec::new(),
            subscribe: Vec::new(),
        };
        let says = refusal(Config { users: vec![user], ..Config::default() }).await;
        assert!(says.starts_with("broker users: /nowhere/password: "), "{says}");

        let first = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = first.local_addr().expect("an address");
        let says = refusal(Config { listen, ..Config::default() }).await;
        assert!(says.starts_with(&format!("broker on {listen}: ")), "{says}");
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"listen": "127.0.0.1:1883"}"#).is_ok());
        assert!(serde_json::from_str::<Config>(r#"{"lissten": "127.0.0.1:1883"}"#).is_err());
        let endpoint = serde_json::from_str::<Endpoint>(r#"{"host": "hub", "port": 8883}"#);
        assert_eq!(
            endpoint.expect("an endpoint"),
            Endpoint { host: "hub".to_owned(), port: 8883, ..Endpoint::default() }
        );
    }
}
