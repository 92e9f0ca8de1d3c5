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
    /// The transform of even samples as real and odd ones as imaginary parts; each frequency
    /// stands where [`Tables::place`] says. Parts are kept apart, since the processor works
    /// on neighbours at once.
    re: [f64; HALF],
    im: [f64; HALF],
    /// From a squared magnitude to a density.
    scale: f64,
    tables: &'static Tables,
}

struct Tables {
    /// The window of even samples and that of odd ones.
    hann: [[f64; HALF]; 2],
    /// exp(-2 pi i k / 256)
    twiddle: [Complex; BINS],
    /// exp(-2 pi i k / 2 span) for spans of 4 to 64, each from the place of its own number.
    turn_re: [f64; HALF],
    turn_im: [f64; HALF],
    /// The third powers of those of twice the span.
    third_re: [f64; HALF],
    third_im: [f64; HALF],
    /// Where each frequency stands after the last pass.
    place: [u8; HALF],
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
        let span = |at: usize| if at == 0 { 1 } else { 1 << at.ilog2() };
        let of_span = |at: usize| turn((at % span(at)) * HALF / span(at));
        let third = |at: usize| turn(3 * (at % span(at)) * (HALF / 2) / span(at));
        let bits = u8::BITS - HALF.trailing_zeros();
        let place = |at: usize| u8::try_from(at).unwrap_or(0).reverse_bits() >> bits;
        Self {
            hann: [0, 1].map(|first| std::array::from_fn(|k| hann[2 * k + first])),
            twiddle: std::array::from_fn(turn),
            turn_re: std::array::from_fn(|at| of_span(at).re),
            turn_im: std::array::from_fn(|at| of_span(at).im),
            third_re: std::array::from_fn(|at| third(at).re),
            third_im: std::array::from_fn(|at| third(at).im),
            place: std::array::from_fn(place),
            power: hann.iter().map(|w| w * w).sum(),
        }
    }
}

impl Welch {
    /// What makes spectra of segments at a rate.
    pub(crate) fn new(rate_hz: f64) -> Self {
        let scale = 1.0 / (rate_hz * TABLES.power);
        Self { re: [0.0; HALF], im: [0.0; HALF], scale, tables: &TABLES }
    }

    /// Makes the spectrum of a segment at a rate.
    pub(crate) fn of(segment: &[f64; SEGMENT], rate_hz: f64) -> Self {
        let mut welch = Self::new(rate_hz);
        welch.take(segment);
        welch
    }

    /// Makes the spectrum of a segment, in place of that of the one before.
    pub(crate) fn take(&mut self, segment: &[f64; SEGMENT]) {
        let mean = sum(segment) / 256.0;
        let [even_hann, odd_hann] = &self.tables.hann;
        for (k, [even, odd]) in segment.as_chunks::<2>().0.iter().enumerate() {
            self.re[k] = (even - mean) * even_hann[k];
            self.im[k] = (odd - mean) * odd_hann[k];
        }
        transform(&mut self.re, &mut self.im, self.tables);
    }

    /// Density in a bin of `rate_hz / 256`, in the signal's unit squared per Hz.
    pub(crate) fn density(&self, bin: usize) -> f64 {
        let sides = if bin == 0 || bin == HALF { 0.25 } else { 0.5 };
        self.unpacked(bin) * (sides * self.scale)
    }

    /// The sum of the densities of all bins: what all frequencies hold is what the samples
    /// hold, and so does the packed transform (Parseval).
    pub(crate) fn total(&self) -> f64 {
        let mut sums = [0.0; 4];
        for values in self.re.as_chunks::<4>().0.iter().chain(self.im.as_chunks::<4>().0) {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * value);
        }
        2.0 * self.scale * sums.iter().sum::<f64>()
    }

    /// The densities of all bins, from 0 to half the rate.
    pub(crate) fn densities(&self) -> [f64; BINS] {
        std::array::from_fn(|bin| self.density(bin))
    }

    /// Four times the squared magnitude of a bin of the whole, from the transform of its halves.
    fn unpacked(&self, bin: usize) -> f64 {
        let at = |bin: usize| {
            let place = usize::from(self.tables.place[bin % HALF]) % HALF;
            Complex { re: self.re[place], im: self.im[place] }
        };
        let (one, other, turn) = (at(bin), at(HALF - bin), self.tables.twiddle[bin]);
        let even = Complex { re: one.re + other.re, im: one.im - other.im };
        let odd = Complex { re: one.im + other.im, im: other.re - one.re };
        let re = even.re + (odd.re * turn.re - odd.im * turn.im);
        let im = even.im + (odd.re * turn.im + odd.im * turn.re);
        re * re + im * im
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

/// Decimation in frequency of 128 points in place, which leaves them in mirrored order: passes
/// of the spans 64 to 1, two at once but for that of 4. Those of 2 and 1 turn by quarters only.
fn transform(re: &mut [f64; HALF], im: &mut [f64; HALF], tables: &Tables) {
    two_passes::<32>(re, im, tables);
    two_passes::<8>(re, im, tables);
    pass::<4>(re, im, tables);
    for (re, im) in re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0) {
        let ([a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]) = (*re, *im);
        let (sum_re, other_re, left_re, turned_im) =
            (a_re + c_re, b_re + d_re, a_re - c_re, d_re - b_re);
        let (sum_im, other_im, left_im, turned_re) =
            (a_im + c_im, b_im + d_im, a_im - c_im, b_im - d_im);
        *re = [sum_re + other_re, sum_re - other_re, left_re + turned_re, left_re - turned_re];
        *im = [sum_im + other_im, sum_im - other_im, left_im + turned_im, left_im - turned_im];
    }
}

/// The passes of twice a span and of the span: between them nothing goes back to memory.
fn two_passes<const SPAN: usize>(re: &mut [f64; HALF], im: &mut [f64; HALF], tables: &Tables) {
    let (one_re, one_im) =
        (&tables.turn_re[2 * SPAN..][..SPAN], &tables.turn_im[2 * SPAN..][..SPAN]);
    let (two_re, two_im) = (&tables.turn_re[SPAN..][..SPAN], &tables.turn_im[SPAN..][..SPAN]);
    let (three_re, three_im) = (&tables.third_re[SPAN..][..SPAN], &tables.third_im[SPAN..][..SPAN]);
    let (re, _) = re.as_chunks_mut::<SPAN>();
    let (im, _) = im.as_chunks_mut::<SPAN>();
    let fours = re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0);
    for ([a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]) in fours {
        for at in 0..SPAN {
            let (sum_re, sum_im) = (a_re[at] + c_re[at], a_im[at] + c_im[at]);
            let (other_re, other_im) = (b_re[at] + d_re[at], b_im[at] + d_im[at]);
            let (left_re, left_im) = (a_re[at] - c_re[at], a_im[at] - c_im[at]);
            let (right_re, right_im) = (b_re[at] - d_re[at], b_im[at] - d_im[at]);
            (a_re[at], a_im[at]) = (sum_re + other_re, sum_im + other_im);
            let turned = |re: f64, im: f64, by_re: f64, by_im: f64| {
                (re * by_re - im * by_im, re * by_im + im * by_re)
            };
            (b_re[at], b_im[at]) =
                turned(sum_re - other_re, sum_im - other_im, two_re[at], two_im[at]);
            (c_re[at], c_im[at]) =
                turned(left_re + right_im, left_im - right_re, one_re[at], one_im[at]);
            (d_re[at], d_im[at]) =
                turned(left_re - right_im, left_im + right_re, three_re[at], three_im[at]);
        }
    }
}

fn pass<const SPAN: usize>(re: &mut [f64; HALF], im: &mut [f64; HALF], tables: &Tables) {
    let (re, _) = re.as_chunks_mut::<SPAN>();
    let (im, _) = im.as_chunks_mut::<SPAN>();
    let turn_re = &tables.turn_re[SPAN..2 * SPAN];
    let turn_im = &tables.turn_im[SPAN..2 * SPAN];
    let pairs = re.as_chunks_mut::<2>().0.iter_mut().zip(im.as_chunks_mut::<2>().0);
    for ([one_re, other_re], [one_im, other_im]) in pairs {
        for at in 0..SPAN {
            let (left_re, left_im) = (one_re[at] - other_re[at], one_im[at] - other_im[at]);
            one_re[at] += other_re[at];
            one_im[at] += other_im[at];
            other_re[at] = left_re * turn_re[at] - left_im * turn_im[at];
            other_im[at] = left_re * turn_im[at] + left_im * turn_re[at];
        }
    }
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
