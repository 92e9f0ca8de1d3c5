use std::time::Duration;

use bus::wire::assessment::Level;
use bus::wire::device_status::Link;
use bus::{Message, wire};
use reqwest::StatusCode;
use serde_json::{Value, json};
use store::{Role, Snapshot, StoredAssessment};

use crate::house::{House, assessment, device, gateway, now, readings, status};
use crate::stream::Stream;

async fn settled(house: &mut House, person: &biosignal::PersonId) {
    house.publish(status(&device(1), Link::Connected, "")).await;
    let second = house.second(&device(1));
    house.publish(second).await;
    let found = assessment(&device(1), person, Level::Settled, now());
    house.publish(Message::Assessment(found)).await;
}

#[tokio::test]
async fn a_band_that_falls_silent_is_never_calm() {
    let mut house = House::start_with(|config| {
        config.sample_fresh = Duration::from_millis(1_500);
    })
    .await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    sam.until_card("Ali is on the board", |card| card["device"] == device(1).as_str()).await;

    settled(&mut house, &person).await;
    let card = tablet.find(|event| event.data["level"] == "settled").await;
    assert_eq!(card.kind, "card");
    assert_eq!((&card.data["name"], &card.data["battery"]), (&json!("Ali"), &json!(80)));
    assert_eq!(card.data["cause"], Value::Null);
    let heart_rate = card.data["heartRate"].as_f64().unwrap();
    assert!((71.5..72.0).contains(&heart_rate), "{heart_rate}");
    for value in ["eda", "skinTemperature", "activity"] {
        assert!(card.data[value].is_f64(), "{value}: {}", card.data);
    }
    assert_eq!(card.data["trend"][0][1], 0.25);
    let last_sample = card.data["lastSampleAt"].as_i64().unwrap();

    house.publish(status(&device(1), Link::OutOfRange, "out_of_range")).await;
    let card = tablet.find(|event| event.data["level"] == "no_reading").await;
    assert_eq!(card.data["cause"], "out_of_range");
    assert_eq!(card.data["causeText"], "out of range");
    assert_eq!(card.data["since"], last_sample);
    assert_eq!(card.data["heartRate"], Value::Null);
    let told_after = now().as_micros() / 1_000 - last_sample;
    assert!(told_after < 10_000, "told {told_after} ms after the last sample");

    settled(&mut house, &person).await;
    tablet.find(|event| event.data["level"] == "settled").await;
}

#[tokio::test]
async fn a_dead_gateway_and_a_dead_broker_are_the_causes() {
    let mut house = House::start_with(|config| {
        config.sample_fresh = Duration::from_millis(1_500);
    })
    .await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    settled(&mut house, &person).await;
    let down = wire::GatewayStatus {
        gateway: gateway().to_string(),
        at_us: now().as_micros(),
        up: false,
        ..Default::default()
    };
    house.publish(Message::GatewayStatus(down)).await;
    sam.until_card("the gateway", |card| card["cause"] == "gateway").await;
    house.broker.take().unwrap().stop().await.unwrap();
    sam.until_card("the broker", |card| card["cause"] == "broker").await;
    let health = house.get("/healthz").await;
    assert_eq!(health.status(), StatusCode::SERVICE_UNAVAILABLE);
    let health: Value = health.json().await.unwrap();
    assert_eq!((&health["store"], &health["broker"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn garbage_on_the_broker_changes_nothing() {
    let mut house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    for like in [
        house.second(&device(1)),
        status(&device(1), Link::Connected, ""),
        Message::Assessment(assessment(&device(1), &person, Level::High, now())),
    ] {
        house.publish_bytes(like, b"\x08\xff\xff garbage").await;
    }
    sam.until_card("Ali is on the board", |card| card["device"] == device(1).as_str()).await;
    settled(&mut house, &person).await;
    sam.until_card("Ali is seen", |card| card["level"] == "settled").await;
}

#[tokio::test]
async fn a_console_that_restarts_shows_the_present_at_once() {
    let mut house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    house.stop_console().await;
    house.broker.take().unwrap().stop().await.unwrap();

    let mut stored = Vec::new();
    for second in 0..30_u64 {
        let ago = i64::try_from(30 - second).unwrap() * 1_000_000;
        let from = now().plus_micros(-ago);
        stored.push(store::Batch {
            device: device(1),
            gateway: gateway(),
            epoch: 1,
            sequence: second + 1,
            live: true,
            received_at: from.plus_micros(1_000_000),
            payload: vec![1],
            readings: readings(&device(1), second + 1, from),
        });
    }
    house.store.append(stored).await.unwrap();
    let found = [20, 10, 1].map(|ago: i64| {
        assessment(&device(1), &person, Level::Settled, now().plus_micros(-ago * 1_000_000))
    });
    let kept = found.map(|found| StoredAssessment {
        device: device(1),
        person: person.clone(),
        at: biosignal::Timestamp::from_micros(found.at_us),
        decided_at: biosignal::Timestamp::from_micros(found.decided_at_us),
        payload: Message::Assessment(found).encode().to_vec(),
    });
    let snapshot = Snapshot { bytes: Vec::new(), at: now(), version: "test".to_owned() };
    house.store.save_decision(&person, snapshot, kept.to_vec(), Vec::new()).await.unwrap();

    house.start_console().await;
    let sam = crate::house::Staff { base: format!("http://{}", house.address), ..sam };
    let card = sam.card().await;
    assert_eq!(card["level"], "settled", "{card}");
    assert_eq!(card["trend"].as_array().map(Vec::len), Some(3));
    let completeness = card["completeness"].as_f64().unwrap();
    assert!((0.35..=0.55).contains(&completeness), "27 of 60 seconds: {completeness}");
    assert!(card["heartRate"].is_f64());

    let signals = sam.get(&format!("/api/people/{person}/signals?minutes=5")).await;
    for line in ["heartRate", "eda", "skinTemperature", "activity"] {
        let points = signals[line].as_array().unwrap();
        assert!((14..=17).contains(&points.len()), "{line}: {} points", points.len());
        assert!(points.windows(2).all(|pair| pair[1][0].as_i64() > pair[0][0].as_i64()));
    }
    assert!((71.0..73.0).contains(&signals["heartRate"][0][1].as_f64().unwrap()));
    assert_eq!(signals["score"].as_array().map(Vec::len), Some(3));
    assert_eq!(signals["score"][0][1], 0.25);
}
