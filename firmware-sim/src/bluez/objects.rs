//! What the objects look like: their interfaces, properties and children.

use std::collections::BTreeMap;
use std::fmt::Write;

use zbus::Variant;

use super::Stack;
use super::message::{Interfaces, Properties, object};
use super::place::{ADAPTER, Place, characteristic_node, descriptor_node, service_node};
use crate::Wearable;

pub(crate) const ADAPTER1: &str = "org.bluez.Adapter1";
pub(crate) const DEVICE1: &str = "org.bluez.Device1";
pub(crate) const SERVICE1: &str = "org.bluez.GattService1";
pub(crate) const CHARACTERISTIC1: &str = "org.bluez.GattCharacteristic1";
pub(crate) const DESCRIPTOR1: &str = "org.bluez.GattDescriptor1";

/// Client Characteristic Configuration.
const CONFIGURATION: &str = "00002902-0000-1000-8000-00805f9b34fb";
const GENERIC_ACCESS: &str = "00001800-0000-1000-8000-00805f9b34fb";
const ATT_MTU: u16 = 247;

impl Stack {
    /// The object at a path, where there is one now.
    pub(crate) fn find(&self, path: &str, wearables: &[Wearable]) -> Option<Place> {
        if matches!(path, "/" | "/org" | "/org/bluez") {
            return Some(Place::Above);
        }
        self.places(wearables).into_iter().find(|(at, _)| at == path).map(|(_, place)| place)
    }

    /// Every object that there is now, parents first.
    pub(crate) fn places(&self, wearables: &[Wearable]) -> Vec<(String, Place)> {
        let mut places = Vec::new();
        if self.adapter_present {
            places.push((ADAPTER.to_owned(), Place::Adapter));
            for (index, device) in self.devices.iter().enumerate().filter(|(_, it)| it.known) {
                places.push((device.path.clone(), Place::Device(index)));
                if device.link.is_resolved() {
                    places.extend(self.gatt_places(index, wearables));
                }
            }
        }
        places
    }

    /// The services of a device, with all below them.
    pub(crate) fn gatt_places(&self, index: usize, wearables: &[Wearable]) -> Vec<(String, Place)> {
        let mut places = Vec::new();
        for (at, service) in wearables[index].firmware.services().iter().enumerate() {
            let path = self.service_path(index, at);
            places.push((path, Place::Service(index, at)));
            for (below, characteristic) in service.characteristics.iter().enumerate() {
                let path = self.characteristic_path(index, at, below);
                let descriptor = format!("{path}/{}", descriptor_node(at, below));
                places.push((path, Place::Characteristic(index, at, below)));
                if characteristic.notifies() {
                    places.push((descriptor, Place::Descriptor(index, at, below)));
                }
            }
        }
        places
    }

    pub(crate) fn service_path(&self, index: usize, service: usize) -> String {
        format!("{}/{}", self.devices[index].path, service_node(service))
    }

    pub(crate) fn characteristic_path(&self, index: usize, service: usize, at: usize) -> String {
        format!("{}/{}", self.service_path(index, service), characteristic_node(service, at))
    }

    /// The interfaces of an object, with their properties.
    pub(crate) fn interfaces(&self, place: Place, wearables: &[Wearable]) -> Interfaces {
        let (name, properties) = match place {
            Place::Above => return Interfaces::new(),
            Place::Adapter => (ADAPTER1, self.adapter_properties()),
            Place::Device(index) => (DEVICE1, self.device_properties(index, &wearables[index])),
            Place::Service(index, at) => {
                let uuid = wearables[index].firmware.services()[at].uuid.to_string();
                let device = object(&self.devices[index].path).into();
                let primary = ("Primary", true.into());
                (SERVICE1, BTreeMap::from([("UUID", uuid.into()), primary, ("Device", device)]))
            }
            Place::Characteristic(index, service, at) => {
                (CHARACTERISTIC1, self.characteristic_properties(index, service, at, wearables))
            }
            Place::Descriptor(index, service, at) => {
                let parent = object(&self.characteristic_path(index, service, at)).into();
                let uuid = ("UUID", CONFIGURATION.into());
                (DESCRIPTOR1, BTreeMap::from([uuid, ("Characteristic", parent)]))
            }
        };
        BTreeMap::from([(name, properties)])
    }

    /// The introspection of an object: its interfaces and the names of its children.
    pub(crate) fn introspection(&self, path: &str, place: Place, wearables: &[Wearable]) -> String {
        let mut xml = String::from(DOCTYPE);
        xml.push_str("<node>");
        let ours = self.interfaces(place, wearables);
        let standard = ["org.freedesktop.DBus.Introspectable", "org.freedesktop.DBus.Properties"];
        for name in standard.iter().chain(ours.keys()) {
            write!(xml, "<interface name=\"{name}\"></interface>").expect("a string takes all");
        }
        for child in self.children(path, wearables) {
            write!(xml, "<node name=\"{child}\"/>").expect("a string takes all");
        }
        xml.push_str("</node>");
        xml
    }

    fn children(&self, path: &str, wearables: &[Wearable]) -> Vec<String> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut children: Vec<String> = self
            .places(wearables)
            .iter()
            .filter_map(|(at, _)| at.strip_prefix(&prefix)?.split('/').next().map(str::to_owned))
            .collect();
        children.dedup();
        children
    }

    fn adapter_properties(&self) -> Properties {
        BTreeMap::from([
            ("Address", "00:11:22:33:44:55".into()),
            ("AddressType", "public".into()),
            ("Name", "tidewatch".into()),
            ("Alias", "tidewatch".into()),
            ("Modalias", "usb:v1D6Bp0246d0542".into()),
            ("Powered", self.powered.into()),
            ("Discovering", self.discovering().into()),
            ("Discoverable", false.into()),
            ("Pairable", false.into()),
        ])
    }

    fn device_properties(&self, index: usize, wearable: &Wearable) -> Properties {
        let device = &self.devices[index];
        let mut properties = BTreeMap::from([
            ("Address", wearable.address.to_string().into()),
            ("AddressType", "random".into()),
            ("Name", wearable.name.clone().into()),
            ("Alias", wearable.name.clone().into()),
            ("Paired", false.into()),
            ("Bonded", false.into()),
            ("Trusted", false.into()),
            ("Blocked", false.into()),
            ("LegacyPairing", false.into()),
            ("Connected", device.link.is_up().into()),
            ("ServicesResolved", device.link.is_resolved().into()),
            ("UUIDs", self.uuids(index, wearable)),
            ("Adapter", object(ADAPTER).into()),
        ]);
        if let Some(rssi) = device.rssi_dbm {
            properties.insert("RSSI", rssi.into());
        }
        properties
    }

    /// What is advertised, and all services once they are resolved.
    pub(crate) fn uuids(&self, index: usize, wearable: &Wearable) -> Variant<'static> {
        if !self.devices[index].link.is_resolved() {
            return vec![wearable.firmware.advertised().to_string()].into();
        }
        let services = wearable.firmware.services().iter().map(|service| service.uuid.to_string());
        services.chain([GENERIC_ACCESS.to_owned()]).collect::<Vec<_>>().into()
    }

    fn characteristic_properties(
        &self,
        index: usize,
        service: usize,
        at: usize,
        wearables: &[Wearable],
    ) -> Properties {
        let characteristic = &wearables[index].firmware.services()[service].characteristics[at];
        let flags: Vec<String> =
            characteristic.flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut properties = BTreeMap::from([
            ("UUID", characteristic.uuid.to_string().into()),
            ("Service", object(&self.service_path(index, service)).into()),
            ("Flags", flags.into()),
            ("MTU", ATT_MTU.into()),
        ]);
        if characteristic.notifies() {
            let clients = self.devices[index].notified.get(&(service, at));
            let notifying = clients.is_some_and(|clients| !clients.is_empty());
            properties.insert("Notifying", notifying.into());
        }
        properties
    }
}

const DOCTYPE: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\" \
\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n";
