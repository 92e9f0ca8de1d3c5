use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::strap::StrapCursor;

/// Where a session stands: which of a device's readings it has handed out, and which it
/// still misses.
///
/// Its size is bounded: eight epochs with some dozen bytes for each hole, of which there are
/// seldom more than a few and never more than 1024 in an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub(super) Place);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Place {
    /// The epochs of a wristband, oldest first.
    Band(Vec<Ledger>),
    /// The numbers that a strap's session gave.
    Strap(StrapCursor),
}

impl Cursor {
    /// The number up to which every packet of an epoch was handed out, or is lost and
    /// recorded so. 0 where the epoch is unknown.
    #[must_use]
    pub fn contiguous_through(&self, epoch: u32) -> u32 {
        match &self.0 {
            Place::Band(epochs) => epochs
                .iter()
                .find(|ledger| ledger.epoch == epoch)
                .map_or(0, Ledger::contiguous_through),
            Place::Strap(strap) if strap.epoch == epoch => strap.sequence,
            Place::Strap(_) => 0,
        }
    }
}
