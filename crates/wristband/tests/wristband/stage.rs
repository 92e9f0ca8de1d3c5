//! A session, a clock that is only told, and actions as words.

use std::fmt::Write as _;

use biosignal::{DeviceId, Timestamp};
use uuid::Uuid;
use wristband::{Action, Command, Cursor, Event, Profile, Session, uuids};

/// When a transcript begins.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_750_000_000);

pub(crate) struct Stage {
    pub(crate) session: Session,
    profile: Profile,
}

impl Stage {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { session: Session::new(device(), profile, None), profile }
    }

    /// Kills the session, and goes on from its cursor as a file would hold it.
    pub(crate) fn restart(&mut self) {
        let file = serde_json::to_vec(&self.session.cursor()).expect("a cursor is plain data");
        let cursor: Cursor = serde_json::from_slice(&file).expect("and comes back");
        assert_eq!(cursor, self.session.cursor());
        self.session = Session::new(device(), self.profile, Some(cursor));
    }

    /// Lets something happen so many milliseconds after the start; compares what is to be done.
    pub(crate) fn check(&mut self, at_ms: i64, event: Event<'_>, expected: &[&str]) {
        let actions = self.session.handle(at(at_ms), event);
        let words: Vec<_> = actions.iter().map(words).collect();
        assert_eq!(words, expected, "at {at_ms} ms: {event:?}");
    }

    pub(crate) fn notify(&mut self, at_ms: i64, from: Uuid, bytes: &[u8], expected: &[&str]) {
        self.check(at_ms, Event::Notified { characteristic: from, bytes }, expected);
    }
}

pub(crate) fn device() -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1])
}

pub(crate) fn at(ms: i64) -> Timestamp {
    START.plus_micros(ms * 1000)
}

fn words(action: &Action) -> String {
    match action {
        Action::Reading { reading, live } => {
            let mut words = String::from(if *live { "live" } else { "backlog" });
            let _ = write!(words, " {}/{}", reading.epoch, reading.sequence);
            let _ = write!(words, " {} at {}", reading.channel, ms(reading.measured_at));
            let _ = write!(words, " {:?}", reading.samples);
            words
        }
        Action::Gap(gap) => {
            format!("gap {} to {}: {}", ms(gap.from), ms(gap.until), gap.cause.name())
        }
        Action::Write { characteristic, bytes } => {
            assert_eq!(*characteristic, uuids::CONTROL);
            match Command::decode(bytes).expect("a session writes what can be read") {
                Command::SetTime { utc } => format!("set time {}", ms(utc)),
                Command::Replay { epoch, from, through } => {
                    format!("replay {epoch}/{from}..{through}")
                }
                other => format!("{other:?}").to_lowercase(),
            }
        }
        Action::Clock(clock) => format!(
            "clock {}: boot at {}, {:.1} ppm, +- {} ms",
            clock.epoch,
            ms(Timestamp::from_micros(clock.offset_us)),
            clock.drift_ppm,
            clock.uncertainty_us / 1000
        ),
        Action::Battery(percent) => format!("battery {percent}"),
        Action::Contact(contact) => format!("contact {contact}"),
        Action::Silent { since } => format!("silent since {}", ms(*since)),
        Action::Rejected { error, .. } => format!("rejected: {error}"),
    }
}

fn ms(time: Timestamp) -> String {
    let micros = time.micros_since(START);
    if micros % 1000 == 0 { format!("{} ms", micros / 1000) } else { format!("{micros} us") }
}
