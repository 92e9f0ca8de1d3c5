use std::collections::BTreeMap;

use biosignal::{Channel, GatewayId, Reading, Timestamp};

use super::track::Track;

/// What is known of one band: its newest samples, and what its gateway says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Band {
    tracks: BTreeMap<Channel, Track>,
    pub(crate) status: Option<Status>,
}

/// What a gateway last said of a band.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    pub(crate) gateway: GatewayId,
    pub(crate) at: Timestamp,
    pub(crate) link: Link,
    /// Why there are no samples, as the gateway knows it; none where there are.
    pub(crate) cause: Option<String>,
    pub(crate) battery_percent: Option<u32>,
    pub(crate) rssi_dbm: Option<i32>,
    pub(crate) profile: String,
    pub(crate) contact: Option<bool>,
}

/// How a gateway reaches a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Connected,
    Connecting,
    OutOfRange,
    AdapterDown,
    NoSlot,
    Silent,
    Garbage,
    Released,
}

impl Link {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Connecting => "connecting",
            Self::OutOfRange => "out_of_range",
            Self::AdapterDown => "adapter_down",
            Self::NoSlot => "no_slot",
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::Released => "released",
        }
    }

    fn cause(self) -> &'static str {
        match self {
            Self::Connected | Self::Silent => "band",
            Self::AdapterDown => "adapter",
            Self::Connecting | Self::OutOfRange | Self::NoSlot | Self::Garbage | Self::Released => {
                self.name()
            }
        }
    }
}

impl Band {
    pub(crate) fn take(&mut self, reading: &Reading, arrived: Timestamp) {
        let channel = reading.channel;
        self.tracks.entry(channel).or_insert_with(|| Track::new(channel)).take(reading, arrived);
    }

    /// When the newest sample of a continuous channel was taken.
    pub(crate) fn newest_sample_at(&self) -> Option<Timestamp> {
        self.continuous().map(Track::newest_at).max()
    }

    pub(crate) fn shown(&self, channel: Channel, now: Timestamp, fresh_us: i64) -> Option<f64> {
        self.tracks.get(&channel)?.shown(now, fresh_us)
    }

    /// The newest sample among the channels that are shown.
    pub(crate) fn measured_at(&self, now: Timestamp, fresh_us: i64) -> Option<Timestamp> {
        [Channel::HeartRate, Channel::Eda, Channel::SkinTemperature]
            .iter()
            .filter_map(|channel| self.tracks.get(channel))
            .filter(|track| track.shown(now, fresh_us).is_some())
            .map(Track::newest_at)
            .max()
    }

    /// Share of the last minute that came, over the continuous channels that the band has,
    /// in whole percent. The last 3 s do not count: their readings may be on the way.
    pub(crate) fn completeness(&self, now: Timestamp) -> f64 {
        const WINDOW_S: u32 = 60;
        const DELAY_S: u32 = 3;
        let shares: Vec<f64> =
            self.continuous().map(|track| track.coverage.share(now, WINDOW_S, DELAY_S)).collect();
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        (mean * 100.0).round() / 100.0
    }

    /// Why there are no samples. A status that says "connected" while none come is a silent band.
    pub(crate) fn cause_of_silence(&self) -> &str {
        match &self.status {
            None => "out_of_range",
            Some(Status { contact: Some(false), link: Link::Connected, .. }) => "off_wrist",
            Some(status) => status.cause.as_deref().unwrap_or_else(|| status.link.cause()),
        }
    }

    pub(crate) fn off_wrist(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.contact == Some(false))
    }

    fn continuous(&self) -> impl Iterator<Item = &Track> {
        self.tracks
            .iter()
            .filter(|(channel, track)| {
                !channel.is_event() && track.newest_at() > Timestamp::from_micros(i64::MIN)
            })
            .map(|(_, track)| track)
    }
}
