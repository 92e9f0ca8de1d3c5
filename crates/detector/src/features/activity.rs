//! Activity, g: standard deviation of norm(a), n in the denominator.
//!
//! Reference: `numpy.std`, 1e-12.

use serde::{Deserialize, Serialize};

/// Sums over samples about 1 g, where they lose no digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Activity {
    sum: f64,
    squares: f64,
    count: f64,
}

impl Activity {
    pub(crate) fn push(&mut self, norm: f64) {
        let beyond = norm - 1.0;
        self.sum += beyond;
        self.squares += beyond * beyond;
        self.count += 1.0;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.squares += other.squares;
        self.count += other.count;
    }

    pub(crate) const fn count(&self) -> f64 {
        self.count
    }

    pub(crate) fn deviation(&self) -> Option<f64> {
        let mean = self.sum / self.count;
        (self.count > 0.0).then(|| (self.squares / self.count - mean * mean).max(0.0).sqrt())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::golden::{Window, assert_close};

    pub(in crate::features) fn norms(reference: &Window) -> Vec<f64> {
        let rows = reference.acceleration();
        rows.iter().map(|[x, y, z]| (x * x + y * y + z * z).sqrt()).collect()
    }

    #[test]
    fn it_is_that_of_numpy() {
        let reference = Window::read();
        let mut activity = Activity::default();
        for second in norms(&reference).chunks(32) {
            let mut part = Activity::default();
            second.iter().for_each(|norm| part.push(*norm));
            activity.add(&part);
        }
        let expected = reference.number("motion", "activity");
        assert_close(activity.deviation().unwrap(), expected, 1e-12);
    }
}
