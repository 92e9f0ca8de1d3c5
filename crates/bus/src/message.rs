//! The messages of the house: from a value to what is published, and back.

use biosignal::SiteId;
use bytes::Bytes;
use prost::Message as _;

use crate::check::{self, Fault};
use crate::error::PayloadError;
use crate::topic::{Address, CONTENT_TYPE, Kind, Qos};
use crate::{readings, wire};

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
        message
            .check()
            .and_then(|()| same_subject(&message, &address.subject))
            .map_err(|fault| fault.of(address.kind.name()))?;
        Ok((address.site, message))
    }

    fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Batch(batch) | Self::Backfill(batch) => readings::check(batch),
            Self::DeviceStatus(status) => check::device_status(status),
            Self::GatewayStatus(status) => check::gateway("gateway", &status.gateway),
            Self::Assessment(assessment) => check::assessment(assessment),
            Self::Alert(alert) => check::alert(alert),
            Self::Gap(gap) => check::gap(gap),
            Self::Acknowledgement(acknowledgement) => check::acknowledgement(acknowledgement),
            Self::Assignment(assignment) => check::assignment(assignment),
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEVICE: &str = "c0ffee000001";

    fn site() -> SiteId {
        SiteId::new("house-1").expect("a good word")
    }

    fn reason() -> wire::Reason {
        wire::Reason {
            text: "Sweating more than usual".to_owned(),
            feature: "eda_tonic".to_owned(),
            value: 4.2,
            usual: Some(1.5),
            unit: "uS".to_owned(),
            contribution: 0.6,
        }
    }

    /// One good message of each kind.
    fn messages() -> Vec<Message> {
        let [device, gateway, person] = [DEVICE, "gw-1", "p-7"].map(str::to_owned);
        let batch = wire::Batch {
            device: device.clone(),
            gateway: gateway.clone(),
            sequence: 1,
            ..wire::Batch::default()
        };
        let link = wire::device_status::Link::Silent.into();
        let level = wire::assessment::Level::High.into();
        let range = wire::Range { first: 4, last: 5 };
        vec![
            Message::Batch(batch.clone()),
            Message::Backfill(batch),
            Message::DeviceStatus(wire::DeviceStatus {
                device: device.clone(),
                gateway: gateway.clone(),
                link,
                cause: "band".to_owned(),
                battery_percent: Some(100),
                ..Default::default()
            }),
            Message::GatewayStatus(wire::GatewayStatus {
                gateway: gateway.clone(),
                ..Default::default()
            }),
            Message::Assessment(wire::Assessment {
                device: device.clone(),
                person: person.clone(),
                level,
                score: Some(0.9),
                quality: 1.0,
                reasons: vec![reason()],
                steps: vec![wire::Step {
                    decided_at_us: 1,
                    inputs: vec![wire::BatchRange { epoch: 1, first: 2, last: 2 }],
                }],
                ..Default::default()
            }),
            Message::Alert(wire::Alert {
                id: "01936f7e-0000-7000-8000-000000000000".to_owned(),
                device: device.clone(),
                person: person.clone(),
                level,
                transition: wire::alert::Transition::Raised.into(),
                reasons: vec![reason()],
                ..Default::default()
            }),
            Message::Gap(wire::Gap {
                device: device.clone(),
                gateway: gateway.clone(),
                until_us: 1,
                cause: "out_of_range".to_owned(),
                ..Default::default()
            }),
            Message::Acknowledgement(wire::Acknowledgement {
                gateway,
                devices: vec![wire::DeviceAck {
                    device: device.clone(),
                    missing: vec![range],
                    ..Default::default()
                }],
                ..Default::default()
            }),
            Message::Assignment(wire::Assignment {
                device,
                person: Some(person),
                ..Default::default()
            }),
        ]
    }

    #[test]
    fn every_kind_is_published_and_parsed_again() {
        let messages = messages();
        assert_eq!(messages.iter().map(Message::kind).collect::<Vec<_>>(), Kind::ALL);
        for message in messages {
            let publication = message.publication(&site());
            assert_eq!(publication.content_type, CONTENT_TYPE);
            let parsed = Message::parse(&publication.topic, &publication.payload);
            assert_eq!(parsed, Ok((site(), message)));
        }
    }

    /// Spoils the good message of a kind, and returns what is said of it.
    fn says(kind: Kind, spoil: impl Fn(&mut Message)) -> String {
        let mut message =
            messages().into_iter().find(|message| message.kind() == kind).expect("every kind");
        let topic = message.publication(&site()).topic;
        spoil(&mut message);
        match Message::parse(&topic, &message.encode()) {
            Ok(parsed) => panic!("believed {parsed:?}"),
            Err(error) => error.to_string(),
        }
    }

    macro_rules! spoilt {
        ($kind:ident, |$it:ident| $spoil:expr) => {
            says(Kind::$kind, |message| {
                let Message::$kind($it) = message else { panic!("another kind") };
                $spoil
            })
        };
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_and_where() {
        assert_eq!(
            spoilt!(Batch, |it| it.device = "c0ffee000002".to_owned()),
            "Batch.device: \"c0ffee000002\" under the topic of \"c0ffee000001\""
        );
        assert_eq!(
            spoilt!(Batch, |it| it.gateway = "GW".to_owned()),
            "Batch.gateway: gateway \"GW\": 1 to 32 of a-z, 0-9 and '-'"
        );
        assert_eq!(
            spoilt!(Backfill, |it| it.sequence = 0),
            "Backfill.sequence: 0, where numbers start with 1"
        );
        assert_eq!(
            spoilt!(DeviceStatus, |it| it.link = 99),
            "DeviceStatus.link: 99 is no link state"
        );
        assert_eq!(
            spoilt!(DeviceStatus, |it| it.cause = "tired".to_owned()),
            "DeviceStatus.cause: no gap has the cause \"tired\""
        );
        assert_eq!(
            spoilt!(DeviceStatus, |it| it.battery_percent = Some(101)),
            "DeviceStatus.battery_percent: 101 of 100"
        );
        assert_eq!(spoilt!(Assessment, |it| it.level = 0), "Assessment.level: 0 is no level");
        assert_eq!(
            spoilt!(Assessment, |it| it.score = Some(f64::NAN)),
            "Assessment.score: NaN is not within 0 and 1"
        );
        assert_eq!(
            spoilt!(Assessment, |it| it.steps[0].inputs[0].last = 1),
            "Assessment.steps[0].inputs[0].last: 1 is before first 2"
        );
        assert_eq!(spoilt!(Alert, |it| it.id = String::new()), "Alert.id: \"\" is no UUID");
        assert_eq!(
            spoilt!(Alert, |it| it.reasons[0].value = f64::INFINITY),
            "Alert.reasons[0].value: inf is no number"
        );
        assert_eq!(spoilt!(Gap, |it| it.until_us = -1), "Gap.until_us: -1 is before from_us 0");
        assert_eq!(
            spoilt!(Acknowledgement, |it| it.devices[0].missing[0].last = 3),
            "Acknowledgement.devices[0].missing[0].last: 3 is before first 4"
        );
        assert_eq!(
            spoilt!(Assignment, |it| it.person = Some("Ann Other".to_owned())),
            "Assignment.person: person \"Ann Other\": 1 to 32 of a-z, 0-9 and '-'"
        );
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        let topic = Kind::Alert.topic(&site(), DEVICE);
        let error = Message::parse(&topic, &[0x0A, 0xFF]).expect_err("cut off").to_string();
        assert!(error.starts_with("Alert: not protobuf: "), "{error}");
        let error = Message::parse("house/alert", &[]).expect_err("a foreign topic").to_string();
        assert_eq!(error, "topic \"house/alert\": does not start with tidewatch/v1/");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(kind in 0..Kind::ALL.len(), bytes: Vec<u8>) {
            let topic = Kind::ALL[kind].topic(&site(), DEVICE);
            let _answer = Message::parse(&topic, &bytes);
        }

        /// Bytes that are nearly a message come further than any others.
        #[test]
        fn no_flaw_makes_it_panic(kind in 0..Kind::ALL.len(), at: usize, byte: u8, cut: usize) {
            let publication = messages()[kind].publication(&site());
            let mut bytes = publication.payload.to_vec();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut % (length + 1));
            let _answer = Message::parse(&publication.topic, &bytes);
        }

        #[test]
        fn no_topic_makes_it_panic(topic: String, rest in "tidewatch/v1/[a-z0-9/+#]{0,40}") {
            for topic in [topic, rest] {
                prop_assert!(Message::parse(&topic, &[]).is_err());
            }
        }
    }
}
