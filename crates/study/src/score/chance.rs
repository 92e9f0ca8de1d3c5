//! What a detector finds that knows nothing: the same scores, turned in time.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::alarms::Tally;
use super::grid::Graded;

/// The scores of each recording, turned by a random number of points. Surrogate `index` of a
/// seed is always the same.
pub(crate) fn turned(recordings: &[Graded], seed: u64, index: u64) -> Vec<Vec<Option<f64>>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(1_000_003) ^ index);
    let turn = |it: &Graded| {
        let mut scores = it.scores.clone();
        if scores.len() > 1 {
            scores.rotate_right(random.random_range(1..it.scores.len()));
        }
        scores
    };
    recordings.iter().map(turn).collect()
}

/// How many events scores find at a threshold.
pub(crate) fn hits(recordings: &[Graded], scores: &[Vec<Option<f64>>], threshold: f64) -> usize {
    let of = |(it, scores): (&Graded, &Vec<Option<f64>>)| Tally::of(it, scores, threshold).hits();
    recordings.iter().zip(scores).map(of).sum()
}
