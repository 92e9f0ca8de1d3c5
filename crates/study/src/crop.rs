//! How much of a recording's start is left out, so that no timetable can be learned.

use sha2::{Digest, Sha256};

/// Seconds to cut off the start, 0 to 600: the same for a seed and a recording everywhere.
///
/// The SHA-256 of `seed:recording`, as a number, modulo 601.
pub(crate) fn crop_seconds(seed: u64, recording: &str) -> i64 {
    let digest = Sha256::digest(format!("{seed}:{recording}"));
    digest.iter().fold(0, |rest, byte| (rest * 256 + i64::from(*byte)) % 601)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_those_of_the_independent_scorer() {
        let crops = ["S01", "S02", "S35"].map(|name| crop_seconds(7, name));
        assert_eq!(crops, [25, 497, 290]);
    }
}
