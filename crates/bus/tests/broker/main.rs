//! What a broker must do for the house, shown over loopback with our own client:
//! for the embedded broker, and for Mosquitto.

#![expect(clippy::print_stdout, reason = "the figures are for whoever runs the tests")]

mod servers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
use std::time::{Duration, Instant};

use biosignal::{DeviceId, GatewayId, SiteId};
use bus::broker::Broker;
use bus::{
    Delivery, Endpoint, Filter, Message, Publication, PublishError, Publisher, SessionKind,
    Subscriber, wire,
};
use servers::{CONFIG, LISTENING, Make, Person, Server, certificate};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine; a wait ends when its condition holds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each check against both brokers.
macro_rules! checks {
    ($($check:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(super::Make::Embedded).await;
            })*
        }
        mod mosquitto {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(super::Make::Mosquitto).await;
            })*
        }
    };
}

checks!(
    a_thousand_retained_topics_reach_a_new_subscriber,
    a_last_will_is_delivered_and_a_goodbye_is_not,
    a_refusal_is_visible_to_the_publisher,
    five_hundred_clients_each_receive,
    nothing_is_missed_while_away,
    what_is_not_acknowledged_comes_again,
    a_connection_mends_itself,
    retained_messages_outlive_a_restart,
);

fn site() -> SiteId {
    SiteId::new("house-1").expect("a good word")
}

fn device(number: u16) -> DeviceId {
    let [high, low] = number.to_be_bytes();
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, high, low])
}

fn status(number: u16) -> Publication {
    let message = Message::DeviceStatus(wire::DeviceStatus {
        device: device(number).into(),
        gateway: "gw-1".to_owned(),
        link: wire::device_status::Link::Connected.into(),
        ..wire::DeviceStatus::default()
    });
    message.publication(&site())
}

fn batch(number: u16, sequence: u64) -> Publication {
    let message = Message::Batch(wire::Batch {
        device: device(number).into(),
        gateway: "gw-1".to_owned(),
        epoch: 1,
        sequence,
        ..wire::Batch::default()
    });
    message.publication(&site())
}

fn gateway_status(gateway: &str, up: bool) -> Publication {
    let status = wire::GatewayStatus { gateway: gateway.to_owned(), up, ..Default::default() };
    Message::GatewayStatus(status).publication(&site())
}

async fn patiently<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

async fn publisher(endpoint: &Endpoint, name: &str, stop: &CancellationToken) -> Publisher {
    let publisher = Publisher::start(endpoint, name, None, stop).expect("a good endpoint");
    let mut connected = publisher.connected();
    patiently("publisher", connected.wait_for(|it| *it)).await.expect("it runs");
    publisher
}

async fn subscriber(
    endpoint: &Endpoint,
    name: &str,
    filter: Filter,
    kind: SessionKind,
    stop: &CancellationToken,
) -> Subscriber {
    let subscriber =
        Subscriber::start(endpoint, name, vec![filter], kind, stop).expect("a good endpoint");
    let mut connected = subscriber.connected();
    patiently("subscriber", connected.wait_for(|it| *it)).await.expect("it runs");
    subscriber
}

async fn next(subscriber: &mut Subscriber) -> Delivery {
    patiently("a message", subscriber.next()).await.expect("it runs")
}

fn sequence(delivery: &Delivery) -> u64 {
    match &delivery.message {
        Ok(Message::Batch(batch)) => batch.sequence,
        other => panic!("{}: {other:?}", delivery.topic),
    }
}

/// Publishes all at once, as far as the window lets it.
async fn publish_all(publisher: &Publisher, all: impl IntoIterator<Item = Publication>) {
    let mut under_way = JoinSet::new();
    for publication in all {
        let publisher = publisher.clone();
        under_way.spawn(async move { publisher.publish(publication).await });
    }
    for answer in patiently("acknowledgements", under_way.join_all()).await {
        match answer {
            Ok(()) | Err(PublishError::NoMatchingSubscribers) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn a_thousand_retained_topics_reach_a_new_subscriber(make: Make) {
    let server = Server::start(make);
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint(), "publisher", &stop).await;
    publish_all(&publisher, (0..1000).map(status)).await;
    let expected: BTreeSet<String> = (0..1000).map(|number| status(number).topic).collect();

    let at_least_once = Filter::statuses(&site());
    let at_most_once = at_least_once.clone().at_most_once();
    for (name, filter) in [("at-least-once", at_least_once), ("at-most-once", at_most_once)] {
        let kind = SessionKind::Clean;
        let mut late = subscriber(&server.endpoint(), name, filter, kind, &stop).await;
        let mut seen = BTreeSet::new();
        while seen.len() < expected.len() {
            let delivery = next(&mut late).await;
            assert!(delivery.retained && delivery.message.is_ok(), "{delivery:?}");
            assert!(late.acknowledge(delivery.ack));
            assert!(seen.insert(delivery.topic.clone()), "{} came twice", delivery.topic);
        }
        assert_eq!(seen, expected);
    }
    println!("{make:?}: 1,000 of 1,000 retained topics, at QoS 1 and at QoS 0");
}

async fn a_last_will_is_delivered_and_a_goodbye_is_not(make: Make) {
    let server = Server::start(make);
    let stop = CancellationToken::new();
    let filter = Filter::gateways(&site());
    let mut watcher =
        subscriber(&server.endpoint(), "watcher", filter, SessionKind::Clean, &stop).await;

    for ends_well in [true, false] {
        // A gateway with a runtime of its own, as if it were a process of its own.
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let endpoint = server.endpoint();
        let token = stop.child_token();
        let its_token = token.clone();
        let gateway = runtime.spawn(async move {
            let will = Some(gateway_status("gw-1", false));
            let publisher =
                Publisher::start(&endpoint, "gw-1", will, &its_token).expect("a good endpoint");
            let mut connected = publisher.connected();
            connected.wait_for(|it| *it).await.expect("it runs");
            publisher.publish(gateway_status("gw-1", true)).await.expect("acknowledged");
            publisher
        });
        let publisher = patiently("the gateway", gateway).await.expect("it runs");
        assert!(is_up(&next(&mut watcher).await, "gw-1"));
        if ends_well {
            let mut connected = publisher.connected();
            token.cancel();
            patiently("goodbye", connected.wait_for(|it| !*it)).await.expect("it runs");
            let other = self::publisher(&server.endpoint(), "gw-2", &stop).await;
            other.publish(gateway_status("gw-2", true)).await.expect("acknowledged");
            assert!(is_up(&next(&mut watcher).await, "gw-2"), "a will after a goodbye");
        } else {
            runtime.shutdown_background();
            assert!(!is_up(&next(&mut watcher).await, "gw-1"), "the will says that it is down");
            continue;
        }
        runtime.shutdown_background();
    }
}

fn is_up(delivery: &Delivery, gateway: &str) -> bool {
    match &delivery.message {
        Ok(Message::GatewayStatus(status)) if status.gateway == gateway => status.up,
        other => panic!("{}: {other:?}", delivery.topic),
    }
}

async fn a_refusal_is_visible_to_the_publisher(make: Make) {
    let person = Person {
        name: "gw-1",
        publish: &["tidewatch/v1/+/gateway/%u/status"],
        subscribe: &["tidewatch/v1/+/ack/%u"],
    };
    let server = Server::with_people(make, vec![person]);
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint_of("gw-1"), "gw-1", &stop).await;

    assert_eq!(publisher.publish(gateway_status("gw-1", true)).await, Ok(()));
    assert_eq!(
        publisher.publish(gateway_status("gw-2", true)).await,
        Err(PublishError::Refused { reason: 135 })
    );
    // Mosquitto 2.0.11 says why, and then ends the connection all the same.
    patiently("acknowledgement", async {
        let mut connected = publisher.connected();
        while publisher.publish(gateway_status("gw-1", false)).await != Ok(()) {
            connected.wait_for(|it| *it).await.expect("it runs");
        }
    })
    .await;

    let own = Filter::acknowledgements(&site(), &GatewayId::new("gw-1").expect("a good word"));
    let kind = SessionKind::Clean;
    let subscriber = subscriber(&server.endpoint_of("gw-1"), "own", own, kind, &stop).await;
    assert!(*subscriber.connected().borrow());

    let stranger = Publisher::start(&server.endpoint(), "stranger", None, &stop).expect("started");
    let refused = stranger.publish(gateway_status("gw-1", true)).await;
    assert_eq!(refused, Err(PublishError::Disconnected));
}

async fn five_hundred_clients_each_receive(make: Make) {
    const CLIENTS: u16 = 500;
    let server = Server::start(make);
    let stop = CancellationToken::new();
    let names: Vec<String> = (0..CLIENTS).map(|number| format!("gw-{number}")).collect();
    let mut connecting = JoinSet::new();
    for name in &names {
        let (endpoint, stop, name) = (server.endpoint(), stop.clone(), name.clone());
        connecting.spawn(async move {
            let gateway = GatewayId::new(name.as_str()).expect("a good word");
            let filter = Filter::acknowledgements(&site(), &gateway);
            (subscriber(&endpoint, &name, filter, SessionKind::Clean, &stop).await, name)
        });
    }
    let clients = patiently("500 connections", connecting.join_all()).await;

    let publisher = publisher(&server.endpoint(), "recorder", &stop).await;
    let acknowledgement = |name: &String| {
        let message = wire::Acknowledgement { gateway: name.clone(), ..Default::default() };
        Message::Acknowledgement(message).publication(&site())
    };
    publish_all(&publisher, names.iter().map(acknowledgement)).await;
    let mut received = 0;
    for (mut client, name) in clients {
        let delivery = next(&mut client).await;
        assert_eq!(delivery.topic, format!("tidewatch/v1/house-1/ack/{name}"));
        assert!(client.acknowledge(delivery.ack));
        received += 1;
    }
    println!(
        "{make:?}: {received} of {CLIENTS} clients received; {:.1} MiB resident",
        server.resident_mib()
    );
}

async fn nothing_is_missed_while_away(make: Make) {
    const AWAY: u64 = 3000;
    let server = Server::start(make);
    let stop = CancellationToken::new();
    let recorder = || {
        let filter = Filter::batches(&site());
        let endpoint = server.endpoint();
        let stop = stop.clone();
        async move { subscriber(&endpoint, "recorder", filter, SessionKind::Persistent, &stop).await }
    };
    let present = recorder().await;
    let mut connected = present.connected();
    drop(present);
    patiently("to be gone", connected.wait_for(|it| !*it)).await.expect("it ran");

    let publisher = publisher(&server.endpoint(), "gw-1", &stop).await;
    for sequence in 1..=AWAY {
        publisher.publish(batch(1, sequence)).await.expect("acknowledged, as a session subscribes");
    }
    let mut present = recorder().await;
    for expected in 1..=AWAY {
        let delivery = next(&mut present).await;
        assert_eq!(sequence(&delivery), expected);
        assert!(present.acknowledge(delivery.ack));
    }
    publisher.publish(batch(1, AWAY + 1)).await.expect("acknowledged");
    assert_eq!(sequence(&next(&mut present).await), AWAY + 1, "something came twice");
    println!("{make:?}: {AWAY} of {AWAY} that were published while the subscriber was away");
}

async fn what_is_not_acknowledged_comes_again(make: Make) {
    let server = Server::start(make);
    let stop = CancellationToken::new();
    let filter = Filter::batches(&site());
    let kind = SessionKind::Persistent;
    let mut first = subscriber(&server.endpoint(), "recorder", filter.clone(), kind, &stop).await;
    let publisher = publisher(&server.endpoint(), "gw-1", &stop).await;
    publish_all(&publisher, (1..=100).map(|sequence| batch(1, sequence))).await;
    let mut kept = BTreeSet::new();
    for _ in 1..=100 {
        let delivery = next(&mut first).await;
        if sequence(&delivery).is_multiple_of(2) {
            assert!(first.acknowledge(delivery.ack));
        } else {
            kept.insert(sequence(&delivery));
        }
    }
    let mut connected = first.connected();
    drop(first);
    patiently("to be gone", connected.wait_for(|it| !*it)).await.expect("it ran");

    let mut again = subscriber(&server.endpoint(), "recorder", filter, kind, &stop).await;
    publisher.publish(batch(1, 1000)).await.expect("acknowledged");
    let mut seen = BTreeSet::new();
    loop {
        let delivery = next(&mut again).await;
        let number = sequence(&delivery);
        assert!(again.acknowledge(delivery.ack));
        if number == 1000 {
            break;
        }
        seen.insert(number);
    }
    assert_eq!(seen, kept);
}

async fn a_connection_mends_itself(make: Make) {
    let mut server = Server::start(make);
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint(), "gw-1", &stop).await;
    let filter = Filter::batches(&site());
    let mut subscriber =
        subscriber(&server.endpoint(), "detector", filter, SessionKind::Clean, &stop).await;
    publisher.publish(batch(1, 1)).await.expect("acknowledged");
    let before = next(&mut subscriber).await;
    assert_eq!(sequence(&before), 1);

    server.kill();
    let mut connected = publisher.connected();
    patiently("to notice", connected.wait_for(|it| !*it)).await.expect("it runs");
    assert_eq!(publisher.publish(batch(1, 2)).await, Err(PublishError::Disconnected));
    let mut subscribed = subscriber.connected();
    patiently("to notice", subscribed.wait_for(|it| !*it)).await.expect("it runs");

    server.restart();
    patiently("to return", connected.wait_for(|it| *it)).await.expect("it runs");
    patiently("to return", subscribed.wait_for(|it| *it)).await.expect("it runs");
    publisher.publish(batch(1, 3)).await.expect("acknowledged");
    let after = next(&mut subscriber).await;
    assert_eq!(sequence(&after), 3);
    assert!(!subscriber.acknowledge(before.ack), "an acknowledgement to a connection that is gone");
    assert!(subscriber.acknowledge(after.ack));
}

async fn retained_messages_outlive_a_restart(make: Make) {
    let mut server = Server::start(make);
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint(), "gw-1", &stop).await;
    publish_all(&publisher, (0..50).map(status)).await;
    server.stop();
    server.restart();
    let filter = Filter::statuses(&site());
    let mut late =
        subscriber(&server.endpoint(), "console", filter, SessionKind::Clean, &stop).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 50 {
        let delivery = next(&mut late).await;
        assert!(delivery.retained);
        assert!(late.acknowledge(delivery.ack));
        seen.insert(delivery.topic);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_to_nobody_is_told_apart() {
    let server = Server::start(Make::Mosquitto);
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint(), "gw-1", &stop).await;
    assert_eq!(publisher.publish(batch(1, 1)).await, Err(PublishError::NoMatchingSubscribers));
    assert_eq!(publisher.publish(status(1)).await, Ok(()), "a retained message has its place");
    let wildcard = Publication { topic: "tidewatch/v1/#".to_owned(), ..status(1) };
    let large = Publication { payload: vec![0; 2 << 20].into(), ..status(1) };
    for never in [wildcard, large] {
        let answer = publisher.publish(never).await;
        assert!(matches!(answer, Err(PublishError::Unpublishable { .. })), "{answer:?}");
    }
    assert_eq!(publisher.publish(status(1)).await, Ok(()), "the connection did not suffer");
}

/// As an ordinary deployment has it: a certificate per gateway, which is its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_is_known_by_its_certificate() {
    let server = Server::with_certificates();
    let stop = CancellationToken::new();
    let publisher = publisher(&server.endpoint_by_certificate("gw-1"), "gw-1", &stop).await;
    assert_eq!(publisher.publish(gateway_status("gw-1", true)).await, Ok(()));
    assert_eq!(
        publisher.publish(gateway_status("gw-2", true)).await,
        Err(PublishError::Refused { reason: 135 })
    );

    let mut wrong = server.endpoint_by_certificate("gw-1");
    wrong.tls.as_mut().expect("TLS").key_file = Some(certificate("broker.key"));
    let error = Publisher::start(&wrong, "gw-1", None, &stop).expect_err("another's key");
    assert!(error.to_string().starts_with("tls: "), "{error}");
    wrong.tls.as_mut().expect("TLS").key_file = Some(certificate("nobody.key"));
    let error = Publisher::start(&wrong, "gw-1", None, &stop).expect_err("no such key");
    assert!(error.to_string().contains("nobody.key: "), "{error}");
}

/// 1,000,000 messages of the size of a second of readings, from four gateways to one
/// recorder, each acknowledged at both ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_over_a_million_messages() {
    const GATEWAYS: u16 = 4;
    const MESSAGES: u64 = 1_000_000;
    const WARM: u64 = MESSAGES / 10;
    let server = Server::start(Make::Embedded);
    let stop = CancellationToken::new();
    let filter = Filter::batches(&site());
    let kind = SessionKind::Persistent;
    let mut recorder = subscriber(&server.endpoint(), "recorder", filter, kind, &stop).await;
    let started = Instant::now();
    for gateway in 0..GATEWAYS {
        let publisher = publisher(&server.endpoint(), &format!("gw-{gateway}"), &stop).await;
        tokio::spawn(publish_numbers(publisher, gateway, MESSAGES / u64::from(GATEWAYS)));
    }

    let mut newest = BTreeMap::new();
    let mut resident = Vec::new();
    for count in 1..=MESSAGES {
        let delivery = next(&mut recorder).await;
        let Ok(Message::Batch(batch)) = delivery.message else { panic!("{}", delivery.topic) };
        let before: u64 = newest.insert(batch.device, batch.sequence).unwrap_or(0);
        assert_eq!(batch.sequence, before + 1, "lost or doubled");
        assert!(recorder.acknowledge(delivery.ack));
        if count % WARM == 0 {
            resident.push(server.resident_mib());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu_us = server.cpu_seconds(); // a million messages: s of all = us of each
    println!("resident MiB after each 100,000 of {MESSAGES} messages: {resident:.1?}");
    println!("{seconds:.0} s; {cpu_us:.1} us of the broker's processor time a message");
    let (warm, end) = (resident[1], resident[resident.len() - 1]);
    assert!(end - warm < 8.0, "grew from {warm:.1} to {end:.1} MiB");
}

async fn publish_numbers(publisher: Publisher, gateway: u16, count: u64) {
    let mut under_way = VecDeque::new();
    for sequence in 1..=count {
        let sent = publisher.send(second_of_readings(gateway, sequence)).await;
        under_way.push_back(sent.expect("connected"));
        if under_way.len() > 400 {
            let oldest = under_way.pop_front().expect("not empty");
            oldest.acknowledged().await.expect("acknowledged");
        }
    }
    for sent in under_way {
        sent.acknowledged().await.expect("acknowledged");
    }
}

/// About 290 bytes.
fn second_of_readings(gateway: u16, sequence: u64) -> Publication {
    let reading = wire::Reading {
        channel: 1,
        band_epoch: Some(1),
        band_sequence: Some(1),
        measured_us: Some(0),
        received_us: Some(0),
        period_us: Some(15_625),
        deltas: vec![-300; 110],
        ..wire::Reading::default()
    };
    let message = Message::Batch(wire::Batch {
        device: device(gateway).into(),
        gateway: format!("gw-{gateway}"),
        epoch: 1,
        sequence,
        readings: vec![reading],
        ..wire::Batch::default()
    });
    message.publication(&site())
}

/// The broker's own process in the tests above. Without a configuration it starts and stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_runs_until_its_input_ends() {
    let configured = std::env::var(CONFIG).ok();
    let text = configured.clone().unwrap_or_else(|| r#"{"listen": "127.0.0.1:0"}"#.to_owned());
    let broker = Broker::start(serde_json::from_str(&text).expect("a configuration"))
        .await
        .expect("a broker");
    assert_ne!(broker.address().port(), 0);
    println!("{LISTENING}{}", broker.address());
    if configured.is_some() {
        let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        waiting.await.expect("it reads").expect("it reads");
    }
    broker.stop().await.expect("it stops");
}
