//! From what travels on the broker to what the board and the desk know.

use biosignal::{DeviceId, GatewayId, IdError, PersonId, Timestamp};
use bus::wire;
use prost::Message as _;
use store::{AlertLevel, AlertRecord, Reason};

use crate::board::{Level, Link, Status, Verdict};

/// A verdict from the bytes of an assessment that the store keeps; none where they cannot be read.
pub(crate) fn stored_verdict(payload: &[u8]) -> Option<Verdict> {
    wire::Assessment::decode(payload).ok().as_ref().and_then(verdict)
}

pub(crate) fn verdict(found: &wire::Assessment) -> Option<Verdict> {
    use wire::assessment::Level as Wire;
    let level = match found.level() {
        Wire::Unspecified => return None,
        Wire::NoReading => Level::NoReading,
        Wire::Learning => Level::Learning,
        Wire::Settled => Level::Settled,
        Wire::Rising => Level::Rising,
        Wire::High => Level::High,
    };
    Some(Verdict {
        at: Timestamp::from_micros(found.at_us),
        level,
        score: found.score,
        cause: said(&found.cause),
        personal: found.personal,
    })
}

pub(crate) fn status(said_of: &wire::DeviceStatus) -> Result<(DeviceId, Status), IdError> {
    let status = Status {
        gateway: GatewayId::new(said_of.gateway.as_str())?,
        at: Timestamp::from_micros(said_of.at_us),
        link: link(said_of.link()),
        cause: said(&said_of.cause),
        battery_percent: said_of.battery_percent,
        rssi_dbm: said_of.rssi_dbm,
        profile: said_of.profile.clone(),
        contact: said_of.contact,
    };
    Ok((DeviceId::new(said_of.device.as_str())?, status))
}

/// An alert as it was raised; none where its level is not one that alerts have.
pub(crate) fn alert(told: &wire::Alert) -> Result<Option<AlertRecord>, IdError> {
    let Some(level) = alert_level(told) else { return Ok(None) };
    Ok(Some(AlertRecord {
        id: told.id.clone(),
        device: DeviceId::new(told.device.as_str())?,
        person: PersonId::new(told.person.as_str())?,
        level,
        raised_at: Timestamp::from_micros(told.at_us),
        reasons: told.reasons.iter().map(reason).collect(),
        quality: told.quality,
        score: told.score,
    }))
}

fn alert_level(told: &wire::Alert) -> Option<AlertLevel> {
    match told.level() {
        wire::assessment::Level::Rising => Some(AlertLevel::Rising),
        wire::assessment::Level::High => Some(AlertLevel::High),
        _ => None,
    }
}

fn reason(told: &wire::Reason) -> Reason {
    Reason {
        text: told.text.clone(),
        feature: told.feature.clone(),
        value: told.value,
        usual: told.usual,
        unit: told.unit.clone(),
        contribution: told.contribution,
    }
}

/// A link of a newer gateway that is not known here is no connection.
fn link(link: wire::device_status::Link) -> Link {
    use wire::device_status::Link as Wire;
    match link {
        Wire::Connected => Link::Connected,
        Wire::Connecting => Link::Connecting,
        Wire::OutOfRange | Wire::Unspecified => Link::OutOfRange,
        Wire::AdapterDown => Link::AdapterDown,
        Wire::NoSlot => Link::NoSlot,
        Wire::Silent => Link::Silent,
        Wire::Garbage => Link::Garbage,
        Wire::Released => Link::Released,
    }
}

fn said(word: &str) -> Option<String> {
    (!word.is_empty()).then(|| word.to_owned())
}
