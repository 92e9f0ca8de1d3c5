use bus::wire::device_status::Link;
use bus::{Filter, Message, SessionKind, Subscriber, wire};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;
use tokio_util::sync::CancellationToken;

use crate::house::{House, PATIENCE, device, eventually, status};

/// What the broker says about who wears what, to somebody who comes now.
struct Worn {
    subscriber: Subscriber,
    _until_dropped: tokio_util::sync::DropGuard,
}

impl Worn {
    fn ask(house: &House, client_id: &str) -> Self {
        let shutdown = CancellationToken::new();
        let filters = vec![Filter::assignments(&house.site)];
        let kind = SessionKind::Clean;
        let subscriber =
            Subscriber::start(&house.endpoint, client_id, filters, kind, &shutdown).unwrap();
        Self { subscriber, _until_dropped: shutdown.drop_guard() }
    }

    /// Waits until a band is said to be worn by `person`, or by nobody.
    async fn until(&mut self, number: u8, person: Option<&str>) {
        let told = tokio::time::timeout(PATIENCE, async {
            loop {
                let delivery = self.subscriber.next().await.unwrap();
                self.subscriber.acknowledge(delivery.ack);
                let Ok(Message::Assignment(told)) = delivery.message else { continue };
                if told.device == device(number).as_str() && told.person.as_deref() == person {
                    return;
                }
            }
        });
        told.await.unwrap_or_else(|_| panic!("band {number} is not said to be on {person:?}"));
    }
}

#[tokio::test]
async fn a_band_goes_from_one_person_to_another_and_the_detector_hears_of_it() {
    let mut house = House::start().await;
    let kim = house.staff("Kim", Role::Support).await;
    let ali = kim.post("/api/people", json!({ "name": "Ali" })).await;
    let described = json!({ "name": " Bea ", "strategies": ["Headphones", " ", "A walk"] });
    let bea = kim.post("/api/people", described).await;
    assert_eq!(bea["name"], "Bea");
    assert_eq!(bea["strategies"], json!(["Headphones", "A walk"]));
    let (ali, bea) = (ali["id"].as_str().unwrap(), bea["id"].as_str().unwrap());
    let mut worn = Worn::ask(&house, "before");

    kim.post("/api/assignments", json!({ "device": device(1).as_str(), "person": ali })).await;
    worn.until(1, Some(ali)).await;
    let moved =
        kim.post("/api/assignments", json!({ "device": device(1).as_str(), "person": bea })).await;
    assert_eq!(moved[0]["person"], bea);
    worn.until(1, Some(bea)).await;
    let people = kim.get("/api/board").await["cards"].clone();
    let card = |name: &str| {
        people.as_array().unwrap().iter().find(|card| card["name"] == name).unwrap().clone()
    };
    assert_eq!(card("Ali")["cause"], "no_band");
    assert_eq!(card("Bea")["device"], device(1).as_str());

    // One band to a person: the second takes the place of the first.
    kim.post("/api/assignments", json!({ "device": device(2).as_str(), "person": bea })).await;
    worn.until(1, None).await;
    worn.until(2, Some(bea)).await;
    let path = format!("/api/assignments/{}", device(2));
    assert_eq!(kim.call(Method::DELETE, &path, None).await.0, StatusCode::OK);
    worn.until(2, None).await;
    kim.post("/api/assignments", json!({ "device": device(3).as_str(), "person": ali })).await;
    worn.until(3, Some(ali)).await;

    // Retained: whoever comes later knows it, and so does a broker that had forgotten.
    let mut late = Worn::ask(&house, "late");
    late.until(3, Some(ali)).await;
    house.stop_console().await;
    let forgotten = wire::Assignment { device: device(3).to_string(), person: None, from_us: 0 };
    house.publish(Message::Assignment(forgotten)).await;
    late.until(3, None).await;
    house.start_console().await;
    late.until(3, Some(ali)).await;
}

#[tokio::test]
async fn what_the_broker_keeps_wrongly_is_put_right() {
    let house = House::start().await;
    let wrong = wire::Assignment {
        device: device(9).to_string(),
        person: Some("p-nobody".to_owned()),
        from_us: 1,
    };
    let mut worn = Worn::ask(&house, "looking");
    house.publish(Message::Assignment(wrong)).await;
    worn.until(9, Some("p-nobody")).await;
    worn.until(9, None).await;
}

#[tokio::test]
async fn devices_are_listed_with_their_wearers() {
    let mut house = House::start().await;
    let person = house.wearer("Ali", &device(1)).await;
    let sam = house.staff("Sam", Role::Carer).await;
    house.publish(status(&device(2), Link::Connected, "")).await;
    let second = house.second(&device(2));
    house.publish(second).await;
    let devices = eventually("both are listed", async || {
        let devices = sam.get("/api/devices").await;
        devices[1]["lastSampleAt"].is_i64().then_some(devices)
    })
    .await;
    assert_eq!(devices.as_array().map(Vec::len), Some(2));
    assert_eq!(devices[0]["person"], person.as_str());
    assert_eq!((&devices[0]["connected"], &devices[0]["link"]), (&json!(false), &Value::Null));
    let heard = &devices[1];
    assert_eq!((&heard["person"], &heard["connected"]), (&Value::Null, &json!(true)));
    assert_eq!((&heard["battery"], &heard["rssi"]), (&json!(80), &json!(-60)));
    assert_eq!((&heard["profile"], &heard["gateway"]), (&json!("tidewatch"), &json!("hall")));
}
