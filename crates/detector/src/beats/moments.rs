use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// When samples were taken, by their number: a pair for each stretch at a steady rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments(VecDeque<(usize, i64)>);

impl Moments {
    /// Notes when a sample was taken; `oldest` is the first one that may still be asked for.
    pub(crate) fn note(&mut self, number: usize, at_us: i64, period_us: usize, oldest: usize) {
        if self.0.is_empty() || self.of(number, period_us) != at_us {
            self.0.push_back((number, at_us));
        }
        while self.0.get(1).is_some_and(|(next, _)| *next <= oldest) {
            self.0.pop_front();
        }
    }

    /// How many samples from one on, itself included, follow at a steady rate as far as is known.
    pub(crate) fn steady(&self, number: usize) -> usize {
        let next = self.0.partition_point(|(first, _)| *first <= number);
        self.0.get(next).map_or(usize::MAX, |(first, _)| first - number)
    }

    /// When a sample was taken.
    pub(crate) fn of(&self, number: usize, period_us: usize) -> i64 {
        let before = self.0.partition_point(|(first, _)| *first <= number).saturating_sub(1);
        self.0.get(before).map_or(0, |(first, at_us)| {
            at_us + i64::try_from((number - first) * period_us).unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_starts_a_new_stretch_and_old_ones_go() {
        let mut moments = Moments::default();
        moments.note(0, 1000, 10, 0);
        moments.note(64, 1640, 10, 0);
        moments.note(100, 5000, 10, 50);
        assert_eq!([99, 100, 101].map(|at| moments.of(at, 10)), [1990, 5000, 5010]);
        assert_eq!([0, 99, 100].map(|at| moments.steady(at)), [100, 1, usize::MAX]);
        assert_eq!(moments.0.len(), 2);
        moments.note(200, 6000, 10, 100);
        assert_eq!(moments.0.len(), 1);
    }
}
