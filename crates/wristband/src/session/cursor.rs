use serde::{Deserialize, Serialize};

use super::event::ClockEstimate;

/// Where a session stands: what of a device's data it has passed on.
///
/// To be kept in one transaction with the readings: a session that goes on from it
/// neither loses a reading nor passes one on twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The epochs that are known, oldest first.
    pub epochs: Vec<EpochCursor>,
}

/// What was passed on of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochCursor {
    /// The epoch.
    pub epoch: u32,
    /// The mapping of its clock, once there is one.
    pub clock: Option<ClockEstimate>,
}
