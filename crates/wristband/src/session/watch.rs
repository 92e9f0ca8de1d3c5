use biosignal::Timestamp;

use super::event::Action;

/// Notices a connected device that sends nothing live.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// When it was last heard, or connected. `None`: it is not connected.
    since: Option<Timestamp>,
    told: bool,
}

/// Live packets come twice a second, a strap's values once.
const SILENT_US: i64 = 5_000_000;

impl Silence {
    pub(super) fn connected(&mut self, now: Timestamp) {
        *self = Self { since: Some(now), told: false };
    }

    pub(super) fn disconnected(&mut self) {
        *self = Self::default();
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        if self.since.is_some() {
            self.connected(now);
        }
    }

    /// Tells of a silence once.
    pub(super) fn tick(&mut self, now: Timestamp) -> Option<Action> {
        let since = self.since.filter(|since| now.micros_since(*since) >= SILENT_US)?;
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(Action::Silent { since })
    }
}

/// Passes on what changed, and only that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    battery: Option<u8>,
    contact: Option<bool>,
}

impl Changes {
    pub(super) fn battery(&mut self, percent: u8) -> Option<Action> {
        let before = self.battery.replace(percent);
        (before != Some(percent)).then_some(Action::Battery(percent))
    }

    pub(super) fn contact(&mut self, contact: bool) -> Option<Action> {
        let before = self.contact.replace(contact);
        (before != Some(contact)).then_some(Action::Contact(contact))
    }

    /// Whether the device said that it is off the skin.
    pub(super) fn is_off(&self) -> bool {
        self.contact == Some(false)
    }
}
