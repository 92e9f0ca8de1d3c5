//! Power spectra of 256 samples, as `scipy.signal.welch(nperseg=256)` makes them: mean
//! removed, periodic Hann window, one-sided density.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Samples in a segment.
pub(crate) const SEGMENT: usize = 256;
/// Frequencies in a spectrum, from 0 to half the rate.
pub(crate) const BINS: usize = SEGMENT / 2 + 1;
const HALF: usize = SEGMENT / 2;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// Makes the spectrum of one segment.
pub(crate) struct Welch;

struct Tables {
    hann: [f64; SEGMENT],
    /// exp(-2 pi i k / 256)
    twiddle: [(f64, f64); HALF],
    /// Sum of the squared window.
    power: f64,
}

impl Tables {
    fn new() -> Self {
        let angle = |k: usize| 2.0 * PI * f64::from(u16::try_from(k).unwrap_or(0)) / 256.0;
        let hann: [f64; SEGMENT] = std::array::from_fn(|k| 0.5 - 0.5 * angle(k).cos());
        Self {
            hann,
            twiddle: std::array::from_fn(|k| (angle(k).cos(), -angle(k).sin())),
            power: hann.iter().map(|w| w * w).sum(),
        }
    }
}

impl Welch {
    /// Density per bin of `rate_hz / 256`, in the signal's unit squared per Hz.
    pub(crate) fn density(segment: &[f64; SEGMENT], rate_hz: f64) -> [f64; BINS] {
        let tables = &*TABLES;
        let mean = segment.iter().sum::<f64>() / 256.0;
        // Even samples are the real, odd ones the imaginary part of half as many.
        let mut packed: [(f64, f64); HALF] = std::array::from_fn(|k| {
            let windowed = |at: usize| (segment[at] - mean) * tables.hann[at];
            (windowed(2 * k), windowed(2 * k + 1))
        });
        transform(&mut packed, &tables.twiddle);
        let scale = 1.0 / (rate_hz * tables.power);
        std::array::from_fn(|bin| {
            let power = unpacked(&packed, bin, &tables.twiddle) * scale;
            if bin == 0 || bin == HALF { power } else { 2.0 * power }
        })
    }
}

/// Decimation in time, in place, 128 points.
fn transform(data: &mut [(f64, f64); HALF], twiddle: &[(f64, f64); HALF]) {
    let bits = HALF.trailing_zeros();
    for index in 0..HALF {
        let mirrored = index.reverse_bits() >> (usize::BITS - bits);
        if mirrored > index {
            data.swap(index, mirrored);
        }
    }
    let mut span = 1;
    while span < HALF {
        let stride = HALF / span;
        for pair in data.chunks_exact_mut(2 * span) {
            let (one, other) = pair.split_at_mut(span);
            let turns = twiddle.iter().step_by(stride);
            for ((one, other), (c, s)) in one.iter_mut().zip(other).zip(turns) {
                let ((x, y), (re, im)) = (*one, *other);
                let turned = (re * c - im * s, re * s + im * c);
                *one = (x + turned.0, y + turned.1);
                *other = (x - turned.0, y - turned.1);
            }
        }
        span *= 2;
    }
}

/// Squared magnitude of a bin of the whole from the transform of its halves.
fn unpacked(packed: &[(f64, f64); HALF], bin: usize, twiddle: &[(f64, f64); HALF]) -> f64 {
    let (a, b) = packed[bin % HALF];
    let (c, d) = packed[(HALF - bin) % HALF];
    let even = ((a + c) / 2.0, (b - d) / 2.0);
    let odd = ((b + d) / 2.0, (c - a) / 2.0);
    let (cos, sin) = if bin == HALF { (-1.0, 0.0) } else { twiddle[bin] };
    let re = even.0 + odd.0 * cos - odd.1 * sin;
    let im = even.1 + odd.0 * sin + odd.1 * cos;
    re * re + im * im
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::assert_close;

    #[test]
    fn a_tone_stands_in_its_bin_with_its_power() {
        let tone: [f64; SEGMENT] =
            std::array::from_fn(|k| 3.0 + (2.0 * PI * 2.0 * k as f64 / 32.0).sin());
        let density = Welch::density(&tone, 32.0);
        let peak = (0..BINS).max_by(|a, b| density[*a].total_cmp(&density[*b]));
        assert_eq!(peak, Some(16));
        // A sine of amplitude 1 has the power 1/2.
        assert_close(density.iter().sum::<f64>() * 32.0 / 256.0, 0.5, 1e-9);
        assert_close(density[0], 0.0, 1e-12);
    }

    #[test]
    fn power_is_kept_whatever_the_signal() {
        let noise: [f64; SEGMENT] = std::array::from_fn(|k| ((k * 7919) % 101) as f64);
        let mean = noise.iter().sum::<f64>() / 256.0;
        let hann = |k: usize| 0.5 - 0.5 * (2.0 * PI * k as f64 / 256.0).cos();
        let expected: f64 = (0..SEGMENT).map(|k| ((noise[k] - mean) * hann(k)).powi(2)).sum();
        let weight: f64 = (0..SEGMENT).map(|k| hann(k).powi(2)).sum();
        let total = Welch::density(&noise, 32.0).iter().sum::<f64>() * 32.0 / 256.0;
        assert_close(total, expected / weight, 1e-9);
    }
}
