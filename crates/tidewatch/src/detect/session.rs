//! How a run of the detector began, as written into each assessment.

use biosignal::Timestamp;

/// A run's name: `fresh` or `resumed`, and when.
pub(super) struct Session;

impl Session {
    /// Begun without memory of the person.
    pub(super) fn fresh(at: Timestamp) -> String {
        format!("fresh {}", at.as_micros())
    }

    /// Begun from the snapshot after the last decision.
    pub(super) fn resumed(at: Timestamp) -> String {
        format!("resumed {}", at.as_micros())
    }

    /// Whether a run of that name began from a snapshot.
    pub(super) fn resumes(name: &str) -> bool {
        name.starts_with("resumed ")
    }
}
