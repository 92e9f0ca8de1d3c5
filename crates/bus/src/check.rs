//! What a payload must hold to be believed, field by field.

use biosignal::{DeviceId, GapCause, GatewayId, PersonId};

use crate::error::PayloadError;
use crate::wire;

/// A field that holds what it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    field: String,
    what: String,
}

type Checked = Result<(), Fault>;

impl Fault {
    pub(crate) fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }

    /// The same fault, seen from the message around it.
    pub(crate) fn within(self, outer: &str, index: usize) -> Self {
        Self { field: format!("{outer}[{index}].{}", self.field), what: self.what }
    }

    pub(crate) fn of(self, kind: &'static str) -> PayloadError {
        PayloadError::Field { kind, field: self.field, what: self.what }
    }
}

pub(crate) fn device_status(status: &wire::DeviceStatus) -> Checked {
    device("device", &status.device)?;
    gateway("gateway", &status.gateway)?;
    if status.link() == wire::device_status::Link::Unspecified {
        return Err(Fault::new("link", format!("{} is no link state", status.link)));
    }
    if !status.cause.is_empty() {
        cause("cause", &status.cause)?;
    }
    match status.battery_percent {
        Some(percent @ 101..) => Err(Fault::new("battery_percent", format!("{percent} of 100"))),
        _ => Ok(()),
    }
}

pub(crate) fn assessment(found: &wire::Assessment) -> Checked {
    device("device", &found.device)?;
    person("person", &found.person)?;
    level("level", found.level)?;
    fraction("quality", found.quality)?;
    found.score.map_or(Ok(()), |score| fraction("score", score))?;
    each("reasons", &found.reasons, reason)?;
    each("features", &found.features, |feature| finite("value", feature.value))?;
    each("steps", &found.steps, |step| {
        each("inputs", &step.inputs, |input| span(input.first, input.last))
    })
}

pub(crate) fn alert(changed: &wire::Alert) -> Checked {
    if changed.id.len() != 36 {
        return Err(Fault::new("id", format!("{:?} is no UUID", changed.id)));
    }
    device("device", &changed.device)?;
    person("person", &changed.person)?;
    level("level", changed.level)?;
    if changed.transition() == wire::alert::Transition::Unspecified {
        return Err(Fault::new("transition", format!("{} is no transition", changed.transition)));
    }
    fraction("quality", changed.quality)?;
    fraction("score", changed.score)?;
    each("reasons", &changed.reasons, reason)
}

pub(crate) fn gap(missing: &wire::Gap) -> Checked {
    device("device", &missing.device)?;
    gateway("gateway", &missing.gateway)?;
    cause("cause", &missing.cause)?;
    if missing.until_us < missing.from_us {
        let what = format!("{} is before from_us {}", missing.until_us, missing.from_us);
        return Err(Fault::new("until_us", what));
    }
    match (missing.first_sequence, missing.last_sequence) {
        (Some(first), Some(last)) if last < first => {
            Err(Fault::new("last_sequence", format!("{last} is before first_sequence {first}")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn acknowledgement(stored: &wire::Acknowledgement) -> Checked {
    gateway("gateway", &stored.gateway)?;
    each("devices", &stored.devices, |ack| {
        device("device", &ack.device)?;
        each("missing", &ack.missing, |range| span(range.first, range.last))
    })
}

pub(crate) fn assignment(worn: &wire::Assignment) -> Checked {
    device("device", &worn.device)?;
    worn.person.as_deref().map_or(Ok(()), |word| person("person", word))
}

fn reason(reason: &wire::Reason) -> Checked {
    finite("value", reason.value)?;
    finite("contribution", reason.contribution)?;
    reason.usual.map_or(Ok(()), |usual| finite("usual", usual))
}

fn each<T>(field: &str, items: &[T], check: impl Fn(&T) -> Checked) -> Checked {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| check(item).map_err(|fault| fault.within(field, index)))
}

pub(crate) fn device(field: &str, word: &str) -> Checked {
    DeviceId::new(word).map_or_else(|error| Err(Fault::new(field, error.to_string())), |_| Ok(()))
}

pub(crate) fn gateway(field: &str, word: &str) -> Checked {
    GatewayId::new(word).map_or_else(|error| Err(Fault::new(field, error.to_string())), |_| Ok(()))
}

fn person(field: &str, word: &str) -> Checked {
    PersonId::new(word).map_or_else(|error| Err(Fault::new(field, error.to_string())), |_| Ok(()))
}

fn cause(field: &str, name: &str) -> Checked {
    match GapCause::from_name(name) {
        Some(_) => Ok(()),
        None => Err(Fault::new(field, format!("no gap has the cause {name:?}"))),
    }
}

fn level(field: &str, level: i32) -> Checked {
    match wire::assessment::Level::try_from(level) {
        Ok(wire::assessment::Level::Unspecified) | Err(_) => {
            Err(Fault::new(field, format!("{level} is no level")))
        }
        Ok(_) => Ok(()),
    }
}

fn span(first: u64, last: u64) -> Checked {
    if last < first {
        return Err(Fault::new("last", format!("{last} is before first {first}")));
    }
    Ok(())
}

fn fraction(field: &str, value: f64) -> Checked {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Fault::new(field, format!("{value} is not within 0 and 1")))
}

fn finite(field: &str, value: f64) -> Checked {
    if value.is_finite() {
        return Ok(());
    }
    Err(Fault::new(field, format!("{value} is no number")))
}
