use std::time::Duration;

use biosignal::{DeviceId, GatewayId};
use serde::Deserialize;

/// How a gateway listens, keeps and sends. Every field has a default that suits a house.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The gateway's name, unique in the house: part of its topics.
    pub id: GatewayId,
    /// The Bluetooth adapter to use, as BlueZ names it (`hci0`); none = the first there is.
    pub adapter: Option<String>,
    /// The only devices to connect to; empty = every device with a known profile.
    pub allow: Vec<DeviceId>,
    /// How many bands the adapter holds at once; the band after the last is refused visibly.
    pub connection_slots: usize,
    /// How long a connection may take, services included, before it is given up.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long an unconnected band may go unheard before it counts as out of range.
    #[serde(with = "humantime_serde")]
    pub unheard_after: Duration,
    /// How long a connected band may be silent before it is reported; at least 5 s.
    #[serde(with = "humantime_serde")]
    pub silent_after: Duration,
    /// How long a connected band may be silent before its link is made anew.
    #[serde(with = "humantime_serde")]
    pub relink_after: Duration,
    /// How long the radio may hear nothing, with a band missing, before the adapter is
    /// helped: first a new scan, and after as long again a power cycle.
    #[serde(with = "humantime_serde")]
    pub radio_silence: Duration,
    /// How often readings are spooled and sent.
    #[serde(with = "humantime_serde")]
    pub flush_every: Duration,
    /// How long a batch that was sent may lack the store's word before it is sent again.
    #[serde(with = "humantime_serde")]
    pub resend_after: Duration,
    /// How much the spool may hold before bands are left to keep their own backlog, MiB.
    pub spool_limit_mib: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            id: GatewayId::new("gateway-1").expect("the word is an identifier"),
            adapter: None,
            allow: Vec::new(),
            connection_slots: 10,
            connect_timeout: Duration::from_secs(15),
            unheard_after: Duration::from_secs(10),
            silent_after: Duration::from_secs(5),
            relink_after: Duration::from_secs(20),
            radio_silence: Duration::from_secs(20),
            flush_every: Duration::from_millis(250),
            resend_after: Duration::from_secs(45),
            spool_limit_mib: 1024,
        }
    }
}

impl Config {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// Names the field and what it must be.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.connection_slots > 0,
            "gateway.connection_slots = 0: at least 1, else no band can connect"
        );
        anyhow::ensure!(
            self.spool_limit_mib > 0,
            "gateway.spool_limit_mib = 0: at least 1, else nothing can be kept"
        );
        let least = Duration::from_millis(20);
        anyhow::ensure!(
            self.flush_every >= least,
            "gateway.flush_every = {:?}: at least {least:?}",
            self.flush_every
        );
        let least = Duration::from_secs(5);
        anyhow::ensure!(
            self.silent_after >= least && self.relink_after > self.silent_after,
            "gateway.silent_after = {:?}, relink_after = {:?}: at least {least:?}, and more than that",
            self.silent_after,
            self.relink_after
        );
        Ok(())
    }

    /// Whether a device may be connected to.
    pub(crate) fn allows(&self, device: &DeviceId) -> bool {
        self.allow.is_empty() || self.allow.contains(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_a_bad_value_is_named() {
        assert!(Config::default().validate().is_ok());
        let none = Config { connection_slots: 0, ..Config::default() };
        let said = none.validate().expect_err("no slot is no gateway").to_string();
        assert!(said.starts_with("gateway.connection_slots = 0"), "{said}");
        let hasty = Config { relink_after: Duration::from_secs(5), ..Config::default() };
        let said = hasty.validate().expect_err("it would never be reported").to_string();
        assert!(said.starts_with("gateway.silent_after = 5s, relink_after = 5s"), "{said}");
    }

    #[test]
    fn an_empty_list_allows_every_band() {
        let band = DeviceId::from_address([1; 6]);
        let other = DeviceId::from_address([2; 6]);
        assert!(Config::default().allows(&band));
        let strict = Config { allow: vec![band.clone()], ..Config::default() };
        assert!(strict.allows(&band) && !strict.allows(&other));
    }
}
