//! Where every band and the gateway itself stand, for whoever looks at a card.
//!
//! Bands' tasks write, the publisher takes what changed. Only the last word counts, so
//! nothing queues: what changed while the broker was away is told once, as it is now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use biosignal::{DeviceId, GapCause, GatewayId, Timestamp};
use bus::wire;
use bus::wire::device_status::Link;
use tokio::sync::Notify;
use wristband::Profile;

/// The shared board of statuses.
#[derive(Clone, Debug)]
pub(crate) struct Statuses {
    gateway: GatewayId,
    board: Arc<Mutex<Board>>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct Board {
    bands: BTreeMap<DeviceId, wire::DeviceStatus>,
    untold: BTreeSet<DeviceId>,
    itself: wire::GatewayStatus,
    itself_untold: bool,
}

/// What moves a signal's strength enough to be told, dB.
const RSSI_STEP_DB: u32 = 6;

impl Statuses {
    pub(crate) fn new(gateway: GatewayId, now: Timestamp) -> Self {
        let itself = wire::GatewayStatus {
            gateway: gateway.as_str().to_owned(),
            at_us: now.as_micros(),
            up: true,
            adapter: "missing".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            spool_depth: 0,
        };
        let board =
            Board { bands: BTreeMap::new(), untold: BTreeSet::new(), itself, itself_untold: true };
        Self { gateway, board: Arc::new(Mutex::new(board)), changed: Arc::new(Notify::new()) }
    }

    /// A band is known, in whatever way it was left.
    pub(crate) fn introduce(&self, device: &DeviceId, profile: Profile, now: Timestamp) {
        let status = wire::DeviceStatus {
            device: device.as_str().to_owned(),
            gateway: self.gateway.as_str().to_owned(),
            at_us: now.as_micros(),
            link: Link::OutOfRange.into(),
            cause: GapCause::OutOfRange.name().to_owned(),
            battery_percent: None,
            rssi_dbm: None,
            profile: profile.name().to_owned(),
            contact: None,
        };
        self.lock().bands.entry(device.clone()).or_insert(status);
        self.tell(device);
    }

    /// How the band is reached, and why there are no samples where there are none.
    pub(crate) fn link(
        &self,
        device: &DeviceId,
        link: Link,
        cause: Option<GapCause>,
        now: Timestamp,
    ) {
        let cause = cause.map_or("", GapCause::name);
        let changed = self.change(device, |status| {
            if status.link() == link && status.cause == cause {
                return false;
            }
            status.set_link(link);
            cause.clone_into(&mut status.cause);
            status.at_us = now.as_micros();
            true
        });
        if changed {
            metrics::counter!("tidewatch_gateway_link_changes_total", "link" => link.as_str_name())
                .increment(1);
            tracing::info!(%device, link = link.as_str_name(), cause, "link");
        }
    }

    pub(crate) fn rssi(&self, device: &DeviceId, rssi_dbm: i16) {
        self.change(device, |status| {
            let new = i32::from(rssi_dbm);
            let moved = status.rssi_dbm.is_none_or(|old| old.abs_diff(new) >= RSSI_STEP_DB);
            if moved {
                status.rssi_dbm = Some(new);
            }
            moved
        });
    }

    pub(crate) fn battery(&self, device: &DeviceId, percent: u8) {
        self.change(device, |status| {
            status.battery_percent.replace(percent.into()) != Some(percent.into())
        });
    }

    pub(crate) fn contact(&self, device: &DeviceId, contact: bool) {
        self.change(device, |status| status.contact.replace(contact) != Some(contact));
    }

    /// The Bluetooth adapter in a word: `on`, `off`, `missing` or `stuck`.
    pub(crate) fn adapter(&self, word: &str, now: Timestamp) {
        let mut board = self.lock();
        if board.itself.adapter == word {
            return;
        }
        tracing::info!(adapter = word, before = board.itself.adapter, "bluetooth adapter");
        word.clone_into(&mut board.itself.adapter);
        board.itself.at_us = now.as_micros();
        board.itself_untold = true;
        self.changed.notify_one();
    }

    /// The gateway stops in good order: it looks after no band any more.
    pub(crate) fn release(&self, now: Timestamp) {
        let mut board = self.lock();
        board.itself.up = false;
        board.itself.at_us = now.as_micros();
        board.itself_untold = true;
        let Board { bands, untold, .. } = &mut *board;
        for (device, status) in bands {
            status.set_link(Link::Released);
            GapCause::Gateway.name().clone_into(&mut status.cause);
            status.at_us = now.as_micros();
            untold.insert(device.clone());
        }
        self.changed.notify_one();
    }

    /// The gateway's status for its last will.
    pub(crate) fn last_will(&self) -> wire::GatewayStatus {
        wire::GatewayStatus { up: false, ..self.lock().itself.clone() }
    }

    /// Waits until there is something to tell.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The bands' statuses that are to be told.
    pub(crate) fn take_bands(&self) -> Vec<wire::DeviceStatus> {
        let mut board = self.lock();
        let untold = std::mem::take(&mut board.untold);
        untold.iter().filter_map(|device| board.bands.get(device).cloned()).collect()
    }

    /// The gateway's own status, where it is to be told.
    pub(crate) fn take_itself(&self, spool_depth: u64) -> Option<wire::GatewayStatus> {
        let mut board = self.lock();
        board.itself.spool_depth = spool_depth;
        std::mem::take(&mut board.itself_untold).then(|| board.itself.clone())
    }

    /// A band's status did not arrive: it is told again, as it is then.
    pub(crate) fn tell(&self, device: &DeviceId) {
        self.lock().untold.insert(device.clone());
        self.changed.notify_one();
    }

    /// The gateway's own status is to be told again.
    pub(crate) fn tell_itself(&self) {
        self.lock().itself_untold = true;
        self.changed.notify_one();
    }

    /// Everything is to be told: the broker may have forgotten it.
    pub(crate) fn tell_all(&self) {
        let mut board = self.lock();
        board.untold = board.bands.keys().cloned().collect();
        board.itself_untold = true;
        self.changed.notify_one();
    }

    fn change(
        &self,
        device: &DeviceId,
        change: impl FnOnce(&mut wire::DeviceStatus) -> bool,
    ) -> bool {
        let changed = self.lock().bands.get_mut(device).is_some_and(change);
        if changed {
            self.tell(device);
        }
        changed
    }

    /// The board is whole between any two statements, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_told_and_only_as_it_is_now() {
        let at = Timestamp::from_seconds;
        let statuses = Statuses::new(GatewayId::new("gw").expect("a word"), at(1));
        let band = DeviceId::from_address([1; 6]);
        statuses.introduce(&band, Profile::Tidewatch, at(2));
        assert_eq!(statuses.take_bands()[0].link(), Link::OutOfRange);
        assert!(statuses.take_bands().is_empty());

        statuses.link(&band, Link::Connecting, None, at(3));
        statuses.link(&band, Link::Connected, None, at(4));
        statuses.rssi(&band, -60);
        let told = statuses.take_bands();
        assert_eq!((told.len(), told[0].link(), told[0].at_us), (1, Link::Connected, 4_000_000));
        assert_eq!((told[0].cause.as_str(), told[0].rssi_dbm), ("", Some(-60)));

        statuses.rssi(&band, -63);
        statuses.link(&band, Link::Connected, None, at(9));
        statuses.battery(&band, 80);
        statuses.take_bands();
        statuses.battery(&band, 80);
        assert!(statuses.take_bands().is_empty(), "nothing that matters changed");

        statuses.tell_all();
        let told = statuses.take_bands();
        assert_eq!((told[0].at_us, told[0].rssi_dbm), (4_000_000, Some(-60)));
    }

    #[test]
    fn a_gateway_that_stops_lets_go_of_its_bands() {
        let statuses =
            Statuses::new(GatewayId::new("gw").expect("a word"), Timestamp::from_seconds(1));
        let band = DeviceId::from_address([1; 6]);
        statuses.introduce(&band, Profile::HeartRateStrap, Timestamp::from_seconds(2));
        statuses.release(Timestamp::from_seconds(5));
        let told = statuses.take_bands();
        assert_eq!((told[0].link(), told[0].cause.as_str()), (Link::Released, "gateway"));
        let itself = statuses.take_itself(7).expect("it is no longer up");
        assert_eq!((itself.up, itself.spool_depth, itself.at_us), (false, 7, 5_000_000));
        assert_eq!(statuses.take_itself(7), None);
    }
}
