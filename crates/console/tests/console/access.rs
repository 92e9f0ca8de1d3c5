use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use store::Role::{self, Administrator, Carer, Manager, Researcher, Support};

use crate::house::{House, PASSWORD, Staff, device, eventually};
use crate::stream::Stream;

/// Who may do what, as it was agreed. `None`: whoever reaches the console.
fn agreed() -> Vec<(&'static str, &'static str, Option<Vec<Role>>, bool)> {
    let everybody = || Some(vec![Carer, Support, Researcher, Manager, Administrator]);
    let care = || Some(vec![Carer, Support, Manager, Administrator]);
    let pair = || Some(vec![Support, Manager, Administrator]);
    let accounts = || Some(vec![Administrator]);
    vec![
        ("GET", "/healthz", None, false),
        ("GET", "/api/setup", None, false),
        ("POST", "/api/setup", None, false),
        ("POST", "/api/session", None, false),
        ("GET", "/api/session", everybody(), false),
        ("DELETE", "/api/session", everybody(), false),
        ("GET", "/api/board", care(), true),
        ("GET", "/api/events", care(), true),
        ("POST", "/api/alerts/{id}/acknowledge", care(), false),
        ("POST", "/api/alerts/{id}/resolve", care(), false),
        ("GET", "/api/people", care(), true),
        ("POST", "/api/people", pair(), false),
        ("PUT", "/api/people/{id}", pair(), false),
        ("GET", "/api/people/{id}/signals", everybody(), true),
        ("GET", "/api/devices", care(), true),
        ("POST", "/api/assignments", pair(), false),
        ("DELETE", "/api/assignments/{device}", pair(), false),
        ("GET", "/api/users", accounts(), false),
        ("POST", "/api/users", accounts(), false),
    ]
}

#[tokio::test]
async fn the_table_is_as_agreed_and_nobody_gets_past_it() {
    let house = House::start().await;
    let table = console::rules();
    for rule in agreed() {
        let found = table.iter().find(|it| (it.method.as_str(), it.path) == (rule.0, rule.1));
        let found = found.unwrap_or_else(|| panic!("{} {} is gone", rule.0, rule.1));
        let same = |roles: &Vec<Role>| {
            let mut roles = roles.clone();
            roles.sort();
            roles
        };
        assert_eq!(found.roles.as_ref().map(same), rule.2.as_ref().map(same), "{rule:?}");
        assert_eq!(found.look_is_audited, rule.3, "{rule:?}");
    }
    assert_eq!(table.len(), agreed().len(), "an address without an agreement: {table:?}");

    let nobody =
        Staff { http: Client::new(), base: format!("http://{}", house.address), id: String::new() };
    for (method, path, roles, _) in agreed() {
        if roles.is_some() {
            assert_eq!(ask(&nobody, method, path).await.status(), 401, "{method} {path}");
        }
    }
    for &role in Role::ALL {
        walk_as(&house, role).await;
    }
}

async fn walk_as(house: &House, role: Role) {
    let staff = house.staff(&format!("the {role}"), role).await;
    // Signing out comes last.
    let mut rules = agreed();
    rules.sort_by_key(|rule| (rule.0, rule.1) == ("DELETE", "/api/session"));
    for (method, path, roles, audited) in rules {
        let Some(roles) = roles else { continue };
        let before = looks(house, &staff).await;
        let status = ask(&staff, method, path).await.status();
        let looked = looks(house, &staff).await - before;
        if roles.contains(&role) {
            assert!(!matches!(status.as_u16(), 401 | 403), "{role}: {method} {path}: {status}");
            assert_eq!(looked, usize::from(audited), "{role}: {method} {path} in the audit");
        } else {
            assert_eq!(status, 403, "{role}: {method} {path}");
            assert_eq!(looked, 0, "{role}: {method} {path} was only tried");
        }
    }
    assert_eq!(ask(&staff, "GET", "/api/session").await.status(), 401, "{role} has signed out");
}

async fn looks(house: &House, staff: &Staff) -> usize {
    let log = house.store.audit_log(0, 10_000).await.unwrap();
    let by = log.iter().filter(|entry| entry.actor == staff.id);
    by.filter(|entry| entry.action.ends_with(".look") || entry.action.ends_with(".watch")).count()
}

async fn ask(staff: &Staff, method: &str, path: &str) -> Response {
    let path = path.replace("{id}", "p-nobody").replace("{device}", device(7).as_str());
    let method: Method = method.parse().unwrap();
    let mut request = staff.http.request(method.clone(), format!("{}{path}", staff.base));
    request = request.header("x-tidewatch", "1");
    if matches!(method, Method::POST | Method::PUT) {
        request = request.json(&json!({}));
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_request_forged_by_another_page_is_refused() {
    let house = House::start().await;
    let alex = house.staff("Alex", Administrator).await;
    for (method, path, ..) in agreed().into_iter().filter(|(method, ..)| *method != "GET") {
        let path = path.replace("{id}", "p-nobody").replace("{device}", device(7).as_str());
        let request = || {
            alex.http
                .request(method.parse().unwrap(), format!("{}{path}", alex.base))
                .json(&json!({}))
        };
        let bare = request().send().await.unwrap();
        assert_eq!(bare.status(), 403, "{method} {path} without the header");
        let elsewhere = request().header("x-tidewatch", "1").header("sec-fetch-site", "cross-site");
        assert_eq!(elsewhere.send().await.unwrap().status(), 403, "{method} {path} from elsewhere");
    }
    assert_eq!(alex.get("/api/session").await["name"], "Alex", "and nothing was done");
}

#[tokio::test]
async fn the_first_start_makes_one_administrator() {
    let house = House::start().await;
    assert_eq!(house.get("/api/setup").await.json::<Value>().await.unwrap()["needed"], true);
    let browser = || Staff {
        http: Client::builder().cookie_store(true).build().unwrap(),
        base: format!("http://{}", house.address),
        id: String::new(),
    };
    let set_up = async |staff: &Staff, name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        staff.call(Method::POST, "/api/setup", Some(body)).await
    };
    let (alex, eve) = (browser(), browser());
    let (status, refused) = set_up(&alex, "Alex", "short").await;
    assert_eq!((status, &refused["what"]), (StatusCode::BAD_REQUEST, &json!("password")));
    assert_eq!(set_up(&alex, "  ", PASSWORD).await.1["what"], "name");

    let (one, other) = tokio::join!(set_up(&alex, "Alex", PASSWORD), set_up(&eve, "Eve", PASSWORD));
    let mut statuses = [one.0.as_u16(), other.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two at once one is let through");
    assert_eq!(house.get("/api/setup").await.json::<Value>().await.unwrap()["needed"], false);
    let (first, name) = if one.0 == 200 { (&alex, "Alex") } else { (&eve, "Eve") };
    let session = first.get("/api/session").await;
    assert_eq!((&session["name"], &session["role"]), (&json!(name), &json!("administrator")));

    let new = json!({ "name": "Sam", "password": PASSWORD, "role": "carer" });
    assert_eq!(first.post("/api/users", new.clone()).await["role"], "carer");
    let (status, refused) = first.call(Method::POST, "/api/users", Some(new)).await;
    assert_eq!((status, &refused["what"]), (StatusCode::CONFLICT, &json!("name")));
    let names: Vec<Value> = first.get("/api/users").await.as_array().unwrap().clone();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|user| user.get("password").is_none() && user["id"].is_string()));
}

async fn sign_in(house: &House, name: &str, password: &str) -> Response {
    Client::new()
        .post(house.url("/api/session"))
        .header("x-tidewatch", "1")
        .json(&json!({ "name": name, "password": password }))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_session_is_a_secret_that_the_store_does_not_hold() {
    let house = House::start().await;
    house.staff("Sam", Carer).await;
    let response = sign_in(&house, "sam", PASSWORD).await;
    assert_eq!(response.status(), 200, "names are taken in any case of letters");
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
    let token = cookie.strip_prefix("tidewatch=").unwrap().split(';').next().unwrap();
    assert_eq!(token.len(), 64);
    for file in std::fs::read_dir(house.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(64).any(|bytes| bytes == token.as_bytes()), "the token is on disk");
    }
    let forged = token.replace(|digit: char| digit.is_ascii_digit(), "0");
    let as_sam = |token: &str| {
        let request = Client::new().get(house.url("/api/session"));
        request.header("cookie", format!("tidewatch={token}")).send()
    };
    assert_eq!(as_sam(token).await.unwrap().status(), 200);
    assert_eq!(as_sam(&forged).await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let house = House::start().await;
    house.staff("Sam", Carer).await;
    let wrong = sign_in(&house, "Sam", "not the password").await;
    let unknown = sign_in(&house, "Nobody", "not the password").await;
    assert_eq!((wrong.status(), unknown.status()), (StatusCode::UNAUTHORIZED, wrong.status()));
    assert!(wrong.headers().get("set-cookie").is_none());
    let said = wrong.text().await.unwrap();
    assert_eq!(said, r#"{"error":"The name or the password is not right."}"#);
    assert_eq!(unknown.text().await.unwrap(), said);
    assert_eq!(sign_in(&house, "Sam", &"x".repeat(10_000)).await.status(), 401);
}

#[tokio::test]
async fn guessing_is_stopped_per_account_and_per_address() {
    let house = House::start_with(|config| {
        config.failures_per_account = 3;
        config.failures_per_address = 6;
    })
    .await;
    house.staff("Sam", Carer).await;
    house.staff("Kim", Carer).await;
    let guesses = (0..6).map(|_| sign_in(&house, "Sam", "a guess at it"));
    let mut statuses = Vec::new();
    for guess in guesses {
        statuses.push(guess.await.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
    let right = sign_in(&house, "Sam", PASSWORD).await;
    assert_eq!(right.status(), 429, "also with the right password");
    let wait: u64 = right.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((200..=301).contains(&wait), "{wait}");
    assert_eq!(sign_in(&house, "Kim", PASSWORD).await.status(), 200, "others come in");
    for name in ["a", "b", "c"] {
        assert_eq!(sign_in(&house, name, "a guess at it").await.status(), 401);
    }
    assert_eq!(sign_in(&house, "Kim", PASSWORD).await.status(), 429, "the address is closed");
}

#[tokio::test]
async fn a_thousand_guesses_at_once_gain_nothing() {
    let house = House::start_with(|config| config.failures_per_account = 3).await;
    house.staff("Sam", Carer).await;
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let request = Client::new()
            .post(house.url("/api/session"))
            .header("x-tidewatch", "1")
            .json(&json!({ "name": "Sam", "password": "a guess at it" }));
        guesses.spawn(async move { request.send().await.unwrap().status() });
    }
    let statuses = guesses.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3);
}

#[tokio::test]
async fn a_session_runs_out() {
    let house =
        House::start_with(|config| config.session_lifetime = Duration::from_millis(400)).await;
    let sam = house.staff("Sam", Carer).await;
    eventually("the session is over", async || {
        let (status, _) = sam.call(Method::GET, "/api/session", None).await;
        (status == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_signs_out_is_told_no_more() {
    let house = House::start_with(|config| config.session_check = Duration::from_millis(50)).await;
    let sam = house.staff("Sam", Carer).await;
    let mut tablet = Stream::open(&sam, None).await;
    tablet.find(|event| event.kind == "tick").await;
    assert_eq!(sam.call(Method::DELETE, "/api/session", None).await.0, StatusCode::NO_CONTENT);
    let ended = tokio::time::timeout(crate::house::PATIENCE, async {
        while tablet.next().await.is_some() {}
    });
    ended.await.expect("the stream ends");
}

#[tokio::test]
async fn only_so_many_tablets_watch() {
    let house = House::start_with(|config| config.most_watchers = 1).await;
    let sam = house.staff("Sam", Carer).await;
    let first = Stream::open(&sam, None).await;
    let (status, refused) = sam.call(Method::GET, "/api/events", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused["error"], "Too many tablets are watching already.");
    drop(first);
    eventually("the place is free", async || {
        let request = sam.http.get(format!("{}/api/events", sam.base));
        (request.send().await.unwrap().status() == StatusCode::OK).then_some(())
    })
    .await;
}
