//! ENMO, g: mean of max(norm(a) - 1, 0), the Euclidean norm minus one.
//! van Hees VT et al. (2013) PLoS ONE 8(4): e61691.
//!
//! Reference: numpy, 1e-12.

use serde::{Deserialize, Serialize};

use crate::sum::sum;

/// A sum over samples; sums of seconds add up to a window's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Enmo {
    sum: f64,
    count: f64,
}

impl Enmo {
    /// Takes norms of acceleration, g.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub(crate) fn take(&mut self, norms: &[f64]) {
        self.sum += sum(norms, |norm| (norm - 1.0).max(0.0));
        self.count += norms.len() as f64;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::activity::tests::norms;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_numpy() {
        let reference = Window::read();
        let mut enmo = Enmo::default();
        for second in norms(&reference).chunks(32) {
            let mut part = Enmo::default();
            part.take(second);
            enmo.add(&part);
        }
        assert_close(enmo.mean().unwrap(), reference.number("motion", "enmo"), 1e-12);
    }
}
