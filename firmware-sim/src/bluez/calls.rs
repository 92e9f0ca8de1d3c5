//! What a central asks for.

use std::collections::{BTreeMap, HashMap};

use biosignal::Timestamp;
use zbus::message::{Message, Type};
use zbus::{ObjectPath, OwnedVariant, Variant};

use super::Stack;
use super::link::Link;
use super::message::{Properties, Refusal, object, properties_changed, refuse, reply};
use super::objects::{ADAPTER1, CHARACTERISTIC1, DEVICE1};
use super::place::Place;
use crate::Wearable;
use crate::firmware::{AttError, Characteristic};

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The answer to a call; `None` where it comes later.
type Answer = Result<Option<Message>, Refusal>;

impl Stack {
    /// Takes a message from the bus and answers it, now or later.
    pub(crate) fn handle(&mut self, now: Timestamp, message: &Message, wearables: &mut [Wearable]) {
        match message.message_type() {
            Type::MethodCall => match self.answer(now, message, wearables) {
                Ok(answer) => self.out.extend(answer),
                Err(refusal) => self.out.push(refuse(message, &refusal)),
            },
            Type::Signal => {
                if let Some(client) = gone(message) {
                    self.client_gone(&client, wearables);
                }
            }
            Type::MethodReturn | Type::Error => {}
        }
    }

    fn answer(&mut self, now: Timestamp, call: &Message, wearables: &mut [Wearable]) -> Answer {
        let header = call.header();
        let path = header.path().map(ObjectPath::as_str).unwrap_or_default();
        let interface = header.interface().map(|name| name.as_str()).unwrap_or_default();
        let member = header.member().map(|name| name.as_str()).unwrap_or_default();
        let client = header.sender().map(|name| name.to_string()).unwrap_or_default();
        let place = self.find(path, wearables).ok_or_else(|| Refusal::unknown_object(path))?;
        match (interface, member, place) {
            ("org.freedesktop.DBus.Introspectable", "Introspect", _) => {
                Ok(Some(reply(call, &self.introspection(path, place, wearables))))
            }
            ("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", Place::Above) => {
                Ok(Some(self.managed_objects(call, wearables)))
            }
            (PROPERTIES, "GetAll", _) => self.get_all(call, place, wearables),
            (PROPERTIES, "Get", _) => self.get(call, place, wearables),
            (PROPERTIES, "Set", Place::Adapter) => self.set(call, wearables),
            (ADAPTER1, _, Place::Adapter) => self.adapter_call(call, member, client, wearables),
            (DEVICE1, "Connect", Place::Device(index)) => self.connect(call, index),
            (DEVICE1, "Disconnect", Place::Device(index)) => {
                self.disconnect(call, index, wearables)
            }
            (CHARACTERISTIC1, _, Place::Characteristic(index, service, at)) => {
                let place = (index, service, at);
                self.characteristic_call(now, call, member, &client, place, wearables)
            }
            _ => Err(Refusal::unknown_method(interface, member)),
        }
    }

    fn managed_objects(&self, call: &Message, wearables: &[Wearable]) -> Message {
        let places = self.places(wearables).into_iter();
        let objects: BTreeMap<ObjectPath<'_>, _> = places
            .map(|(path, place)| (object(&path), self.interfaces(place, wearables)))
            .collect();
        reply(call, &objects)
    }

    fn get_all(&self, call: &Message, place: Place, wearables: &[Wearable]) -> Answer {
        let body = call.body();
        let interface: &str = body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
        let interfaces = self.interfaces(place, wearables);
        let properties = interfaces.get(interface).ok_or_else(Refusal::invalid_arguments)?;
        Ok(Some(reply(call, properties)))
    }

    fn get(&self, call: &Message, place: Place, wearables: &[Wearable]) -> Answer {
        let body = call.body();
        let (interface, name): (&str, &str) =
            body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
        let interfaces = self.interfaces(place, wearables);
        let value = interfaces.get(interface).and_then(|properties| properties.get(name));
        Ok(Some(reply(call, value.ok_or_else(Refusal::invalid_arguments)?)))
    }

    fn set(&mut self, call: &Message, wearables: &mut [Wearable]) -> Answer {
        let body = call.body();
        let (interface, name, value): (&str, &str, Variant<'_>) =
            body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
        match (interface, name, value) {
            (ADAPTER1, "Powered", Variant::Bool(powered)) => self.set_powered(powered, wearables),
            _ => return Err(Refusal::invalid_arguments()),
        }
        Ok(Some(reply(call, &())))
    }

    fn adapter_call(
        &mut self,
        call: &Message,
        member: &str,
        client: String,
        wearables: &mut [Wearable],
    ) -> Answer {
        match member {
            "SetDiscoveryFilter" => self.set_filter(call, client)?,
            "StartDiscovery" => self.start_discovery(client)?,
            "StopDiscovery" => {
                if !self.scanning.remove(&client) {
                    return Err(Refusal::failed("No discovery started"));
                }
                if !self.discovering() {
                    self.tell_discovering();
                }
            }
            "RemoveDevice" => self.remove(call, wearables)?,
            _ => return Err(Refusal::unknown_method(ADAPTER1, member)),
        }
        Ok(Some(reply(call, &())))
    }

    fn set_filter(&mut self, call: &Message, client: String) -> Result<(), Refusal> {
        let body = call.body();
        let mut options: HashMap<String, OwnedVariant> =
            body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
        let uuids: Vec<String> = match options.remove("UUIDs") {
            Some(value) => value.try_into().map_err(|_| Refusal::invalid_arguments())?,
            None => Vec::new(),
        };
        let uuids = uuids.iter().map(|uuid| uuid.parse()).collect::<Result<_, _>>();
        self.filters.insert(client, uuids.map_err(|_| Refusal::invalid_arguments())?);
        Ok(())
    }

    fn start_discovery(&mut self, client: String) -> Result<(), Refusal> {
        if !self.powered {
            return Err(Refusal::not_ready());
        }
        let began = !self.discovering();
        if !self.scanning.insert(client) {
            return Err(Refusal::in_progress());
        }
        if began {
            self.tell_discovering();
        }
        Ok(())
    }

    fn remove(&mut self, call: &Message, wearables: &mut [Wearable]) -> Result<(), Refusal> {
        let body = call.body();
        let path: ObjectPath<'_> = body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
        match self.find(path.as_str(), wearables) {
            Some(Place::Device(index)) => {
                self.give_up_connecting(index, &Refusal::failed("le-connection-abort-by-local"));
                self.drop_link(index, wearables);
                self.remove_device(index, wearables);
                Ok(())
            }
            _ => Err(Refusal::does_not_exist()),
        }
    }

    fn connect(&mut self, call: &Message, index: usize) -> Answer {
        if !self.powered {
            return Err(Refusal::not_ready());
        }
        let link = &mut self.devices[index].link;
        match link {
            Link::Up { .. } => Ok(Some(reply(call, &()))),
            Link::Connecting { .. } => Err(Refusal::in_progress()),
            Link::Down => {
                *link = Link::Connecting { call: call.clone(), up_at: None };
                Ok(None)
            }
        }
    }

    fn disconnect(&mut self, call: &Message, index: usize, wearables: &mut [Wearable]) -> Answer {
        match self.devices[index].link {
            Link::Down => return Err(Refusal::not_connected()),
            Link::Connecting { .. } => {
                let aborted = Refusal::failed("le-connection-abort-by-local");
                self.give_up_connecting(index, &aborted);
            }
            Link::Up { .. } => self.drop_link(index, wearables),
        }
        Ok(Some(reply(call, &())))
    }

    fn characteristic_call(
        &mut self,
        now: Timestamp,
        call: &Message,
        member: &str,
        client: &str,
        (index, service, at): (usize, usize, usize),
        wearables: &mut [Wearable],
    ) -> Answer {
        let wearable = &mut wearables[index];
        let characteristic = &wearable.firmware.services()[service].characteristics[at];
        let Characteristic { uuid, flags } = *characteristic;
        match member {
            "ReadValue" if !flags.contains(&"read") => Err(att_error(AttError::READ_NOT_PERMITTED)),
            "ReadValue" => {
                let value = wearable.firmware.read(now, uuid).map_err(att_error)?;
                Ok(Some(reply(call, &value)))
            }
            "WriteValue" => {
                let body = call.body();
                let (value, _): (Vec<u8>, HashMap<String, OwnedVariant>) =
                    body.deserialize().map_err(|_| Refusal::invalid_arguments())?;
                wearable.firmware.write(now, uuid, &value).map_err(att_error)?;
                Ok(Some(reply(call, &())))
            }
            "StartNotify" if !flags.contains(&"notify") => Err(Refusal::not_supported()),
            "StartNotify" => {
                self.start_notify(client, index, service, at, wearables);
                Ok(Some(reply(call, &())))
            }
            "StopNotify" => {
                if !self.stop_notify(client, index, service, at, wearables) {
                    return Err(Refusal::failed("No notify session started"));
                }
                Ok(Some(reply(call, &())))
            }
            _ => Err(Refusal::unknown_method(CHARACTERISTIC1, member)),
        }
    }

    fn start_notify(
        &mut self,
        client: &str,
        index: usize,
        service: usize,
        at: usize,
        wearables: &mut [Wearable],
    ) {
        let clients = self.devices[index].notified.entry((service, at)).or_default();
        let first = clients.is_empty();
        clients.insert(client.to_owned());
        if first {
            let firmware = &mut wearables[index].firmware;
            let uuid = firmware.services()[service].characteristics[at].uuid;
            firmware.subscribe(uuid, true);
            self.tell_notifying(index, service, at, true);
        }
    }

    /// Ends a client's notifications; `false` where it had none.
    pub(super) fn stop_notify(
        &mut self,
        client: &str,
        index: usize,
        service: usize,
        at: usize,
        wearables: &mut [Wearable],
    ) -> bool {
        let clients = self.devices[index].notified.entry((service, at)).or_default();
        let stopped = clients.remove(client);
        if stopped && clients.is_empty() {
            let firmware = &mut wearables[index].firmware;
            let uuid = firmware.services()[service].characteristics[at].uuid;
            firmware.subscribe(uuid, false);
            self.tell_notifying(index, service, at, false);
        }
        stopped
    }

    fn tell_notifying(&mut self, index: usize, service: usize, at: usize, notifying: bool) {
        let path = self.characteristic_path(index, service, at);
        let changed = Properties::from([("Notifying", notifying.into())]);
        self.out.push(properties_changed(&path, CHARACTERISTIC1, &changed, &[]));
    }
}

/// The client that a `NameOwnerChanged` says is gone.
fn gone(message: &Message) -> Option<String> {
    let header = message.header();
    if header.member()?.as_str() != "NameOwnerChanged" {
        return None;
    }
    let body = message.body();
    let (name, _, owner): (&str, &str, &str) = body.deserialize().ok()?;
    (owner.is_empty() && name.starts_with(':')).then(|| name.to_owned())
}

fn att_error(error: AttError) -> Refusal {
    match error {
        AttError::READ_NOT_PERMITTED => Refusal::not_permitted("Read not permitted"),
        AttError::WRITE_NOT_PERMITTED => Refusal::not_permitted("Write not permitted"),
        AttError(code) => Refusal::failed(format!("Operation failed with ATT error: 0x{code:02x}")),
    }
}
