use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The mean of a slow signal in each of the last seconds in which it could be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Means {
    /// The second that is not over: which, the sum, and of how many samples.
    open: Option<(i64, f64, f64)>,
    seconds: VecDeque<(i64, f64)>,
}

impl Means {
    /// Takes a sample of a second.
    pub(super) fn take(&mut self, at_s: i64, value: f64) {
        match &mut self.open {
            Some((open_s, sum, count)) if *open_s == at_s => {
                *sum += value;
                *count += 1.0;
            }
            _ => {
                self.pass_second();
                self.open = Some((at_s, value, 1.0));
            }
        }
    }

    /// Takes back everything from a second on.
    pub(super) fn reject_since(&mut self, from_s: i64) {
        self.open = self.open.filter(|(open_s, ..)| *open_s < from_s);
        while self.seconds.back().is_some_and(|(at_s, _)| *at_s >= from_s) {
            self.seconds.pop_back();
        }
    }

    /// Lets a second be over.
    pub(super) fn pass_second(&mut self) {
        if let Some((at_s, sum, count)) = self.open.take() {
            self.seconds.push_back((at_s, sum / count));
        }
    }

    /// Lets those before a second go.
    pub(super) fn forget(&mut self, oldest_s: i64) {
        while self.seconds.front().is_some_and(|(at_s, _)| *at_s < oldest_s) {
            self.seconds.pop_front();
        }
    }

    /// Seconds with their means, from one on.
    pub(super) fn since(&self, from_s: i64) -> impl Iterator<Item = (i64, f64)> + '_ {
        let first = self.seconds.partition_point(|(at_s, _)| *at_s < from_s);
        self.seconds.range(first..).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_means_and_holes_have_none() {
        let mut means = Means::default();
        for (at_s, value) in [(7, 1.0), (7, 2.0), (9, 5.0), (10, 6.0), (10, 8.0)] {
            means.take(at_s, value);
        }
        means.pass_second();
        assert_eq!(means.since(7).collect::<Vec<_>>(), [(7, 1.5), (9, 5.0), (10, 7.0)]);
        means.take(11, 4.0);
        means.reject_since(10);
        means.pass_second();
        means.forget(8);
        assert_eq!(means.since(0).collect::<Vec<_>>(), [(9, 5.0)]);
    }
}
