use serde::Serialize;

use crate::moment::Millis;

/// What the board says of one person, as it travels to the tablet.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Card {
    pub(crate) person: String,
    pub(crate) name: String,
    pub(crate) device: Option<String>,
    pub(crate) level: Level,
    /// Since when the level stands; for `no_reading` the last moment that could be seen.
    pub(crate) since: Millis,
    /// Why there is no reading; none where there is one.
    pub(crate) cause: Option<String>,
    /// The same in words.
    pub(crate) cause_text: Option<&'static str>,
    pub(crate) last_sample_at: Option<Millis>,
    /// The newest sample among the values shown here.
    pub(crate) measured_at: Option<Millis>,
    /// Beats a minute.
    pub(crate) heart_rate: Option<f64>,
    /// Microsiemens.
    pub(crate) eda: Option<f64>,
    /// Degrees Celsius.
    pub(crate) skin_temperature: Option<f64>,
    /// Standard deviation of the acceleration, g.
    pub(crate) activity: Option<f64>,
    /// Scores (0 to 1, or none where nothing could be said) of the last ten minutes.
    pub(crate) trend: Vec<(Millis, Option<f64>)>,
    /// Share of the last minute's samples that came, 0 to 1.
    pub(crate) completeness: f64,
    pub(crate) battery: Option<u32>,
    /// Whether the person's own baseline is used.
    pub(crate) personal: bool,
}

/// From nothing known to somebody should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Nothing can be said.
    NoReading,
    /// Not enough is known of this person yet.
    Learning,
    /// As usual.
    Settled,
    /// Arousal rises.
    Rising,
    /// High arousal.
    High,
}

impl Level {
    /// Who needs somebody first comes first; not to be seen comes before calm.
    pub(crate) fn place(self) -> u8 {
        match self {
            Self::High => 0,
            Self::Rising => 1,
            Self::NoReading => 2,
            Self::Learning => 3,
            Self::Settled => 4,
        }
    }
}

/// A cause in words for care staff; an unknown one is still told.
pub(crate) fn cause_text(cause: &str) -> &'static str {
    match cause {
        "no_band" => "no wristband",
        "out_of_range" => "out of range",
        "connecting" => "connecting",
        "off_wrist" => "not on the wrist",
        "refused" => "does not want it now",
        "frozen" => "the signal stands still",
        "band" => "the wristband is silent",
        "garbage" => "the wristband sends what cannot be read",
        "adapter" => "the Bluetooth adapter is off",
        "no_slot" => "the gateway has no place left",
        "gateway" => "the gateway is down",
        "broker" => "the connection in the house is down",
        "store" => "the store is down",
        "detector" => "the detector is silent",
        "starting" => "starting",
        "released" => "no gateway looks after the wristband",
        _ => "the signal is too poor",
    }
}
