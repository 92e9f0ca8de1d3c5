use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use biosignal::DeviceId;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wristband::{Cursor, Profile, Session};

use super::Sighting;
use crate::band::{Band, Shared};
use crate::collector::Intake;
use crate::config::Config;
use crate::link::Link;
use crate::spool::Spool;
use crate::status::Statuses;

/// Before a band's task is started again: what it handed out is in the spool by then.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How long the bands' tasks may take to let go of their bands.
const LETTING_GO: Duration = Duration::from_secs(6);

/// A task for each band, and what the radio tells it.
pub(super) struct Bands {
    sightings: BTreeMap<DeviceId, watch::Sender<Sighting>>,
    connected: BTreeSet<DeviceId>,
    adapter_up: bool,
    shared: Shared,
    spool: Spool,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    /// Bands that the spool knows, until their tasks are started.
    remembered: Vec<(DeviceId, Profile)>,
}

impl Bands {
    pub(super) async fn new(
        config: Config,
        spool: Spool,
        statuses: Statuses,
        intake: mpsc::Sender<Intake>,
        pulse: watch::Sender<Instant>,
    ) -> anyhow::Result<Self> {
        let remembered = spool
            .bands()
            .await?
            .into_iter()
            .filter(|(device, _)| config.allows(device))
            .filter_map(|(device, band)| Some((device, profile_named(&band.profile)?)))
            .collect();
        let shared = Shared {
            slots: Arc::new(Semaphore::new(config.connection_slots)),
            config: Arc::new(config),
            statuses,
            intake,
            room: spool.room(),
            pulse,
        };
        Ok(Self {
            sightings: BTreeMap::new(),
            connected: BTreeSet::new(),
            adapter_up: false,
            shared,
            spool,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            remembered,
        })
    }

    /// Starts the tasks of the bands that the spool knows.
    pub(super) fn start(&mut self, shutdown: &CancellationToken) {
        self.shutdown = shutdown.clone();
        for (device, profile) in std::mem::take(&mut self.remembered) {
            self.add(&device, profile);
        }
    }

    /// Waits until every band is let go of.
    pub(super) async fn stop(self) {
        self.tasks.close();
        if tokio::time::timeout(LETTING_GO, self.tasks.wait()).await.is_err() {
            tracing::warn!("a band was not let go of in time");
        }
    }

    /// Whether a device is looked after; one that may be is from here on.
    pub(super) fn knows(&mut self, device: &DeviceId, profile: Profile) -> bool {
        if !self.shared.config.allows(device) {
            return false;
        }
        if !self.sightings.contains_key(device) {
            tracing::info!(%device, profile = profile.name(), "a new band");
            self.add(device, profile);
        }
        true
    }

    fn add(&mut self, device: &DeviceId, profile: Profile) {
        let sighting = Sighting { adapter_up: self.adapter_up, ..Sighting::default() };
        let (sender, sightings) = watch::channel(sighting);
        self.sightings.insert(device.clone(), sender);
        let task = look_after(
            device.clone(),
            profile,
            sightings,
            self.shared.clone(),
            self.spool.clone(),
            self.shutdown.clone(),
        );
        self.tasks.spawn(task);
    }

    /// The adapter works, or does not: then every way and connection is gone.
    pub(super) fn adapter(&mut self, up: bool) {
        self.adapter_up = up;
        self.connected.clear();
        for sighting in self.sightings.values() {
            sighting.send_modify(|sighting| {
                sighting.adapter_up = up;
                sighting.way = None;
                sighting.heard = None;
            });
        }
    }

    /// A way to a band. The one of the same session stays: values come by it.
    pub(super) fn way(&self, device: &DeviceId, way: (u64, Link)) {
        self.tell(device, |sighting| {
            if sighting.way.as_ref().is_none_or(|(session, _)| *session != way.0) {
                sighting.way = Some(way);
            }
        });
    }

    /// An advertisement was heard.
    pub(super) fn heard(&self, device: &DeviceId, rssi_dbm: i16) {
        self.shared.statuses.rssi(device, rssi_dbm);
        self.tell(device, |sighting| sighting.heard = Some(Instant::now()));
    }

    /// BlueZ has a connection.
    pub(super) fn connected(&mut self, device: &DeviceId) {
        self.connected.insert(device.clone());
        self.tell(device, |sighting| sighting.heard = Some(Instant::now()));
    }

    /// BlueZ lost a connection.
    pub(super) fn lost(&mut self, device: &DeviceId) {
        self.connected.remove(device);
        self.tell(device, |sighting| sighting.losses += 1);
    }

    /// Whether a band is not connected that could be; in an empty house: always.
    pub(super) fn any_missing(&self) -> bool {
        self.sightings.len() != self.connected.len() || self.sightings.is_empty()
    }

    fn tell(&self, device: &DeviceId, change: impl FnOnce(&mut Sighting)) {
        if let Some(sighting) = self.sightings.get(device) {
            sighting.send_modify(change);
        }
    }
}

/// Runs a band's task; one that panics is started again from what the spool has, and no
/// other band notices.
async fn look_after(
    device: DeviceId,
    profile: Profile,
    sightings: watch::Receiver<Sighting>,
    shared: Shared,
    spool: Spool,
    shutdown: CancellationToken,
) {
    while !shutdown.is_cancelled() {
        let session = Session::new(device.clone(), profile, cursor(&spool, &device).await);
        let band = Band::new(device.clone(), session, sightings.clone(), shared.clone());
        match tokio::spawn(band.run(shutdown.clone())).await {
            Ok(()) => return,
            Err(error) => {
                metrics::counter!("tidewatch_gateway_band_panics_total").increment(1);
                tracing::error!(%device, %error, "a band's task failed: starting it again");
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn cursor(spool: &Spool, device: &DeviceId) -> Option<Cursor> {
    let record = match spool.bands().await {
        Ok(mut bands) => bands.remove(device)?,
        Err(error) => {
            tracing::error!(%device, error = format!("{error:#}"), "no cursor for the band");
            return None;
        }
    };
    let cursor = record.cursor?;
    serde_json::from_slice(&cursor)
        .inspect_err(|error| tracing::error!(%device, %error, "the band's cursor is unreadable"))
        .ok()
}

fn profile_named(name: &str) -> Option<Profile> {
    [Profile::Tidewatch, Profile::HeartRateStrap].into_iter().find(|it| it.name() == name)
}

#[cfg(test)]
mod tests {
    use biosignal::{GatewayId, Timestamp};

    use super::*;
    use crate::band::scripted::{Device, PANIC};

    #[tokio::test]
    async fn a_task_that_panics_is_started_again_and_no_other_notices() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20).unwrap();
        let gateway = GatewayId::new("gw").unwrap();
        let statuses = Statuses::new(gateway, Timestamp::from_seconds(0));
        let (intake, _taken) = mpsc::channel(8);
        let pulse = watch::Sender::new(Instant::now());
        let config = Config::default();
        let mut bands = Bands::new(config, spool, statuses, intake, pulse).await.unwrap();
        let shutdown = CancellationToken::new();
        bands.start(&shutdown);
        bands.adapter(true);
        let ids = [1, 2].map(|last| DeviceId::from_address([last; 6]));
        let [bad, good] = [Vec::new(), Vec::new()].map(Device::new);
        let meet = |bands: &mut Bands| {
            for (id, device) in ids.iter().zip([&bad, &good]) {
                assert!(bands.knows(id, Profile::Tidewatch));
                bands.way(id, (1, Link::Scripted(device.clone())));
                bands.heard(id, -60);
            }
        };
        meet(&mut bands);
        until(|| bad.is_connected() && good.is_connected()).await;
        bad.notify(PANIC, &[]);
        bad.disconnect();
        let again = Instant::now();
        while bad.attempts() < 2 {
            assert!(again.elapsed() < Duration::from_secs(10), "it is not started again");
            meet(&mut bands);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        until(|| bad.is_connected()).await;
        assert_eq!((good.attempts(), good.disconnects()), (1, 0));
        shutdown.cancel();
        bands.stop().await;
        assert!(!bad.is_connected() && !good.is_connected(), "both are let go of");
    }

    async fn until(happened: impl Fn() -> bool) {
        let happening = async {
            while !happened() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), happening).await.expect("it happens");
    }
}
