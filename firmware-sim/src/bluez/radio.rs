//! What happens by itself: advertisements, links that come up and get lost.

use biosignal::Timestamp;

use super::link::Link;
use super::message::{Properties, Refusal, interfaces_added, interfaces_removed, refuse, reply};
use super::place::{ADAPTER, Place};
use super::{Device, Stack};
use crate::Wearable;
use crate::body::micros;

/// A device that was never connected is forgotten so long after it was last seen.
const FORGOTTEN_AFTER_US: i64 = 30_000_000;

impl Stack {
    /// Does what is due by now.
    pub(crate) fn tick(&mut self, now: Timestamp, wearables: &mut [Wearable]) {
        if !self.adapter_present || !self.powered {
            return;
        }
        for index in 0..self.devices.len() {
            self.advertise(now, index, wearables);
            self.connect_on(now, index, wearables);
            self.lose(now, index, wearables);
            self.resolve(now, index, wearables);
            self.forget(now, index, wearables);
        }
    }

    /// When something happens next, as far as the devices stay as they are.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let scanning = self.discovering();
        let due = |device: &Device| {
            let heard = matches!(device.link, Link::Down) && scanning;
            [heard.then_some(device.next_advertisement), device.link.due()]
        };
        self.devices.iter().flat_map(due).flatten().min()
    }

    /// The link to a device ends at once.
    pub(crate) fn drop_link(&mut self, index: usize, wearables: &mut [Wearable]) {
        let device = &self.devices[index];
        if !device.link.is_up() {
            return;
        }
        let resolved = device.link.is_resolved();
        if resolved {
            for (path, place) in self.gatt_places(index, wearables) {
                let interfaces = self.interfaces(place, wearables);
                self.out.push(interfaces_removed(&path, &interfaces));
            }
        }
        self.link_ended(index, wearables);
        let mut changed = Properties::from([("Connected", false.into())]);
        if resolved {
            changed.insert("ServicesResolved", false.into());
        }
        self.tell_device(index, &changed, &[]);
    }

    /// The adapter is switched on or off.
    pub(crate) fn set_powered(&mut self, powered: bool, wearables: &mut [Wearable]) {
        if self.powered == powered {
            return;
        }
        if !powered {
            self.quiet(wearables);
        }
        self.powered = powered;
        self.tell_adapter("Powered", powered);
    }

    /// The adapter is pulled out: its objects go with it.
    pub(crate) fn remove_adapter(&mut self, wearables: &mut [Wearable]) {
        if !self.adapter_present {
            return;
        }
        self.quiet(wearables);
        let gone = self.places(wearables);
        for (path, place) in gone.iter().rev() {
            let interfaces = self.interfaces(*place, wearables);
            self.out.push(interfaces_removed(path, &interfaces));
        }
        self.adapter_present = false;
        self.filters.clear();
        for device in &mut self.devices {
            *device = Device::new(std::mem::take(&mut device.path));
        }
    }

    /// The adapter is plugged in again, and comes up powered.
    pub(crate) fn add_adapter(&mut self, wearables: &[Wearable]) {
        if !self.adapter_present {
            self.adapter_present = true;
            self.powered = true;
            let interfaces = self.interfaces(Place::Adapter, wearables);
            self.out.push(interfaces_added(ADAPTER, &interfaces));
        }
    }

    /// Ends every link, attempt and scan.
    fn quiet(&mut self, wearables: &mut [Wearable]) {
        for index in 0..self.devices.len() {
            self.give_up_connecting(index, &Refusal::failed("le-connection-abort-by-local"));
            self.drop_link(index, wearables);
        }
        if self.discovering() {
            self.scanning.clear();
            self.tell_discovering();
        }
    }

    pub(super) fn give_up_connecting(&mut self, index: usize, why: &Refusal) {
        let link = &mut self.devices[index].link;
        if let Link::Connecting { call, .. } = link {
            self.out.push(refuse(call, why));
            *link = Link::Down;
        }
    }

    fn advertise(&mut self, now: Timestamp, index: usize, wearables: &[Wearable]) {
        let device = &mut self.devices[index];
        let wearable = &wearables[index];
        let heard = matches!(device.link, Link::Down) && wearable.heard(now);
        if !heard || device.next_advertisement > now || !self.scan_wants(wearable) {
            return;
        }
        let device = &mut self.devices[index];
        device.next_advertisement = now.plus_micros(micros(self.plan.advertise_every));
        device.last_seen = now;
        let rssi_dbm = wearable.rssi_dbm(now);
        device.rssi_dbm = Some(rssi_dbm);
        if device.known {
            self.tell_device(index, &Properties::from([("RSSI", rssi_dbm.into())]), &[]);
        } else {
            device.known = true;
            let path = device.path.clone();
            let interfaces = self.interfaces(Place::Device(index), wearables);
            self.out.push(interfaces_added(&path, &interfaces));
        }
    }

    /// Scans of several clients are merged: what one asks for, all get.
    fn scan_wants(&self, wearable: &Wearable) -> bool {
        self.scanning.iter().any(|client| {
            let filter = self.filters.get(client).filter(|services| !services.is_empty());
            filter.is_none_or(|services| services.contains(&wearable.firmware.advertised()))
        })
    }

    fn connect_on(&mut self, now: Timestamp, index: usize, wearables: &mut [Wearable]) {
        let full = self.links_up() >= self.plan.slots;
        let Link::Connecting { call, up_at } = &mut self.devices[index].link else { return };
        if !wearables[index].heard(now) {
            *up_at = None;
            return;
        }
        let ready = *up_at.get_or_insert(now.plus_micros(micros(self.plan.connect_after)));
        if now < ready {
            return;
        }
        if full {
            let limit = Refusal::failed("le-connection-concurrent-connection-limit");
            self.give_up_connecting(index, &limit);
            return;
        }
        let answer = reply(call, &());
        let resolved_at = Some(now.plus_micros(micros(self.plan.resolve_after)));
        let device = &mut self.devices[index];
        device.link = Link::Up { resolved_at, lost_at: None };
        device.kept = true;
        let invalidated: &[&str] = if device.rssi_dbm.take().is_some() { &["RSSI"] } else { &[] };
        wearables[index].link_up();
        self.changes.push((index, true));
        self.tell_device(index, &Properties::from([("Connected", true.into())]), invalidated);
        self.out.push(answer);
    }

    fn lose(&mut self, now: Timestamp, index: usize, wearables: &mut [Wearable]) {
        let Link::Up { lost_at, .. } = &mut self.devices[index].link else { return };
        if wearables[index].heard(now) {
            *lost_at = None;
        } else if *lost_at.get_or_insert(now.plus_micros(micros(self.plan.supervision))) <= now {
            self.drop_link(index, wearables);
        }
    }

    fn resolve(&mut self, now: Timestamp, index: usize, wearables: &[Wearable]) {
        let Link::Up { resolved_at, .. } = &mut self.devices[index].link else { return };
        if resolved_at.is_none_or(|at| at > now) {
            return;
        }
        *resolved_at = None;
        tracing::debug!(device = %wearables[index].address, "services resolved");
        for (path, place) in self.gatt_places(index, wearables) {
            let interfaces = self.interfaces(place, wearables);
            self.out.push(interfaces_added(&path, &interfaces));
        }
        let uuids = self.uuids(index, &wearables[index]);
        let changed = Properties::from([("UUIDs", uuids), ("ServicesResolved", true.into())]);
        self.tell_device(index, &changed, &[]);
    }

    fn forget(&mut self, now: Timestamp, index: usize, wearables: &[Wearable]) {
        let device = &self.devices[index];
        let idle = device.known && !device.kept && matches!(device.link, Link::Down);
        if idle && now.micros_since(device.last_seen) > FORGOTTEN_AFTER_US {
            self.remove_device(index, wearables);
        }
    }

    /// The device has no object any more, until it is seen again.
    pub(super) fn remove_device(&mut self, index: usize, wearables: &[Wearable]) {
        let interfaces = self.interfaces(Place::Device(index), wearables);
        let path = self.devices[index].path.clone();
        self.out.push(interfaces_removed(&path, &interfaces));
        self.devices[index] = Device::new(path);
    }
}
