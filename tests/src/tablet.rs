//! A tablet as the console sees it: signed in, asking and telling over HTTP.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};

const NAME: &str = "Alex";
const PASSWORD: &str = "a-long-test-password";

/// A signed-in client.
pub struct Tablet {
    http: Client,
    address: String,
}

/// A card of the board, as far as the tests look.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// The person's pseudonym.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The band.
    pub device: Option<String>,
    /// `no_reading`, `learning`, `settled`, `rising` or `high`.
    pub level: String,
    /// Why there is no reading.
    pub cause: Option<String>,
    /// The newest valid sample, milliseconds UTC.
    pub last_sample_at: Option<f64>,
    /// The newest sample, milliseconds UTC.
    pub measured_at: Option<f64>,
}

impl Tablet {
    /// Makes the first administrator and signs in.
    ///
    /// # Errors
    /// Where the console refuses.
    pub async fn set_up(address: &str) -> Result<Self> {
        let http = Client::builder().cookie_store(true).build()?;
        let tablet = Self { http, address: address.to_owned() };
        let account = json!({ "name": NAME, "password": PASSWORD });
        tablet.call(Method::POST, "/api/setup", Some(&account)).await?;
        tablet.call(Method::POST, "/api/session", Some(&account)).await?;
        Ok(tablet)
    }

    /// Registers a person and puts a band on them; the person's pseudonym.
    ///
    /// # Errors
    /// Where the console refuses.
    pub async fn put_on(&self, name: &str, device: &str) -> Result<String> {
        let person = json!({ "name": name, "strategies": ["Offer a drink of water"] });
        let person = self.call(Method::POST, "/api/people", Some(&person)).await?;
        let id = person["id"].as_str().context("a new person has an id")?.to_owned();
        let assignment = json!({ "device": device, "person": id });
        self.call(Method::POST, "/api/assignments", Some(&assignment)).await?;
        Ok(id)
    }

    /// The board's cards.
    ///
    /// # Errors
    /// Where the console refuses.
    pub async fn cards(&self) -> Result<Vec<Card>> {
        let board = self.call(Method::GET, "/api/board", None).await?;
        serde_json::from_value(board["cards"].clone()).context("the board's cards")
    }

    /// The card of a band.
    ///
    /// # Errors
    /// Where the band is on nobody.
    pub async fn card(&self, device: &str) -> Result<Card> {
        let cards = self.cards().await?;
        cards
            .into_iter()
            .find(|card| card.device.as_deref() == Some(device))
            .with_context(|| format!("no card for {device}"))
    }

    /// Watches the board in a real Chromium; for every newest sample that one of so many
    /// cards painted, seconds from its measurement to the frame that shows it.
    ///
    /// # Errors
    /// Where the browser cannot show the board.
    pub async fn painted(&self, cards: usize, time: Duration) -> Result<Vec<f64>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/screen.mjs");
        let output = tokio::process::Command::new("node")
            .arg(script)
            .args([&self.address, NAME, &cards.to_string(), &time.as_secs().to_string()])
            .env("TIDEWATCH_PASSWORD", PASSWORD)
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot start node")?;
        anyhow::ensure!(
            output.status.success(),
            "no board in the browser (is `npm ci` done in tests/browser?): {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)?
            .lines()
            .map(|line| Ok(line.parse::<f64>()? / 1e3))
            .collect()
    }

    /// One request; the answer, where there is one.
    ///
    /// # Errors
    /// Where the console does not answer with success.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.address))
            .header("x-tidewatch", "1");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "{method} {path}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}
