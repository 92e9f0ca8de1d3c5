//! A house in a test: a broker, a store and a console, and people who look at it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use biosignal::{Channel, DeviceId, GatewayId, PersonId, Reading, SiteId, Timestamp};
use bus::broker::{self, Broker};
use bus::{BatchHead, Endpoint, Message, Publisher, batch_from_readings, wire};
use console::{Config, Console};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use store::{Role, Store};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const PASSWORD: &str = "a-long-test-password";

/// How long a condition may take to hold before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) broker: Option<Broker>,
    pub(crate) endpoint: Endpoint,
    pub(crate) store: Store,
    pub(crate) site: SiteId,
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    config: Config,
    shutdown: CancellationToken,
    console: Option<JoinHandle<anyhow::Result<()>>>,
    publisher: Publisher,
    outside: CancellationToken,
    sequence: u64,
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A house with short times, and with what the test changes of them.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            refresh: Duration::from_millis(50),
            heartbeat: Duration::from_millis(100),
            look_again: Duration::from_millis(50),
            failures_per_address: 1_000,
            ..Config::default()
        };
        change(&mut config);
        let folder = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = Broker::start(broker::Config { listen, ..Default::default() }).await.unwrap();
        let endpoint = broker.endpoint();
        let outside = CancellationToken::new();
        let mut house = Self {
            store: Store::open(folder.path()).unwrap(),
            site: SiteId::new("house-1").unwrap(),
            address: listen,
            publisher: Publisher::start(&endpoint, "test", None, &outside).unwrap(),
            broker: Some(broker),
            endpoint,
            folder,
            config,
            shutdown: CancellationToken::new(),
            console: None,
            outside,
            sequence: 0,
        };
        house.start_console().await;
        house.until_connected().await;
        house
    }

    pub(crate) async fn start_console(&mut self) {
        self.shutdown = CancellationToken::new();
        let (site, store) = (self.site.clone(), self.store.clone());
        let (endpoint, shutdown) = (self.endpoint.clone(), self.shutdown.clone());
        let console =
            Console::open(self.config.clone(), site, store, endpoint, shutdown).await.unwrap();
        self.address = console.address();
        self.console = Some(tokio::spawn(console.serve()));
    }

    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
    }

    /// What becomes of a second console with a changed configuration.
    pub(crate) async fn try_open(&self, change: impl FnOnce(&mut Config)) -> anyhow::Result<()> {
        let mut config = self.config.clone();
        change(&mut config);
        let (site, store) = (self.site.clone(), self.store.clone());
        let (endpoint, shutdown) = (self.endpoint.clone(), CancellationToken::new());
        Console::open(config, site, store, endpoint, shutdown).await.map(drop)
    }

    /// Stops the console as the supervisor would; it must end well.
    pub(crate) async fn stop_console(&mut self) {
        self.shutdown.cancel();
        let console = self.console.take().expect("a console runs");
        tokio::time::timeout(PATIENCE, console).await.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn until_connected(&self) {
        eventually("the console reaches the broker", async || {
            let health = self.get("/healthz").await;
            (health.status() == StatusCode::OK).then_some(())
        })
        .await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request of somebody who is not signed in.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(self.url(path)).await.unwrap()
    }

    /// An account with a role, signed in.
    pub(crate) async fn staff(&self, name: &str, role: Role) -> Staff {
        let hash = HASH.get_or_init(hash_of_password).await;
        let user = self.store.create_user(name, hash, role).await.unwrap();
        let http = Client::builder().cookie_store(true).build().unwrap();
        let staff =
            Staff { http, base: format!("http://{}", self.address), id: user.id.to_string() };
        let credentials = json!({ "name": name, "password": PASSWORD });
        let (status, _) = staff.call(Method::POST, "/api/session", Some(credentials)).await;
        assert_eq!(status, StatusCode::OK);
        staff
    }

    pub(crate) async fn person(&self, name: &str) -> PersonId {
        let strategies = vec!["Offer a drink of water".to_owned()];
        self.store.create_person(name, strategies).await.unwrap().id
    }

    /// A person who wears a band.
    pub(crate) async fn wearer(&self, name: &str, device: &DeviceId) -> PersonId {
        let person = self.person(name).await;
        let from = now().plus_micros(-60_000_000);
        self.store.assign(device, Some(&person), from, "test").await.unwrap();
        person
    }

    /// Publishes until the broker has it and somebody is there for it.
    pub(crate) async fn publish(&self, message: Message) {
        let publication = message.publication(&self.site);
        eventually("the message is published", async || {
            self.publisher.publish(publication.clone()).await.ok()
        })
        .await;
    }

    pub(crate) async fn publish_bytes(&self, like: Message, payload: &'static [u8]) {
        let mut publication = like.publication(&self.site);
        publication.payload = payload.into();
        self.publisher.publish(publication).await.unwrap();
    }

    /// A second of every channel that is shown, up to now.
    pub(crate) fn second(&mut self, device: &DeviceId) -> Message {
        self.sequence += 1;
        let readings = readings(device, self.sequence, now().plus_micros(-1_000_000));
        let head = BatchHead {
            device: device.clone(),
            gateway: gateway(),
            epoch: 1,
            sequence: self.sequence,
            created_at: now(),
            clock: None,
        };
        Message::Batch(batch_from_readings(&head, &readings).unwrap())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.outside.cancel();
    }
}

/// Somebody with an account and a browser.
#[derive(Clone)]
pub(crate) struct Staff {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) id: String,
}

impl Staff {
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, url).header("x-tidewatch", "1");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> impl Future<Output = Value> {
        let (staff, path) = (self.clone(), path.to_owned());
        async move {
            let (status, value) = staff.call(Method::GET, &path, None).await;
            assert_eq!(status, StatusCode::OK, "GET {path}: {value}");
            value
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, value) = self.call(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {value}");
        value
    }

    /// Waits until the first card is as wanted.
    pub(crate) async fn until_card(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        eventually(what, async || wanted(&self.card().await).then_some(())).await;
    }

    /// The first card of the board.
    pub(crate) async fn card(&self) -> Value {
        self.get("/api/board").await["cards"][0].clone()
    }
}

/// Waits until something holds.
pub(crate) async fn eventually<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(value) = holds().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap())
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, number])
}

pub(crate) fn gateway() -> GatewayId {
    GatewayId::new("hall").unwrap()
}

/// A second of heart rate, EDA, skin temperature and acceleration that vary with `sequence`.
pub(crate) fn readings(device: &DeviceId, sequence: u64, from: Timestamp) -> Vec<Reading> {
    let vary = i32::try_from(sequence % 50).unwrap();
    let reading = |channel, period_us, samples| Reading {
        device: device.clone(),
        channel,
        epoch: 1,
        sequence: u32::try_from(sequence).unwrap(),
        measured_at: from,
        received_at: from.plus_micros(1_000_000),
        period_us,
        samples,
    };
    vec![
        reading(Channel::Acceleration, 500_000, vec![0, 0, 1024, 0, 0, 1024 + vary]),
        reading(Channel::Eda, 250_000, vec![700_000 + vary, 700_001, 700_002, 700_003]),
        reading(Channel::SkinTemperature, 500_000, vec![3_300, 3_300 + vary]),
        reading(Channel::HeartRate, 1_000_000, vec![7_150 + vary]),
    ]
}

pub(crate) fn assessment(
    device: &DeviceId,
    person: &PersonId,
    level: wire::assessment::Level,
    at: Timestamp,
) -> wire::Assessment {
    wire::Assessment {
        device: device.to_string(),
        person: person.to_string(),
        at_us: at.as_micros(),
        decided_at_us: at.as_micros(),
        level: level.into(),
        score: Some(0.25),
        quality: 0.9,
        personal: true,
        ..Default::default()
    }
}

pub(crate) fn status(device: &DeviceId, link: wire::device_status::Link, cause: &str) -> Message {
    Message::DeviceStatus(wire::DeviceStatus {
        device: device.to_string(),
        gateway: gateway().to_string(),
        at_us: now().as_micros(),
        link: link.into(),
        cause: cause.to_owned(),
        battery_percent: Some(80),
        rssi_dbm: Some(-60),
        profile: "tidewatch".to_owned(),
        contact: None,
    })
}

/// Accounts of tests share a hash: hashing is slow, as it must be.
static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();

async fn hash_of_password() -> String {
    use argon2::password_hash::PasswordHasher;
    argon2::Argon2::default().hash_password(PASSWORD.as_bytes()).unwrap().to_string()
}
