use std::fmt;

use biosignal::Timestamp;
use serde::{Deserialize, Serialize};

use crate::features::warm_as_worn;
use crate::pipeline::lacking;
use crate::{AlertTransition, Feature, FeatureVector, Inputs, Signal};

/// What a tick of the detector leads to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most outputs are assessments")]
pub enum Output {
    /// A finding about the wearer, each hop and at once when the detector loses sight.
    Assessment(Assessment),
    /// An alert begins, gets worse or ends; stands after the assessment that it follows from.
    Alert(AlertTransition),
}

/// A finding about the wearer at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The end of the window that it rests on.
    pub at: Timestamp,
    /// What staff are shown.
    pub level: Level,
    /// The smoothed score, 0 to 1; none where too little was seen. While learning it is
    /// there from the first full window, by the population prior.
    pub score: Option<f64>,
    /// How much of the window could be used, 0 to 1.
    pub quality: f64,
    /// Why there is no reading.
    pub cause: Option<Cause>,
    /// Whether the person's own baseline was used rather than the population's alone.
    pub personal: bool,
    /// Whether the arm has hardly turned for ten minutes, as in sleep: what is usual is then
    /// learned and asked for apart.
    pub rests: bool,
    /// What weighed most, heaviest first; at most three, and none below RISING.
    pub reasons: Vec<Reason>,
    /// Every feature that could be computed, by name.
    pub features: FeatureVector,
    /// Each feature against what is usual and against the last minutes: what a model weighs.
    pub inputs: Inputs,
    /// What each feature adds to the score's logit, smoothed as the score is; with the
    /// model's bias, smoothed alike, they add up to it. Empty where there is no score.
    pub contributions: Vec<(&'static str, f64)>,
}

impl Assessment {
    /// The one of [`Signal::LEADING`] that the window does not show, where it shows the others:
    /// the model weighs those alone.
    #[must_use]
    pub fn lacking(&self) -> Option<Signal> {
        lacking(&self.features)
    }

    /// The skin temperature, C, where it is not the 30 to 40 C of a band that sits well (Kleckner
    /// 2018). A flag for who reads: nothing is judged by it.
    #[must_use]
    pub fn unusual_skin(&self) -> Option<f64> {
        self.features.of(Feature::SkinTemperature).filter(|celsius| !warm_as_worn(*celsius))
    }
}

/// What staff are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Too little was seen to say anything; never to be shown as calm.
    NoReading,
    /// Seen, but not long enough yet.
    Learning,
    /// Nothing unusual.
    Settled,
    /// Signs of rising arousal; silent, on screen.
    Rising,
    /// Strong signs of rising arousal; rings.
    High,
}

impl Level {
    /// The level's name in files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoReading => "no_reading",
            Self::Learning => "learning",
            Self::Settled => "settled",
            Self::Rising => "rising",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No valid sample came lately.
    NoSignal,
    /// The band is not on a wrist.
    OffWrist,
    /// A value stands still beyond what its sensor can.
    Frozen,
    /// Samples come, but too few of the signals can be used.
    PoorSignal,
    /// Samples have just begun to come; the first window is not full.
    Starting,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 5] =
        [Self::NoSignal, Self::OffWrist, Self::Frozen, Self::PoorSignal, Self::Starting];

    /// The cause's name in messages and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSignal => "no_signal",
            Self::OffWrist => "off_wrist",
            Self::Frozen => "frozen",
            Self::PoorSignal => "poor_signal",
            Self::Starting => "starting",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One sign that weighed in a finding.
///
/// Its words compare what is now with what is usual for the person, or with the minutes
/// before, whichever weighs more: `usual` or `before` is there, never both.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// In words for care staff, with the numbers where they mean something to them.
    pub text: String,
    /// The feature that the words are about: of all that show the sign, the heaviest.
    pub feature: &'static str,
    /// Its value: of the window, or the mean of the last moments where they are compared
    /// with the minutes before.
    pub value: f64,
    /// What is usual for the person.
    pub usual: Option<f64>,
    /// The mean over the minutes before.
    pub before: Option<f64>,
    /// The unit of all three.
    pub unit: &'static str,
    /// How much all features of the sign add to the score's logit, smoothed as the score is.
    pub contribution: f64,
}
