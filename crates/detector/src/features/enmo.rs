//! ENMO, g: mean of max(norm(a) - 1, 0), the Euclidean norm minus one.
//! van Hees VT et al. (2013) PLoS ONE 8(4): e61691.
//!
//! Reference: numpy, 1e-12.

use serde::{Deserialize, Serialize};

/// A sum over samples; sums of seconds add up to a window's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Enmo {
    sum: f64,
    count: f64,
}

impl Enmo {
    pub(crate) fn push(&mut self, norm: f64) {
        self.sum += (norm - 1.0).max(0.0);
        self.count += 1.0;
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
            second.iter().for_each(|norm| part.push(*norm));
            enmo.add(&part);
        }
        assert_close(enmo.mean().unwrap(), reference.number("motion", "enmo"), 1e-12);
    }
}
