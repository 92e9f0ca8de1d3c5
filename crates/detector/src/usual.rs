use serde::{Deserialize, Serialize};

/// One window counts for no more than so many of the population's spreads.
pub(crate) const CLIP: f64 = 4.0;

/// What is usual for a feature, and the spread around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The middle.
    pub usual: f64,
    /// The spread between people and moments, as a standard deviation.
    pub scale: f64,
    /// The spread between the moments of one person, in scales.
    pub within: f64,
}
