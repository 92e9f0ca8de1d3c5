use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use biosignal::{Channel, DeviceId};

/// How long a signal may be absent while others come.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Watches each signal of a connected band by itself: one sensor that falls silent while
/// the others speak is a fault of the band.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    heard: BTreeMap<Channel, Instant>,
    silent: Vec<Channel>,
}

impl Signals {
    pub(crate) fn heard(&mut self, channel: Channel, now: Instant) {
        // A beat or a press comes when it comes.
        if !channel.is_event() {
            self.heard.insert(channel, now);
        }
    }

    /// A connection begins or ends: what was heard before says nothing.
    pub(crate) fn clear(&mut self, device: &DeviceId) {
        self.heard.clear();
        self.tell(device, Vec::new());
    }

    /// Reports signals that fell silent or came back.
    pub(crate) fn tick(&mut self, device: &DeviceId, now: Instant) {
        self.tell(device, self.silent_at(now));
    }

    fn silent_at(&self, now: Instant) -> Vec<Channel> {
        let age = |heard: &Instant| now.saturating_duration_since(*heard);
        if self.heard.values().all(|heard| age(heard) >= SILENT_AFTER) {
            return Vec::new(); // All of them: the band is silent, which is told otherwise.
        }
        let late = self.heard.iter().filter(|(_, heard)| age(heard) >= SILENT_AFTER);
        late.map(|(channel, _)| *channel).collect()
    }

    fn tell(&mut self, device: &DeviceId, silent: Vec<Channel>) {
        for channel in silent.iter().filter(|channel| !self.silent.contains(channel)) {
            gauge(device, *channel, 1.0);
            tracing::warn!(%device, %channel, "connected, but this signal has stopped");
        }
        for channel in self.silent.iter().filter(|channel| !silent.contains(channel)) {
            gauge(device, *channel, 0.0);
        }
        self.silent = silent;
    }
}

fn gauge(device: &DeviceId, channel: Channel, silent: f64) {
    metrics::gauge!(
        "tidewatch_gateway_signal_silent",
        "device" => device.to_string(),
        "channel" => channel.name()
    )
    .set(silent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_silent_signal_among_others_is_told() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let device = DeviceId::from_address([1; 6]);
        let mut signals = Signals::default();
        for channel in [Channel::Bvp, Channel::Eda, Channel::Ibi] {
            signals.heard(channel, at(0));
        }
        signals.heard(Channel::Bvp, at(9));
        signals.tick(&device, at(9));
        assert_eq!(signals.silent, []);
        signals.tick(&device, at(10));
        assert_eq!(signals.silent, [Channel::Eda]);
        signals.heard(Channel::Eda, at(11));
        signals.tick(&device, at(11));
        assert_eq!(signals.silent, []);
        signals.tick(&device, at(60));
        assert_eq!(signals.silent, [], "all are silent: that is the band's silence");
    }
}
