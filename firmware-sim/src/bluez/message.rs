//! Messages as bluetoothd sends them.

use std::collections::BTreeMap;

use serde::Serialize;
use zbus::message::Message;
use zbus::{ObjectPath, Variant};

/// The properties of an interface.
pub(crate) type Properties = BTreeMap<&'static str, Variant<'static>>;
/// The interfaces of an object.
pub(crate) type Interfaces = BTreeMap<&'static str, Properties>;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    name: &'static str,
    text: String,
}

impl Refusal {
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { name: "org.bluez.Error.Failed", text: text.into() }
    }

    pub(crate) fn in_progress() -> Self {
        Self::of("org.bluez.Error.InProgress", "Operation already in progress")
    }

    pub(crate) fn not_ready() -> Self {
        Self::of("org.bluez.Error.NotReady", "Resource Not Ready")
    }

    pub(crate) fn not_connected() -> Self {
        Self::of("org.bluez.Error.NotConnected", "Not Connected")
    }

    pub(crate) fn not_supported() -> Self {
        Self::of("org.bluez.Error.NotSupported", "Operation is not supported")
    }

    pub(crate) fn not_permitted(text: &'static str) -> Self {
        Self::of("org.bluez.Error.NotPermitted", text)
    }

    pub(crate) fn does_not_exist() -> Self {
        Self::of("org.bluez.Error.DoesNotExist", "Does Not Exist")
    }

    pub(crate) fn invalid_arguments() -> Self {
        Self::of("org.freedesktop.DBus.Error.InvalidArgs", "Invalid arguments in method call")
    }

    pub(crate) fn unknown_object(path: &str) -> Self {
        let text = format!("Unknown object '{path}'");
        Self { name: "org.freedesktop.DBus.Error.UnknownObject", text }
    }

    pub(crate) fn unknown_method(interface: &str, member: &str) -> Self {
        let text = format!("Method \"{member}\" on interface \"{interface}\" doesn't exist");
        Self { name: "org.freedesktop.DBus.Error.UnknownMethod", text }
    }

    fn of(name: &'static str, text: &str) -> Self {
        Self { name, text: text.to_owned() }
    }
}

pub(crate) fn reply<B: Serialize + zbus::wire::DynamicType>(call: &Message, body: &B) -> Message {
    built(Message::method_return(&call.header()).build(body))
}

pub(crate) fn refuse(call: &Message, refusal: &Refusal) -> Message {
    built(Message::error(&call.header(), refusal.name).build(&refusal.text.as_str()))
}

pub(crate) fn properties_changed(
    path: &str,
    interface: &'static str,
    properties: &Properties,
    invalidated: &[&str],
) -> Message {
    let signal = Message::signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
    built(signal.build(&(interface, properties, invalidated)))
}

pub(crate) fn interfaces_added(path: &str, interfaces: &Interfaces) -> Message {
    let signal = Message::signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
    built(signal.build(&(object(path), interfaces)))
}

pub(crate) fn interfaces_removed(path: &str, interfaces: &Interfaces) -> Message {
    let names: Vec<&str> = interfaces.keys().copied().collect();
    let signal = Message::signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
    built(signal.build(&(object(path), names)))
}

pub(crate) fn object(path: &str) -> ObjectPath<'static> {
    ObjectPath::try_from(path.to_owned()).expect("our paths are made of letters and digits")
}

fn built(message: zbus::Result<Message>) -> Message {
    message.expect("names and paths are fixed or come from the bus, and bodies are small")
}
