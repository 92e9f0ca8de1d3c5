//! A band, a bad link and a gateway that is killed now and then, played against the session: under any
//! order, loss, doubling and reboot no reading is lost or told twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use biosignal::{Channel, Gap, GapCause, Timestamp};
use proptest::prelude::*;
use wristband::{
    Action, BandState, Block, Command, Cursor, EarlierEpoch, Event, Profile, Session, StreamPacket,
    uuids,
};

use crate::codec::cases;
use crate::stage::{START, device};

/// What the world does to band, link and gateway.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// Half seconds go by.
    Run(u16),
    Disconnect,
    Connect,
    /// The gateway dies: what it had not kept is gone.
    Kill,
    Reboot,
    /// Of 256 notifications so many are lost, come twice, or come late.
    Link {
        lost: u8,
        twice: u8,
        late: u8,
    },
}

/// `late`: how many notifications may be late by seconds, so that they overtake each other.
fn turn(late: u8) -> impl Strategy<Value = Turn> {
    prop_oneof![
        6 => (1..120_u16).prop_map(Turn::Run),
        1 => (600..2000_u16).prop_map(Turn::Run),
        2 => Just(Turn::Disconnect),
        4 => Just(Turn::Connect),
        2 => Just(Turn::Kill),
        1 => Just(Turn::Reboot),
        2 => (0..200_u8, 0..100_u8, 0..=late)
            .prop_map(|(lost, twice, late)| Turn::Link { lost, twice, late }),
    ]
}

/// (epoch, sequence) and the time at which the packet was measured, as it really was.
type Made = BTreeMap<(u32, u32), Timestamp>;

struct World {
    now: Timestamp,
    random: u64,
    drift_ppm: i64,
    // The band.
    epoch: u32,
    booted: Timestamp,
    newest: u32,
    flash: VecDeque<StreamPacket>,
    flash_packets: usize,
    ended: Vec<EarlierEpoch>,
    utc_offset_us: Option<i64>,
    streaming: bool,
    replays: VecDeque<StreamPacket>,
    made: Made,
    // The link.
    connected: bool,
    turn: (u8, u8, u8),
    on_its_way: Vec<(Timestamp, uuid::Uuid, Vec<u8>)>,
    // The gateway.
    session: Session,
    kept: Cursor,
    kept_readings: Vec<(u32, u32, bool, Timestamp)>,
    kept_gaps: Vec<Gap>,
    pending: Vec<Action>,
}

impl World {
    fn new(seed: u64, drift_ppm: i64, flash_packets: usize) -> Self {
        let session = Session::new(device(), Profile::Tidewatch, None);
        Self {
            now: START,
            random: seed | 1,
            drift_ppm,
            epoch: 1,
            booted: START,
            newest: 0,
            flash: VecDeque::new(),
            flash_packets,
            ended: Vec::new(),
            utc_offset_us: None,
            streaming: false,
            replays: VecDeque::new(),
            made: Made::new(),
            connected: false,
            turn: (0, 0, 0),
            on_its_way: Vec::new(),
            kept: session.cursor(),
            session,
            kept_readings: Vec::new(),
            kept_gaps: Vec::new(),
            pending: Vec::new(),
        }
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Run(half_seconds) => (0..half_seconds).for_each(|_| self.half_second()),
            Turn::Disconnect => self.disconnect(),
            Turn::Connect => self.connect(),
            Turn::Kill => self.kill(),
            Turn::Reboot => self.reboot(),
            Turn::Link { lost, twice, late } => self.turn = (lost, twice, late),
        }
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn chance(&mut self, of_256: u8) -> bool {
        self.random() % 256 < u64::from(of_256)
    }

    // The band.

    fn device_us(&self, at: Timestamp) -> u64 {
        let real = at.micros_since(self.booted);
        u64::try_from(real - real * self.drift_ppm / 1_000_000).expect("after the boot")
    }

    fn half_second(&mut self) {
        let measured_at = self.now;
        self.newest += 1;
        let packet = StreamPacket {
            epoch: self.epoch,
            sequence: self.newest,
            device_time_us: self.device_us(measured_at),
            replayed: false,
            blocks: vec![Block {
                channel: Channel::Eda,
                offset_us: 0,
                period_us: 50_000,
                samples: vec![i32::try_from(self.newest).expect("a short test"); 10],
            }],
        };
        self.made.insert((self.epoch, self.newest), measured_at);
        self.deliver_until(measured_at.plus_micros(500_000));
        self.flash.push_back(packet.clone());
        if self.flash.len() > self.flash_packets {
            self.flash.pop_front();
        }
        if self.connected && self.streaming {
            self.send(&packet);
        }
        if self.newest.is_multiple_of(20) {
            self.send_state();
        }
        for _ in 0..60 {
            let Some(packet) = self.replays.pop_front() else { break };
            let held = |kept: &StreamPacket| {
                (kept.epoch, kept.sequence) == (packet.epoch, packet.sequence)
            };
            if self.flash.iter().any(held) {
                self.send(&packet);
            }
        }
    }

    fn oldest(&self, epoch: u32) -> Option<u32> {
        self.flash.iter().find(|packet| packet.epoch == epoch).map(|packet| packet.sequence)
    }

    fn state(&self) -> BandState {
        let told = |ended: &EarlierEpoch| {
            let oldest_sequence = self.oldest(ended.epoch)?;
            Some(EarlierEpoch { oldest_sequence, ..*ended })
        };
        BandState {
            epoch: self.epoch,
            newest_sequence: self.newest,
            oldest_sequence: self.oldest(self.epoch).unwrap_or(self.newest + 1),
            device_time_us: self.device_us(self.now),
            battery_percent: 50,
            streaming: self.streaming,
            on_wrist: true,
            earlier: self.ended.iter().rev().filter_map(told).collect(),
        }
    }

    fn reboot(&mut self) {
        if self.ended.len() == 7 {
            return;
        }
        self.disconnect();
        self.ended.push(EarlierEpoch {
            epoch: self.epoch,
            oldest_sequence: 1,
            newest_sequence: self.newest,
            end_us: self.device_us(self.now),
            utc_offset_us: self.utc_offset_us.take(),
        });
        self.epoch += 1;
        self.newest = 0;
        self.now = self.now.plus_micros(3_000_000);
        self.booted = self.now;
    }

    fn obey(&mut self, bytes: &[u8]) {
        match Command::decode(bytes).expect("a session writes what can be read") {
            Command::Start => self.streaming = true,
            Command::Replay { epoch, from, through } => {
                let asked = |packet: &&StreamPacket| {
                    packet.epoch == epoch && (from..=through).contains(&packet.sequence)
                };
                let again =
                    |packet: &StreamPacket| StreamPacket { replayed: true, ..packet.clone() };
                let found: Vec<_> = self.flash.iter().filter(asked).map(again).collect();
                self.replays.extend(found);
            }
            Command::SetTime { utc } => {
                let device_us = i64::try_from(self.device_us(self.now)).expect("small");
                self.utc_offset_us = Some(utc.as_micros() - device_us);
            }
            other => panic!("{other:?} was not expected"),
        }
    }

    // The link.

    fn connect(&mut self) {
        if self.connected {
            return;
        }
        self.connected = true;
        self.event(Event::Connected);
        self.send_state();
    }

    fn disconnect(&mut self) {
        if !self.connected {
            return;
        }
        self.connected = false;
        self.streaming = false;
        self.replays.clear();
        self.on_its_way.clear();
        self.event(Event::Disconnected { cause: GapCause::OutOfRange });
    }

    fn send_state(&mut self) {
        if self.connected {
            self.notify(uuids::STATE, &self.state().encode());
        }
    }

    fn send(&mut self, packet: &StreamPacket) {
        self.notify(uuids::STREAM, &packet.encode().expect("it fits"));
    }

    fn notify(&mut self, characteristic: uuid::Uuid, bytes: &[u8]) {
        let (lost, twice, late) = self.turn;
        if self.chance(lost) {
            return;
        }
        for _ in 0..=u8::from(self.chance(twice)) {
            let slow = if self.chance(late) { 3_000_000 } else { 40_000 };
            let delay = i64::try_from(self.random() % slow).expect("small");
            self.on_its_way.push((self.now.plus_micros(delay), characteristic, bytes.to_vec()));
        }
    }

    fn deliver_until(&mut self, until: Timestamp) {
        self.on_its_way.sort_by_key(|(at, ..)| *at);
        let due = self.on_its_way.partition_point(|(at, ..)| *at <= until);
        for (at, characteristic, bytes) in self.on_its_way.drain(..due).collect::<Vec<_>>() {
            self.now = at.max(self.now);
            self.event(Event::Notified { characteristic, bytes: &bytes });
        }
        self.now = until;
        self.event(Event::Tick);
        if self.random().is_multiple_of(3) {
            self.keep();
        }
    }

    // The gateway.

    fn event(&mut self, event: Event<'_>) {
        for action in self.session.handle(self.now, event) {
            match action {
                Action::Write { bytes, .. } => self.obey(&bytes),
                Action::Rejected { error, .. } => panic!("{error}"),
                other => self.pending.push(other),
            }
        }
    }

    /// One transaction: readings, gaps and cursor.
    fn keep(&mut self) {
        self.kept = self.session.cursor();
        for action in self.pending.drain(..) {
            match action {
                Action::Reading { reading, live } => self.kept_readings.push((
                    reading.epoch,
                    reading.sequence,
                    live,
                    reading.measured_at,
                )),
                Action::Gap(gap) => self.kept_gaps.push(gap),
                _ => {}
            }
        }
    }

    fn kill(&mut self) {
        self.pending.clear();
        self.session = Session::new(device(), Profile::Tidewatch, Some(self.kept.clone()));
        self.connected = false;
        self.streaming = false;
        self.replays.clear();
        self.on_its_way.clear();
    }

    /// The link gets good, and all is left to settle.
    fn settle(&mut self) {
        self.turn = (0, 0, 0);
        self.connect();
        for _ in 0..600 {
            self.half_second();
        }
        self.keep();
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let told: BTreeSet<_> = self.kept_readings.iter().map(|one| (one.0, one.1)).collect();
        prop_assert_eq!(told.len(), self.kept_readings.len(), "a reading was told twice");
        for name in self.made.keys() {
            // The last packet may still be on its way.
            let newest = name.0 == self.epoch && name.1 + 1 >= self.newest;
            let accounted = told.contains(name)
                || newest
                || (!self.held(*name) && self.is_overwritten_and_ledgered(*name, told.first()));
            prop_assert!(accounted, "{name:?} is neither told nor a gap");
        }
        Ok(())
    }

    /// What was overwritten before the first contact is nobody's to report. The time of
    /// epochs in which no gateway was there is only known by that of the next: each boot took 3 s.
    fn is_overwritten_and_ledgered(&self, name: (u32, u32), first: Option<&(u32, u32)>) -> bool {
        let slack_us = if self.set_in(name.0) { 0 } else { 7 * 3_000_000 };
        let middle = self.made[&name].plus_micros(250_000);
        let is_gap = |gap: &Gap| {
            gap.from.plus_micros(-slack_us) <= middle && middle < gap.until.plus_micros(slack_us)
        };
        first.is_none_or(|first| name < *first) || self.kept_gaps.iter().any(is_gap)
    }

    fn set_in(&self, epoch: u32) -> bool {
        let ended = self.ended.iter().find(|ended| ended.epoch == epoch);
        ended.is_none_or(|ended| ended.utc_offset_us.is_some())
    }

    /// Where the link is quick, times are right in every epoch in which a gateway was there.
    fn check_times(&self) -> Result<(), TestCaseError> {
        for (epoch, sequence, _, measured_at) in &self.kept_readings {
            let truth = self.made[&(*epoch, *sequence)];
            let error = measured_at.micros_since(truth).abs();
            prop_assert!(
                !self.set_in(*epoch) || error < 250_000,
                "{epoch}/{sequence} is off by {error} us"
            );
        }
        Ok(())
    }

    fn held(&self, name: (u32, u32)) -> bool {
        self.flash.iter().any(|packet| (packet.epoch, packet.sequence) == name)
    }
}

fn play(world: &mut World, turns: &[Turn]) {
    world.connect();
    for turn in turns {
        world.take(*turn);
    }
    world.settle();
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn nothing_is_lost_or_doubled(
        turns in prop::collection::vec(turn(200), 1..30),
        seed in any::<u64>(),
        drift_ppm in -80..80_i64,
    ) {
        let mut world = World::new(seed, drift_ppm, usize::MAX);
        play(&mut world, &turns);
        world.check()?;
        prop_assert!(world.session.missing() <= 2, "{} are still missing", world.session.missing());
    }

    #[test]
    fn times_are_right_under_drift_and_jitter(
        turns in prop::collection::vec(turn(0), 1..30),
        seed in any::<u64>(),
        drift_ppm in -80..80_i64,
    ) {
        let mut world = World::new(seed, drift_ppm, usize::MAX);
        play(&mut world, &turns);
        world.check_times()?;
    }

    #[test]
    fn what_a_small_flash_overwrites_is_in_the_gap_ledger(
        turns in prop::collection::vec(turn(0), 1..30),
        seed in any::<u64>(),
        flash_packets in 100..800_usize,
    ) {
        let mut world = World::new(seed, 0, flash_packets);
        play(&mut world, &turns);
        world.check()?;
    }
}
