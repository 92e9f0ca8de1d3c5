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

/// The spectrum of one segment.
pub(crate) struct Welch {
    /// The transform of even samples as real and odd ones as imaginary parts.
    packed: [Complex; HALF],
    /// From a squared magnitude to a density.
    scale: f64,
    total: f64,
}

struct Tables {
    hann: [f64; SEGMENT],
    /// exp(-2 pi i k / 256)
    twiddle: [Complex; HALF],
    /// exp(-2 pi i k / 2 span) for spans of 4 to 64, each from the place of its own number.
    turns: [Complex; HALF],
    /// Where each number goes before the first pass.
    mirrored: [u8; HALF],
    /// Sum of the squared window.
    power: f64,
}

#[derive(Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

impl Tables {
    fn new() -> Self {
        let number = |k: usize| f64::from(u16::try_from(k).unwrap_or(0));
        let angle = |k: usize| 2.0 * PI * number(k) / 256.0;
        let hann: [f64; SEGMENT] = std::array::from_fn(|k| 0.5 - 0.5 * angle(k).cos());
        let turn = |k: usize| Complex { re: angle(k).cos(), im: -angle(k).sin() };
        let turns = |at: usize| {
            let span = if at == 0 { 1 } else { 1 << at.ilog2() };
            turn((at % span) * HALF / span)
        };
        let bits = u8::BITS - HALF.trailing_zeros();
        let mirrored = |at: usize| u8::try_from(at).unwrap_or(0).reverse_bits() >> bits;
        Self {
            hann,
            twiddle: std::array::from_fn(turn),
            turns: std::array::from_fn(turns),
            mirrored: std::array::from_fn(mirrored),
            power: hann.iter().map(|w| w * w).sum(),
        }
    }
}

impl Welch {
    /// Makes the spectrum of a segment at a rate.
    pub(crate) fn of(segment: &[f64; SEGMENT], rate_hz: f64) -> Self {
        let tables = &*TABLES;
        let mean = sum(segment) / 256.0;
        let windowed: [f64; SEGMENT] =
            std::array::from_fn(|at| (segment[at] - mean) * tables.hann[at]);
        let mut packed: [Complex; HALF] = std::array::from_fn(|place| {
            let at = 2 * usize::from(tables.mirrored[place]);
            Complex { re: windowed[at], im: windowed[at + 1] }
        });
        transform(&mut packed, tables);
        let scale = 1.0 / (rate_hz * tables.power);
        // What all frequencies hold is what the samples hold (Parseval).
        let total = 256.0 * scale * sum(&windowed.map(|sample| sample * sample));
        Self { packed, scale, total }
    }

    /// Density in a bin of `rate_hz / 256`, in the signal's unit squared per Hz.
    pub(crate) fn density(&self, bin: usize) -> f64 {
        let power = unpacked(&self.packed, bin, &TABLES.twiddle) * self.scale;
        if bin == 0 || bin == HALF { power } else { 2.0 * power }
    }

    /// The sum of the densities of all bins.
    pub(crate) const fn total(&self) -> f64 {
        self.total
    }

    /// The densities of all bins, from 0 to half the rate.
    pub(crate) fn densities(&self) -> [f64; BINS] {
        std::array::from_fn(|bin| self.density(bin))
    }
}

/// Several sums side by side, since each addition waits for the one before.
fn sum(values: &[f64; SEGMENT]) -> f64 {
    let mut sums = [0.0; 8];
    for values in values.as_chunks::<8>().0 {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().sum()
}

/// Decimation in time of 128 points that stand in mirrored order, in place: two passes at once
/// for the spans of 1 and 2, which turn by quarters only, then one by one.
fn transform(data: &mut [Complex; HALF], tables: &Tables) {
    for four in data.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (sum, difference) = (a.plus(b), a.minus(b));
        let (other, turned) = (c.plus(d), c.minus(d));
        let turned = Complex { re: turned.im, im: -turned.re };
        *four =
            [sum.plus(other), difference.plus(turned), sum.minus(other), difference.minus(turned)];
    }
    pass::<4>(data, tables);
    pass::<8>(data, tables);
    pass::<16>(data, tables);
    pass::<32>(data, tables);
    pass::<64>(data, tables);
}

fn pass<const SPAN: usize>(data: &mut [Complex; HALF], tables: &Tables) {
    let turns = &tables.turns[SPAN..2 * SPAN];
    let (parts, _) = data.as_chunks_mut::<SPAN>();
    for [one, other] in parts.as_chunks_mut::<2>().0 {
        for ((one, other), turn) in one.iter_mut().zip(other).zip(turns) {
            let turned = other.times(*turn);
            (*one, *other) = (one.plus(turned), one.minus(turned));
        }
    }
}

impl Complex {
    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// Squared magnitude of a bin of the whole from the transform of its halves.
fn unpacked(packed: &[Complex; HALF], bin: usize, twiddle: &[Complex; HALF]) -> f64 {
    let (one, other) = (packed[bin % HALF], packed[(HALF - bin) % HALF]);
    let even = Complex { re: (one.re + other.re) / 2.0, im: (one.im - other.im) / 2.0 };
    let odd = Complex { re: (one.im + other.im) / 2.0, im: (other.re - one.re) / 2.0 };
    let turn = if bin == HALF { Complex { re: -1.0, im: 0.0 } } else { twiddle[bin] };
    let whole = even.plus(odd.times(turn));
    whole.re * whole.re + whole.im * whole.im
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::assert_close;

    #[test]
    fn a_tone_stands_in_its_bin_with_its_power() {
        let tone: [f64; SEGMENT] =
            std::array::from_fn(|k| 3.0 + (2.0 * PI * 2.0 * k as f64 / 32.0).sin());
        let density = Welch::of(&tone, 32.0).densities();
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
        let spectrum = Welch::of(&noise, 32.0);
        assert_close(spectrum.total() * 32.0 / 256.0, expected / weight, 1e-9);
        assert_close(spectrum.densities().iter().sum(), spectrum.total(), 1e-9);
    }
}
