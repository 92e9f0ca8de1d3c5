//! What a simulation plays: a TOML file, checked before anything opens.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::Address;

/// Bands and straps, who wears them, and the radio between.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Seed of everything random; the same seed gives the same bands.
    pub seed: u64,
    /// The Bluetooth adapter.
    pub radio: RadioPlan,
    /// Wristbands, numbered from 1.
    #[serde(rename = "band")]
    pub bands: Vec<BandPlan>,
    /// Heart-rate straps, numbered on from the wristbands.
    #[serde(rename = "strap")]
    pub straps: Vec<StrapPlan>,
}

/// The Bluetooth adapter and its links.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RadioPlan {
    /// Connections that the adapter can hold at a time.
    pub slots: usize,
    /// From the call to connect until the link is up.
    #[serde(with = "humantime_serde")]
    pub connect_after: Duration,
    /// From the link until the services are resolved.
    #[serde(with = "humantime_serde")]
    pub resolve_after: Duration,
    /// From a device's last packet until its link counts as lost.
    #[serde(with = "humantime_serde")]
    pub supervision: Duration,
    /// From advertisement to advertisement, as reported while scanning.
    #[serde(with = "humantime_serde")]
    pub advertise_every: Duration,
}

impl Default for RadioPlan {
    fn default() -> Self {
        Self {
            slots: 32,
            connect_after: Duration::from_millis(100),
            resolve_after: Duration::from_millis(150),
            supervision: Duration::from_secs(2),
            advertise_every: Duration::from_secs(1),
        }
    }
}

/// A wristband.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandPlan {
    /// Bluetooth address; C0:FF:EE:00:00:<number> where not given.
    pub address: Option<Address>,
    /// Advertised name; TW-<number> where not given.
    pub name: Option<String>,
    /// Who wears it.
    pub body: BodyPlan,
    /// What the flash already holds at the start.
    pub worn_before: WornBefore,
    /// What happens when a recording ends.
    pub at_end: AtEnd,
    /// How much faster than true time the band's clock runs.
    pub clock_drift_ppm: f64,
    /// How fast flash is sent on request.
    pub replay_packets_per_s: u32,
    /// Packets that the flash holds; the oldest is overwritten.
    pub flash_packets: usize,
    /// Charge at the start.
    pub battery_percent: u8,
    /// Strength of the signal at the gateway.
    pub rssi_dbm: i16,
    /// Share of live notifications that never arrive, 0 to 1.
    pub loss: f64,
    /// Share of live notifications that arrive after the one behind them, 0 to 1.
    pub reorder: f64,
}

impl Default for BandPlan {
    fn default() -> Self {
        Self {
            address: None,
            name: None,
            body: BodyPlan::default(),
            worn_before: WornBefore::default(),
            at_end: AtEnd::default(),
            clock_drift_ppm: 0.0,
            replay_packets_per_s: 200,
            flash_packets: 2_000_000,
            battery_percent: 97,
            rssi_dbm: -60,
            loss: 0.0,
            reorder: 0.0,
        }
    }
}

/// A heart-rate strap: no flash, no other sensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StrapPlan {
    /// Bluetooth address; C0:FF:EE:00:01:<number> where not given.
    pub address: Option<Address>,
    /// Advertised name; HR-<number> where not given.
    pub name: Option<String>,
    /// Who wears it.
    pub body: BodyPlan,
    /// What happens when a recording ends.
    pub at_end: AtEnd,
    /// Charge at the start.
    pub battery_percent: u8,
    /// Strength of the signal at the gateway.
    pub rssi_dbm: i16,
}

impl Default for StrapPlan {
    fn default() -> Self {
        Self {
            address: None,
            name: None,
            body: BodyPlan::default(),
            at_end: AtEnd::default(),
            battery_percent: 80,
            rssi_dbm: -65,
        }
    }
}

/// Who wears a device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BodyTable")]
pub enum BodyPlan {
    /// An Empatica E4 recording, zip or folder, played as it was worn.
    Recording {
        /// The archive or folder.
        path: PathBuf,
        /// How far into the recording "now" is at the start.
        start: Duration,
    },
    /// A simulated person.
    Person {
        /// Seed of the person: the same seed is the same person on the same day.
        seed: u64,
        /// Incidents that begin so long after the start, beside those that come by themselves.
        incidents: Vec<Duration>,
    },
}

impl Default for BodyPlan {
    fn default() -> Self {
        Self::Person { seed: 0, incidents: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyTable {
    recording: Option<PathBuf>,
    #[serde(default, with = "humantime_serde")]
    start: Option<Duration>,
    person: Option<u64>,
    #[serde(default)]
    incidents: Vec<humantime_serde::Serde<Duration>>,
}

impl TryFrom<BodyTable> for BodyPlan {
    type Error = String;

    fn try_from(table: BodyTable) -> Result<Self, String> {
        match (table.recording, table.person) {
            (Some(path), None) if table.incidents.is_empty() => {
                Ok(Self::Recording { path, start: table.start.unwrap_or_default() })
            }
            (None, Some(seed)) if table.start.is_none() => Ok(Self::Person {
                seed,
                incidents: table.incidents.into_iter().map(|wait| *wait).collect(),
            }),
            (Some(_), None) => Err("a recording has no `incidents` of ours".to_owned()),
            (None, Some(_)) => Err("a person has no `start`".to_owned()),
            _ => Err("a body is either a `recording` or a `person`".to_owned()),
        }
    }
}

/// How long a band was worn, unheard, before the simulation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum WornBefore {
    /// So long; a recording gives at most what comes before its `start`.
    For(Duration),
    /// The whole recording: all of it in flash, nothing live.
    All,
}

impl Default for WornBefore {
    fn default() -> Self {
        Self::For(Duration::ZERO)
    }
}

impl TryFrom<String> for WornBefore {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        if word == "all" {
            return Ok(Self::All);
        }
        let duration = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&word);
        humantime_serde::deserialize(duration)
            .map(Self::For)
            .map_err(|error| format!("worn_before {word:?}: neither \"all\" nor a time: {error}"))
    }
}

/// What happens when a recording ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// The band is taken off and lies on the table. Where all of the recording was worn
    /// before, sampling stops.
    #[default]
    TakeOff,
    /// No packet any more.
    Stop,
    /// It starts again.
    Loop,
}

impl Scenario {
    /// Reads a scenario; paths in it are relative to its folder.
    ///
    /// # Errors
    /// Says where the file does not make sense.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the scenario {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder).with_context(|| format!("in the scenario {}", path.display()))
    }

    /// Reads a scenario from its text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Says where the text does not make sense.
    pub fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut scenario: Self = toml::from_str(text)?;
        let bodies = scenario.bands.iter_mut().map(|band| &mut band.body);
        for body in bodies.chain(scenario.straps.iter_mut().map(|strap| &mut strap.body)) {
            if let BodyPlan::Recording { path, .. } = body {
                *path = folder.join(&*path);
            }
        }
        scenario.check()?;
        Ok(scenario)
    }

    /// Refuses what cannot be played.
    ///
    /// # Errors
    /// Names the band and what is wrong with it.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut addresses = BTreeSet::new();
        for (index, band) in self.bands.iter().enumerate() {
            check_band(band).with_context(|| format!("band {}", index + 1))?;
            addresses.insert(self.band_address(index));
        }
        addresses.extend((0..self.straps.len()).map(|index| self.strap_address(index)));
        if addresses.len() != self.bands.len() + self.straps.len() {
            bail!("two devices have the same address");
        }
        if addresses.is_empty() {
            bail!("neither a [[band]] nor a [[strap]]");
        }
        Ok(())
    }

    pub(crate) fn band_address(&self, index: usize) -> Address {
        self.bands[index].address.unwrap_or_else(|| numbered(0, index))
    }

    pub(crate) fn strap_address(&self, index: usize) -> Address {
        self.straps[index].address.unwrap_or_else(|| numbered(1, index))
    }
}

fn numbered(kind: u8, index: usize) -> Address {
    let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
    Address::new([0xC0, 0xFF, 0xEE, 0, kind, number])
}

fn check_band(band: &BandPlan) -> anyhow::Result<()> {
    let share = 0.0..=1.0;
    if !share.contains(&band.loss) || !share.contains(&band.reorder) {
        bail!("`loss` and `reorder` are shares from 0 to 1");
    }
    if !(-500.0..=500.0).contains(&band.clock_drift_ppm) {
        bail!("a clock that drifts {} ppm is broken", band.clock_drift_ppm);
    }
    if band.replay_packets_per_s == 0 || band.flash_packets == 0 {
        bail!("`replay_packets_per_s` and `flash_packets` are at least 1");
    }
    if band.battery_percent > 100 {
        bail!("a battery holds at most 100 percent");
    }
    let recorded = matches!(band.body, BodyPlan::Recording { .. });
    if band.worn_before == WornBefore::All && !recorded {
        bail!("`worn_before = \"all\"` needs a recording");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Scenario, String> {
        Scenario::parse(text, Path::new("/scenarios")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_scenario_is_read_with_its_units_and_paths() {
        let scenario = check(
            "seed = 1\n[[band]]\nname = \"TW-0001\"\nworn_before = \"45min\"\n\
             body = { recording = \"S02.zip\", start = \"45min\" }\n\
             [[strap]]\nbody = { person = 7, incidents = [\"3min\"] }\n",
        )
        .expect("it is well formed");
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(scenario.bands[0].worn_before, WornBefore::For(minutes(45)));
        let path = PathBuf::from("/scenarios/S02.zip");
        assert_eq!(scenario.bands[0].body, BodyPlan::Recording { path, start: minutes(45) });
        let body = BodyPlan::Person { seed: 7, incidents: vec![minutes(3)] };
        assert_eq!(scenario.straps[0].body, body);
        assert_eq!(scenario.strap_address(0).to_string(), "C0:FF:EE:00:01:01");
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "neither a [[band]] nor a [[strap]]"),
            ("[[band]]\nbody = { person = 1 }\ncolour = 1", "unknown field `colour`"),
            ("[[band]]\nbody = {}", "either a `recording` or a `person`"),
            ("[[band]]\nworn_before = \"soon\"", "neither \"all\" nor a time"),
            ("[[band]]\nworn_before = \"all\"", "band 1: `worn_before = \"all\"` needs"),
            ("[[band]]\nloss = 2.0", "shares from 0 to 1"),
            ("[[band]]\naddress = \"C0\"", "not a Bluetooth address"),
            ("[[band]]\n[[strap]]\naddress = \"C0:FF:EE:00:00:01\"", "the same address"),
        ] {
            let says = check(text).expect_err(text);
            assert!(says.contains(reason), "{text:?} gave {says:?}");
        }
    }
}
