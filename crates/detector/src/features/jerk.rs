//! Jerk, g/s: mean of |dx| + |dy| + |dz| from sample to sample, times the rate.
//!
//! Reference: numpy, 1e-12.

use serde::{Deserialize, Serialize};

/// A sum over pairs of successive samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Jerk {
    sum: f64,
    pairs: f64,
}

impl Jerk {
    pub(crate) fn push(&mut self, before: [f64; 3], after: [f64; 3]) {
        self.sum += before.iter().zip(after).map(|(a, b)| (b - a).abs()).sum::<f64>();
        self.pairs += 1.0;
    }

    /// Takes the way over so many pairs, g.
    pub(crate) fn take(&mut self, way: f64, pairs: f64) {
        self.sum += way;
        self.pairs += pairs;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.pairs += other.pairs;
    }

    pub(crate) fn mean_per_s(&self, rate_hz: f64) -> Option<f64> {
        (self.pairs > 0.0).then(|| self.sum / self.pairs * rate_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_numpy() {
        let reference = Window::read();
        let mut jerk = Jerk::default();
        for pair in reference.acceleration().windows(2) {
            jerk.push(pair[0], pair[1]);
        }
        let expected = reference.number("motion", "jerk");
        assert_close(jerk.mean_per_s(32.0).unwrap(), expected, 1e-12);
    }
}
