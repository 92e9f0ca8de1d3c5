//! The Bluetooth adapter: finds it, keeps it scanning, tells the bands' tasks what is
//! heard, and helps it when it is stuck.

mod bands;
mod control;
mod ladder;

use std::collections::HashMap;
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use biosignal::DeviceId;
use btleplug::api::{
    Central, CentralEvent, CentralState, Manager as _, Peripheral as _, ScanFilter,
};
use btleplug::platform::{Adapter, Manager, PeripheralId};
use futures::StreamExt;
use futures::stream::Stream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use wristband::Profile;

use crate::band::Sighting;
use crate::clock;
use crate::collector::Intake;
use crate::config::Config;
use crate::link::{Link, within};
use crate::spool::Spool;
use crate::status::Statuses;
use bands::Bands;
use control::{Control, is_timeout};
use ladder::{Ladder, Rung, Signs};

/// For what BlueZ answers by itself.
const ANSWER: Duration = Duration::from_secs(5);

/// How often the adapter is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Time between attempts to get at an adapter.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// How long an adapter stays off in a power cycle.
const OFF_TIME: Duration = Duration::from_secs(1);

/// Looks without an answer that make an adapter count as gone.
const UNANSWERED: u32 = 2;

/// Looks that find no scan before it is started again: BlueZ says so a little late.
const NOT_SCANNING: u32 = 2;

/// The radio and the bands that it hears.
pub(crate) struct Radio {
    wanted: Option<String>,
    statuses: Statuses,
    bands: Bands,
    control: Control,
    manager: Option<Manager>,
    /// Counts the sessions with an adapter.
    session: u64,
    ladder: Ladder,
    /// When any advertisement was last heard.
    advertisement: Instant,
    /// Whether the last session ended in a power cycle.
    cycled: bool,
    pulse: watch::Receiver<Instant>,
}

/// A session with an adapter, from the start of its scan.
struct Session {
    adapter: Adapter,
    name: String,
    /// The BlueZ process.
    owner: String,
    devices: HashMap<PeripheralId, DeviceId>,
    unanswered: u32,
    not_scanning: u32,
}

type Events = Pin<Box<dyn Stream<Item = CentralEvent> + Send>>;

impl Radio {
    /// Prepares a task for each band that the spool knows.
    pub(crate) async fn new(
        config: Config,
        spool: Spool,
        statuses: Statuses,
        intake: mpsc::Sender<Intake>,
    ) -> anyhow::Result<Self> {
        let now = Instant::now();
        let (pulse, heard) = watch::channel(now);
        Ok(Self {
            wanted: config.adapter.clone(),
            ladder: Ladder::new(config.radio_silence),
            bands: Bands::new(config, spool, statuses.clone(), intake, pulse).await?,
            statuses,
            control: Control::default(),
            manager: None,
            session: 0,
            advertisement: now,
            cycled: false,
            pulse: heard,
        })
    }

    /// Runs until `shutdown`. That there is no adapter is told, and waited for.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut retry = FIRST_RETRY;
        let mut said = String::new();
        self.bands.start(&shutdown);
        while !shutdown.is_cancelled() {
            let began = Instant::now();
            let outcome = tokio::select! {
                () = shutdown.cancelled() => break,
                outcome = self.serve() => outcome,
            };
            let why = outcome.err().map_or(String::new(), |error| format!("{error:#}"));
            if why != said {
                tracing::warn!(why, "the bluetooth adapter is not to be used now");
                said = why;
            }
            self.bands.adapter(false);
            self.gauge(false);
            if began.elapsed() > LONGEST_RETRY {
                (retry, said) = (FIRST_RETRY, String::new());
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(retry) => retry = (retry * 2).min(LONGEST_RETRY),
            }
        }
        self.bands.stop().await;
        Ok(())
    }

    /// One session with an adapter; returns why it ended.
    async fn serve(&mut self) -> anyhow::Result<()> {
        let (mut session, mut events) = self.open().await?;
        let mut looks =
            tokio::time::interval_at(tokio::time::Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.next() => {
                    let event = event.context("the bus ended")?;
                    self.hear(&mut session, event).await?;
                }
                _ = looks.tick() => self.look(&mut session).await?,
            }
        }
    }

    /// Finds the adapter, switches it on where it is off, and starts the scan.
    async fn open(&mut self) -> anyhow::Result<(Session, Events)> {
        let adapter = self.adapter().await?;
        let info = within(ANSWER, "adapter info", adapter.adapter_info()).await?;
        let name = info.split(' ').next().unwrap_or_default().to_owned();
        let health = self.control.health(&name).await.context("asking after the adapter")?;
        if !health.powered {
            self.statuses.adapter("off", clock::now());
            self.control.power(&name, true).await.context("the adapter is off")?;
        }
        let events = within(ANSWER, "events", adapter.events()).await?;
        scan(&adapter).await?;
        tracing::info!(adapter = info, "scanning");
        if !std::mem::take(&mut self.cycled) {
            self.advertisement = Instant::now();
        }
        self.session += 1;
        self.statuses.adapter("on", clock::now());
        self.gauge(true);
        self.bands.adapter(true);
        let session = Session {
            adapter,
            name,
            owner: health.owner,
            devices: HashMap::new(),
            unanswered: 0,
            not_scanning: 0,
        };
        Ok((session, events))
    }

    async fn adapter(&mut self) -> anyhow::Result<Adapter> {
        let manager = match &self.manager {
            Some(manager) => manager.clone(),
            None => {
                let manager = Manager::new().await.context("no D-Bus system bus")?;
                self.manager.insert(manager).clone()
            }
        };
        let adapters = match within(ANSWER, "adapters", manager.adapters()).await {
            Ok(adapters) => adapters,
            Err(error) => {
                self.statuses.adapter("missing", clock::now());
                // A connection to the bus cannot be closed, so a new one is made only
                // where the old one is of no use: BlueZ is there and it does not see it.
                if self.control.is_there().await {
                    self.manager = None;
                }
                return Err(error).context("is bluetoothd running?");
            }
        };
        for adapter in adapters {
            let info = within(ANSWER, "adapter info", adapter.adapter_info()).await?;
            let fits = |wanted: &String| info.split(' ').next() == Some(wanted.as_str());
            if self.wanted.as_ref().is_none_or(fits) {
                return Ok(adapter);
            }
        }
        self.statuses.adapter("missing", clock::now());
        match &self.wanted {
            Some(wanted) => bail!("gateway.adapter = {wanted:?}: there is no such adapter"),
            None => bail!("there is no bluetooth adapter"),
        }
    }

    async fn hear(&mut self, session: &mut Session, event: CentralEvent) -> anyhow::Result<()> {
        match event {
            CentralEvent::RssiUpdate { id, rssi } => {
                self.advertisement = Instant::now();
                if let Some(device) = session.devices.get(&id) {
                    self.bands.heard(device, rssi);
                } else {
                    self.discover(session, id).await;
                }
            }
            CentralEvent::DeviceDiscovered(id) => self.discover(session, id).await,
            CentralEvent::ServicesAdvertisement { id, .. }
                if !session.devices.contains_key(&id) =>
            {
                self.discover(session, id).await;
            }
            CentralEvent::DeviceConnected(id) => {
                if let Some(device) = session.devices.get(&id) {
                    self.bands.connected(device);
                }
            }
            CentralEvent::DeviceDisconnected(id) => {
                // An adapter that is pulled out takes its connections with it: asked
                // first, so that the bands' tasks learn the true cause.
                self.look(session).await?;
                if let Some(device) = session.devices.get(&id) {
                    self.bands.lost(device);
                }
            }
            CentralEvent::StateUpdate(CentralState::PoweredOff) => {
                self.statuses.adapter("off", clock::now());
                bail!("the adapter was switched off");
            }
            _ => {}
        }
        Ok(())
    }

    /// Learns what a device is. BlueZ merges the scans of all programs, so that a device
    /// may be none of ours.
    async fn discover(&mut self, session: &mut Session, id: PeripheralId) {
        let found = async {
            let peripheral = within(ANSWER, "device", session.adapter.peripheral(&id)).await?;
            let properties = within(ANSWER, "device", peripheral.properties()).await?;
            let connected = within(ANSWER, "device", peripheral.is_connected()).await?;
            anyhow::Ok((peripheral, properties.unwrap_or_default(), connected))
        };
        let (peripheral, properties, connected) = match found.await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%id, error = format!("{error:#}"), "a device went away");
                return;
            }
        };
        let device = DeviceId::from_address(peripheral.address().into_inner());
        let Some(profile) = Profile::of(&properties.services) else { return };
        if !self.bands.knows(&device, profile) {
            return;
        }
        session.devices.insert(id, device.clone());
        self.bands.way(&device, (self.session, Link::Bluetooth(peripheral)));
        // A connection may have outlived the gateway that made it: then nothing is heard.
        if connected {
            self.bands.connected(&device);
        }
        if let Some(rssi) = properties.rssi {
            self.advertisement = Instant::now();
            self.bands.heard(&device, rssi);
        }
    }

    /// Looks at the adapter; an error ends the session.
    async fn look(&mut self, session: &mut Session) -> anyhow::Result<()> {
        let health = match self.control.health(&session.name).await {
            Ok(health) => health,
            Err(error) if is_timeout(&error) && session.unanswered + 1 < UNANSWERED => {
                session.unanswered += 1;
                return Ok(());
            }
            Err(error) => {
                self.statuses.adapter("missing", clock::now());
                return Err(error).context("the adapter is gone");
            }
        };
        session.unanswered = 0;
        if health.owner != session.owner {
            bail!("bluetoothd was restarted");
        }
        if !health.powered {
            self.statuses.adapter("off", clock::now());
            bail!("the adapter was switched off");
        }
        session.not_scanning = if health.discovering { 0 } else { session.not_scanning + 1 };
        let signs = Signs {
            advertisement: self.advertisement,
            notification: *self.pulse.borrow(),
            missing: self.bands.any_missing(),
            discovering: session.not_scanning < NOT_SCANNING,
        };
        match self.ladder.step(signs, Instant::now()) {
            Some(rung) => self.climb(session, rung).await,
            None => Ok(()),
        }
    }

    async fn climb(&mut self, session: &mut Session, rung: Rung) -> anyhow::Result<()> {
        metrics::counter!("tidewatch_gateway_ladder_total", "rung" => rung.name()).increment(1);
        tracing::warn!(rung = rung.name(), "the radio hears nothing");
        match rung {
            Rung::RestartScan => {
                let stopped = within(ANSWER, "stop scan", session.adapter.stop_scan()).await;
                tracing::debug!(?stopped, "scan");
                session.not_scanning = 0;
                scan(&session.adapter).await
            }
            Rung::PowerCycle => {
                self.statuses.adapter("stuck", clock::now());
                self.bands.adapter(false);
                self.cycled = true;
                self.control.power(&session.name, false).await.context("switching off")?;
                tokio::time::sleep(OFF_TIME).await;
                self.control.power(&session.name, true).await.context("switching on")?;
                bail!("the adapter was switched off and on");
            }
        }
    }

    fn gauge(&self, up: bool) {
        metrics::gauge!("tidewatch_gateway_adapter_up").set(f64::from(u8::from(up)));
    }
}

async fn scan(adapter: &Adapter) -> anyhow::Result<()> {
    let services = vec![Profile::Tidewatch.service(), Profile::HeartRateStrap.service()];
    within(ANSWER, "start scan", adapter.start_scan(ScanFilter { services })).await
}
