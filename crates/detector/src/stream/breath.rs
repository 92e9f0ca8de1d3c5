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
    /// Of the samples that make the next one.
    sum: [i32; 3],
    count: usize,
    /// Of each axis, the sums of four samples in steps of the channel: no digit is lost.
    slowed: [Ring<i32, SEGMENT>; 3],
}

impl Breath {
    /// Takes samples at 32 Hz, in steps of the channel.
    pub(super) fn take(&mut self, steps: &[[i32; 3]]) {
        let (open, rest) = steps.split_at(steps.len().min((THINNED - self.count) % THINNED));
        self.add(open);
        let (groups, rest) = rest.as_chunks::<THINNED>();
        for groups in groups.chunks(AT_ONCE) {
            let mut slowed = [[0; AT_ONCE]; 3];
            for (at, group) in groups.iter().enumerate() {
                for (axis, slowed) in slowed.iter_mut().enumerate() {
                    slowed[at] = group.iter().map(|axes| axes[axis]).sum();
                }
            }
            let rings = self.slowed.iter_mut().zip(&slowed);
            rings.for_each(|(ring, slowed)| ring.extend(&slowed[..groups.len()]));
        }
        self.add(rest);
    }

    /// Adds samples to those that make the next one, no more than it lacks.
    fn add(&mut self, steps: &[[i32; 3]]) {
        for axes in steps {
            self.sum.iter_mut().zip(axes).for_each(|(sum, axis)| *sum += axis);
        }
        self.count += steps.len();
        if self.count == THINNED {
            self.count = 0;
            let sums = std::mem::take(&mut self.sum);
            self.slowed.iter_mut().zip(sums).for_each(|(ring, sum)| ring.extend(&[sum]));
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
        let (mut segment, mut density) = ([0.0; SEGMENT], [0.0; BREATH_BINS.end]);
        let mut spectrum = Welch::new(BREATH_HZ);
        for slowed in &self.slowed {
            slowed.put(&mut segment, |sum| f64::from(sum) * scale)?;
            spectrum.take(&segment);
            BREATH_BINS.for_each(|bin| density[bin] += spectrum.density(bin));
        }
        breathing(&density)
    }
}
