use serde::{Deserialize, Serialize};

use crate::filter::Section;

/// Three axes, and one that stays at 0: the processor works on pairs.
type Axes = [f64; 4];

/// Acceleration behind a low-pass, all axes at once; the memory of [`crate::filter::Cascade`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gravity {
    input: [Axes; 2],
    output: [Axes; 2],
}

impl Gravity {
    /// As if the axes had stood at these values for ever.
    pub(super) fn settled([x, y, z]: [f64; 3]) -> Self {
        Self { input: [[x, y, z, 0.0]; 2], output: [[x, y, z, 0.0]; 2] }
    }

    /// Takes samples; gives where gravity points after them.
    pub(super) fn follow(
        &mut self,
        Section { b, a }: &Section,
        samples: impl Iterator<Item = [f64; 3]>,
    ) -> [f64; 3] {
        let Self { input: [mut last, mut second_last], output: [mut newest, mut before] } = *self;
        for [x, y, z] in samples {
            let now = [x, y, z, 0.0];
            let output = std::array::from_fn(|axis| {
                let forward = b[0] * now[axis] + (b[1] * last[axis] + b[2] * second_last[axis]);
                forward - a[1] * before[axis] - a[0] * newest[axis]
            });
            (last, second_last) = (now, last);
            (newest, before) = (output, newest);
        }
        *self = Self { input: [last, second_last], output: [newest, before] };
        [newest[0], newest[1], newest[2]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Cascade, low_pass};

    #[test]
    fn it_goes_as_a_filter_of_each_axis_does() {
        let sections = [low_pass(0.25, 32.0)];
        let rows: Vec<[f64; 3]> =
            (0..100_u32).map(|at| [7, 11, 13].map(|by| f64::from(at * by % 17) / 17.0)).collect();
        let mut filters = rows[0].map(|axis| Cascade::settled(&sections, axis));
        let mut gravity = Gravity::settled(rows[0]);
        for row in rows {
            let expected: [f64; 3] =
                std::array::from_fn(|axis| filters[axis].step(&sections, row[axis]));
            let found = gravity.follow(&sections[0], [row].into_iter());
            assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12));
        }
    }
}
