use biosignal::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::ClockEstimate;

/// Which packets of an epoch were handed out: all up to the highest known number,
/// but for the holes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) epoch: u32,
    /// The mapping of the epoch's clock, once there is one.
    pub(super) clock: Option<ClockEstimate>,
    /// Whether the time since the epoch before is accounted for.
    pub(super) joined: bool,
    /// The highest number that is known to have been given; 0 before the first.
    highest: u32,
    /// Up to when that packet reaches, on the band's clock. `None`: nothing is known of
    /// the time before.
    end_us: Option<u64>,
    /// What is missing, ascending.
    holes: Vec<Hole>,
}

/// Packets that are missing, all between two that are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hole {
    from: u32,
    through: u32,
    /// Up to when the packet before reaches, if it is known.
    after_us: Option<u64>,
    /// When the packet after begins.
    before_us: u64,
    noticed_at: Timestamp,
}

/// A stretch of time on the band's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from_us: u64,
    pub(super) until_us: u64,
}

/// What a packet turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Not heard before. `pauses` are stretches beside it in which nothing was measured, as its
    /// neighbours by number are known and far off in time.
    New { pauses: Vec<Span> },
    /// Heard before, or given up.
    Known,
    /// Not heard before, but there is no room to note it: to be asked for again.
    NoRoom,
}

/// More holes than this are not kept: the oldest is given up.
const MAX_HOLES: usize = 1024;
/// With more holes than this, none is split: what replays leave over never makes
/// live packets push a hole out.
const MAX_HOLES_TO_SPLIT: usize = 512;
/// About what a packet covers.
pub(super) const PACKET_US: u64 = 500_000;
/// Neighbours that are further apart measured nothing in between. Longer than any packet.
const PAUSE_US: u64 = 2_000_000;

impl Ledger {
    /// An epoch of which nothing was heard yet. Where the band was `followed` before,
    /// all since its boot is expected; else only what it still holds.
    pub(super) fn new(epoch: u32, followed: bool) -> Self {
        let end_us = followed.then_some(0);
        Self { epoch, clock: None, joined: !followed, highest: 0, end_us, holes: Vec::new() }
    }

    /// Notes a packet.
    pub(super) fn hear(&mut self, sequence: u32, time: Span, now: Timestamp) -> Heard {
        if sequence <= self.highest {
            return self.fill(sequence, time);
        }
        let follows = sequence == self.highest + 1;
        let pause = self.end_us.filter(|_| follows).and_then(|end| pause(end, time.from_us));
        self.reach(sequence - 1, time.from_us, now);
        self.highest = sequence;
        self.end_us = Some(time.until_us.max(self.end_us.unwrap_or(0)));
        Heard::New { pauses: pause.into_iter().collect() }
    }

    /// Learns that packets up to `newest` exist, all made before `time_us`.
    pub(super) fn reach(&mut self, newest: u32, time_us: u64, now: Timestamp) {
        if newest <= self.highest {
            return;
        }
        let (from, after_us) = (self.highest + 1, self.end_us);
        self.holes.push(Hole {
            from,
            through: newest,
            after_us,
            before_us: time_us,
            noticed_at: now,
        });
        self.highest = newest;
        self.end_us = Some(time_us.max(after_us.unwrap_or(0)));
    }

    /// Gives up all packets below `oldest`, and says when they were measured. From `oldest`
    /// on the band holds them all: should it lose one later, that is a loss to report.
    pub(super) fn lose_below(&mut self, oldest: u32) -> Vec<Span> {
        let whole = self.holes.partition_point(|hole| hole.through < oldest);
        let mut lost: Vec<_> = self.holes.drain(..whole).filter_map(|hole| hole.span()).collect();
        if let Some(hole) = self.holes.first_mut().filter(|hole| hole.from < oldest) {
            lost.extend(hole.cut(oldest));
        }
        if let Some(hole) = self.holes.first_mut() {
            hole.after_us = hole.after_us.or(Some(hole.likely_start()));
        }
        lost
    }

    /// Gives up all that is missing, and says when it was measured.
    pub(super) fn lose_all(&mut self) -> Vec<Span> {
        self.holes.drain(..).filter_map(|hole| hole.span()).collect()
    }

    /// Gives up the oldest hole where there are too many to keep.
    pub(super) fn lose_excess(&mut self) -> Vec<Span> {
        let excess = self.holes.len().saturating_sub(MAX_HOLES);
        self.holes.drain(..excess).filter_map(|hole| hole.span()).collect()
    }

    /// How many packets are missing.
    pub(super) fn missing(&self) -> u64 {
        self.holes.iter().map(|hole| u64::from(hole.through - hole.from) + 1).sum()
    }

    /// Whether any of these packets is missing.
    pub(super) fn misses(&self, from: u32, through: u32) -> bool {
        let first = self.holes.partition_point(|hole| hole.through < from);
        self.holes.get(first).is_some_and(|hole| hole.from <= through)
    }

    /// Up to when the epoch is known to reach, on its clock.
    pub(super) fn end_us(&self) -> u64 {
        self.end_us.unwrap_or(0)
    }

    /// The number up to which nothing is missing.
    pub(super) fn contiguous_through(&self) -> u32 {
        self.holes.first().map_or(self.highest, |hole| hole.from - 1)
    }

    /// The first missing packets at or after `from` that were noticed by `noticed_by`:
    /// at most `limit` of them, with small islands of known ones in between.
    pub(super) fn request(
        &self,
        from: u32,
        noticed_by: Timestamp,
        limit: u32,
    ) -> Option<(u32, u32)> {
        let first = self.holes.partition_point(|hole| hole.through < from);
        let mut holes =
            self.holes.get(first..)?.iter().skip_while(|hole| hole.noticed_at > noticed_by);
        let hole = holes.next()?;
        let from = hole.from.max(from);
        let last = from.saturating_add(limit - 1);
        let mut through = hole.through.min(last);
        for hole in holes {
            let near = hole.from <= through.saturating_add(ISLAND + 1).min(last);
            if !near || hole.noticed_at > noticed_by {
                break;
            }
            through = hole.through.min(last);
        }
        Some((from, through))
    }

    fn fill(&mut self, sequence: u32, time: Span) -> Heard {
        let index = self.holes.partition_point(|hole| hole.through < sequence);
        let crowded = self.holes.len() >= MAX_HOLES_TO_SPLIT;
        let Some(hole) = self.holes.get_mut(index).filter(|hole| hole.from <= sequence) else {
            return Heard::Known;
        };
        let (first, last) = (sequence == hole.from, sequence == hole.through);
        if crowded && !first && !last {
            return Heard::NoRoom;
        }
        let before = hole.after_us.filter(|_| first).and_then(|end| pause(end, time.from_us));
        let after = pause(time.until_us, hole.before_us).filter(|_| last);
        let rest = Hole {
            from: sequence.saturating_add(1),
            after_us: Some(time.until_us.max(hole.after_us.unwrap_or(0))),
            ..hole.clone()
        };
        hole.through = sequence - 1;
        hole.before_us = time.from_us;
        match (first, last) {
            (true, true) => drop(self.holes.remove(index)),
            (true, false) => *hole = rest,
            (false, true) => {}
            (false, false) => self.holes.insert(index + 1, rest),
        }
        Heard::New { pauses: before.into_iter().chain(after).collect() }
    }
}

/// Known packets between two holes that are sent again rather than asked around.
const ISLAND: u32 = 8;

impl Hole {
    fn span(&self) -> Option<Span> {
        let from_us = self.after_us?;
        (self.before_us > from_us).then_some(Span { from_us, until_us: self.before_us })
    }

    /// When the hole begins, where the packet before was never known.
    fn likely_start(&self) -> u64 {
        let packets = u64::from(self.through - self.from) + 1;
        if self.from == 1 { 0 } else { self.before_us.saturating_sub(packets * PACKET_US) }
    }

    /// Takes off what is below `oldest`, which lies inside; packets are about equally long.
    fn cut(&mut self, oldest: u32) -> Option<Span> {
        let span = self.span();
        let lost = u128::from(oldest - self.from);
        let all = u128::from(self.through - self.from) + 1;
        self.from = oldest;
        let Span { from_us, until_us } = span?;
        let stretch = u128::from(until_us - from_us) * lost / all;
        let until_us = from_us + u64::try_from(stretch).unwrap_or(0);
        self.after_us = Some(until_us);
        Some(Span { from_us, until_us })
    }
}

fn pause(from_us: u64, until_us: u64) -> Option<Span> {
    (until_us > from_us.saturating_add(PAUSE_US)).then_some(Span { from_us, until_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    /// When packet `sequence` was measured: half a second each, from boot on.
    fn time(sequence: u32) -> Span {
        let until_us = u64::from(sequence) * 500_000;
        Span { from_us: until_us - 500_000, until_us }
    }

    fn hear(ledger: &mut Ledger, sequence: u32) -> Heard {
        ledger.hear(sequence, time(sequence), NOW)
    }

    fn new() -> Heard {
        Heard::New { pauses: Vec::new() }
    }

    #[test]
    fn any_order_is_noted_once() {
        let mut ledger = Ledger::new(1, true);
        for sequence in [3, 1, 7, 2, 5] {
            assert_eq!(hear(&mut ledger, sequence), new(), "packet {sequence}");
            assert_eq!(hear(&mut ledger, sequence), Heard::Known, "packet {sequence} again");
        }
        assert_eq!((ledger.contiguous_through(), ledger.missing()), (3, 2));
        assert!(ledger.misses(4, 4) && !ledger.misses(5, 5) && ledger.misses(5, 6));
        assert_eq!(ledger.request(1, NOW, 600), Some((4, 6)), "one known packet lies between");
        assert_eq!(ledger.request(5, NOW, 600), Some((6, 6)));
        assert_eq!(ledger.request(1, NOW.plus_micros(-1), 600), None, "noticed later");
    }

    #[test]
    fn what_flash_overwrote_is_lost_with_its_time() {
        let mut ledger = Ledger::new(1, true);
        hear(&mut ledger, 10);
        assert_eq!(
            ledger.lose_below(5),
            [Span { from_us: 0, until_us: 4 * 500_000 }],
            "packets 1 to 4"
        );
        assert_eq!(hear(&mut ledger, 4), Heard::Known, "given up is given up");
        assert_eq!(hear(&mut ledger, 5), new());
        assert_eq!(ledger.lose_all(), [Span { from_us: 2_500_000, until_us: 4_500_000 }]);

        let mut stranger = Ledger::new(1, false);
        hear(&mut stranger, 10);
        assert_eq!(stranger.lose_below(5), [], "another gateway may have it");
        assert_eq!(stranger.missing(), 5);
        assert_eq!(
            stranger.lose_below(7),
            [Span { from_us: 2_000_000, until_us: 3_000_000 }],
            "but what it held at first and lost then is a loss"
        );
    }

    #[test]
    fn a_pause_between_two_numbers_is_seen_from_either_side() {
        let early = Span { from_us: 0, until_us: 500_000 };
        let late = Span { from_us: 9_500_000, until_us: 10_000_000 };
        let pauses = Heard::New { pauses: vec![Span { from_us: 500_000, until_us: 9_500_000 }] };
        let mut forwards = Ledger::new(1, true);
        assert_eq!(forwards.hear(1, early, NOW), new());
        assert_eq!(forwards.hear(2, late, NOW), pauses);
        let mut backwards = Ledger::new(1, true);
        assert_eq!(backwards.hear(2, late, NOW), new());
        assert_eq!(backwards.hear(1, early, NOW), pauses);
    }

    #[test]
    fn holes_are_bounded_and_replays_push_none_out() {
        let mut ledger = Ledger::new(1, true);
        ledger.reach(100_000, 50_000_000_000, NOW);
        let replayed = (2..4000).step_by(2).filter(|n| hear(&mut ledger, *n) == new()).count();
        assert_eq!(replayed, MAX_HOLES_TO_SPLIT - 1);
        assert_eq!(ledger.lose_excess(), []);
        for sequence in (100_002..110_000).step_by(2) {
            assert_eq!(hear(&mut ledger, sequence), new(), "live is always taken");
            ledger.lose_excess();
        }
        assert_eq!(ledger.holes.len(), MAX_HOLES);
    }
}
