use biosignal::Timestamp;

use crate::{Level, Reason};

/// An alert begins, gets worse or ends.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertTransition {
    /// It began, at RISING or at once at HIGH.
    Raised(Alert),
    /// RISING became HIGH.
    Escalated(Alert),
    /// The signs are gone, or can no longer be seen.
    Ended(Alert),
}

impl AlertTransition {
    /// The alert as it stands after the transition.
    #[must_use]
    pub const fn alert(&self) -> &Alert {
        match self {
            Self::Raised(alert) | Self::Escalated(alert) | Self::Ended(alert) => alert,
        }
    }
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// When it was raised: with the wearer, this names the alert.
    pub raised_at: Timestamp,
    /// When it came to stand as it does.
    pub at: Timestamp,
    /// Its level; at the end the highest that it had.
    pub level: Level,
    /// Why, heaviest first; at the end, why it had been raised.
    pub reasons: Vec<Reason>,
    /// Signal quality, 0 to 1.
    pub quality: f64,
    /// The score, 0 to 1; at the end the last one that there was.
    pub score: f64,
}
