use std::time::{Duration, Instant};

use bus::PublishError;

/// How long nothing but statuses is sent after a refusal; doubles while it goes on.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long backlog waits where nobody subscribes to it.
const NOBODY_PAUSE: Duration = Duration::from_secs(2);

/// How often a refusal is logged while it goes on.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// What the broker does not take: counted, said with what to do about it, and not
/// hammered with.
#[derive(Debug)]
pub(crate) struct Refusals {
    refused_until: Instant,
    nobody_until: Instant,
    pause: Duration,
    said: Option<Instant>,
}

impl Refusals {
    pub(crate) fn new(now: Instant) -> Self {
        Self { refused_until: now, nobody_until: now, pause: FIRST_PAUSE, said: None }
    }

    /// Takes in what became of a message of a kind.
    pub(crate) fn note(
        &mut self,
        outcome: &Result<(), PublishError>,
        kind: &'static str,
        now: Instant,
    ) {
        match outcome {
            // A status that passes says nothing about the readings.
            Ok(()) if kind == "status" => {}
            Ok(()) => self.pause = FIRST_PAUSE,
            Err(PublishError::Disconnected) => {}
            Err(PublishError::NoMatchingSubscribers) => {
                self.nobody_until = now + NOBODY_PAUSE;
                count(kind, "16");
                self.say(now, "nobody takes readings from the broker: start the recorder", kind);
            }
            Err(PublishError::Refused { reason }) => {
                self.refuse(now);
                count(kind, &reason.to_string());
                self.say(now, remedy(*reason), kind);
            }
            Err(PublishError::Unpublishable { what }) => {
                self.refuse(now);
                count(kind, "unpublishable");
                self.say(now, what, kind);
            }
        }
    }

    /// Whether the broker refuses messages at present.
    pub(crate) fn refused(&self, now: Instant) -> bool {
        now < self.refused_until
    }

    /// Whether backlog is to wait.
    pub(crate) fn pausing(&self, now: Instant) -> bool {
        self.refused(now) || now < self.nobody_until
    }

    fn refuse(&mut self, now: Instant) {
        if self.refused(now) {
            return;
        }
        self.refused_until = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn say(&mut self, now: Instant, what: &str, kind: &'static str) {
        if self.said.is_some_and(|said| now.duration_since(said) < SAY_EVERY) {
            return;
        }
        self.said = Some(now);
        tracing::error!(kind, "the broker does not take a message, which is kept: {what}");
    }
}

fn count(kind: &'static str, reason: &str) {
    metrics::counter!(
        "tidewatch_gateway_refused_total", "kind" => kind, "reason" => reason.to_owned()
    )
    .increment(1);
}

fn remedy(reason: u8) -> &'static str {
    match reason {
        135 => "not authorised: allow this gateway's user to write to its site's topics",
        151 => "quota exceeded: raise the broker's limits, or see why nobody reads",
        144 => "the topic's name is refused: is the site's name right?",
        153 => "the payload's format is refused: is the broker's validation for another version?",
        _ => "see the broker's log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_goes_on_is_tried_ever_more_rarely() {
        let mut now = Instant::now();
        let mut refusals = Refusals::new(now);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            refusals.note(&Err(PublishError::Refused { reason: 135 }), "batch", now);
            refusals.note(&Err(PublishError::Refused { reason: 135 }), "batch", now);
            let began = now;
            while refusals.refused(now) {
                now += Duration::from_secs(1);
            }
            pauses.push((now - began).as_secs());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        refusals.note(&Ok(()), "batch", now);
        refusals.note(&Err(PublishError::Refused { reason: 151 }), "batch", now);
        assert!(!refusals.refused(now + FIRST_PAUSE));
    }

    #[test]
    fn where_nobody_subscribes_live_readings_are_still_tried() {
        let now = Instant::now();
        let mut refusals = Refusals::new(now);
        refusals.note(&Err(PublishError::NoMatchingSubscribers), "backfill", now);
        assert!(refusals.pausing(now) && !refusals.refused(now));
        refusals.note(&Err(PublishError::Disconnected), "batch", now);
        assert!(!refusals.pausing(now + NOBODY_PAUSE));
    }
}
