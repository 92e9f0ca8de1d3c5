//! Butterworth filters of order 2 by the bilinear transform with prewarping, as
//! `scipy.signal.butter(2, .., output="sos")` gives them.

use std::f64::consts::{PI, SQRT_2};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Cascade;
    use crate::golden::{Window, assert_all_close, assert_close};
    use biosignal::Channel;

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
        let response = |[c0, c1, c2]: [f64; 3]| {
            let (re, im) =
                (c0 + c1 * w.cos() + c2 * (2.0 * w).cos(), c1 * w.sin() + c2 * (2.0 * w).sin());
            re * re + im * im
        };
        let [a1, a2] = section.a;
        let power = response(section.b) / response([1.0, a1, a2]);
        assert_close(power, 0.5, 1e-9);
    }
}
