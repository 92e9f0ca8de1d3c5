use serde::{Deserialize, Serialize};

/// One second-order section: `y = (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2) x`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) b: [f64; 3],
    /// a1 and a2; a0 is 1.
    pub(crate) a: [f64; 2],
}

/// The memory of `N` sections in a row: the last two values that went in, and that came out of
/// each (direct form I), so that only the way back through `a` waits for the sample before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cascade<const N: usize> {
    input: [f64; 2],
    #[serde(with = "crate::fixed")]
    outputs: [[f64; 2]; N],
}

impl<const N: usize> Cascade<N> {
    /// A filter that has seen nothing.
    #[cfg(test)]
    pub(crate) const fn at_rest() -> Self {
        Self { input: [0.0; 2], outputs: [[0.0; 2]; N] }
    }

    /// A filter that has seen `value` for ever, so that a start makes no step.
    pub(crate) fn settled(sections: &[Section; N], value: f64) -> Self {
        let mut output = value;
        let outputs = sections.map(|Section { b, a }| {
            output *= (b[0] + b[1] + b[2]) / (1.0 + a[0] + a[1]);
            [output; 2]
        });
        Self { input: [value; 2], outputs }
    }

    /// Takes a sample through all sections.
    #[inline]
    pub(crate) fn step(&mut self, sections: &[Section; N], sample: f64) -> f64 {
        let mut value = sample;
        let mut before = &mut self.input;
        for (output, Section { b, a }) in self.outputs.iter_mut().zip(sections) {
            let forward = b[0] * value + (b[1] * before[0] + b[2] * before[1]);
            let back = forward - a[1] * output[1] - a[0] * output[0];
            *before = [value, before[0]];
            value = back;
            before = output;
        }
        *before = [value, before[0]];
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::low_pass;

    #[test]
    fn a_settled_filter_starts_without_a_step() {
        let sections = [low_pass(0.25, 32.0)];
        let mut filter = Cascade::settled(&sections, 0.7);
        for _ in 0..100 {
            assert!((filter.step(&sections, 0.7) - 0.7).abs() < 1e-12);
        }
    }
}
