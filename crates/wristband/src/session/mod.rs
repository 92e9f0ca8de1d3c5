//! The conversation with one device, without I/O: events in, actions out.

mod band;
mod clock;
mod cursor;
mod event;
mod ledger;
mod replay;
mod strap;
mod watch;

use biosignal::{DeviceId, Timestamp};

use band::Band;
pub use cursor::Cursor;
use cursor::Place;
pub use event::{Action, ClockEstimate, Event};
use strap::Strap;

use crate::Profile;

/// The conversation with one device, connected or not; it lives across reconnects.
///
/// All that it asks for in answer to an event is done in order. After any event
/// [`Session::cursor`] stands for exactly the readings that were handed out: kept in one
/// transaction with them, it lets a killed process go on without losing or doubling one.
#[derive(Clone, Debug)]
pub struct Session {
    profile: Profile,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Band(Band),
    Strap(Strap),
}

impl Session {
    /// Begins, or goes on from where a cursor stands. A cursor of another profile is of
    /// no use, and is passed over.
    #[must_use]
    pub fn new(device: DeviceId, profile: Profile, cursor: Option<Cursor>) -> Self {
        let kind = match (profile, cursor.map(|cursor| cursor.0)) {
            (Profile::Tidewatch, Some(Place::Band(cursor))) => {
                Kind::Band(Band::new(device, cursor))
            }
            (Profile::Tidewatch, _) => Kind::Band(Band::new(device, Vec::new())),
            (Profile::HeartRateStrap, Some(Place::Strap(cursor))) => {
                Kind::Strap(Strap::resumed(device, cursor))
            }
            (Profile::HeartRateStrap, _) => Kind::Strap(Strap::new(device)),
        };
        Self { profile, kind }
    }

    /// Takes an event in, and says what to do, in order.
    ///
    /// `now` is UTC as the gateway knows it. For a notification it is the time at which
    /// the bytes arrived: the device's clock is mapped by it.
    pub fn handle(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Action> {
        match &mut self.kind {
            Kind::Band(band) => band.handle(now, event),
            Kind::Strap(strap) => strap.handle(now, event),
        }
    }

    /// Where the session stands after all that it handed out so far.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor(match &self.kind {
            Kind::Band(band) => Place::Band(band.epochs().to_vec()),
            Kind::Strap(strap) => Place::Strap(strap.cursor()),
        })
    }

    /// How many packets the device is known to have made that are still to come.
    #[must_use]
    pub fn missing(&self) -> u64 {
        match &self.kind {
            Kind::Band(band) => band.epochs().iter().map(ledger::Ledger::missing).sum(),
            Kind::Strap(_) => 0,
        }
    }

    /// How the device's clock is mapped at present; `None` for one without a clock.
    #[must_use]
    pub fn clock(&self) -> Option<ClockEstimate> {
        match &self.kind {
            Kind::Band(band) => band.epochs().last().and_then(|ledger| ledger.clock),
            Kind::Strap(_) => None,
        }
    }

    /// The device's profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }
}
