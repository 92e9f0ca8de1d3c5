use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::filter::{Section, low_pass};

/// Posture is slower than this.
const GRAVITY_HZ: f64 = 0.25;
/// A second of samples at 32 Hz is worked on at once.
pub(super) const BLOCK: usize = 32;
const BLOCK_PERIOD_US: i64 = 31_250;

static AT_ONCE: LazyLock<Block> = LazyLock::new(Block::new);

type Axes = [f64; 3];
/// Two samples are worked on side by side.
type Pair = [f64; 6];

/// Acceleration behind a low-pass, all axes at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gravity {
    period_us: i64,
    /// What went in and what came out: the newest and the one before.
    input: [Axes; 2],
    output: [Axes; 2],
}

/// What each of a block's samples, and what was there before them, adds to the filter's output
/// at the end of the block and one sample earlier: nobody asks for those in between.
struct Block {
    newest: Part,
    before: Part,
}

struct Part {
    /// Of all axes of the samples.
    samples: [Pair; BLOCK / 2],
    input: [f64; 2],
    output: [f64; 2],
}

impl Gravity {
    /// As if the axes had stood at these values for ever.
    pub(super) fn settled(axes: Axes, period_us: i64) -> Self {
        Self { period_us, input: [axes; 2], output: [axes; 2] }
    }

    /// Takes samples; gives where gravity points after them.
    pub(super) fn follow(&mut self, samples: &[Axes]) -> Axes {
        match samples.try_into() {
            Ok(block) if self.period_us == BLOCK_PERIOD_US => self.follow_block(block),
            _ => {
                let section = section(self.period_us);
                samples.iter().for_each(|axes| self.step(&section, *axes));
            }
        }
        self.output[0]
    }

    fn follow_block(&mut self, block: &[Axes; BLOCK]) {
        let Block { newest, before } = &*AT_ONCE;
        let (pairs, _) = block.as_flattened().as_chunks::<6>();
        let (mut newest_sum, mut before_sum) = ([0.0; 6], [0.0; 6]);
        for ((pair, of_newest), of_before) in pairs.iter().zip(&newest.samples).zip(&before.samples)
        {
            for lane in 0..6 {
                newest_sum[lane] += of_newest[lane] * pair[lane];
                before_sum[lane] += of_before[lane] * pair[lane];
            }
        }
        self.output = [newest.after(newest_sum, self), before.after(before_sum, self)];
        self.input = [block[BLOCK - 1], block[BLOCK - 2]];
    }

    fn step(&mut self, Section { b, a }: &Section, now: Axes) {
        let Self { input, output, .. } = *self;
        let newest = std::array::from_fn(|axis| {
            let forward = b[0] * now[axis] + (b[1] * input[0][axis] + b[2] * input[1][axis]);
            forward - a[1] * output[1][axis] - a[0] * output[0][axis]
        });
        (self.input, self.output) = ([now, input[0]], [newest, output[0]]);
    }
}

impl Block {
    fn new() -> Self {
        Self { newest: Part::new(BLOCK), before: Part::new(BLOCK - 1) }
    }
}

impl Part {
    /// Of the output after so many samples of the block.
    fn new(after: usize) -> Self {
        let section = section(BLOCK_PERIOD_US);
        let rest =
            Gravity { period_us: BLOCK_PERIOD_US, input: [[0.0; 3]; 2], output: [[0.0; 3]; 2] };
        let one = [1.0, 0.0, 0.0];
        // What a filter makes of a block that is 1 at one place and 0 else, if at any.
        let answer = |mut filter: Gravity, place: Option<usize>| {
            (0..after).for_each(|at| {
                filter.step(&section, if place == Some(at) { one } else { [0.0; 3] });
            });
            filter.output[0][0]
        };
        let held = |at: usize, place: usize| if at == place { one } else { [0.0; 3] };
        let pair = |place: usize| [held(0, place), held(1, place)];
        let of_sample = |place: usize| answer(rest, Some(place));
        Self {
            samples: std::array::from_fn(|pair| {
                let [first, second] = [2 * pair, 2 * pair + 1].map(of_sample);
                [first, first, first, second, second, second]
            }),
            input: [0, 1].map(|place| answer(Gravity { input: pair(place), ..rest }, None)),
            output: [0, 1].map(|place| answer(Gravity { output: pair(place), ..rest }, None)),
        }
    }

    /// The output that the samples add up to with what was there before them.
    fn after(&self, samples: Pair, before: &Gravity) -> Axes {
        std::array::from_fn(|axis| {
            let of = |weights: [f64; 2], held: [Axes; 2]| {
                weights[0] * held[0][axis] + weights[1] * held[1][axis]
            };
            let held = of(self.output, before.output) + of(self.input, before.input);
            samples[axis] + samples[axis + 3] + held
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a period")]
fn section(period_us: i64) -> Section {
    low_pass(GRAVITY_HZ, 1e6 / period_us as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Cascade;

    #[test]
    fn it_goes_as_a_filter_of_each_axis_does() {
        for period_us in [BLOCK_PERIOD_US, 20_000] {
            let sections = [section(period_us)];
            let row = |at: u32| [7, 11, 13].map(|by| f64::from(at * by % 17) / 17.0);
            let rows: Vec<[f64; 3]> = (0..200).map(row).collect();
            let mut filters = rows[0].map(|axis| Cascade::settled(&sections, axis));
            let mut gravity = Gravity::settled(rows[0], period_us);
            for rows in [&rows[..32], &rows[32..64], &rows[64..69], &rows[69..101]] {
                let mut expected = [0.0; 3];
                for row in rows {
                    expected = std::array::from_fn(|axis| filters[axis].step(&sections, row[axis]));
                }
                let found = gravity.follow(rows);
                assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12));
            }
        }
    }
}
