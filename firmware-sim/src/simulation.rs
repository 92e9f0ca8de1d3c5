//! The world on a real bus: sockets, the clock and a way to stop.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use biosignal::Timestamp;
use futures::StreamExt;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use zbus::message::Message;
use zbus::{Connection, MessageStream};

use crate::Command;
use crate::bluez::PrivateBus;
use crate::command::RadioFault;
use crate::event::{BandInfo, Event};
use crate::scenario::Scenario;
use crate::world::World;

/// Bands in the air, on a bus of their own. Dropped, it ends at once.
#[derive(Debug)]
pub struct Simulation {
    bus_address: String,
    bands: Vec<BandInfo>,
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<Event>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

type Request = (Command, oneshot::Sender<anyhow::Result<()>>);

/// Events that a listener may lag behind; then it misses the oldest.
const EVENTS: usize = 1_024;
/// bluetoothd is away so long where no time is given.
const RESTART: Duration = Duration::from_secs(2);

impl Simulation {
    /// Makes the bands, fills their flash, and opens the bus.
    ///
    /// # Errors
    /// A recording that cannot be read, or no dbus-daemon.
    pub async fn start(scenario: Scenario) -> anyhow::Result<Self> {
        Self::on(scenario, PrivateBus::start(None).await?).await
    }

    /// The same, with the bus at a socket of that path.
    ///
    /// # Errors
    /// A recording that cannot be read, or no dbus-daemon, or no such folder.
    pub async fn start_at(scenario: Scenario, socket: &Path) -> anyhow::Result<Self> {
        Self::on(scenario, PrivateBus::start(Some(socket)).await?).await
    }

    async fn on(scenario: Scenario, bus: PrivateBus) -> anyhow::Result<Self> {
        let worlds = tokio::task::spawn_blocking(move || World::new(&scenario, now()));
        let (world, bands) = worlds.await.context("making the bands")??;
        let link = Link::open(bus.address()).await?;
        let bus_address = bus.address().to_owned();
        let (events, _) = broadcast::channel(EVENTS);
        // Whoever sends a command waits for its answer, so the channel never fills up.
        let (requests, received) = mpsc::channel(16);
        let shutdown = CancellationToken::new();
        let run = Run {
            bus,
            link: Some(link),
            back_at: None,
            world,
            events: events.clone(),
            shutdown: shutdown.clone(),
        };
        let task = tokio::spawn(run.run(received));
        Ok(Self { bus_address, bands, requests, events, shutdown, task })
    }

    /// The bus's address, for `DBUS_SYSTEM_BUS_ADDRESS`.
    #[must_use]
    pub fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// Bands and straps by number, the first one being 1.
    #[must_use]
    pub fn bands(&self) -> &[BandInfo] {
        &self.bands
    }

    /// What happens from now on. A listener that lags behind misses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Does something to the simulated house.
    ///
    /// # Errors
    /// Says what cannot be done.
    pub async fn apply(&self, command: Command) -> anyhow::Result<()> {
        let (answer, answered) = oneshot::channel();
        self.requests.send((command, answer)).await.context("the simulation is over")?;
        answered.await.context("the simulation is over")?
    }

    /// Waits until it is over by itself or by [`Command::Stop`].
    ///
    /// # Errors
    /// What went wrong in it.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        (&mut self.task).await?
    }

    /// Ends it, with the bus.
    ///
    /// # Errors
    /// What went wrong in it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.ended().await
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.task.abort();
    }
}

/// bluetoothd's end of the bus.
#[derive(Debug)]
struct Link {
    connection: Connection,
    messages: MessageStream,
}

impl Link {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let connection = zbus::connection::Builder::address(address)
            .build()
            .await
            .context("joining the private bus")?;
        let messages = MessageStream::from(&connection);
        // Clients that leave are noticed, as bluetoothd does.
        let rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
        connection
            .call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &rule)
            .await
            .context("watching the clients")?;
        connection.request_name("org.bluez").await.context("taking the name org.bluez")?;
        Ok(Self { connection, messages })
    }
}

const BUS: &str = "org.freedesktop.DBus";

/// The running simulation.
struct Run {
    bus: PrivateBus,
    /// `None` while bluetoothd is away.
    link: Option<Link>,
    back_at: Option<Instant>,
    world: World,
    events: broadcast::Sender<Event>,
    shutdown: CancellationToken,
}

impl Run {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) -> anyhow::Result<()> {
        let shutdown = self.shutdown.clone();
        loop {
            self.flush().await?;
            let wake = wake_at(self.world.due()).min(self.back_at.unwrap_or_else(far));
            tokio::select! {
                () = shutdown.cancelled() => break,
                message = next(&mut self.link) => self.world.handle(now(), &message?),
                request = requests.recv() => match request {
                    Some((command, answer)) => {
                        let stop = command == Command::Stop;
                        let applied = self.apply(&command).await;
                        // Nobody waits for the answer any more: then nobody needs it.
                        let _ = answer.send(applied);
                        if stop {
                            break;
                        }
                    }
                    None => break,
                },
                () = sleep_until(wake) => self.wake().await?,
            }
        }
        drop(self.link.take());
        self.bus.stop().await
    }

    async fn wake(&mut self) -> anyhow::Result<()> {
        if self.back_at.is_some_and(|at| at <= Instant::now()) {
            self.back_at = None;
            self.link = Some(Link::open(self.bus.address()).await?);
        }
        self.world.tick(now());
        Ok(())
    }

    async fn apply(&mut self, command: &Command) -> anyhow::Result<()> {
        self.world.apply(now(), command)?;
        if let Command::Radio { fault: RadioFault::BluetoothdRestart, lasting } = command {
            if let Some(link) = self.link.take() {
                drop(link.messages);
                link.connection.close().await.context("leaving the private bus")?;
            }
            self.back_at = Some(Instant::now() + lasting.unwrap_or(RESTART));
        }
        Ok(())
    }

    /// Sends what is to be sent; while bluetoothd is away nobody hears it.
    async fn flush(&mut self) -> anyhow::Result<()> {
        for event in self.world.take_events() {
            // Without a listener there is nobody to tell.
            let _ = self.events.send(event);
        }
        let messages = self.world.take_messages();
        match &self.link {
            Some(link) => link.connection.send_all(&messages).await.context("on the private bus"),
            None => Ok(()),
        }
    }
}

async fn next(link: &mut Option<Link>) -> anyhow::Result<Message> {
    let Some(link) = link else { return std::future::pending().await };
    match link.messages.next().await {
        Some(message) => Ok(message?),
        None => bail!("the private bus is gone"),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn wake_at(due: Timestamp) -> Instant {
    let wait = u64::try_from(due.micros_since(now())).unwrap_or(0);
    Instant::now() + Duration::from_micros(wait).min(Duration::from_secs(3_600))
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}
