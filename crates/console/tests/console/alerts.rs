use biosignal::{PersonId, Timestamp};
use bus::wire::alert::Transition;
use bus::wire::assessment::Level;
use bus::{Message, wire};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::{AlertLevel, AlertRecord, Role};

use crate::house::{House, PATIENCE, Staff, device, eventually, now};
use crate::stream::Stream;

fn alert(number: u32, person: &PersonId, level: Level, turn: Transition, at: Timestamp) -> Message {
    Message::Alert(wire::Alert {
        id: id(number),
        device: device(1).to_string(),
        person: person.to_string(),
        level: level.into(),
        transition: turn.into(),
        at_us: at.as_micros(),
        reasons: vec![wire::Reason {
            text: "Heart rate 14 above usual for sitting".to_owned(),
            feature: "heart_rate".to_owned(),
            value: 92.0,
            usual: Some(78.0),
            unit: "beat/min".to_owned(),
            contribution: 1.25,
        }],
        quality: 0.9,
        score: 0.8,
    })
}

fn id(number: u32) -> String {
    format!("01890a5d-ac96-7b7c-8f89-{number:012}")
}

fn raised(number: u32, person: &PersonId) -> Message {
    alert(number, person, Level::High, Transition::Raised, now())
}

#[tokio::test]
async fn the_first_who_goes_wins_and_everybody_knows() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let (sam, kim) = (house.staff("Sam", Role::Carer).await, house.staff("Kim", Role::Carer).await);
    let mut tablets = [Stream::open(&sam, None).await, Stream::open(&kim, None).await];

    house.publish(raised(1, &person)).await;
    for tablet in &mut tablets {
        let shown = tablet.alert().await;
        assert!(house.store.alert(&id(1)).await.unwrap().is_some(), "kept before it is shown");
        assert_eq!(shown.id, Some(1));
        assert_eq!(shown.data["name"], "Ali");
        assert_eq!(
            (&shown.data["level"], &shown.data["state"]),
            (&json!("high"), &json!("raised"))
        );
        assert_eq!(shown.data["strategies"], json!(["Offer a drink of water"]));
        assert_eq!(shown.data["reasons"][0]["text"], "Heart rate 14 above usual for sitting");
        assert_eq!(shown.data["reasons"][0]["usual"], 78.0);
        assert!(shown.data["ringsUntil"].is_i64(), "it rings");
    }

    let path = format!("/api/alerts/{}/acknowledge", id(1));
    let (one, other) =
        tokio::join!(sam.post(&path, json!({})), kim.post(&path, json!({ "at": 1_000 })));
    assert_ne!(one["won"], other["won"], "exactly one wins");
    let winner = if one["won"] == true { "Sam" } else { "Kim" };
    for answer in [&one, &other] {
        assert_eq!(answer["alert"]["acknowledgedBy"], winner);
        assert!(answer["alert"]["acknowledgedAt"].as_i64().is_some_and(|at| at > 1_000_000));
    }
    for tablet in &mut tablets {
        let shown = tablet.alert().await;
        assert_eq!((shown.id, &shown.data["acknowledgedBy"]), (Some(2), &json!(winner)));
        assert_eq!(shown.data["ringsUntil"], Value::Null, "the sound stops everywhere");
    }

    let path = format!("/api/alerts/{}/resolve", id(1));
    let resolved = sam.post(&path, json!({ "outcome": "calmed", "note": "A walk helped" })).await;
    assert_eq!((&resolved["state"], &resolved["outcome"]), (&json!("resolved"), &json!("calmed")));
    assert_eq!(resolved["resolvedBy"], "Sam");
    for tablet in &mut tablets {
        assert_eq!(tablet.alert().await.data["outcome"], "calmed");
    }
    assert_eq!(sam.get("/api/board").await["alerts"], json!([]));
    let late = kim.post(&path, json!({ "outcome": "incident" })).await;
    assert_eq!(late["outcome"], "calmed", "the first answer stands");

    let log = house.store.audit_log(0, 1_000).await.unwrap();
    let acts: Vec<_> = log.iter().filter(|entry| entry.subject == id(1)).collect();
    assert_eq!(acts.len(), 4, "two went, two resolved: {acts:?}");
    assert!(acts.iter().any(|act| act.action == "alert.acknowledge said-at 1000"));
}

#[tokio::test]
async fn an_alert_that_comes_twice_is_one() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    let first = raised(1, &person);
    house.publish(first.clone()).await;
    house.publish(first).await;
    house.publish(raised(2, &person)).await;
    let shown = [tablet.alert().await, tablet.alert().await];
    assert_eq!(shown.each_ref().map(|event| event.id), [Some(1), Some(2)]);
    assert_eq!(shown.each_ref().map(|event| event.data["id"].clone()), [id(1), id(2)]);
}

#[tokio::test]
async fn a_rise_rings_and_an_end_leaves_it_to_be_answered() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    for (level, transition) in [
        (Level::Rising, Transition::Raised),
        (Level::High, Transition::Escalated),
        (Level::Settled, Transition::Ended),
    ] {
        house.publish(alert(1, &person, level, transition, now())).await;
    }
    let [rising, high, ended] =
        [tablet.alert().await.data, tablet.alert().await.data, tablet.alert().await.data];
    assert_eq!((&rising["level"], &rising["ringsUntil"]), (&json!("rising"), &Value::Null));
    assert_eq!(high["level"], "high");
    assert!(high["ringsUntil"].is_i64());
    assert!(ended["endedAt"].is_i64());
    assert_eq!(ended["state"], "raised");
    assert_eq!(sam.get("/api/board").await["alerts"][0]["id"], id(1));

    // One that only ever rose passes by itself.
    house.publish(alert(2, &person, Level::Rising, Transition::Raised, now())).await;
    house.publish(alert(2, &person, Level::Settled, Transition::Ended, now())).await;
    tablet.find(|event| event.data["id"] == id(2) && event.data["endedAt"].is_i64()).await;
    assert_eq!(sam.get("/api/board").await["alerts"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_alert_of_months_ago_is_kept_and_does_not_ring() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    let ago = |minutes: i64| now().plus_micros(-minutes * 60_000_000);
    house.publish(alert(1, &person, Level::High, Transition::Raised, ago(90 * 24 * 60))).await;
    house.publish(alert(2, &person, Level::High, Transition::Raised, ago(10))).await;
    house.publish(alert(3, &person, Level::High, Transition::Raised, ago(1))).await;
    for rings in [false, false, true] {
        let shown = tablet.alert().await.data;
        assert_eq!(shown["ringsUntil"].is_i64(), rings, "{shown}");
        assert_eq!(shown["state"], "raised");
    }
}

#[tokio::test]
async fn a_tablet_that_was_away_gets_exactly_what_it_missed() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    let board = tablet.next().await.unwrap();
    assert_eq!((board.kind.as_str(), board.id), ("board", Some(0)));
    house.publish(raised(1, &person)).await;
    let seen = tablet.alert().await.id;
    drop(tablet);

    house.publish(raised(2, &person)).await;
    house.publish(raised(3, &person)).await;
    eventually("both are kept", async || (house.store.last_event().await.ok()? == 3).then_some(()))
        .await;
    sam.post(&format!("/api/alerts/{}/acknowledge", id(1)), json!({})).await;

    let mut tablet = Stream::open(&sam, seen).await;
    let board = tablet.next().await.unwrap();
    assert_eq!((board.kind.as_str(), board.id), ("board", None), "a number only when all is told");
    assert_eq!(board.data["lastEvent"], 4);
    assert_eq!(board.data["alerts"].as_array().map(Vec::len), Some(3));
    let missed = [tablet.alert().await, tablet.alert().await, tablet.alert().await];
    assert_eq!(missed.each_ref().map(|event| event.id), [Some(2), Some(3), Some(4)]);
    assert_eq!(missed[2].data["acknowledgedBy"], "Sam");

    house.publish(raised(4, &person)).await;
    assert_eq!(tablet.alert().await.id, Some(5), "then what happens, nothing twice");

    let mut ahead = Stream::open(&sam, Some(999)).await;
    assert_eq!(ahead.next().await.unwrap().id, Some(5), "a number of another store starts anew");
}

#[tokio::test]
async fn alerts_raised_while_the_console_was_down_are_told_when_it_is_back() {
    let mut house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    house.publish(raised(1, &person)).await;
    eventually("the first is kept", async || house.store.alert(&id(1)).await.unwrap()).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    house.stop_console().await;
    let ended = async { while tablet.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("a tablet's stream ends with the console");
    house.publish(raised(2, &person)).await;
    assert!(house.store.alert(&id(2)).await.unwrap().is_none());
    house.start_console().await;
    eventually("the second is kept", async || house.store.alert(&id(2)).await.unwrap()).await;
    let sam = Staff { base: format!("http://{}", house.address), ..sam };
    let alerts = sam.get("/api/board").await["alerts"].clone();
    assert_eq!(alerts.as_array().map(Vec::len), Some(2));
    assert_eq!(alerts[0]["name"], "Ali");
}

#[tokio::test]
async fn what_another_process_writes_is_told_too() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    let elsewhere = store::Store::open(house.folder.path()).unwrap();
    let record = AlertRecord {
        id: id(7),
        device: device(1),
        person,
        level: AlertLevel::High,
        raised_at: now(),
        reasons: Vec::new(),
        quality: 1.0,
        score: 0.9,
    };
    elsewhere.raise(record).await.unwrap();
    assert_eq!(tablet.alert().await.data["id"], id(7));
}

#[tokio::test]
async fn an_alert_that_cannot_be_is_refused_and_the_next_one_comes() {
    let house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    house.publish_bytes(raised(1, &person), b"\xff\xff\xff\xff").await;
    house.publish(alert(2, &person, Level::Settled, Transition::Raised, now())).await;
    house.publish(alert(3, &person, Level::High, Transition::Ended, now())).await;
    house.publish(raised(4, &person)).await;
    let shown = tablet.alert().await;
    assert_eq!((shown.id, &shown.data["id"]), (Some(1), &json!(id(4))));
    let path = format!("/api/alerts/{}/acknowledge", id(99));
    let (status, refused) = sam.call(Method::POST, &path, Some(json!({}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(refused["error"], "There is no such alert.");
}
