use serde::{Deserialize, Serialize};

/// One second-order section: `y = (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2) x`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) b: [f64; 3],
    /// a1 and a2; a0 is 1.
    pub(crate) a: [f64; 2],
}

/// The memory of `N` sections in a row, transposed direct form II as in scipy's `sosfilt`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cascade<const N: usize>(#[serde(with = "crate::fixed")] [[f64; 2]; N]);

impl<const N: usize> Cascade<N> {
    /// A filter that has seen nothing.
    #[cfg(test)]
    pub(crate) const fn at_rest() -> Self {
        Self([[0.0; 2]; N])
    }

    /// A filter that has seen `value` for ever, so that a start makes no step.
    pub(crate) fn settled(sections: &[Section; N], value: f64) -> Self {
        let mut input = value;
        Self(sections.map(|Section { b, a }| {
            let output = input * (b[0] + b[1] + b[2]) / (1.0 + a[0] + a[1]);
            let second = b[2] * input - a[1] * output;
            let state = [b[1] * input - a[0] * output + second, second];
            input = output;
            state
        }))
    }

    /// Takes a sample through all sections.
    pub(crate) fn step(&mut self, sections: &[Section; N], sample: f64) -> f64 {
        let mut value = sample;
        for (state, section) in self.0.iter_mut().zip(sections) {
            let output = section.b[0] * value + state[0];
            state[0] = section.b[1] * value - section.a[0] * output + state[1];
            state[1] = section.b[2] * value - section.a[1] * output;
            value = output;
        }
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
