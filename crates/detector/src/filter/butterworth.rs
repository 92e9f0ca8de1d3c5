//! Butterworth filters of order 2 by the bilinear transform with prewarping, as
//! `scipy.signal.butter(2, .., output="sos")` gives them.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::Section;

/// Keeps what is slower than `cut_hz`.
pub(crate) fn low_pass(cut_hz: f64, rate_hz: f64) -> Section {
    let k = (PI * cut_hz / rate_hz).tan();
    let norm = 1.0 / (1.0 + SQRT_2 * k + k * k);
    let b = k * k * norm;
    Section { b: [b, 2.0 * b, b], a: denominator(k, norm) }
}

/// Keeps what is faster than `cut_hz`.
pub(crate) fn high_pass(cut_hz: f64, rate_hz: f64) -> Section {
    let k = (PI * cut_hz / rate_hz).tan();
    let norm = 1.0 / (1.0 + SQRT_2 * k + k * k);
    Section { b: [norm, -2.0 * norm, norm], a: denominator(k, norm) }
}

fn denominator(k: f64, norm: f64) -> [f64; 2] {
    [2.0 * (k * k - 1.0) * norm, (1.0 - SQRT_2 * k + k * k) * norm]
}

/// Keeps what lies between; the section with both zeros at half the rate comes first.
pub(crate) fn band_pass(low_hz: f64, high_hz: f64, rate_hz: f64) -> [Section; 2] {
    let warp = |hz: f64| 2.0 * rate_hz * (PI * hz / rate_hz).tan();
    let (low, high) = (warp(low_hz), warp(high_hz));
    let width = high - low;
    // The prototype's upper pole splits into two; their conjugates come from the lower pole.
    let half = Complex(-FRAC_1_SQRT_2, FRAC_1_SQRT_2).times(width / 2.0);
    let root = half.squared().minus(low * high).sqrt();
    let poles = [half.add(root.times(-1.0)), half.add(root)];
    let mut sections = poles.map(|pole| digital(pole, 2.0 * rate_hz));
    // Farther from the unit circle first, as scipy orders them.
    sections.sort_by(|one, other| one.1.total_cmp(&other.1));
    // Two zeros at 0 and two at infinity go to z = 1 and z = -1.
    let twice = 2.0 * rate_hz;
    let gain = width * width * twice * twice
        / poles.iter().map(|pole| Complex(twice - pole.0, -pole.1).norm_squared()).product::<f64>();
    let [(first, _), (second, _)] = sections;
    [Section { b: [gain, 2.0 * gain, gain], a: first }, Section { b: [1.0, -2.0, 1.0], a: second }]
}

/// a1, a2 of a conjugate pair of analog poles, and its squared distance from the origin.
fn digital(pole: Complex, twice_rate: f64) -> ([f64; 2], f64) {
    let below = Complex(twice_rate - pole.0, -pole.1);
    let above = Complex(twice_rate + pole.0, pole.1);
    let scale = below.norm_squared();
    let real = (above.0 * below.0 + above.1 * below.1) / scale;
    let radius_squared = above.norm_squared() / scale;
    ([-2.0 * real, radius_squared], radius_squared)
}

/// As much of the complex numbers as the above needs.
#[derive(Clone, Copy)]
struct Complex(f64, f64);

impl Complex {
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }

    fn minus(self, real: f64) -> Self {
        Self(self.0 - real, self.1)
    }

    fn times(self, real: f64) -> Self {
        Self(self.0 * real, self.1 * real)
    }

    fn squared(self) -> Self {
        Self(self.0 * self.0 - self.1 * self.1, 2.0 * self.0 * self.1)
    }

    fn norm_squared(self) -> f64 {
        self.0 * self.0 + self.1 * self.1
    }

    fn sqrt(self) -> Self {
        let radius = self.norm_squared().sqrt();
        let imaginary = ((radius - self.0) / 2.0).sqrt();
        Self(((radius + self.0) / 2.0).sqrt(), if self.1 < 0.0 { -imaginary } else { imaginary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Cascade;
    use crate::golden::{Window, assert_all_close, assert_close, numbers};
    use biosignal::Channel;

    #[test]
    fn coefficients_are_those_of_scipy() {
        let reference = Window::read();
        let rows = reference.of("pulse", "band_pass_sos").as_array().unwrap().iter().map(numbers);
        for (section, row) in band_pass(0.5, 8.0, 64.0).iter().zip(rows) {
            assert_all_close(&section.b, &row[..3], 1e-9);
            assert_all_close(&section.a, &row[4..], 1e-9);
        }
    }

    #[test]
    fn a_pulse_comes_out_as_from_scipys_sosfilt() {
        let reference = Window::read();
        let sections = band_pass(0.5, 8.0, 64.0);
        let mut filter = Cascade::at_rest();
        let filtered: Vec<f64> = reference
            .signal(Channel::Bvp)
            .iter()
            .map(|sample| filter.step(&sections, *sample))
            .collect();
        assert_all_close(&filtered, &reference.numbers("pulse", "band_passed"), 1e-9);
    }

    #[test]
    fn a_phasic_signal_comes_out_as_from_scipys_sosfilt() {
        let reference = Window::read();
        let sections = [high_pass(0.05, 4.0)];
        let mut filter = Cascade::at_rest();
        let filtered: Vec<f64> = reference
            .signal(Channel::Eda)
            .iter()
            .map(|sample| filter.step(&sections, *sample))
            .collect();
        assert_all_close(&filtered, &reference.numbers("skin", "phasic"), 1e-9);
    }

    #[test]
    fn at_the_corner_half_the_power_is_left() {
        let section = low_pass(0.25, 32.0);
        let w = 2.0 * PI * 0.25 / 32.0;
        let response = |c0: f64, c1: f64, c2: f64| {
            Complex(c0 + c1 * w.cos() + c2 * (2.0 * w).cos(), -c1 * w.sin() - c2 * (2.0 * w).sin())
                .norm_squared()
        };
        let [b0, b1, b2] = section.b;
        let power = response(b0, b1, b2) / response(1.0, section.a[0], section.a[1]);
        assert_close(power, 0.5, 1e-9);
    }
}
