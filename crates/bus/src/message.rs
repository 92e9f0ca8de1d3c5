//! The messages of the house: from a value to what is published, and back.

use biosignal::SiteId;
use bytes::Bytes;
use prost::Message as _;

use crate::check::{self, Fault};
use crate::topic::{Address, CONTENT_TYPE, Kind, Qos};
use crate::wire;

/// A message of the house.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Live readings of a device.
    Batch(wire::Batch),
    /// Readings of a device that come late.
    Backfill(wire::Batch),
    /// Where a device stands.
    DeviceStatus(wire::DeviceStatus),
    /// Where a gateway stands.
    GatewayStatus(wire::GatewayStatus),
    /// What the detector thinks.
    Assessment(wire::Assessment),
    /// An alert begins, worsens or ends.
    Alert(wire::Alert),
    /// A stretch without samples.
    Gap(wire::Gap),
    /// What the store has.
    Acknowledgement(wire::Acknowledgement),
    /// Who wears a device.
    Assignment(wire::Assignment),
}

/// What goes to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where to.
    pub topic: String,
    /// The encoded message.
    pub payload: Bytes,
    /// How surely it is to arrive.
    pub qos: Qos,
    /// Whether the broker keeps it for those who come later.
    pub retain: bool,
    /// The MQTT 5 content type.
    pub content_type: &'static str,
}

/// A payload, or its topic, that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The topic is none of ours.
    #[error("topic {topic:?}: {what}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        what: String,
    },
    /// The bytes are not the protobuf message that the topic asks for.
    #[error("{kind}: not protobuf: {what}")]
    Protobuf {
        /// The message's name.
        kind: &'static str,
        /// What the decoder says, with the field.
        what: String,
    },
    /// A field holds what it cannot.
    #[error("{kind}.{field}: {what}")]
    Field {
        /// The message's name.
        kind: &'static str,
        /// Where, as a path (`readings[3].shift`).
        field: String,
        /// What is wrong.
        what: String,
    },
}

impl Message {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Batch(_) => Kind::Batch,
            Self::Backfill(_) => Kind::Backfill,
            Self::DeviceStatus(_) => Kind::DeviceStatus,
            Self::GatewayStatus(_) => Kind::GatewayStatus,
            Self::Assessment(_) => Kind::Assessment,
            Self::Alert(_) => Kind::Alert,
            Self::Gap(_) => Kind::Gap,
            Self::Acknowledgement(_) => Kind::Acknowledgement,
            Self::Assignment(_) => Kind::Assignment,
        }
    }

    /// The device or gateway that it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Batch(batch) | Self::Backfill(batch) => &batch.device,
            Self::DeviceStatus(status) => &status.device,
            Self::GatewayStatus(status) => &status.gateway,
            Self::Assessment(assessment) => &assessment.device,
            Self::Alert(alert) => &alert.device,
            Self::Gap(gap) => &gap.device,
            Self::Acknowledgement(acknowledgement) => &acknowledgement.gateway,
            Self::Assignment(assignment) => &assignment.device,
        }
    }

    /// Encodes the message for its topic at a site.
    ///
    /// The ids within are trusted to be ids; [`Message::parse`] refuses what is not.
    #[must_use]
    pub fn publication(&self, site: &SiteId) -> Publication {
        let kind = self.kind();
        Publication {
            topic: kind.topic(site, self.subject()),
            payload: self.encode(),
            qos: kind.qos(),
            retain: kind.retain(),
            content_type: CONTENT_TYPE,
        }
    }

    /// The payload alone.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Batch(batch) | Self::Backfill(batch) => batch.encode_to_vec(),
            Self::DeviceStatus(status) => status.encode_to_vec(),
            Self::GatewayStatus(status) => status.encode_to_vec(),
            Self::Assessment(assessment) => assessment.encode_to_vec(),
            Self::Alert(alert) => alert.encode_to_vec(),
            Self::Gap(gap) => gap.encode_to_vec(),
            Self::Acknowledgement(acknowledgement) => acknowledgement.encode_to_vec(),
            Self::Assignment(assignment) => assignment.encode_to_vec(),
        }
        .into()
    }

    /// Decodes a payload as its topic says, and checks every field.
    ///
    /// # Errors
    /// [`PayloadError`] says what is wrong and where.
    pub fn parse(topic: &str, payload: &[u8]) -> Result<(SiteId, Self), PayloadError> {
        let address = Address::parse(topic)
            .map_err(|what| PayloadError::Topic { topic: topic.to_owned(), what })?;
        let message = Self::decode(address.kind, payload)?;
        check::message(&message)
            .and_then(|()| same_subject(&message, &address.subject))
            .map_err(|fault| fault.of(address.kind.name()))?;
        Ok((address.site, message))
    }

    fn decode(kind: Kind, payload: &[u8]) -> Result<Self, PayloadError> {
        fn decoded<T: prost::Message + Default>(
            kind: Kind,
            payload: &[u8],
        ) -> Result<T, PayloadError> {
            T::decode(payload).map_err(|error| PayloadError::Protobuf {
                kind: kind.name(),
                what: error.to_string(),
            })
        }
        Ok(match kind {
            Kind::Batch => Self::Batch(decoded(kind, payload)?),
            Kind::Backfill => Self::Backfill(decoded(kind, payload)?),
            Kind::DeviceStatus => Self::DeviceStatus(decoded(kind, payload)?),
            Kind::GatewayStatus => Self::GatewayStatus(decoded(kind, payload)?),
            Kind::Assessment => Self::Assessment(decoded(kind, payload)?),
            Kind::Alert => Self::Alert(decoded(kind, payload)?),
            Kind::Gap => Self::Gap(decoded(kind, payload)?),
            Kind::Acknowledgement => Self::Acknowledgement(decoded(kind, payload)?),
            Kind::Assignment => Self::Assignment(decoded(kind, payload)?),
        })
    }
}

/// What is published about one device must not speak of another.
fn same_subject(message: &Message, subject: &str) -> Result<(), Fault> {
    if message.subject() == subject {
        return Ok(());
    }
    let field = match message {
        Message::GatewayStatus(_) | Message::Acknowledgement(_) => "gateway",
        _ => "device",
    };
    Err(Fault::new(field, format!("{:?} under the topic of {subject:?}", message.subject())))
}
