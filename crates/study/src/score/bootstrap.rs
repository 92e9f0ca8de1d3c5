//! How far figures would move with other people: the block bootstrap.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::grid::Graded;

/// One draw: people with replacement, and of each drawn person sessions with replacement.
/// Places of recordings.
pub(crate) fn draws(recordings: &[Graded], count: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut people: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, recording) in recordings.iter().enumerate() {
        people.entry(&recording.person).or_default().push(place);
    }
    let people: Vec<Vec<usize>> = people.into_values().collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut one = || {
        let mut drawn = Vec::new();
        for _ in 0..people.len() {
            let sessions = &people[random.random_range(0..people.len())];
            for _ in 0..sessions.len() {
                drawn.push(sessions[random.random_range(0..sessions.len())]);
            }
        }
        drawn
    };
    (0..count).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(name: &str, person: &str) -> Graded {
        Graded {
            known_from: None,
            before: Vec::new(),
            recording: name.into(),
            person: person.into(),
            points: Vec::new(),
            scores: Vec::new(),
            levels: None,
            events: Vec::new(),
        }
    }

    #[test]
    fn people_are_drawn_whole_and_sessions_within_them() {
        let recordings = [recording("a", "p"), recording("b", "p"), recording("c", "q")];
        let draws = draws(&recordings, 200, 1);
        assert_eq!(draws, super::draws(&recordings, 200, 1));
        assert!(draws.iter().all(|it| (2..=4).contains(&it.len())));
        assert!(draws.iter().any(|it| !it.contains(&2)));
        assert!(draws.iter().any(|it| it.iter().filter(|place| **place == 0).count() == 2));
    }
}
