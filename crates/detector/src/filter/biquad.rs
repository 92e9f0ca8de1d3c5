use serde::{Deserialize, Serialize};

/// One second-order section: `y = (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2) x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) b: [f64; 3],
    /// a1 and a2; a0 is 1.
    pub(crate) a: [f64; 2],
}

/// The memory of `N` sections in a row, transposed direct form II as in scipy's `sosfilt`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cascade<const N: usize>(#[serde(with = "states")] [[f64; 2]; N]);

impl<const N: usize> Cascade<N> {
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

/// Arrays of any length, for snapshots.
mod states {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        states: &[[f64; 2]; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        states.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[[f64; 2]; N], D::Error> {
        let states = Vec::<[f64; 2]>::deserialize(deserializer)?;
        states.try_into().map_err(|states: Vec<_>| Error::invalid_length(states.len(), &"N"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::PULSE_BAND;

    /// Gain at a frequency, after the filter has settled.
    fn gain(hertz: f64) -> f64 {
        let mut cascade = Cascade::settled(&PULSE_BAND, 0.0);
        let steps = 0..6400;
        let wave = steps.map(|n| (std::f64::consts::TAU * hertz * f64::from(n) / 64.0).sin());
        let out: Vec<f64> = wave.map(|sample| cascade.step(&PULSE_BAND, sample)).collect();
        out[5000..].iter().fold(0.0, |largest, value| value.abs().max(largest))
    }

    #[test]
    fn the_pulse_passes_and_drift_and_noise_do_not() {
        for hertz in [1.0, 1.5, 2.0, 4.0] {
            assert!((gain(hertz) - 1.0).abs() < 0.06, "{hertz} Hz: {}", gain(hertz));
        }
        for edge in [0.5, 8.0] {
            let half_power = std::f64::consts::FRAC_1_SQRT_2;
            assert!((gain(edge) - half_power).abs() < 0.01, "{edge} Hz: {}", gain(edge));
        }
        assert!(gain(0.05) < 0.02 && gain(25.0) < 0.03);
    }

    #[test]
    fn a_settled_filter_makes_no_step() {
        let mut cascade = Cascade::settled(&PULSE_BAND, 5.0);
        assert!((0..100).all(|_| cascade.step(&PULSE_BAND, 5.0).abs() < 1e-9));
    }
}
