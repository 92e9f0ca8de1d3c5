use biosignal::Channel;
use serde::{Deserialize, Serialize};

use super::ring::Ring;
use crate::features::{BREATH_BINS, BREATH_HZ, Breathing, breathing};
use crate::filter::{SEGMENT, Welch};

/// Samples at 32 Hz that make one at 8 Hz.
const THINNED: usize = 4;
/// So many of the slowed samples are put by at once.
const AT_ONCE: usize = 8;

/// The last 32 s of acceleration, slowed to 8 Hz.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Breath {
    sum: [i32; 3],
    count: usize,
    /// Of each axis, the sums of four samples in steps of the channel: no digit is lost.
    slowed: [Ring<i32, SEGMENT>; 3],
}

impl Breath {
    /// Takes samples at 32 Hz, in steps of the channel.
    pub(super) fn take(&mut self, steps: &[[i32; 3]]) {
        for steps in steps.chunks(AT_ONCE * THINNED) {
            let mut slowed = [[0; AT_ONCE + 1]; 3];
            let mut made = 0;
            for axes in steps {
                self.sum.iter_mut().zip(axes).for_each(|(sum, axis)| *sum += axis);
                self.count += 1;
                if self.count == THINNED {
                    let sums = std::mem::take(&mut self.sum);
                    slowed.iter_mut().zip(sums).for_each(|(slowed, sum)| slowed[made] = sum);
                    (self.count, made) = (0, made + 1);
                }
            }
            let axes = self.slowed.iter_mut().zip(&slowed);
            axes.for_each(|(ring, slowed)| ring.extend(&slowed[..made]));
        }
    }

    /// What comes next does not follow.
    pub(super) fn interrupt(&mut self) {
        (self.sum, self.count) = ([0; 3], 0);
        self.slowed.iter_mut().for_each(Ring::clear);
    }

    /// Breathing in the last 32 s; none before there are as many.
    pub(super) fn breathing(&self) -> Option<Breathing> {
        let scale = Channel::Acceleration.scale() / 4.0;
        let mut density = [0.0; BREATH_BINS.end];
        for slowed in &self.slowed {
            let segment = slowed.map(|sum| f64::from(sum) * scale)?;
            let spectrum = Welch::of(&segment, BREATH_HZ);
            BREATH_BINS.for_each(|bin| density[bin] += spectrum.density(bin));
        }
        breathing(&density)
    }
}
