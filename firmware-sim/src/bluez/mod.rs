//! A stand-in for bluetoothd: the part of `org.bluez` that a central uses.
//!
//! What it knows: the objects, properties, errors and signals of BlueZ 5.66, one adapter,
//! and links that come up, resolve and get lost in their time. What it refuses to know:
//! D-Bus sockets (messages come in and go out as values) and what the devices measure.

mod calls;
mod daemon;
mod link;
mod message;
mod objects;
mod place;
mod radio;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;
use zbus::message::Message;

pub(crate) use daemon::PrivateBus;
use link::Device;
use message::{Properties, properties_changed};
use objects::{ADAPTER1, CHARACTERISTIC1, DEVICE1};
use place::ADAPTER;

use crate::Wearable;
use crate::scenario::RadioPlan;

/// bluetoothd, its adapter and its links.
#[derive(Debug)]
pub(crate) struct Stack {
    plan: RadioPlan,
    adapter_present: bool,
    powered: bool,
    /// Clients that scan.
    scanning: BTreeSet<String>,
    /// Services that a client's scan is limited to; all where there is none.
    filters: BTreeMap<String, Vec<Uuid>>,
    /// In the order of the wearables.
    devices: Vec<Device>,
    /// Messages to be sent.
    out: Vec<Message>,
    /// Links that came up (`true`) or ended.
    changes: Vec<(usize, bool)>,
}

impl Stack {
    pub(crate) fn new(plan: RadioPlan, wearables: &[Wearable]) -> Self {
        let path = |wearable: &Wearable| format!("{ADAPTER}/{}", wearable.address.node());
        let devices = wearables.iter().map(|wearable| Device::new(path(wearable))).collect();
        Self {
            plan,
            adapter_present: true,
            powered: true,
            scanning: BTreeSet::new(),
            filters: BTreeMap::new(),
            devices,
            out: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Messages to be sent, in order.
    pub(crate) fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.out)
    }

    /// Links that came up (`true`) or ended since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<(usize, bool)> {
        std::mem::take(&mut self.changes)
    }

    /// How many links the adapter holds at most from now on.
    pub(crate) fn set_slots(&mut self, slots: usize) {
        self.plan.slots = slots;
    }

    pub(crate) fn set_resolve_after(&mut self, wait: Duration) {
        self.plan.resolve_after = wait;
    }

    /// A value that a device notified, told to whom it may concern.
    pub(crate) fn notify(
        &mut self,
        index: usize,
        uuid: Uuid,
        bytes: &[u8],
        wearables: &[Wearable],
    ) {
        let Some((service, at)) = characteristic(&wearables[index], uuid) else { return };
        let listening = self.devices[index].notified.get(&(service, at));
        if listening.is_some_and(|clients| !clients.is_empty()) {
            let value = Properties::from([("Value", bytes.to_vec().into())]);
            let path = self.characteristic_path(index, service, at);
            self.out.push(properties_changed(&path, CHARACTERISTIC1, &value, &[]));
        }
    }

    /// A client left the bus: what it had started ends, links stay.
    pub(crate) fn client_gone(&mut self, client: &str, wearables: &mut [Wearable]) {
        self.filters.remove(client);
        if self.scanning.remove(client) {
            self.tell_discovering();
        }
        for index in 0..self.devices.len() {
            let device = &self.devices[index];
            let held = device.notified.iter().filter(|(_, clients)| clients.contains(client));
            let held: Vec<_> = held.map(|(at, _)| *at).collect();
            for (service, at) in held {
                self.stop_notify(client, index, service, at, wearables);
            }
        }
    }

    /// bluetoothd ended: nobody can be told any more.
    pub(crate) fn restart(&mut self, wearables: &mut [Wearable]) {
        for index in 0..self.devices.len() {
            self.link_ended(index, wearables);
            self.devices[index] = Device::new(self.devices[index].path.clone());
        }
        self.scanning.clear();
        self.filters.clear();
        self.powered = true;
        self.out.clear();
    }

    fn discovering(&self) -> bool {
        !self.scanning.is_empty()
    }

    fn tell_adapter(&mut self, name: &'static str, value: bool) {
        let changed = Properties::from([(name, value.into())]);
        self.out.push(properties_changed(ADAPTER, ADAPTER1, &changed, &[]));
    }

    fn tell_device(&mut self, index: usize, changed: &Properties, invalidated: &[&str]) {
        let path = &self.devices[index].path;
        self.out.push(properties_changed(path, DEVICE1, changed, invalidated));
    }

    /// A scan began or ended. Strength of a signal means nothing without one.
    fn tell_discovering(&mut self) {
        let discovering = self.discovering();
        if !discovering {
            for index in 0..self.devices.len() {
                if self.devices[index].rssi_dbm.take().is_some() {
                    self.tell_device(index, &Properties::new(), &["RSSI"]);
                }
            }
        }
        self.tell_adapter("Discovering", discovering);
    }

    fn link_ended(&mut self, index: usize, wearables: &mut [Wearable]) {
        let device = &mut self.devices[index];
        device.notified.clear();
        if std::mem::take(&mut device.link).is_up() {
            wearables[index].link_lost();
            self.changes.push((index, false));
        }
    }

    fn links_up(&self) -> usize {
        self.devices.iter().filter(|device| device.link.is_up()).count()
    }
}

/// Where a device has a characteristic.
fn characteristic(wearable: &Wearable, uuid: Uuid) -> Option<(usize, usize)> {
    wearable.firmware.services().iter().enumerate().find_map(|(at, service)| {
        let below = service.characteristics.iter().position(|it| it.uuid == uuid)?;
        Some((at, below))
    })
}
