use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;

use crate::house::{House, PASSWORD, Staff};

/// What is sent, and the status and words of the answer.
async fn check(staff: &Staff, method: &str, path: &str, body: Value, status: u16, says: &str) {
    let (answered, value) = staff.call(method.parse().unwrap(), path, Some(body)).await;
    let error = value["error"].as_str().unwrap_or_default();
    assert_eq!((answered.as_u16(), error), (status, says), "{method} {path}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_a_plain_sentence() {
    let house = House::start().await;
    let alex = house.staff("Alex", Role::Administrator).await;
    let long = "x".repeat(81);
    for (method, path, body, status, says) in [
        ("POST", "/api/people", json!({ "name": "" }), 400, "The name is missing."),
        (
            "POST",
            "/api/people",
            json!({ "name": long }),
            400,
            "The name can have at most 80 characters.",
        ),
        (
            "POST",
            "/api/people",
            json!({ "name": "a\u{0}b" }),
            400,
            "The name holds a control character.",
        ),
        ("POST", "/api/people", json!({ "name": "a\nb" }), 400, "The name must be one line."),
        (
            "POST",
            "/api/people",
            json!({ "name": "Ali", "strategies": vec!["x"; 21] }),
            400,
            "There can be at most 20 strategies.",
        ),
        (
            "POST",
            "/api/people",
            json!({}),
            400,
            "The request does not fit: missing field `name` at line 1 column 2.",
        ),
        (
            "POST",
            "/api/users",
            json!({ "name": "Sam", "password": PASSWORD, "role": "king" }),
            400,
            "The request does not fit: role: unknown variant `king`, expected one of `carer`, `support`, \
             `researcher`, `manager`, `administrator` at line 1 column 61.",
        ),
        (
            "POST",
            "/api/users",
            json!({ "name": "Sam", "password": "short", "role": "carer" }),
            400,
            "The password needs at least 8 characters.",
        ),
        ("PUT", "/api/people/p-nobody", json!({ "name": "Ali" }), 404, "There is no such person."),
        (
            "PUT",
            "/api/people/No..body",
            json!({ "name": "Ali" }),
            400,
            "This cannot be: person \"No..body\": 1 to 32 of a-z, 0-9 and '-'.",
        ),
        (
            "POST",
            "/api/assignments",
            json!({ "device": "c0ffee000001", "person": "p-nobody" }),
            404,
            "There is no such person.",
        ),
        (
            "POST",
            "/api/assignments",
            json!({ "device": "a/b", "person": "p-nobody" }),
            400,
            "This cannot be: device \"a/b\": 1 to 32 of a-z, 0-9 and '-'.",
        ),
        (
            "POST",
            "/api/alerts/x/resolve",
            json!({ "outcome": "calmed" }),
            404,
            "There is no such alert.",
        ),
        ("GET", "/api/people/p-nobody/signals", json!({}), 404, "There is no such person."),
        (
            "GET",
            "/api/people/p-nobody/signals?minutes=0",
            json!({}),
            400,
            "The minutes must be between 1 and 240.",
        ),
        (
            "GET",
            "/api/people/p-nobody/signals?minutes=x",
            json!({}),
            400,
            "The address cannot be read: minutes: invalid digit found in string.",
        ),
        ("GET", "/api/nothing", json!({}), 404, "There is nothing at this address."),
        ("PATCH", "/api/people", json!({}), 405, "This cannot be done at this address."),
    ] {
        check(&alex, method, path, body, status, says).await;
    }
    let people = alex.get("/api/people").await;
    assert_eq!(people, json!([]), "nothing of it was done");
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let house = House::start().await;
    let alex = house.staff("Alex", Role::Administrator).await;
    let send = async |kind: &str, body: String| {
        let request = alex.http.post(format!("{}/api/people", alex.base));
        let request = request.header("x-tidewatch", "1").header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        let status = response.status();
        let value: Value = response.json().await.unwrap();
        (status, value["error"].as_str().unwrap().to_owned())
    };
    let (status, says) = send("application/json", "{\"name\":".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(says.starts_with("The request is not JSON: name: EOF while parsing"), "{says}");
    let (status, says) = send("text/plain", "{}".to_owned()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(says.contains("application/json"), "{says}");
    let large = json!({ "name": "x".repeat(100_000) }).to_string();
    let (status, says) = send("application/json", large).await;
    assert_eq!((status.as_u16(), says.as_str()), (413, "The request is larger than 65536 bytes."));
}

#[tokio::test]
async fn a_last_event_id_that_is_no_number_is_refused() {
    let house = House::start().await;
    let sam = house.staff("Sam", Role::Carer).await;
    let request = sam.http.request(Method::GET, format!("{}/api/events", sam.base));
    let response = request.header("last-event-id", "yesterday").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let value: Value = response.json().await.unwrap();
    assert_eq!(value["error"], "Last-Event-ID is not a number.");
}
