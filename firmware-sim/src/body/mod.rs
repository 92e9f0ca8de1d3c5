//! Who wears a device: what its sensors would see, moment by moment.
//!
//! Body time is in microseconds from the first moment that the body can tell of.

mod export;
mod people;
mod person;
mod recorded;
mod table;

use std::time::Duration;

use anyhow::Context;
use biosignal::{Channel, Timestamp};

pub use export::write_person;
pub use people::{People, write_people};
pub use person::{Episode, EpisodeKind, Person};
pub(crate) use recorded::Recorded;
pub use recorded::read_recording;
pub(crate) use table::Table;

use crate::scenario::{AtEnd, BodyPlan, WornBefore};

/// Consecutive samples of one channel. For events the samples count from `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What is measured.
    pub channel: Channel,
    /// Body time of the first sample, microseconds.
    pub at_us: i64,
    /// Microseconds from sample to sample; 0 for events.
    pub period_us: u32,
    /// Integers in steps of [`Channel::scale`].
    pub samples: Vec<i32>,
}

/// What the sensors see in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// On a wrist.
    Worn(Vec<Segment>),
    /// The recording is over and the band is taken off.
    TakenOff,
    /// The recording is over, and nothing is measured any more.
    Over,
}

/// A body, and when its time began.
#[derive(Debug)]
pub(crate) struct Wearer {
    body: Body,
    /// True time of body time 0.
    pub(crate) born: Timestamp,
    /// True time minus the time in the recording.
    pub(crate) shift_us: Option<i64>,
}

#[derive(Debug)]
enum Body {
    Recorded(Recorded),
    Person(Box<Person>),
}

impl Wearer {
    /// Puts a body into the world at `now`.
    pub(crate) fn new(
        plan: &BodyPlan,
        worn_before: WornBefore,
        at_end: AtEnd,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        match plan {
            BodyPlan::Recording { path, start } => {
                let recording = read_recording(path)
                    .with_context(|| format!("reading the recording {}", path.display()))?;
                let recorded = Recorded::new(recording, *start, worn_before, at_end)?;
                let born = now.plus_micros(-recorded.played_us());
                let shift_us = Some(born.micros_since(recorded.first()));
                Ok(Self { body: Body::Recorded(recorded), born, shift_us })
            }
            BodyPlan::Person { seed, incidents } => {
                let before = match worn_before {
                    WornBefore::For(before) => whole_windows(before),
                    WornBefore::All => 0,
                };
                let incidents = incidents.iter().map(|wait| before + micros(*wait)).collect();
                let person = Box::new(Person::new(*seed, incidents));
                Ok(Self {
                    body: Body::Person(person),
                    born: now.plus_micros(-before),
                    shift_us: None,
                })
            }
        }
    }

    /// What the sensors see from `from_us` to `until_us`. A person lives forwards only.
    pub(crate) fn see(&mut self, from_us: i64, until_us: i64) -> Seen {
        match &mut self.body {
            Body::Recorded(recorded) => recorded.see(from_us, until_us),
            Body::Person(person) => Seen::Worn(person.live_until(until_us)),
        }
    }

    /// When the recording itself starts, where the body is one.
    pub(crate) fn recording_start(&self) -> Option<Timestamp> {
        match &self.body {
            Body::Recorded(recorded) => Some(recorded.start()),
            Body::Person(_) => None,
        }
    }

    /// What truly happened to a simulated person, in true time.
    pub(crate) fn truth(&self) -> Vec<Episode> {
        match &self.body {
            Body::Recorded(_) => Vec::new(),
            Body::Person(person) => person
                .truth()
                .iter()
                .map(|episode| episode.shifted(self.born.as_micros()))
                .collect(),
        }
    }
}

/// A packet's stretch of time.
pub(crate) const WINDOW_US: i64 = 500_000;

/// Rounded up to whole windows, so that the present falls between two.
pub(crate) fn whole_windows(duration: Duration) -> i64 {
    round_up(micros(duration))
}

pub(crate) fn round_up(micros: i64) -> i64 {
    (micros + WINDOW_US - 1).div_euclid(WINDOW_US) * WINDOW_US
}

pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
