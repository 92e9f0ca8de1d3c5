use std::collections::VecDeque;

use biosignal::Timestamp;
use wristband::StreamPacket;

use super::flash::Flash;

/// Packets that were asked for again, sent at a limited rate beside the live ones.
#[derive(Debug)]
pub(crate) struct Replay {
    wanted: VecDeque<Wanted>,
    interval_us: i64,
    next_at: Timestamp,
}

#[derive(Debug)]
struct Wanted {
    epoch: u32,
    next: u32,
    through: u32,
}

/// Requests that wait at a time; one more is refused.
const WAITING: usize = 4;
/// Packets that are due within so long are sent in one go.
const BUNDLE_US: i64 = 20_000;

impl Replay {
    pub(crate) fn new(packets_per_s: u32) -> Self {
        let interval_us = (1_000_000 / i64::from(packets_per_s.max(1))).max(1);
        Self { wanted: VecDeque::new(), interval_us, next_at: Timestamp::default() }
    }

    /// Takes a request; `false` where too many wait already.
    pub(crate) fn ask(&mut self, now: Timestamp, epoch: u32, from: u32, through: u32) -> bool {
        if self.wanted.len() == WAITING {
            return false;
        }
        if self.wanted.is_empty() {
            self.next_at = now;
        }
        self.wanted.push_back(Wanted { epoch, next: from, through });
        true
    }

    pub(crate) fn clear(&mut self) {
        self.wanted.clear();
    }

    /// When to send next.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        (!self.wanted.is_empty()).then(|| self.next_at.plus_micros(BUNDLE_US))
    }

    /// The packets whose turn has come, as they are sent again.
    pub(crate) fn take(&mut self, now: Timestamp, flash: &Flash) -> Vec<Vec<u8>> {
        // After a stall nothing is made up for: the live packets go first.
        self.next_at = self.next_at.max(now.plus_micros(-5 * BUNDLE_US));
        let mut sent = Vec::new();
        while self.next_at <= now {
            let Some(bytes) = self.next(flash) else { break };
            sent.push(again(bytes));
            self.next_at = self.next_at.plus_micros(self.interval_us);
        }
        sent
    }

    /// The next packet that was asked for and is still held.
    fn next<'a>(&mut self, flash: &'a Flash) -> Option<&'a [u8]> {
        while let Some(wanted) = self.wanted.front_mut() {
            if let Some((oldest, newest)) = flash.range(wanted.epoch) {
                let sequence = wanted.next.max(oldest);
                if sequence <= wanted.through.min(newest) {
                    wanted.next = sequence + 1;
                    return flash.packet(wanted.epoch, sequence);
                }
            }
            self.wanted.pop_front();
        }
        None
    }
}

/// The packet's bytes with the mark of a replay.
fn again(bytes: &[u8]) -> Vec<u8> {
    let mut packet = StreamPacket::decode(bytes).expect("flash holds what was encoded");
    packet.replayed = true;
    packet.encode().expect("the mark is a bit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flash(packets: u32) -> Flash {
        let mut flash = Flash::new(1_000, 7);
        for sequence in 1..=packets {
            let device_time_us = u64::from(sequence) * 500_000;
            let blocks = Vec::new();
            let packet =
                StreamPacket { epoch: 7, sequence, device_time_us, replayed: false, blocks };
            flash.keep(&packet, &packet.encode().expect("it is small"));
        }
        flash
    }

    fn numbers(sent: &[Vec<u8>]) -> Vec<u32> {
        let packets = sent.iter().map(|bytes| StreamPacket::decode(bytes).expect("it was encoded"));
        packets.inspect(|packet| assert!(packet.replayed)).map(|packet| packet.sequence).collect()
    }

    #[test]
    fn what_is_asked_for_comes_in_order_at_its_rate() {
        let (flash, start) = (flash(300), Timestamp::from_seconds(100));
        let mut replay = Replay::new(200);
        assert!(replay.ask(start, 7, 290, 400) && replay.ask(start, 7, 1, 100));
        assert_eq!(replay.due(), Some(start.plus_micros(20_000)));
        let first = replay.take(start.plus_micros(20_000), &flash);
        assert_eq!(numbers(&first), [290, 291, 292, 293, 294]);
        let mut rest = Vec::new();
        for step in 2..=60 {
            rest.extend(replay.take(start.plus_micros(step * 20_000), &flash));
        }
        assert_eq!(numbers(&rest), (295..=300).chain(1..=100).collect::<Vec<_>>());
        assert_eq!(replay.due(), None);
    }

    #[test]
    fn a_stall_is_not_made_up_for_and_the_fifth_request_is_refused() {
        let (flash, start) = (flash(300), Timestamp::from_seconds(100));
        let mut replay = Replay::new(200);
        assert!((0..4).all(|_| replay.ask(start, 7, 1, 300)));
        assert!(!replay.ask(start, 7, 1, 300));
        let after = replay.take(start.plus_micros(60_000_000), &flash);
        assert!(after.len() <= 21, "{} at once", after.len());
        replay.clear();
        assert!(replay.ask(start, 9, 1, 5), "an unknown epoch is asked for");
        assert_eq!(replay.take(start, &flash), Vec::<Vec<u8>>::new());
    }
}
