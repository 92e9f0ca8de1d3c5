use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// How the console listens, whom it lets in, and how old what it shows may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where tablets and browsers reach the console.
    pub listen: SocketAddr,
    /// What the console's names on the broker begin with; another for each console of a house.
    pub client_id: String,
    /// Certificate and key; without them the console speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Whether a proxy in front ends TLS: cookies are then for HTTPS only, and the last
    /// address in `X-Forwarded-For` is the client's. Never set without such a proxy.
    pub behind_https_proxy: bool,
    /// A session ends this long after its sign-in.
    #[serde(with = "humantime_serde")]
    pub session_lifetime: Duration,
    /// Failed sign-ins that an account may have within `sign_in_window`.
    pub failures_per_account: usize,
    /// Failed sign-ins that an address may have within `sign_in_window`.
    pub failures_per_address: usize,
    /// For how long a failed sign-in counts.
    #[serde(with = "humantime_serde")]
    pub sign_in_window: Duration,
    /// A person without a sample for this long cannot be seen. Carers are promised ten
    /// seconds; the rest is for the way to the tablet.
    #[serde(with = "humantime_serde")]
    pub sample_fresh: Duration,
    /// A finding of the detector says nothing after this long (it judges each 10 s).
    #[serde(with = "humantime_serde")]
    pub verdict_fresh: Duration,
    /// An alert that is older than this when it arrives is kept and shown, and does not ring.
    #[serde(with = "humantime_serde")]
    pub rings_if_newer_than: Duration,
    /// An alert that nobody answers stops to ring this long after it was raised.
    #[serde(with = "humantime_serde")]
    pub rings_for: Duration,
    /// How often the cards are looked at anew.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
    /// How often a tablet is told that the console lives.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How often it is seen to that whoever watches is still signed in.
    #[serde(with = "humantime_serde")]
    pub session_check: Duration,
    /// How often people and assignments are read anew, for what other processes changed.
    #[serde(with = "humantime_serde")]
    pub look_again: Duration,
    /// Tablets that may watch at a time.
    pub most_watchers: usize,
}

/// PEM files of the console's certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those that it hangs on.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            client_id: "console".to_owned(),
            tls: None,
            behind_https_proxy: false,
            session_lifetime: Duration::from_secs(12 * 3600),
            failures_per_account: 5,
            failures_per_address: 20,
            sign_in_window: Duration::from_secs(300),
            sample_fresh: Duration::from_secs(9),
            verdict_fresh: Duration::from_secs(30),
            rings_if_newer_than: Duration::from_secs(300),
            rings_for: Duration::from_secs(3600),
            refresh: Duration::from_secs(1),
            heartbeat: Duration::from_secs(2),
            session_check: Duration::from_secs(10),
            look_again: Duration::from_secs(5),
            most_watchers: 256,
        }
    }
}

impl Config {
    /// Whether browsers reach the console over HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        self.tls.is_some() || self.behind_https_proxy
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// Names the setting and what is wrong with it.
    pub fn validate(&self) -> anyhow::Result<()> {
        for (name, time) in [
            ("session_lifetime", self.session_lifetime),
            ("sample_fresh", self.sample_fresh),
            ("verdict_fresh", self.verdict_fresh),
            ("refresh", self.refresh),
            ("heartbeat", self.heartbeat),
            ("look_again", self.look_again),
        ] {
            anyhow::ensure!(!time.is_zero(), "console.{name} must be more than 0s");
        }
        anyhow::ensure!(
            self.failures_per_account > 0,
            "console.failures_per_account must be at least 1"
        );
        anyhow::ensure!(
            self.failures_per_address > 0,
            "console.failures_per_address must be at least 1"
        );
        Ok(())
    }
}
