//! Power of heart rhythm in bands of frequency, for research on 120 to 300 s: LF 0.04 to
//! 0.15 Hz, HF 0.15 to 0.4 Hz, ms^2. Lomb NR (1976) Least-squares frequency analysis of
//! unequally spaced data. Astrophys Space Sci 39: 447-462. Never an input of an alert.
//!
//! Reference: `scipy.signal.lombscargle`, 1e-8.

use std::f64::consts::TAU;

const LF_HZ: (f64, f64) = (0.04, 0.15);
const HF_HZ: (f64, f64) = (0.15, 0.4);
/// Steps in which a band is summed.
const STEPS: u32 = 200;

/// The periodogram of values at times (s) for frequencies (Hz), in the unit of the values
/// squared, not normalised; the values' mean is taken off.
#[must_use]
pub fn lomb(times_s: &[f64], values: &[f64], frequencies_hz: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / count(values);
    let power = |hz: &f64| {
        let w = TAU * hz;
        let (mut sin2, mut cos2) = (0.0, 0.0);
        for t in times_s {
            sin2 += (2.0 * w * t).sin();
            cos2 += (2.0 * w * t).cos();
        }
        let shift = sin2.atan2(cos2) / 2.0;
        let (mut yc, mut ys, mut cc, mut ss) = (0.0, 0.0, 0.0, 0.0);
        for (t, y) in times_s.iter().zip(values) {
            let (sin, cos) = (w * t - shift).sin_cos();
            yc += (y - mean) * cos;
            ys += (y - mean) * sin;
            cc += cos * cos;
            ss += sin * sin;
        }
        (yc * yc / cc + ys * ys / ss) / 2.0
    };
    frequencies_hz.iter().map(power).collect()
}

/// LF and HF power (ms^2) of intervals in s that end at times in s; missing where the beats
/// span less than 120 s or are fewer than 60.
#[must_use]
pub fn lf_hf(times_s: &[f64], intervals_s: &[f64]) -> Option<(f64, f64)> {
    let span = times_s.last()? - times_s.first()?;
    if span < 120.0 || times_s.len() < 60 || times_s.len() != intervals_s.len() {
        return None;
    }
    let rate_hz = (count(times_s) - 1.0) / span;
    let ms: Vec<f64> = intervals_s.iter().map(|interval| interval * 1e3).collect();
    let band = |(low, high): (f64, f64)| {
        let step = (high - low) / f64::from(STEPS);
        let frequencies: Vec<f64> = (0..=STEPS).map(|at| low + step * f64::from(at)).collect();
        let density = lomb(times_s, &ms, &frequencies);
        let sides = density.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        2.0 / rate_hz * step * sides.sum::<f64>()
    };
    Some((band(LF_HZ), band(HF_HZ)))
}

#[expect(clippy::cast_precision_loss, reason = "a number of beats")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_all_close, numbers, read};

    #[test]
    fn it_is_that_of_scipy() {
        let reference = &read("models/golden/beats.json")["lomb"];
        let [times, values, hz, power] =
            ["times_s", "intervals_ms", "hz", "power"].map(|name| numbers(&reference[name]));
        assert_all_close(&lomb(&times, &values, &hz), &power, 1e-8);
    }

    #[test]
    fn a_rhythm_of_breathing_stands_in_its_band_with_its_power() {
        let times: Vec<f64> = (0..240).map(|beat| 0.8 * f64::from(beat)).collect();
        let intervals: Vec<f64> =
            times.iter().map(|t| 0.8 + 0.02 * (TAU * 0.25 * t).sin()).collect();
        let (lf, hf) = lf_hf(&times, &intervals).unwrap();
        // A sine of 20 ms has the power 200 ms^2.
        assert!((hf - 200.0).abs() < 6.0 && lf < 5.0, "{lf} {hf}");
        assert_eq!(lf_hf(&times[..100], &intervals[..100]), None);
    }
}
