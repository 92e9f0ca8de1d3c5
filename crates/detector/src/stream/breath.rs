use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::features::{BREATH_HZ, Breathing, breathing};
use crate::filter::{SEGMENT, Welch};

/// Samples at 32 Hz that make one at 8 Hz.
const THINNED: u32 = 4;

/// The last 32 s of acceleration, slowed to 8 Hz.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Breath {
    sum: [f64; 3],
    count: u32,
    slowed: VecDeque<[f64; 3]>,
}

impl Breath {
    /// Takes samples at 32 Hz, g.
    pub(super) fn take(&mut self, samples: &[[f64; 3]]) {
        for axes in samples {
            self.sum.iter_mut().zip(axes).for_each(|(sum, axis)| *sum += axis);
            self.count += 1;
            if self.count == THINNED {
                if self.slowed.len() == SEGMENT {
                    self.slowed.pop_front();
                }
                self.slowed.push_back(self.sum.map(|sum| sum / f64::from(THINNED)));
                (self.sum, self.count) = ([0.0; 3], 0);
            }
        }
    }

    /// What comes next does not follow.
    pub(super) fn interrupt(&mut self) {
        *self = Self::default();
    }

    /// Breathing in the last 32 s; none before there are as many.
    pub(super) fn breathing(&self) -> Option<Breathing> {
        if self.slowed.len() < SEGMENT {
            return None;
        }
        let mut density = [0.0; SEGMENT / 2 + 1];
        for axis in 0..3 {
            let segment: [f64; SEGMENT] = std::array::from_fn(|at| self.slowed[at][axis]);
            let of_axis = Welch::density(&segment, BREATH_HZ);
            density.iter_mut().zip(of_axis).for_each(|(sum, power)| *sum += power);
        }
        breathing(&density)
    }
}
