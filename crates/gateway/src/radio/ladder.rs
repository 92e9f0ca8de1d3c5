use std::time::{Duration, Instant};

/// What is done about an adapter that hears nothing, the gentlest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rung {
    /// Stop the scan and start it again.
    RestartScan,
    /// Switch the adapter off and on: every connection is lost.
    PowerCycle,
}

impl Rung {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RestartScan => "restart_scan",
            Self::PowerCycle => "power_cycle",
        }
    }
}

/// What is known of the radio at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    /// When an advertisement was last heard.
    pub advertisement: Instant,
    /// When a connected band last said something.
    pub notification: Instant,
    /// Whether a band is missing that ought to be heard.
    pub missing: bool,
    /// Whether the adapter says that it scans.
    pub discovering: bool,
}

/// Tells an adapter that is stuck from a house that is quiet.
///
/// A connected band does not advertise, so that no advertisement alone says nothing. With
/// a band missing the scan is renewed after `silence`; where no connection is alive that
/// could be harmed, the power is cycled after as long again. A band that is really away
/// makes both useless: what did not help is tried ever more rarely.
#[derive(Debug)]
pub(crate) struct Ladder {
    silence: Duration,
    patience: Duration,
    last: Option<(Rung, Instant)>,
}

/// How rare a rung becomes that does not help, in lengths of the silence.
const RAREST: u32 = 32;

impl Ladder {
    pub(crate) fn new(silence: Duration) -> Self {
        Self { silence, patience: silence, last: None }
    }

    /// What to do now, if anything.
    pub(crate) fn step(&mut self, signs: Signs, now: Instant) -> Option<Rung> {
        if self.last.is_some_and(|(_, at)| signs.advertisement > at) {
            self.last = None;
            self.patience = self.silence;
        }
        let rung = self.due(signs, now)?;
        if rung == Rung::PowerCycle {
            self.patience = (self.patience * 2).min(self.silence * RAREST);
        }
        self.last = Some((rung, now));
        Some(rung)
    }

    fn due(&self, signs: Signs, now: Instant) -> Option<Rung> {
        let age = |since: Instant| now.saturating_duration_since(since);
        match self.last {
            None if !signs.discovering => Some(Rung::RestartScan),
            _ if !signs.missing || age(signs.advertisement) < self.silence => None,
            None => Some(Rung::RestartScan),
            Some((_, at)) if age(at) < self.silence => None,
            // A live connection shows that the adapter lives; it is not put at risk.
            Some(_) if age(signs.notification) < self.silence => {
                (age(self.last_at(now)) >= self.patience * 4).then_some(Rung::RestartScan)
            }
            Some((Rung::RestartScan, _)) => Some(Rung::PowerCycle),
            Some((Rung::PowerCycle, at)) => (age(at) >= self.patience).then_some(Rung::RestartScan),
        }
    }

    fn last_at(&self, now: Instant) -> Instant {
        self.last.map_or(now, |(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(20);

    /// Steps every two seconds; says what was done, and when, in seconds.
    fn climb(seconds: u64, signs: impl Fn(u64, Instant) -> Signs) -> Vec<(u64, Rung)> {
        let start = Instant::now();
        let mut ladder = Ladder::new(SILENCE);
        (0..seconds)
            .step_by(2)
            .filter_map(|second| {
                let now = start + Duration::from_secs(second);
                Some((second, ladder.step(signs(second, start), now)?))
            })
            .collect()
    }

    #[test]
    fn a_stuck_adapter_is_helped_within_a_minute_and_ever_more_rarely() {
        let dead = |_, start| Signs {
            advertisement: start,
            notification: start,
            missing: true,
            discovering: true,
        };
        assert_eq!(
            climb(310, dead),
            [
                (20, Rung::RestartScan),
                (40, Rung::PowerCycle),
                (80, Rung::RestartScan),
                (100, Rung::PowerCycle),
                (180, Rung::RestartScan),
                (200, Rung::PowerCycle),
            ]
        );
    }

    #[test]
    fn a_quiet_house_is_left_alone() {
        let all_connected = |second, start| Signs {
            advertisement: start,
            notification: start + Duration::from_secs(second),
            missing: false,
            discovering: true,
        };
        assert_eq!(climb(600, all_connected), []);
    }

    #[test]
    fn a_live_connection_is_never_cut_for_a_missing_band() {
        let one_missing = |second, start| Signs {
            advertisement: start,
            notification: start + Duration::from_secs(second),
            missing: true,
            discovering: true,
        };
        let done = climb(600, one_missing);
        assert!(done.iter().all(|(_, rung)| *rung == Rung::RestartScan), "{done:?}");
        assert_eq!(done.first(), Some(&(20, Rung::RestartScan)));
        assert!(done.len() <= 9, "{done:?}");
    }

    #[test]
    fn a_scan_that_ended_is_started_at_once() {
        let ended = |second, start| Signs {
            advertisement: start,
            notification: start + Duration::from_secs(second),
            missing: false,
            discovering: second != 10,
        };
        assert_eq!(climb(60, ended), [(10, Rung::RestartScan)]);
    }

    #[test]
    fn an_advertisement_starts_it_over() {
        let heard_once = |second, start| Signs {
            advertisement: start + Duration::from_secs(if second < 46 { 0 } else { 46 }),
            notification: start,
            missing: true,
            discovering: true,
        };
        assert_eq!(
            climb(90, heard_once),
            [
                (20, Rung::RestartScan),
                (40, Rung::PowerCycle),
                (66, Rung::RestartScan),
                (86, Rung::PowerCycle),
            ]
        );
    }
}
