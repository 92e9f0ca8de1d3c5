//! Activity, g: standard deviation of norm(a), n in the denominator.
//!
//! Reference: `numpy.std`, 1e-12.

use serde::{Deserialize, Serialize};

use crate::sum::sum;

/// Sums over samples about 1 g, where they lose no digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Activity {
    sum: f64,
    squares: f64,
    count: f64,
}

impl Activity {
    /// Takes norms of acceleration, g.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub(crate) fn take(&mut self, norms: &[f64]) {
        self.sum += sum(norms, |norm| norm - 1.0);
        self.squares += sum(norms, |norm| (norm - 1.0) * (norm - 1.0));
        self.count += norms.len() as f64;
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
            part.take(second);
            activity.add(&part);
        }
        let expected = reference.number("motion", "activity");
        assert_close(activity.deviation().unwrap(), expected, 1e-12);
    }
}
