use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use biosignal::{Channel, DeviceId, Gap, GapCause, GatewayId, Reading, SiteId, Timestamp};
use bus::broker::{self, Broker};
use bus::{BatchHead, Endpoint, Filter, Message, SessionKind, Subscriber, wire};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use crate::collector::Fresh;
use crate::spool::{Draft, Flush, Key, Spool};
use crate::status::Statuses;

fn site() -> SiteId {
    SiteId::new("house-1").expect("a word")
}

fn gateway() -> GatewayId {
    GatewayId::new("gw-1").expect("a word")
}

fn band() -> DeviceId {
    DeviceId::from_address([9; 6])
}

/// A batch that is told apart from others by the number of its packet.
fn batch(packet: u32) -> wire::Batch {
    let now = Timestamp::from_seconds(1_000);
    let head = BatchHead {
        device: band(),
        gateway: gateway(),
        epoch: 0,
        sequence: 0,
        created_at: now,
        clock: None,
    };
    let reading = Reading {
        device: band(),
        channel: Channel::Eda,
        epoch: 1,
        sequence: packet,
        measured_at: now,
        received_at: now,
        period_us: 250_000,
        samples: vec![1, 2],
    };
    bus::batch_from_readings(&head, &[reading]).expect("a good reading")
}

async fn keep(spool: &Spool, packet: u32) -> Key {
    let batches = vec![Draft { device: band(), body: batch(packet).encode_to_vec() }];
    let flush = Flush { batches, ..Flush::default() };
    spool.append(Arc::new(flush)).await.expect("there is room").remove(0)
}

/// A broker, the publisher under test, and a recorder that the test plays.
struct House {
    broker: Option<Broker>,
    address: SocketAddr,
    spool: Spool,
    statuses: Statuses,
    fresh: mpsc::Sender<Vec<Fresh>>,
    recorder: Subscriber,
    speaker: bus::Publisher,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
    _end: tokio_util::sync::DropGuard,
    _folder: tempfile::TempDir,
}

async fn start_broker(listen: SocketAddr) -> Broker {
    let config = broker::Config { listen, ..broker::Config::default() };
    Broker::start(config).await.expect("the broker starts")
}

impl House {
    /// With these packets in the spool from before.
    async fn new(packets: impl IntoIterator<Item = u32>, resend_after: Duration) -> Self {
        let broker = start_broker((Ipv4Addr::LOCALHOST, 0).into()).await;
        let address = broker.address();
        let endpoint = broker.endpoint();
        Self::on(Some(broker), address, endpoint, packets, resend_after).await
    }

    async fn on(
        broker: Option<Broker>,
        address: SocketAddr,
        endpoint: Endpoint,
        packets: impl IntoIterator<Item = u32>,
        resend_after: Duration,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), 1 << 30).expect("a new spool");
        for packet in packets {
            keep(&spool, packet).await;
        }
        let statuses = Statuses::new(gateway(), Timestamp::from_seconds(1));
        let all = CancellationToken::new();
        let filters = vec![
            Filter::batches(&site()),
            Filter::backfill(&site()),
            Filter::gaps(&site()),
            Filter::statuses(&site()),
        ];
        let kind = SessionKind::Persistent;
        let recorder = Subscriber::start(&endpoint, "recorder", filters, kind, &all).unwrap();
        let mut subscribed = recorder.connected();
        if broker.is_some() {
            subscribed.wait_for(|connected| *connected).await.unwrap();
        }
        let words = vec![Filter::acknowledgements(&site(), &gateway())];
        let words = Subscriber::start(&endpoint, "words", words, SessionKind::Clean, &all).unwrap();
        let speaker = bus::Publisher::start(&endpoint, "speaker", None, &all).unwrap();
        let mqtt = bus::Publisher::start(&endpoint, "gateway", None, &all).unwrap();
        let (fresh, freshly_kept) = mpsc::channel(8);
        let publisher =
            Publisher::new(site(), gateway(), spool.clone(), statuses.clone(), mqtt, resend_after);
        let stop = CancellationToken::new();
        let publisher = publisher.await.expect("the spool is readable");
        let running = tokio::spawn(publisher.run(freshly_kept, words, stop.clone()));
        let _end = all.drop_guard();
        Self {
            broker,
            address,
            spool,
            statuses,
            fresh,
            recorder,
            speaker,
            running,
            stop,
            _end,
            _folder: folder,
        }
    }

    /// A live batch, kept and announced.
    async fn live(&self, packet: u32) -> Key {
        let key = keep(&self.spool, packet).await;
        self.announce(&key, packet).await;
        key
    }

    /// Tells the publisher of a live batch that is kept.
    async fn announce(&self, key: &Key, packet: u32) {
        let batch = wire::Batch { epoch: key.epoch, sequence: key.sequence, ..batch(packet) };
        let fresh = Fresh { key: key.clone(), live: Some(batch) };
        self.fresh.send(vec![fresh]).await.expect("the publisher runs");
    }

    /// The next message that is not a status of the gateway itself. One that the broker
    /// brought before it went away can no longer be acknowledged, which is no matter here.
    async fn next(&mut self) -> Message {
        loop {
            let delivery = tokio::time::timeout(Duration::from_secs(20), self.recorder.next());
            let delivery = delivery.await.expect("a message comes").expect("the recorder runs");
            self.recorder.acknowledge(delivery.ack);
            match delivery.message.expect("what the gateway says is well formed") {
                Message::GatewayStatus(_) => {}
                message => return message,
            }
        }
    }

    /// The numbers of so many batches to come, and the topics' kinds.
    async fn batches(&mut self, count: usize) -> Vec<(&'static str, u64)> {
        let mut found = Vec::new();
        while found.len() < count {
            match self.next().await {
                Message::Batch(batch) => found.push(("live", batch.sequence)),
                Message::Backfill(batch) => found.push(("backlog", batch.sequence)),
                other => panic!("unexpected {other:?}"),
            }
        }
        found
    }

    /// The store's word.
    async fn word(&self, epoch: u64, through: u64, missing: &[(u64, u64)]) {
        let missing =
            missing.iter().map(|(first, last)| wire::Range { first: *first, last: *last });
        let device = wire::DeviceAck {
            device: band().to_string(),
            epoch,
            contiguous_through: through,
            missing: missing.collect(),
        };
        let word = wire::Acknowledgement {
            gateway: gateway().to_string(),
            at_us: 1,
            devices: vec![device],
        };
        self.speaker.connected().wait_for(|connected| *connected).await.unwrap();
        let publication = Message::Acknowledgement(word).publication(&site());
        self.speaker.publish(publication).await.expect("the broker takes it");
    }

    async fn holds(&self, batches: u64) {
        let start = Instant::now();
        while self.spool.depth().batches != batches {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.spool.depth());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

const LONG: Duration = Duration::from_secs(45);

#[tokio::test]
async fn live_goes_before_backlog_and_all_of_it_stays_until_the_store_has_it() {
    let mut house = House::new(1..=200, LONG).await;
    let key = keep(&house.spool, 201).await;
    house.statuses.introduce(&band(), wristband::Profile::Tidewatch, Timestamp::from_seconds(2));
    assert!(matches!(house.next().await, Message::DeviceStatus(_)));
    house.announce(&key, 201).await;
    let mut backlog = BTreeSet::new();
    loop {
        match house.batches(1).await[0] {
            ("live", sequence) => break assert_eq!(sequence, 201),
            (_, sequence) => assert!(backlog.insert(sequence), "{sequence} came twice"),
        }
    }
    assert!(backlog.len() <= super::BACKLOG_AT_ONCE, "{} went ahead of it", backlog.len());

    for (kind, sequence) in house.batches(200 - backlog.len()).await {
        assert!(kind == "backlog" && backlog.insert(sequence), "{kind} {sequence} came twice");
    }
    assert_eq!(backlog, (1..=200).collect());
    assert_eq!(house.spool.depth().batches, 201, "the broker's word is not enough");
    house.word(key.epoch, 150, &[]).await;
    house.holds(51).await;
    house.word(key.epoch, 201, &[]).await;
    house.holds(0).await;
}

#[tokio::test]
async fn what_was_kept_while_the_broker_was_away_arrives_afterwards() {
    let mut house = House::new([], LONG).await;
    let key = house.live(1).await;
    assert_eq!(house.batches(1).await, [("live", 1)]);
    house.broker.take().expect("it runs").stop().await.expect("it stops");
    for packet in 2..=5 {
        house.live(packet).await;
    }
    house.broker = Some(start_broker(house.address).await);
    let mut found: Vec<_> = house.batches(4).await;
    found.sort_unstable();
    assert_eq!(found, [("backlog", 2), ("backlog", 3), ("backlog", 4), ("backlog", 5)]);
    house.live(6).await;
    assert_eq!(house.batches(1).await, [("live", 6)]);
    house.word(key.epoch, 6, &[]).await;
    house.holds(0).await;
}

#[tokio::test]
async fn what_the_store_misses_is_sent_again() {
    let mut house = House::new(1..=3, LONG).await;
    house.batches(3).await;
    // Long enough ago that it is not on its way any more.
    tokio::time::sleep(super::ON_ITS_WAY).await;
    let epoch = house.spool.epoch().await.unwrap();
    house.word(epoch, 1, &[(2, 2)]).await;
    assert_eq!(house.batches(1).await, [("backlog", 2)]);
    house.word(epoch, 3, &[]).await;
    house.holds(0).await;
}

#[tokio::test]
async fn without_the_stores_word_everything_is_sent_again() {
    let mut house = House::new(1..=2, Duration::from_secs(1)).await;
    house.word(house.spool.epoch().await.unwrap() + 1, 2, &[]).await; // of another spool: no word
    assert_eq!(house.batches(2).await, [("backlog", 1), ("backlog", 2)]);
    assert_eq!(house.batches(2).await, [("backlog", 1), ("backlog", 2)]);
    assert_eq!(house.spool.depth().batches, 2);
}

#[tokio::test]
async fn a_store_that_knows_more_than_the_spool_is_met_with_new_numbers() {
    let mut house = House::new(1..=2, LONG).await;
    house.batches(2).await;
    let before = house.spool.epoch().await.unwrap();
    house.word(before, 9, &[]).await;
    let mut again = BTreeMap::new();
    while again.len() < 2 {
        let Message::Backfill(batch) = house.next().await else { panic!("backlog is expected") };
        assert_ne!(batch.epoch, before);
        again.insert(batch.sequence, batch.readings.len());
    }
    assert_eq!(again, BTreeMap::from([(1, 1), (2, 1)]));
    house.word(before, 9, &[]).await;
    house.word(house.spool.epoch().await.unwrap(), 2, &[]).await;
    house.holds(0).await;
}

#[tokio::test]
async fn a_gap_is_told_once_the_broker_takes_it() {
    let mut house = House::new([], LONG).await;
    let gap = Gap {
        device: band(),
        from: Timestamp::from_seconds(5),
        until: Timestamp::from_seconds(9),
        cause: GapCause::OutOfRange,
    };
    let flush = Flush { gaps: vec![gap], ..Flush::default() };
    house.spool.append(Arc::new(flush)).await.expect("there is room");
    let Message::Gap(told) = house.next().await else { panic!("a gap is expected") };
    assert_eq!(
        (told.from_us, told.until_us, told.cause.as_str()),
        (5_000_000, 9_000_000, "out_of_range")
    );
    let start = Instant::now();
    while !house.spool.gaps(1).await.expect("readable").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(5), "the gap is still to be told");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_damaged_batch_goes_out_empty_so_that_its_place_is_filled() {
    let mut house = House::new([], LONG).await;
    let batches = vec![Draft { device: band(), body: vec![0xff; 9] }];
    house.spool.append(Arc::new(Flush { batches, ..Flush::default() })).await.expect("room");
    house.live(2).await;
    // The publisher learns of batches by announcement; of the damaged one as it starts anew.
    house.stop.cancel();
    (&mut house.running).await.expect("no panic").expect("a good end");
    let statuses = house.statuses.clone();
    let mqtt = house.speaker.clone();
    let publisher =
        Publisher::new(site(), gateway(), house.spool.clone(), statuses, mqtt, LONG).await.unwrap();
    let (_fresh, freshly_kept) = mpsc::channel(1);
    let endpoint = house.broker.as_ref().expect("it runs").endpoint();
    let words = vec![Filter::acknowledgements(&site(), &gateway())];
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    let words = Subscriber::start(&endpoint, "words-2", words, SessionKind::Clean, &stop).unwrap();
    tokio::spawn(publisher.run(freshly_kept, words, stop));
    let mut empty = None;
    while empty.is_none() {
        if let Message::Backfill(batch) = house.next().await
            && batch.sequence == 1
        {
            empty = Some(batch);
        }
    }
    let empty = empty.expect("it was found");
    assert_eq!((empty.device.as_str(), empty.readings.len()), (band().as_str(), 0));
}

#[tokio::test]
async fn a_refused_batch_stays_and_statuses_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "secret\n").expect("writable");
    let user = broker::User {
        name: "house".to_owned(),
        password_file: password_file.clone(),
        publish: vec!["tidewatch/v1/+/+/+/status".to_owned(), "tidewatch/v1/+/ack/+".to_owned()],
        subscribe: vec!["tidewatch/v1/#".to_owned()],
    };
    let config = broker::Config {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        users: vec![user],
        ..broker::Config::default()
    };
    let broker = Broker::start(config).await.expect("the broker starts");
    let endpoint = Endpoint {
        username: Some("house".to_owned()),
        password_file: Some(password_file),
        ..broker.endpoint()
    };
    let address = broker.address();
    let mut house = House::on(Some(broker), address, endpoint, 1..=3, LONG).await;
    house.live(4).await;
    // Longer than the store's first word is waited for: the backlog was tried.
    tokio::time::sleep(super::WORD_WAIT + Duration::from_millis(500)).await;
    house.statuses.introduce(&band(), wristband::Profile::Tidewatch, Timestamp::from_seconds(2));
    assert!(matches!(house.next().await, Message::DeviceStatus(_)), "and no batch before it");
    assert_eq!(house.spool.depth().batches, 4);
}
