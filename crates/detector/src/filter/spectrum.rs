//! Power spectra of 256 samples, as `scipy.signal.welch(nperseg=256)` makes them: mean
//! removed, periodic Hann window, one-sided density.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::sum::sum;

/// Samples in a segment.
pub(crate) const SEGMENT: usize = 256;
/// Frequencies in a spectrum, from 0 to half the rate.
pub(crate) const BINS: usize = SEGMENT / 2 + 1;
const HALF: usize = SEGMENT / 2;
const QUARTER: usize = HALF / 4;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// The spectrum of one segment.
pub(crate) struct Welch {
    /// The transform of even samples as real and odd ones as imaginary parts.
    parts: Parts,
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
        Self {
            hann: [0, 1].map(|first| std::array::from_fn(|k| hann[2 * k + first])),
            twiddle: std::array::from_fn(turn),
            turn_re: std::array::from_fn(|at| of_span(at).re),
            turn_im: std::array::from_fn(|at| of_span(at).im),
            third_re: std::array::from_fn(|at| third(at).re),
            third_im: std::array::from_fn(|at| third(at).im),
            power: hann.iter().map(|w| w * w).sum(),
        }
    }
}

impl Welch {
    /// What makes spectra of segments at a rate.
    pub(crate) fn new(rate_hz: f64) -> Self {
        let scale = 1.0 / (rate_hz * TABLES.power);
        Self { parts: [[0.0; HALF]; 2], scale, tables: &TABLES }
    }

    /// Makes the spectrum of a segment at a rate.
    pub(crate) fn of(segment: &[f64; SEGMENT], rate_hz: f64) -> Self {
        let mut welch = Self::new(rate_hz);
        welch.take(segment);
        welch
    }

    /// Makes the spectrum of a segment, in place of that of the one before.
    pub(crate) fn take(&mut self, segment: &[f64; SEGMENT]) {
        let mean = sum(segment, |sample| *sample) / 256.0;
        let [even_hann, odd_hann] = &self.tables.hann;
        for (k, [even, odd]) in segment.as_chunks::<2>().0.iter().enumerate() {
            self.parts[0][k] = (even - mean) * even_hann[k];
            self.parts[1][k] = (odd - mean) * odd_hann[k];
        }
        transform(&mut self.parts, self.tables);
    }

    /// Density in a bin of `rate_hz / 256`, in the signal's unit squared per Hz.
    pub(crate) fn density(&self, bin: usize) -> f64 {
        let sides = if bin == 0 || bin == HALF { 0.25 } else { 0.5 };
        self.unpacked(bin) * (sides * self.scale)
    }

    /// The sum of the densities of all bins: what all frequencies hold is what the samples
    /// hold, and so does the packed transform (Parseval).
    pub(crate) fn total(&self) -> f64 {
        2.0 * self.scale * sum(self.parts.as_flattened(), |part| part * part)
    }

    /// The densities of all bins, from 0 to half the rate.
    pub(crate) fn densities(&self) -> [f64; BINS] {
        std::array::from_fn(|bin| self.density(bin))
    }

    /// Four times the squared magnitude of a bin of the whole, from the transform of its halves.
    fn unpacked(&self, bin: usize) -> f64 {
        let at = |bin: usize| {
            let [re, im] = &self.parts;
            Complex { re: re[bin % HALF], im: im[bin % HALF] }
        };
        let (one, other, turn) = (at(bin), at(HALF - bin), self.tables.twiddle[bin]);
        let even = Complex { re: one.re + other.re, im: one.im - other.im };
        let odd = Complex { re: one.im + other.im, im: other.re - one.re };
        let re = even.re + (odd.re * turn.re - odd.im * turn.im);
        let im = even.im + (odd.re * turn.im + odd.im * turn.re);
        re * re + im * im
    }
}

/// Real and imaginary parts, kept apart since the processor works on neighbours at once.
type Parts = [[f64; HALF]; 2];

/// Decimation in frequency of 128 points, which sorts itself (Stockham): each pass puts what
/// belongs together side by side, so that all but the first work on neighbours. Passes of
/// four, four, two and four; the last turns by quarters only.
fn transform(parts: &mut Parts, tables: &Tables) {
    let mut other = [[0.0; HALF]; 2];
    pass_of_four::<1>(parts, &mut other, tables);
    pass_of_four::<4>(&other, parts, tables);
    pass_of_two(parts, &mut other, tables);
    last_pass(&other, parts);
}

/// From quarters to groups of four runs of so many neighbours, all of which turn alike.
fn pass_of_four<const RUN: usize>([re, im]: &Parts, to: &mut Parts, tables: &Tables) {
    let groups = QUARTER / RUN;
    let (one_re, one_im) = (&tables.turn_re[2 * groups..], &tables.turn_im[2 * groups..]);
    let (two_re, two_im) = (&tables.turn_re[groups..], &tables.turn_im[groups..]);
    let (three_re, three_im) = (&tables.third_re[groups..], &tables.third_im[groups..]);
    let ([a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]) = (quarters(re), quarters(im));
    let [to_re, to_im] = to;
    let to = to_re.as_chunks_mut::<RUN>().0.as_chunks_mut::<4>().0.iter_mut();
    let to = to.zip(to_im.as_chunks_mut::<RUN>().0.as_chunks_mut::<4>().0);
    for (group, (to_re, to_im)) in to.enumerate() {
        for place in 0..RUN {
            let at = group * RUN + place;
            let (sum_re, sum_im) = (a_re[at] + c_re[at], a_im[at] + c_im[at]);
            let (other_re, other_im) = (b_re[at] + d_re[at], b_im[at] + d_im[at]);
            let (left_re, left_im) = (a_re[at] - c_re[at], a_im[at] - c_im[at]);
            let (right_re, right_im) = (b_re[at] - d_re[at], b_im[at] - d_im[at]);
            let turned = |re: f64, im: f64, by_re: f64, by_im: f64| {
                (re * by_re - im * by_im, re * by_im + im * by_re)
            };
            (to_re[0][place], to_im[0][place]) = (sum_re + other_re, sum_im + other_im);
            (to_re[1][place], to_im[1][place]) =
                turned(left_re + right_im, left_im - right_re, one_re[group], one_im[group]);
            (to_re[2][place], to_im[2][place]) =
                turned(sum_re - other_re, sum_im - other_im, two_re[group], two_im[group]);
            (to_re[3][place], to_im[3][place]) =
                turned(left_re - right_im, left_im + right_re, three_re[group], three_im[group]);
        }
    }
}

/// From halves to pairs of runs of 16 neighbours.
fn pass_of_two([re, im]: &Parts, [to_re, to_im]: &mut Parts, tables: &Tables) {
    let turns = tables.turn_re[4..8].iter().zip(&tables.turn_im[4..8]);
    let to = to_re.as_chunks_mut::<16>().0.as_chunks_mut::<2>().0.iter_mut();
    let to = to.zip(to_im.as_chunks_mut::<16>().0.as_chunks_mut::<2>().0);
    for (group, (([sum_re, turned_re], [sum_im, turned_im]), (by_re, by_im))) in
        to.zip(turns).enumerate()
    {
        for place in 0..16 {
            let (one, other) = (16 * group + place, HALF / 2 + 16 * group + place);
            let (left_re, left_im) = (re[one] - re[other], im[one] - im[other]);
            sum_re[place] = re[one] + re[other];
            sum_im[place] = im[one] + im[other];
            turned_re[place] = left_re * by_re - left_im * by_im;
            turned_im[place] = left_re * by_im + left_im * by_re;
        }
    }
}

/// From quarters to quarters.
fn last_pass([re, im]: &Parts, [to_re, to_im]: &mut Parts) {
    let ([a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]) = (quarters(re), quarters(im));
    for at in 0..QUARTER {
        let (sum_re, other_re, left_re, turned_im) =
            (a_re[at] + c_re[at], b_re[at] + d_re[at], a_re[at] - c_re[at], d_re[at] - b_re[at]);
        let (sum_im, other_im, left_im, turned_re) =
            (a_im[at] + c_im[at], b_im[at] + d_im[at], a_im[at] - c_im[at], b_im[at] - d_im[at]);
        let bins = [0, 1, 2, 3].map(|quarter| quarter * QUARTER + at);
        (to_re[bins[0]], to_im[bins[0]]) = (sum_re + other_re, sum_im + other_im);
        (to_re[bins[1]], to_im[bins[1]]) = (left_re + turned_re, left_im + turned_im);
        (to_re[bins[2]], to_im[bins[2]]) = (sum_re - other_re, sum_im - other_im);
        (to_re[bins[3]], to_im[bins[3]]) = (left_re - turned_re, left_im - turned_im);
    }
}

fn quarters(of: &[f64; HALF]) -> [&[f64; QUARTER]; 4] {
    let quarters = of.as_chunks::<QUARTER>().0;
    [&quarters[0], &quarters[1], &quarters[2], &quarters[3]]
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
