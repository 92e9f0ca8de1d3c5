use biosignal::Timestamp;

use super::ledger::Ledger;
use crate::Command;

/// Asks for what is missing: one request at a time, from the oldest hole to the newest
/// and then over again, so that a hole that is not answered keeps no other waiting.
#[derive(Clone, Debug, Default)]
pub(super) struct Replays {
    asked: Option<Request>,
    asked_at: Option<Timestamp>,
    /// Where to look on: epoch and number.
    position: (u32, u32),
    /// Requests in a row that nothing came of.
    fruitless: u32,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    epoch: u32,
    from: u32,
    through: u32,
    give_up_at: Timestamp,
}

/// Packets in one request: a few seconds of replay.
const REQUEST_PACKETS: u32 = 600;
/// Between two requests at least.
const INTERVAL_US: i64 = 100_000;
/// A hole this young may close by itself: a host may swap notifications.
const GRACE_US: i64 = 1_000_000;
/// Without a packet for this long a request is given up; doubled each time in a row.
const PATIENCE_US: i64 = 3_000_000;
const MOST_PATIENCE_US: i64 = 60_000_000;

impl Replays {
    /// Learns that a replayed packet came.
    pub(super) fn answered(&mut self, epoch: u32, sequence: u32, now: Timestamp) {
        let Some(asked) = &mut self.asked else { return };
        if asked.epoch != epoch || !(asked.from..=asked.through).contains(&sequence) {
            return;
        }
        self.fruitless = 0;
        asked.give_up_at = now.plus_micros(PATIENCE_US);
        // They come in order: what was lost on the way is asked for in the next round.
        if sequence == asked.through {
            self.asked = None;
        }
    }

    /// Forgets what was asked: the device forgot it too.
    pub(super) fn disconnected(&mut self) {
        self.asked = None;
        self.fruitless = 0;
    }

    /// What to ask for next, if it is time to.
    pub(super) fn next(&mut self, epochs: &[Ledger], now: Timestamp) -> Option<Command> {
        if self.waits(epochs, now) {
            return None;
        }
        let noticed_by = now.plus_micros(-GRACE_US);
        let (epoch, from, through) = self.choose(epochs, noticed_by)?;
        let patience = PATIENCE_US << self.fruitless.min(8);
        let give_up_at = now.plus_micros(patience.min(MOST_PATIENCE_US));
        self.asked = Some(Request { epoch, from, through, give_up_at });
        self.asked_at = Some(now);
        self.position = (epoch, through.saturating_add(1));
        Some(Command::Replay { epoch, from, through })
    }

    fn waits(&mut self, epochs: &[Ledger], now: Timestamp) -> bool {
        if let Some(asked) = self.asked {
            let open = epochs
                .iter()
                .find(|ledger| ledger.epoch == asked.epoch)
                .is_some_and(|ledger| ledger.misses(asked.from, asked.through));
            if open && now < asked.give_up_at {
                return true;
            }
            self.fruitless += u32::from(open);
            self.asked = None;
        }
        self.asked_at.is_some_and(|at| now.micros_since(at).abs() < INTERVAL_US)
    }

    /// The first request at or after the position, else the first of all.
    fn choose(&self, epochs: &[Ledger], noticed_by: Timestamp) -> Option<(u32, u32, u32)> {
        let (epoch, sequence) = self.position;
        let here = epochs.iter().position(|ledger| ledger.epoch == epoch).unwrap_or(0);
        let request = |ledger: &Ledger, from| {
            let (from, through) = ledger.request(from, noticed_by, REQUEST_PACKETS)?;
            Some((ledger.epoch, from, through))
        };
        let ahead = epochs
            .iter()
            .skip(here)
            .find_map(|ledger| request(ledger, if ledger.epoch == epoch { sequence } else { 1 }));
        ahead.or_else(|| epochs.iter().find_map(|ledger| request(ledger, 1)))
    }
}
