use std::sync::Arc;
use std::time::{Duration, Instant};

use biosignal::{Channel, DeviceId, GatewayId, Reading, Timestamp};
use bus::wire::DeviceStatus;
use bus::wire::device_status::Link as LinkState;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use wristband::{BandState, Block, Command, Profile, Session, StreamPacket, uuids};

use super::scripted::Device;
use super::{Band, Shared, Sighting};
use crate::collector::Intake;
use crate::config::Config;
use crate::link::Link;
use crate::spool::Room;
use crate::status::Statuses;

/// A band's task with all around it played by the test.
struct Bench {
    device: Device,
    sighting: watch::Sender<Sighting>,
    statuses: Statuses,
    status: DeviceStatus,
    taken: mpsc::Receiver<Intake>,
    room: watch::Sender<Room>,
    _running: tokio_util::sync::DropGuard,
}

const EPOCH: u32 = 3;

fn id() -> DeviceId {
    DeviceId::from_address([7; 6])
}

fn state(newest: u32) -> Vec<u8> {
    BandState {
        epoch: EPOCH,
        newest_sequence: newest,
        oldest_sequence: 1,
        device_time_us: u64::from(newest) * 500_000,
        battery_percent: 80,
        streaming: true,
        on_wrist: true,
        earlier: Vec::new(),
    }
    .encode()
}

fn packet(sequence: u32) -> Vec<u8> {
    let block =
        Block { channel: Channel::Bvp, offset_us: 0, period_us: 15_625, samples: vec![0; 32] };
    StreamPacket {
        epoch: EPOCH,
        sequence,
        device_time_us: u64::from(sequence) * 500_000,
        replayed: false,
        blocks: vec![block],
    }
    .encode()
    .expect("a small packet")
}

impl Bench {
    fn new(places: usize, slots: usize) -> Self {
        let device = Device::new(state(0));
        let (intake, taken) = mpsc::channel(places);
        let (room, room_seen) = watch::channel(Room::Free);
        let statuses =
            Statuses::new(GatewayId::new("gw").expect("a word"), Timestamp::from_seconds(0));
        let shared = Shared {
            config: Arc::new(Config::default()),
            statuses: statuses.clone(),
            intake,
            room: room_seen,
            slots: Arc::new(Semaphore::new(slots)),
            pulse: watch::Sender::new(Instant::now()),
        };
        let (sighting, sightings) = watch::channel(Sighting::default());
        let session = Session::new(id(), Profile::Tidewatch, None);
        let shutdown = CancellationToken::new();
        tokio::spawn(Band::new(id(), session, sightings, shared).run(shutdown.clone()));
        let status = DeviceStatus::default();
        let _running = shutdown.drop_guard();
        Self { device, sighting, statuses, status, taken, room, _running }
    }

    /// The adapter works and hears the band.
    fn hear(&self) {
        let way = Some((1, Link::Scripted(self.device.clone())));
        self.sighting.send_modify(|sighting| {
            sighting.adapter_up = true;
            sighting.way = way;
            sighting.heard = Some(Instant::now());
        });
    }

    async fn becomes(&mut self, link: LinkState, cause: &str) {
        let told = async {
            while (self.status.link(), self.status.cause.as_str()) != (link, cause) {
                match self.statuses.take_bands().pop() {
                    Some(status) => self.status = status,
                    None => self.statuses.changed().await,
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(10), told).await.is_err() {
            panic!("expected {link:?} {cause:?}, it is {:?}", self.status);
        }
    }

    async fn connected() -> Self {
        let mut bench = Self::new(64, 1);
        bench.hear();
        bench.becomes(LinkState::Connected, "").await;
        bench
    }

    async fn reading(&mut self) -> Reading {
        loop {
            let intake = tokio::time::timeout(Duration::from_secs(5), self.taken.recv())
                .await
                .expect("a reading is handed out")
                .expect("the band's task runs");
            if let Some(reading) = intake.live.into_iter().next() {
                return reading;
            }
        }
    }

    async fn until(&self, what: &str, happens: impl Fn(&Device) -> bool) {
        let happening = async {
            while !happens(&self.device) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), happening)
            .await
            .unwrap_or_else(|_| panic!("{what}; commands {:?}", self.device.commands()));
    }
}

fn replays(device: &Device) -> Vec<(u32, u32)> {
    let commands = device.commands().into_iter();
    commands
        .filter_map(|command| match command {
            Command::Replay { from, through, .. } => Some((from, through)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_band_that_is_heard_is_read() {
    let mut bench = Bench::connected().await;
    bench.until("it is started", |device| device.commands().contains(&Command::Start)).await;
    bench.device.notify(uuids::STREAM, &packet(1));
    let reading = bench.reading().await;
    assert_eq!((reading.epoch, reading.sequence, reading.len()), (EPOCH, 1, 32));
    bench.becomes(LinkState::Connected, "").await;
    assert_eq!(bench.status.battery_percent, Some(80));
}

#[tokio::test]
async fn a_lost_band_is_told_at_once_and_taken_back_when_it_is_heard() {
    let mut bench = Bench::connected().await;
    let lost = Instant::now();
    bench.sighting.send_modify(|sighting| sighting.losses += 1);
    bench.becomes(LinkState::OutOfRange, "out_of_range").await;
    assert!(lost.elapsed() < Duration::from_secs(1), "{:?}", lost.elapsed());
    assert_eq!(bench.device.attempts(), 1, "what was heard before says nothing");
    bench.until("given up", |device| device.disconnects() > 0).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    bench.hear();
    bench.becomes(LinkState::Connected, "").await;
    assert_eq!(bench.device.attempts(), 2);
    bench.device.notify(uuids::STREAM, &packet(1));
    assert_eq!(bench.reading().await.sequence, 1);
}

#[tokio::test]
async fn an_attempt_that_fails_is_taken_back_and_repeated() {
    let mut bench = Bench::new(64, 1);
    bench.device.refuse("le-connection-abort-by-local");
    bench.hear();
    bench.until("it was tried", |device| device.attempts() == 1).await;
    // BlueZ would go on trying for ever.
    bench.until("it was told to stop", |device| device.disconnects() >= 1).await;
    bench.becomes(LinkState::OutOfRange, "out_of_range").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    bench.hear();
    bench.becomes(LinkState::Connected, "").await;
}

#[tokio::test]
async fn the_band_too_many_is_refused_visibly() {
    let mut none_left = Bench::new(64, 0);
    none_left.hear();
    none_left.becomes(LinkState::NoSlot, "adapter").await;
    assert_eq!(none_left.device.attempts(), 0);

    let mut adapter_full = Bench::new(64, 1);
    adapter_full.device.refuse("le-connection-concurrent-connection-limit");
    adapter_full.hear();
    adapter_full.becomes(LinkState::NoSlot, "adapter").await;
    // A place becomes free.
    tokio::time::sleep(Duration::from_millis(20)).await;
    adapter_full.hear();
    adapter_full.becomes(LinkState::Connected, "").await;
}

#[tokio::test]
async fn without_an_adapter_the_card_says_so() {
    let mut bench = Bench::connected().await;
    bench.sighting.send_modify(|sighting| {
        sighting.adapter_up = false;
        sighting.way = None;
    });
    bench.becomes(LinkState::AdapterDown, "adapter").await;
    bench.hear();
    bench.becomes(LinkState::Connected, "").await;
}

#[tokio::test]
async fn with_the_spool_full_the_band_keeps_its_readings_and_is_asked_again() {
    let mut bench = Bench::connected().await;
    bench.device.notify(uuids::STREAM, &packet(1));
    assert_eq!(bench.reading().await.sequence, 1);

    bench.room.send_replace(Room::Full);
    bench.device.notify(uuids::STREAM, &packet(2));
    bench.device.notify(uuids::STREAM, &packet(3));
    bench.becomes(LinkState::Connected, "store").await;

    bench.room.send_replace(Room::LiveOnly);
    bench.device.notify(uuids::STREAM, &packet(4));
    assert_eq!(bench.reading().await.sequence, 4, "2 and 3 were not taken");
    bench.becomes(LinkState::Connected, "").await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(replays(&bench.device), [], "backlog waits for more room");

    bench.room.send_replace(Room::Free);
    bench.device.notify(uuids::STREAM, &packet(5));
    let asked =
        |device: &Device| replays(device).iter().any(|(from, through)| *from <= 2 && *through >= 3);
    bench.until("the hole is asked for", asked).await;
}

#[tokio::test]
async fn what_the_collector_has_no_place_for_stays_with_the_band() {
    let mut bench = Bench::new(1, 1);
    bench.hear();
    bench.becomes(LinkState::Connected, "").await;
    for sequence in 1..=4 {
        bench.device.notify(uuids::STREAM, &packet(sequence));
    }
    bench.becomes(LinkState::Connected, "store").await;
    // Packet 1 found the one place, packet 2 waits for it; 3 and 4 were not taken.
    assert_eq!(bench.reading().await.sequence, 1);
    assert_eq!(bench.reading().await.sequence, 2);
    bench.device.notify(uuids::STREAM, &packet(5));
    assert_eq!(bench.reading().await.sequence, 5);
    let asked = |device: &Device| replays(device).iter().any(|(from, _)| *from == 3);
    bench.until("3 and 4 are asked for", asked).await;
}

#[tokio::test]
async fn garbage_and_silence_are_told_apart() {
    let mut silent = Bench::connected().await;
    let mut garbled = Bench::connected().await;
    garbled.device.notify(uuids::STREAM, b"?");
    silent.becomes(LinkState::Silent, "band").await;
    garbled.becomes(LinkState::Garbage, "band").await;
    garbled.device.notify(uuids::STREAM, &packet(1));
    garbled.becomes(LinkState::Connected, "").await;
}
