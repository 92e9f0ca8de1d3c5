//! Bands, a broker, a recorder and the gateway under test.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use biosignal::{DeviceId, GatewayId};
use bus::broker::{self, Broker};
use firmware_sim::{Command, Scenario, Simulation};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::process::Gateway;
use crate::record::{self, Record, Shared};

pub(crate) struct House {
    pub simulation: Simulation,
    pub record: Shared,
    gateway: Option<Gateway>,
    config: String,
    broker: Broker,
    folder: tempfile::TempDir,
    _end: DropGuard,
}

impl House {
    /// Starts everything; `config` is the gateway's, as JSON.
    pub(crate) async fn new(scenario: &str, config: &str) -> Self {
        Self::at(scenario, config, None).await
    }

    /// The same, with the bands' bus at a socket.
    pub(crate) async fn at(scenario: &str, config: &str, socket: Option<&Path>) -> Self {
        let simulation = simulate(scenario, socket).await;
        let config = config.to_owned();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let broker = broker::Config { listen, ..broker::Config::default() };
        let broker = Broker::start(broker).await.unwrap();
        let end = CancellationToken::new();
        let gateway = GatewayId::new("gateway-1").unwrap();
        let record = record::start(&broker.endpoint(), gateway, &end);
        let mut house = Self {
            simulation,
            record,
            gateway: None,
            config,
            broker,
            folder: tempfile::tempdir().unwrap(),
            _end: end.drop_guard(),
        };
        house.start_gateway();
        house
    }

    pub(crate) fn start_gateway(&mut self) {
        // Without the mark of the one bus process, as a system's bus is named.
        let bus = self.simulation.bus_address().split(',').next().unwrap();
        let port = self.broker.address().port();
        self.gateway = Some(Gateway::start(bus, port, self.folder.path(), &self.config));
    }

    /// The bus with all on it ends, and another one begins two seconds later.
    pub(crate) async fn replace_simulation(&mut self, scenario: &str, socket: &Path) {
        self.apply(r#"{"do":"stop"}"#).await;
        self.simulation.ended().await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.simulation = simulate(scenario, Some(socket)).await;
    }

    pub(crate) fn gateway(&mut self) -> &mut Option<Gateway> {
        &mut self.gateway
    }

    pub(crate) async fn kill_gateway(&mut self) {
        self.gateway.take().expect("it runs").kill().await;
    }

    /// The device of a band's number.
    pub(crate) fn band(&self, number: usize) -> DeviceId {
        self.simulation.bands()[number - 1].device.clone()
    }

    /// Does what a JSON line says to the simulated house.
    pub(crate) async fn apply(&self, line: &str) {
        let command: Command = serde_json::from_str(line).unwrap();
        self.simulation.apply(command).await.unwrap();
    }

    /// Waits for something to be recorded; says how long that took.
    pub(crate) async fn until(
        &self,
        what: &str,
        within: Duration,
        happened: impl Fn(&Record) -> bool,
    ) -> Duration {
        let start = Instant::now();
        while !happened(&record::lock(&self.record)) {
            if start.elapsed() > within {
                let record = record::lock(&self.record);
                panic!("not within {within:?}: {what}; statuses {:#?}", record.statuses);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        start.elapsed()
    }

    /// What the record says now.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Record) -> T) -> T {
        at(&record::lock(&self.record))
    }

    /// Waits until every packet up to the newest of now has arrived; checks that none came
    /// twice.
    pub(crate) async fn complete(&self, number: usize, within: Duration) {
        let band = self.band(number);
        let (epoch, newest) = self.look(|record| record.newest(&band));
        self.until("every packet", within, |record| {
            record.missing(&band, epoch, newest).is_empty()
        })
        .await;
        assert_eq!(self.look(Record::doubled), 0, "readings that came twice");
    }
}

async fn simulate(scenario: &str, socket: Option<&Path>) -> Simulation {
    let scenario = Scenario::parse(scenario, Path::new(".")).unwrap();
    match socket {
        Some(socket) => Simulation::start_at(scenario, socket).await.unwrap(),
        None => Simulation::start(scenario).await.unwrap(),
    }
}
