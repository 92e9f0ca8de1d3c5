//! The recorder with a real broker and a real store.

use std::time::Duration;

use biosignal::{Channel, DeviceId, Gap, GapCause, GatewayId, Reading, SiteId, Timestamp};
use bus::broker::Broker;
use bus::{
    BatchHead, Filter, Message, Publication, Publisher, SessionKind, Subscriber, broker, wire,
};
use store::{LedgerEntry, Of, PacketRange, Scan, Store};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{RecordConfig, run};

const PATIENCE: Duration = Duration::from_secs(60);

/// A broker, a store, and a gateway's connection.
struct House {
    broker: Broker,
    folder: TempDir,
    store: Store,
    publisher: Publisher,
    _shutdown: DropGuard,
}

struct Recorder {
    shutdown: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl House {
    async fn start() -> Self {
        let config = broker::Config { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
        let broker = Broker::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shutdown = CancellationToken::new();
        let publisher =
            Publisher::start(&broker.endpoint(), "gateway-gw-1", None, &shutdown).unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self { broker, folder, store, publisher, _shutdown: shutdown.drop_guard() }
    }

    fn record(&self) -> Recorder {
        let shutdown = CancellationToken::new();
        let store = Store::open(self.folder.path()).unwrap();
        let config = RecordConfig {
            acknowledge_every: Duration::from_millis(50),
            ..RecordConfig::default()
        };
        let service = run(site(), config, self.broker.endpoint(), store, shutdown.clone());
        Recorder { shutdown, running: tokio::spawn(service) }
    }

    /// Publishes once somebody is there to hear it, or has been.
    async fn publish(&self, publication: Publication) {
        publish(self.publisher.clone(), publication).await;
    }

    /// Waits until a gateway is told that everything up to a number is stored.
    async fn told(&self, gateway: &str, through: u64) -> wire::DeviceAck {
        let shutdown = CancellationToken::new();
        let filter = Filter::acknowledgements(&site(), &self::gateway(gateway));
        let endpoint = self.broker.endpoint();
        let id = format!("gateway-{gateway}-listens");
        let mut acknowledgements =
            Subscriber::start(&endpoint, &id, vec![filter], SessionKind::Clean, &shutdown).unwrap();
        loop {
            let told = tokio::time::timeout(PATIENCE, acknowledgements.next()).await;
            let delivery = told.expect("the gateway is told").expect("connected");
            acknowledgements.acknowledge(delivery.ack);
            let Ok(Message::Acknowledgement(told)) = delivery.message else {
                panic!("{}", delivery.topic)
            };
            let of_device = told.devices.into_iter().find(|it| it.contiguous_through >= through);
            if let Some(ack) = of_device {
                return ack;
            }
        }
    }
}

impl Recorder {
    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.unwrap().unwrap().unwrap();
    }
}

async fn publish(publisher: Publisher, publication: Publication) {
    use bus::PublishError::{Disconnected, NoMatchingSubscribers};
    loop {
        match publisher.publish(publication.clone()).await {
            Ok(()) => return,
            Err(Disconnected | NoMatchingSubscribers) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn site() -> SiteId {
    SiteId::new("house-1").unwrap()
}

fn gateway(name: &str) -> GatewayId {
    GatewayId::new(name).unwrap()
}

fn device() -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1])
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + i64::try_from(second).unwrap())
}

fn reading(sequence: u64) -> Reading {
    Reading {
        device: device(),
        channel: Channel::Eda,
        epoch: 7,
        sequence: u32::try_from(sequence).unwrap(),
        measured_at: at(sequence),
        received_at: at(sequence + 1),
        period_us: 250_000,
        samples: vec![1, 2, 3, 4],
    }
}

fn batch(sequence: u64) -> wire::Batch {
    let head = BatchHead {
        device: device(),
        gateway: gateway("gw-1"),
        epoch: 99,
        sequence,
        created_at: at(sequence + 1),
        clock: None,
    };
    bus::batch_from_readings(&head, &[reading(sequence)]).unwrap()
}

fn live(sequence: u64) -> Publication {
    Message::Batch(batch(sequence)).publication(&site())
}

fn backfill(sequence: u64) -> Publication {
    Message::Backfill(batch(sequence)).publication(&site())
}

async fn stored(store: &Store) -> Vec<Reading> {
    let scan = Scan { of: Of::Device(device()), channels: vec![], from: at(0), until: at(100_000) };
    store.scan(scan).await.unwrap()
}

#[tokio::test]
async fn what_is_published_is_stored_once_and_told_and_what_is_bad_stops_nothing() {
    let house = House::start().await;
    let recorder = house.record();
    for publication in [live(1), live(2), live(2), live(3), backfill(5), backfill(4), backfill(1)] {
        house.publish(publication).await;
    }
    house.publish(Publication { payload: "no protobuf".into(), ..live(1) }).await;
    let mut of_newer_gateway = batch(6);
    of_newer_gateway.readings[0].channel = 88;
    house.publish(Message::Batch(of_newer_gateway).publication(&site())).await;
    let gap = wire::Gap {
        device: device().as_str().to_owned(),
        gateway: "gw-1".to_owned(),
        from_us: at(10).as_micros(),
        until_us: at(20).as_micros(),
        cause: "band".to_owned(),
        band_epoch: Some(7),
        first_sequence: Some(3),
        last_sequence: Some(4),
    };
    house.publish(Message::Gap(gap).publication(&site())).await;
    house.publish(live(7)).await;
    let told = house.told("gw-1", 7).await;
    assert_eq!((told.epoch, told.contiguous_through, told.missing.len()), (99, 7, 0));
    let expected: Vec<Reading> = [1, 2, 3, 4, 5, 7].map(reading).to_vec();
    assert_eq!(stored(&house.store).await, expected);
    assert_eq!(house.store.health().await.unwrap().quarantined, 1);
    let ledger = house.store.gaps(&device(), at(0), at(100)).await.unwrap();
    let gap = Gap { device: device(), from: at(10), until: at(20), cause: GapCause::Band };
    let packets = Some(PacketRange { epoch: 7, first: 3, last: 4 });
    assert_eq!(ledger, [LedgerEntry { gap, gateway: gateway("gw-1"), packets }]);
    recorder.stop().await;
    house.broker.stop().await.unwrap();
}

#[tokio::test]
async fn a_hole_is_told_and_what_fills_it_too_though_the_recorder_was_away() {
    let house = House::start().await;
    let recorder = house.record();
    for number in [1, 2, 5] {
        house.publish(live(number)).await;
    }
    let told = house.told("gw-1", 2).await;
    assert_eq!(told.contiguous_through, 2);
    recorder.stop().await;
    for number in [3, 4] {
        house.publish(live(number)).await;
    }
    let recorder = house.record();
    house.told("gw-1", 5).await;
    assert_eq!(stored(&house.store).await, [1, 2, 3, 4, 5].map(reading));
    recorder.stop().await;
}

#[tokio::test]
async fn a_gateway_is_told_at_the_start_what_the_store_has() {
    let house = House::start().await;
    let of_yesterday = store::Batch {
        device: device(),
        gateway: gateway("gw-2"),
        epoch: 1,
        sequence: 1,
        live: true,
        received_at: at(1),
        payload: vec![1],
        readings: vec![reading(1)],
    };
    house.store.append(vec![of_yesterday]).await.unwrap();
    let recorder = house.record();
    assert_eq!(house.told("gw-2", 1).await.contiguous_through, 1);
    recorder.stop().await;
}

#[tokio::test]
async fn a_live_reading_does_not_wait_for_the_backlog() {
    const BACKLOG: u64 = 4000;
    let house = House::start().await;
    let recorder = house.record();
    house.publish(live(1)).await;
    house.publish(backfill(2)).await;
    house.told("gw-1", 2).await;
    recorder.stop().await;
    let mut waiting = JoinSet::new();
    for number in 0..BACKLOG {
        waiting.spawn(publish(house.publisher.clone(), backfill(10 + number)));
    }
    waiting.join_all().await;
    house.publish(live(3)).await;
    let recorder = house.record();
    let stored = async || house.store.batches_received_since(&device(), at(0)).await.unwrap();
    let all = tokio::time::timeout(PATIENCE, async {
        loop {
            let stored = stored().await;
            if stored.len() as u64 == BACKLOG + 3 {
                break stored;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let all = all.await.expect("everything is stored");
    let place = all.iter().position(|it| it.sequence == 3).expect("stored");
    println!("the live batch was stored as number {place}, of {BACKLOG} that had come before it");
    assert!((place as u64) < BACKLOG / 2, "{place}");
    recorder.stop().await;
}
