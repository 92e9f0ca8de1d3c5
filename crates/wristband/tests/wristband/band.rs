//! Conversations with a wristband.

use std::time::{Duration, Instant};

use biosignal::{Channel, GapCause};
use wristband::{
    Action, BandState, Block, Command, EarlierEpoch, Event, Profile, StreamPacket, uuids,
};

use crate::page;
use crate::stage::{Stage, at};

/// Half a second of temperature; packet 1 begins at the boot.
fn packet(epoch: u32, sequence: u32) -> StreamPacket {
    StreamPacket {
        epoch,
        sequence,
        device_time_us: u64::from(sequence - 1) * 500_000,
        replayed: false,
        blocks: vec![Block {
            channel: Channel::SkinTemperature,
            offset_us: 0,
            period_us: 250_000,
            samples: vec![3300, i32::try_from(sequence).expect("a short test")],
        }],
    }
}

fn live(epoch: u32, sequence: u32) -> Vec<u8> {
    packet(epoch, sequence).encode().expect("it fits")
}

fn replayed(epoch: u32, sequence: u32) -> Vec<u8> {
    StreamPacket { replayed: true, ..packet(epoch, sequence) }.encode().expect("it fits")
}

/// A band of `epoch` that holds packets `oldest` to `newest`, half a second after the newest began.
fn state(epoch: u32, oldest: u32, newest: u32) -> BandState {
    BandState {
        epoch,
        newest_sequence: newest,
        oldest_sequence: oldest,
        device_time_us: u64::from(newest) * 500_000,
        battery_percent: 80,
        streaming: true,
        on_wrist: true,
        earlier: Vec::new(),
    }
}

fn reading(kind: &str, epoch: u32, sequence: u32, at_ms: i64) -> String {
    format!("{kind} {epoch}/{sequence} skin_temperature at {at_ms} ms [3300, {sequence}]")
}

impl Stage {
    fn stream(&mut self, at_ms: i64, bytes: &[u8], expected: &[&str]) {
        self.notify(at_ms, uuids::STREAM, bytes, expected);
    }

    fn state(&mut self, at_ms: i64, state: &BandState, expected: &[&str]) {
        self.notify(at_ms, uuids::STATE, &state.encode(), expected);
    }

    /// Connects a band that booted at 0 ms and has made `newest` packets, all on time.
    fn connected(at_ms: i64, state: &BandState) -> Self {
        let mut stage = Self::new(Profile::Tidewatch);
        let set_time = format!("set time {at_ms} ms");
        stage.check(at_ms, Event::Connected, &[&set_time, "start"]);
        let clock = format!("clock {}: boot at 0 ms, 0.0 ppm, +- 20 ms", state.epoch);
        stage.state(at_ms, state, &[&clock, "battery 80", "contact true"]);
        stage
    }
}

/// The bytes of `PROFILE.md`, by way of a band that was not known before.
#[test]
fn the_page_as_a_conversation() {
    let mut stage = Stage::new(Profile::Tidewatch);
    stage.check(0, Event::Connected, &["set time 0 ms", "start"]);
    stage.notify(
        40,
        uuids::STATE,
        &page::example("state"),
        &[
            "clock 7: boot at -512960250 us, 0.0 ppm, +- 20 ms",
            "clock 6: boot at 0 ms, 0.0 ppm, +- 1000 ms",
            "battery 83",
            "contact true",
        ],
    );
    // The newest packet was on its way as the state was made: it is live all the same.
    stage.notify(
        60,
        uuids::STREAM,
        &page::example("stream"),
        &[
            "live 7/1025 bvp at -460250 us [-1200, -1135, -900, 250]",
            "live 7/1025 acceleration at -460250 us [32, 160, -1024, 48, 160, -1008]",
            "live 7/1025 eda at -460250 us [622764, 624045]",
            "live 7/1025 ibi at -460250 us [187500, 812500]",
        ],
    );
    stage.check(1040, Event::Tick, &["replay 6/88000..88599"]);
    assert_eq!(stage.session.missing(), 7201 + 1024);
}

#[test]
fn live_goes_on_while_holes_are_filled() {
    let mut stage = Stage::connected(10_000, &state(1, 15, 20));
    stage.stream(10_500, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    // Before a second has passed nothing is asked for; then what the flash holds.
    stage.stream(11_000, &live(1, 22), &[&reading("live", 1, 22, 10_500), "replay 1/15..20"]);
    stage.stream(11_020, &replayed(1, 15), &[&reading("backlog", 1, 15, 7000)]);
    stage.stream(11_030, &replayed(1, 16), &[&reading("backlog", 1, 16, 7500)]);
    stage.stream(11_040, &replayed(1, 16), &[]);
    stage.stream(11_500, &live(1, 23), &[&reading("live", 1, 23, 11_000)]);
    stage.stream(11_510, &replayed(1, 17), &[&reading("backlog", 1, 17, 8000)]);
    // Packet 18 is lost on the way: it is asked for in the next round.
    stage.stream(11_520, &replayed(1, 19), &[&reading("backlog", 1, 19, 9000)]);
    stage.stream(11_530, &replayed(1, 20), &[&reading("backlog", 1, 20, 9500), "replay 1/18..18"]);
    assert_eq!(stage.session.cursor().contiguous_through(1), 17);
    stage.stream(11_600, &replayed(1, 18), &[&reading("backlog", 1, 18, 8500)]);
    assert_eq!(stage.session.cursor().contiguous_through(1), 23);
    assert_eq!(stage.session.missing(), 0);
}

#[test]
fn swapped_notifications_are_no_hole() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.stream(11_000, &live(1, 22), &[&reading("live", 1, 22, 10_500)]);
    assert_eq!(stage.session.missing(), 1);
    stage.stream(11_010, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    stage.stream(11_020, &live(1, 21), &[]);
    stage.check(15_000, Event::Tick, &[]);
}

#[test]
fn requests_are_repeated_with_patience_and_never_outrun_the_connection() {
    let mut stage = Stage::connected(10_000, &state(1, 1, 20));
    let mut asked = Vec::new();
    for second in 0..300 {
        let actions = stage.session.handle(at(11_000 + second * 1000), Event::Tick);
        let replays = actions.iter().filter(|action| match action {
            Action::Write { bytes, .. } => {
                Command::decode(bytes) == Ok(Command::Replay { epoch: 1, from: 1, through: 20 })
            }
            _ => false,
        });
        asked.extend(replays.map(|_| second));
    }
    assert_eq!(asked, [0, 3, 9, 21, 45, 93, 153, 213, 273], "seconds");
    stage.check(311_000, Event::Disconnected { cause: GapCause::OutOfRange }, &[]);
    stage.check(320_000, Event::Tick, &[]);
    stage.check(330_000, Event::Connected, &["set time 330000 ms", "start"]);
    stage.check(332_000, Event::Tick, &[]);
    let mut later = state(1, 1, 664);
    later.streaming = false;
    // A band that does not stream two seconds after it was told to is told again.
    stage.state(332_010, &later, &["start", "replay 1/1..20"]);
}

#[test]
fn what_flash_has_overwritten_is_a_gap_of_the_band() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.stream(10_500, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    stage.check(11_000, Event::Disconnected { cause: GapCause::OutOfRange }, &[]);
    stage.check(100_000, Event::Connected, &["set time 100000 ms", "start"]);
    // Packets 22 to 200 were made; of these 22 to 99 are gone.
    stage.state(100_000, &state(1, 100, 200), &["gap 10500 ms to 49500 ms: band"]);
    stage.check(101_000, Event::Tick, &["replay 1/100..200"]);
    // Later 100 to 110 go too, before they could be sent.
    stage.state(
        101_500,
        &BandState { device_time_us: 101_500_000, ..state(1, 111, 203) },
        &["gap 49500 ms to 55000 ms: band"],
    );
    stage.stream(101_600, &replayed(1, 105), &[]);
    // One that flash can no longer read comes without blocks.
    let unreadable = StreamPacket { replayed: true, blocks: Vec::new(), ..packet(1, 111) };
    let unreadable = unreadable.encode().expect("it fits");
    stage.stream(101_700, &unreadable, &["gap 55000 ms to 55500 ms: band"]);
    stage.stream(101_710, &unreadable, &[]);
}

#[test]
fn a_reboot_is_a_new_epoch_and_the_old_one_is_finished() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.stream(10_500, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    stage.check(11_000, Event::Disconnected { cause: GapCause::OutOfRange }, &[]);
    // It went on to packet 24, then booted at 15 s and is at 17 s now.
    stage.check(17_000, Event::Connected, &["set time 17000 ms", "start"]);
    let old = EarlierEpoch {
        epoch: 1,
        oldest_sequence: 1,
        newest_sequence: 24,
        end_us: 12_000_000,
        utc_offset_us: None,
    };
    stage.state(
        17_000,
        &BandState { earlier: vec![old], ..state(2, 1, 4) },
        &["clock 2: boot at 15000 ms, 0.0 ppm, +- 20 ms", "gap 12000 ms to 15000 ms: band"],
    );
    stage.check(18_000, Event::Tick, &["replay 1/22..24"]);
    stage.stream(18_010, &replayed(1, 24), &[&reading("backlog", 1, 24, 11_500)]);
    stage.check(18_200, Event::Tick, &["replay 2/1..4"]);
    stage.stream(18_300, &replayed(2, 4), &[&reading("backlog", 2, 4, 16_500), "replay 1/22..23"]);
    // The flash gave the old epoch up: what was missing of it is lost.
    stage.state(18_500, &state(2, 1, 4), &["gap 10500 ms to 11500 ms: band", "replay 2/1..3"]);
}

#[test]
fn epochs_that_nobody_heard_are_placed_before_their_successor() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.check(11_000, Event::Disconnected { cause: GapCause::OutOfRange }, &[]);
    stage.check(100_000, Event::Connected, &["set time 100000 ms", "start"]);
    let earlier = |epoch, end_us, utc_offset_us| EarlierEpoch {
        epoch,
        oldest_sequence: 1,
        newest_sequence: 2,
        end_us,
        utc_offset_us,
    };
    let earlier =
        vec![earlier(3, 1_000_000, None), earlier(2, 1_000_000, Some(at(30_000).as_micros()))];
    stage.state(
        100_000,
        &BandState { earlier, ..state(4, 1, 20) },
        &[
            "clock 4: boot at 90000 ms, 0.0 ppm, +- 20 ms",
            "clock 3: boot at 89000 ms, 0.0 ppm, +- 3600000 ms",
            "clock 2: boot at 30000 ms, 0.0 ppm, +- 1000 ms",
            "gap 10000 ms to 30000 ms: band",
            "gap 31000 ms to 89000 ms: band",
        ],
    );
    stage.check(101_000, Event::Tick, &["replay 2/1..2"]);
    stage.stream(101_010, &replayed(2, 1), &[&reading("backlog", 2, 1, 30_000)]);
}

#[test]
fn silence_bad_bytes_and_the_wrist_are_told() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.stream(10_500, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    stage.stream(12_000, &[1, 2, 3], &["rejected: check sum 0x0302 where the bytes make 0xf1d1"]);
    stage.check(15_000, Event::Tick, &[]);
    let off = BandState { on_wrist: false, battery_percent: 79, ..state(1, 21, 21) };
    stage.state(
        15_400,
        &BandState { device_time_us: 15_400_000, ..off.clone() },
        &["battery 79", "contact false"],
    );
    stage.check(15_500, Event::Tick, &["silent since 10500 ms"]);
    stage.check(16_500, Event::Tick, &[]);
    // It comes back with the next number: nothing was measured in between, off the wrist.
    let late = StreamPacket { device_time_us: 17_000_000, ..packet(1, 22) }.encode().expect("fits");
    stage.stream(
        17_500,
        &late,
        &["gap 10500 ms to 17000 ms: off_wrist", &reading("live", 1, 22, 17_000)],
    );
    stage.check(22_500, Event::Tick, &["silent since 17500 ms"]);
    stage.check(3_700_000, Event::Tick, &["set time 3700000 ms"]);
}

/// The session is killed between two events: what came after its last cursor comes again.
#[test]
fn a_restart_goes_on_from_the_cursor() {
    let mut stage = Stage::connected(10_000, &state(1, 21, 20));
    stage.stream(10_500, &live(1, 21), &[&reading("live", 1, 21, 10_000)]);
    stage.restart();
    assert_eq!(stage.session.cursor().contiguous_through(1), 21);
    stage.check(20_000, Event::Connected, &["set time 20000 ms", "start"]);
    stage.stream(20_500, &live(1, 41), &[&reading("live", 1, 41, 20_000)]);
    stage.stream(20_510, &live(1, 21), &[]);
    stage.state(
        20_600,
        &BandState { device_time_us: 20_600_000, ..state(1, 1, 41) },
        &["battery 80", "contact true"],
    );
    stage.check(21_500, Event::Tick, &["replay 1/22..40"]);
}

/// A band that was worn for an hour before sends its flash while it goes on measuring.
#[test]
fn an_hour_of_flash_is_read_quickly() {
    let newest = 7200;
    let mut stage = Stage::connected(3_600_000, &state(1, 1, newest));
    let start = Instant::now();
    let (mut backlog, mut writes, mut live_readings) = (0, 0, 0);
    let mut waiting: Vec<u32> = Vec::new();
    let mut now_ms = 3_600_000;
    let mut sequence = newest;
    while stage.session.missing() > 0 {
        now_ms += 5;
        let bytes = if now_ms % 500 == 0 {
            sequence += 1;
            live(1, sequence)
        } else if let Some(next) = waiting.pop() {
            replayed(1, next)
        } else {
            Vec::new()
        };
        let event = match &bytes[..] {
            [] => Event::Tick,
            bytes => Event::Notified { characteristic: uuids::STREAM, bytes },
        };
        for action in stage.session.handle(at(now_ms), event) {
            match action {
                Action::Reading { live: true, .. } => live_readings += 1,
                Action::Reading { live: false, .. } => backlog += 1,
                Action::Write { bytes, .. } => {
                    let Ok(Command::Replay { from, through, .. }) = Command::decode(&bytes) else {
                        panic!("only replays are asked for");
                    };
                    writes += 1;
                    waiting = (from..=through).rev().collect();
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(now_ms < 3_700_000, "{} are still missing", stage.session.missing());
    }
    let took = start.elapsed();
    println!(
        "{backlog} packets of flash in {writes} requests and {} s of the band's time, \
         {live_readings} live ones meanwhile; the session took {took:?}",
        (now_ms - 3_600_000) / 1000
    );
    assert_eq!((backlog, writes), (newest, 12));
    assert_eq!(live_readings, sequence - newest);
    assert!(took < Duration::from_secs(2), "it took {took:?}");
}
