use uuid::Uuid;
use wristband::uuids;

/// A GATT service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) uuid: Uuid,
    pub(crate) characteristics: Vec<Characteristic>,
}

/// A characteristic, and what can be done with it in BlueZ's words.
#[derive(Clone, Debug)]
pub(crate) struct Characteristic {
    pub(crate) uuid: Uuid,
    pub(crate) flags: &'static [&'static str],
}

impl Characteristic {
    pub(crate) fn notifies(&self) -> bool {
        self.flags.contains(&"notify")
    }
}

/// Why a device refuses to read or write, as the code of the Attribute Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttError(pub(crate) u8);

impl AttError {
    pub(crate) const READ_NOT_PERMITTED: Self = Self(0x02);
    pub(crate) const WRITE_NOT_PERMITTED: Self = Self(0x03);
    pub(crate) const COMMAND_UNKNOWN: Self = Self(0x80);
    pub(crate) const COMMAND_LENGTH: Self = Self(0x81);
    pub(crate) const COMMAND_VALUE: Self = Self(0x82);
    pub(crate) const REPLAYS_WAITING: Self = Self(0x83);
}

pub(crate) const READ: &[&str] = &["read"];
pub(crate) const WRITE: &[&str] = &["write"];
pub(crate) const NOTIFY: &[&str] = &["notify"];
pub(crate) const READ_NOTIFY: &[&str] = &["read", "notify"];

pub(crate) fn service(uuid: Uuid, parts: &[(Uuid, &'static [&'static str])]) -> Service {
    let characteristics = parts.iter().map(|(uuid, flags)| Characteristic { uuid: *uuid, flags });
    Service { uuid, characteristics: characteristics.collect() }
}

/// The standard services that every device has.
pub(crate) fn standard_services() -> [Service; 2] {
    let information = [
        (uuids::MANUFACTURER_NAME, READ),
        (uuids::MODEL_NUMBER, READ),
        (uuids::SERIAL_NUMBER, READ),
        (uuids::FIRMWARE_REVISION, READ),
    ];
    [
        service(uuids::BATTERY_SERVICE, &[(uuids::BATTERY_LEVEL, READ_NOTIFY)]),
        service(uuids::DEVICE_INFORMATION, &information),
    ]
}

/// A value of the Device Information service.
pub(crate) fn information(characteristic: Uuid, model: &str, serial: &str) -> Option<Vec<u8>> {
    let text = match characteristic {
        uuids::MANUFACTURER_NAME => "Tidewatch",
        uuids::MODEL_NUMBER => model,
        uuids::SERIAL_NUMBER => serial,
        uuids::FIRMWARE_REVISION => env!("CARGO_PKG_VERSION"),
        _ => return None,
    };
    Some(text.into())
}
