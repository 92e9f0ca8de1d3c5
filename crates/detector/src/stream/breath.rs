use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::features::{BREATH_BINS, BREATH_HZ, Breathing, breathing};
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
        let mut segments = [[0.0; SEGMENT]; 3];
        for (at, axes) in self.slowed.iter().enumerate() {
            segments.iter_mut().zip(axes).for_each(|(segment, axis)| segment[at] = *axis);
        }
        let mut density = [0.0; BREATH_BINS.end];
        for segment in &segments {
            let spectrum = Welch::of(segment, BREATH_HZ);
            BREATH_BINS.for_each(|bin| density[bin] += spectrum.density(bin));
        }
        breathing(&density)
    }
}
