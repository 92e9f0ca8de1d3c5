//! Every topic, with its quality of service and whether it is retained: all of
//! it is here, and nowhere else.

use biosignal::{DeviceId, GatewayId, SiteId};

/// What the topics of this version start with.
pub const ROOT: &str = "tidewatch/v1";

/// The MQTT 5 content type of every payload.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Partitions that the devices of a site fall into.
pub const PARTITIONS: u64 = 64;

/// How surely a message is to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// Sent once, unacknowledged (QoS 0).
    AtMostOnce,
    /// Sent until it is acknowledged (QoS 1).
    AtLeastOnce,
}

/// What a message is about: each kind owns a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Live readings of a device.
    Batch,
    /// Readings of a device that come late.
    Backfill,
    /// Where a device stands.
    DeviceStatus,
    /// Where a gateway stands.
    GatewayStatus,
    /// What the detector thinks.
    Assessment,
    /// An alert begins, worsens or ends.
    Alert,
    /// A stretch without samples.
    Gap,
    /// What the store has.
    Acknowledgement,
    /// Who wears a device.
    Assignment,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Batch,
        Self::Backfill,
        Self::DeviceStatus,
        Self::GatewayStatus,
        Self::Assessment,
        Self::Alert,
        Self::Gap,
        Self::Acknowledgement,
        Self::Assignment,
    ];

    /// The kind's name in logs and metrics, as its payload is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Batch => "Batch",
            Self::Backfill => "Backfill",
            Self::DeviceStatus => "DeviceStatus",
            Self::GatewayStatus => "GatewayStatus",
            Self::Assessment => "Assessment",
            Self::Alert => "Alert",
            Self::Gap => "Gap",
            Self::Acknowledgement => "Acknowledgement",
            Self::Assignment => "Assignment",
        }
    }

    /// How surely it is to arrive: nothing here may be lost on the way.
    #[must_use]
    pub const fn qos(self) -> Qos {
        Qos::AtLeastOnce
    }

    /// Whether the broker keeps the last one for those who come later.
    #[must_use]
    pub const fn retain(self) -> bool {
        matches!(
            self,
            Self::DeviceStatus | Self::GatewayStatus | Self::Acknowledgement | Self::Assignment
        )
    }

    /// The topic with `{site}`, `{partition}`, `{device}` and `{gateway}` in their places.
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Batch => "tidewatch/v1/{site}/{partition}/{device}/batch",
            Self::Backfill => "tidewatch/v1/{site}/{partition}/{device}/backfill",
            Self::DeviceStatus => "tidewatch/v1/{site}/{partition}/{device}/status",
            Self::GatewayStatus => "tidewatch/v1/{site}/gateway/{gateway}/status",
            Self::Assessment => "tidewatch/v1/{site}/{partition}/{device}/assessment",
            Self::Alert => "tidewatch/v1/{site}/{partition}/{device}/alert",
            Self::Gap => "tidewatch/v1/{site}/{partition}/{device}/gap",
            Self::Acknowledgement => "tidewatch/v1/{site}/ack/{gateway}",
            Self::Assignment => "tidewatch/v1/{site}/{partition}/{device}/assignment",
        }
    }

    /// The topic of a message of this kind about `subject`: a gateway for
    /// [`Kind::GatewayStatus`] and [`Kind::Acknowledgement`], else a device.
    pub(crate) fn topic(self, site: &SiteId, subject: &str) -> String {
        self.pattern()
            .replace("{site}", site.as_str())
            .replace("{partition}", &partition_name(partition_of(subject)))
            .replace("{device}", subject)
            .replace("{gateway}", subject)
    }

    /// The filter that matches every topic of this kind at a site.
    fn filter(self, site: &SiteId) -> String {
        self.pattern()
            .replace("{site}", site.as_str())
            .replace("{partition}", "+")
            .replace("{device}", "+")
            .replace("{gateway}", "+")
    }
}

/// The partition of a device, 0 to 63: the FNV-1a hash (64 bits) of its id's bytes, modulo 64.
///
/// All that concerns one device meets in one partition, on any broker and in any version.
#[must_use]
pub fn partition(device: &DeviceId) -> u64 {
    partition_of(device.as_str())
}

fn partition_of(device: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash =
        device.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    hash % PARTITIONS
}

fn partition_name(partition: u64) -> String {
    format!("p{partition:02}")
}

/// The site that a topic names, where it names one.
pub(crate) fn site(topic: &str) -> Option<SiteId> {
    let word = topic.strip_prefix(ROOT)?.strip_prefix('/')?.split('/').next()?;
    SiteId::new(word).ok()
}

/// A topic taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) site: SiteId,
    pub(crate) kind: Kind,
    /// The device, or the gateway.
    pub(crate) subject: String,
}

impl Address {
    /// Takes a topic apart; the error says what in it is wrong.
    pub(crate) fn parse(topic: &str) -> Result<Self, String> {
        let rest = topic
            .strip_prefix(ROOT)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(|| format!("does not start with {ROOT}/"))?;
        let segments: Vec<&str> = rest.split('/').collect();
        let (site, kind, subject) = match segments[..] {
            [site, "gateway", gateway, "status"] => (site, Kind::GatewayStatus, gateway),
            [site, "ack", gateway] => (site, Kind::Acknowledgement, gateway),
            [site, partition, device, name] => {
                (site, device_kind(partition, device, name)?, device)
            }
            _ => return Err(format!("{} levels after {ROOT}/", segments.len())),
        };
        if matches!(kind, Kind::GatewayStatus | Kind::Acknowledgement) {
            GatewayId::new(subject).map_err(|error| error.to_string())?;
        }
        let site = SiteId::new(site).map_err(|error| error.to_string())?;
        Ok(Self { site, kind, subject: subject.to_owned() })
    }
}

fn device_kind(partition: &str, device: &str, name: &str) -> Result<Kind, String> {
    let kind = match name {
        "batch" => Kind::Batch,
        "backfill" => Kind::Backfill,
        "status" => Kind::DeviceStatus,
        "assessment" => Kind::Assessment,
        "alert" => Kind::Alert,
        "gap" => Kind::Gap,
        "assignment" => Kind::Assignment,
        _ => return Err(format!("no kind of message is called {name:?}")),
    };
    DeviceId::new(device).map_err(|error| error.to_string())?;
    let expected = partition_name(partition_of(device));
    if partition != expected {
        return Err(format!("{device} belongs in {expected}, not {partition:?}"));
    }
    Ok(kind)
}

/// What a subscriber wants to hear of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub(crate) topic: String,
    pub(crate) qos: Qos,
}

impl Filter {
    /// Everything of one kind, from all of the site, at least once.
    #[must_use]
    pub fn all(kind: Kind, site: &SiteId) -> Self {
        Self { topic: kind.filter(site), qos: kind.qos() }
    }

    /// Live readings.
    #[must_use]
    pub fn batches(site: &SiteId) -> Self {
        Self::all(Kind::Batch, site)
    }

    /// Readings that come late.
    #[must_use]
    pub fn backfill(site: &SiteId) -> Self {
        Self::all(Kind::Backfill, site)
    }

    /// Where devices stand, and where gateways stand: both topics end in `status`.
    #[must_use]
    pub fn statuses(site: &SiteId) -> Self {
        Self::all(Kind::DeviceStatus, site)
    }

    /// Where gateways stand, alone.
    #[must_use]
    pub fn gateways(site: &SiteId) -> Self {
        Self::all(Kind::GatewayStatus, site)
    }

    /// What the detector thinks.
    #[must_use]
    pub fn assessments(site: &SiteId) -> Self {
        Self::all(Kind::Assessment, site)
    }

    /// Alerts that begin, worsen and end.
    #[must_use]
    pub fn alerts(site: &SiteId) -> Self {
        Self::all(Kind::Alert, site)
    }

    /// Stretches without samples.
    #[must_use]
    pub fn gaps(site: &SiteId) -> Self {
        Self::all(Kind::Gap, site)
    }

    /// What the store has of one gateway's batches.
    #[must_use]
    pub fn acknowledgements(site: &SiteId, gateway: &GatewayId) -> Self {
        let kind = Kind::Acknowledgement;
        Self { topic: kind.topic(site, gateway.as_str()), qos: kind.qos() }
    }

    /// Who wears what.
    #[must_use]
    pub fn assignments(site: &SiteId) -> Self {
        Self::all(Kind::Assignment, site)
    }

    /// The same, at most once: for a view that the next message renews anyway.
    #[must_use]
    pub fn at_most_once(self) -> Self {
        Self { qos: Qos::AtMostOnce, ..self }
    }

    /// The filter as MQTT knows it.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> SiteId {
        SiteId::new("house-1").expect("a good word")
    }

    #[test]
    fn a_partition_never_changes() {
        // The reference values of FNV-1a 64: "" and "a" and "foobar".
        assert_eq!(partition_of(""), 0xcbf2_9ce4_8422_2325 % 64);
        assert_eq!(partition_of("a"), 0xaf63_dc4c_8601_ec8c % 64);
        assert_eq!(partition_of("foobar"), 0x8594_4171_f739_67e8 % 64);
        let device = DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1]);
        assert_eq!(
            Kind::Batch.topic(&site(), device.as_str()),
            format!("tidewatch/v1/house-1/p{:02}/c0ffee000001/batch", partition(&device))
        );
    }

    #[test]
    fn devices_spread_over_the_partitions() {
        let mut seen = [0_u32; 64];
        for last in 0..=255 {
            let device = DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, last]);
            seen[usize::try_from(partition(&device)).expect("under 64")] += 1;
        }
        assert!(seen.iter().filter(|count| **count > 0).count() >= 56, "{seen:?}");
        assert!(seen.iter().all(|count| *count <= 16), "{seen:?}");
    }

    #[test]
    fn a_topic_leads_back_to_its_kind() {
        for kind in Kind::ALL {
            let topic = kind.topic(&site(), "c0ffee000001");
            let address = Address::parse(&topic).expect("our own topic");
            assert_eq!(address, Address { site: site(), kind, subject: "c0ffee000001".to_owned() });
        }
    }

    #[test]
    fn a_foreign_topic_says_what_is_wrong() {
        let says = |topic: &str| Address::parse(topic).expect_err(topic);
        assert_eq!(says("house/p00"), "does not start with tidewatch/v1/");
        assert_eq!(says("tidewatch/v1/house-1"), "1 levels after tidewatch/v1/");
        assert_eq!(
            says("tidewatch/v1/house-1/p99/c0ffee000001/batch"),
            format!("c0ffee000001 belongs in p{:02}, not \"p99\"", partition_of("c0ffee000001"))
        );
        assert_eq!(
            says("tidewatch/v1/house-1/p00/c0ffee000001/mood"),
            "no kind of message is called \"mood\""
        );
        assert!(says("tidewatch/v1/House/ack/gw-1").starts_with("site \"House\""));
        assert!(says("tidewatch/v1/house-1/ack/GW").starts_with("gateway \"GW\""));
    }

    /// The document for others says of each message what stands in this file.
    #[test]
    fn the_asyncapi_document_says_the_same() {
        let document = include_str!("../asyncapi.yaml");
        for kind in Kind::ALL {
            let name = kind.name();
            let payload = if kind == Kind::Backfill { "Batch" } else { name };
            let Qos::AtLeastOnce = kind.qos() else { panic!("{name}: a new quality of service") };
            for said in [
                format!("\n  {name}:\n    address: {}\n", kind.pattern()),
                format!(
                    "\n      - $ref: '#/channels/{name}/messages/{name}'\n    bindings:\n      \
                     mqtt:\n        qos: 1\n        retain: {}\n",
                    kind.retain()
                ),
                format!(
                    "\n    {name}:\n      name: tidewatch.v1.{payload}\n      \
                     contentType: {CONTENT_TYPE}\n"
                ),
            ] {
                assert_eq!(document.matches(&said).count(), 1, "not there, or not once: {said}");
            }
        }
        assert_eq!(document.matches("\n    address: ").count(), Kind::ALL.len());
    }
}
