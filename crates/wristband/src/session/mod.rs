//! The conversation with one device, without I/O: events in, actions out.

mod cursor;
mod event;

use biosignal::{DeviceId, Timestamp};

pub use cursor::Cursor;
pub use event::{Action, ClockEstimate, Event};

use crate::Profile;

/// The conversation with one device, connected or not; it lives across reconnects.
#[derive(Clone, Debug)]
pub struct Session {
    device: DeviceId,
    profile: Profile,
    cursor: Cursor,
}

impl Session {
    /// Begins, or goes on from where a cursor stands.
    #[must_use]
    pub fn new(device: DeviceId, profile: Profile, cursor: Option<Cursor>) -> Self {
        Self { device, profile, cursor: cursor.unwrap_or_default() }
    }

    /// Takes an event in, and says what to do, in order.
    pub fn handle(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Action> {
        let _ = (&self.device, self.profile, now, event);
        Vec::new()
    }

    /// Where the session stands after all that it asked for so far.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }
}
