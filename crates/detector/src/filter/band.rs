//! The band of a pulse wave, some 0.5 to 8 Hz, without a shift in time: a mean of means over
//! 47 ms less one over 0.86 s, both centred (triangular windows). A recursive filter shifts
//! waves by times that depend on their rate and shape, and with them the moments of beats; a
//! symmetric one shifts all by the same, half of its length.
//!
//! Sums are of whole steps, so that they are exact however long they run.

use serde::{Deserialize, Serialize};

const SHORT_S: f64 = 0.047;
const LONG_S: f64 = 0.86;

/// Takes steps of a sensor and yields them in the band, [`Band::delay`] samples later, as if
/// the first one had stood for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Band {
    short: MeanOfMeans,
    long: MeanOfMeans,
    /// The newest steps: as many as the long windows reach over, and some that may go.
    recent: Vec<i32>,
    /// Of the first samples none has come out yet: so many steps are still to come before.
    unfilled: usize,
}

/// A mean over a window of means over windows of the same odd width, in sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct MeanOfMeans {
    width: usize,
    /// Of the samples, weighted by 1 at both ends up to the width in the middle.
    sum: i64,
    /// By how much the sum grew last.
    growth: i64,
}

impl Band {
    /// As many steps can be taken at once.
    pub(crate) const MOST: usize = 64;
    /// So many steps more than needed are kept, so that they are seldom moved.
    const SPARE: usize = 2 * Self::MOST;

    pub(crate) fn new(period_us: i64, first: i32) -> Self {
        let [short, long] = [SHORT_S, LONG_S].map(|seconds| MeanOfMeans::new(seconds, period_us));
        let recent = vec![first; 2 * long.width];
        Self { short, long, recent, unfilled: long.width - 1 }
    }

    /// How many samples later a sample comes out.
    pub(crate) const fn delay(&self) -> usize {
        self.long.width - 1
    }

    /// Takes steps, [`Self::MOST`] at most; yields as many samples in the band, fewer at the
    /// start, in the unit of a step.
    pub(crate) fn take<'a>(
        &mut self,
        steps: &[[i32; 1]],
        into: &'a mut [f64; Self::MOST],
    ) -> &'a mut [f64] {
        let reach = 2 * self.long.width;
        if self.recent.len() > reach + Self::SPARE {
            self.recent.drain(..self.recent.len() - reach);
        }
        let new = self.recent.len();
        self.recent.extend_from_slice(steps.as_flattened());
        let centre = new - self.delay();
        let (into, mut slow) = (&mut into[..steps.len()], [0.0; Self::MOST]);
        self.short.take(&self.recent, centre, into);
        self.long.take(&self.recent, centre, &mut slow[..steps.len()]);
        into.iter_mut().zip(&slow).for_each(|(into, slow)| *into -= slow);
        let early = self.unfilled.min(steps.len());
        self.unfilled -= early;
        &mut into[early..]
    }
}

impl MeanOfMeans {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "less than a second in samples"
    )]
    fn new(seconds: f64, period_us: i64) -> Self {
        let samples = seconds * 1e6 / period_us as f64;
        let width = 2 * ((samples - 1.0) / 2.0).round().max(0.0) as usize + 1;
        Self { width, sum: 0, growth: 0 }
    }

    /// Goes on to places in the middle of the window, the first of them given; yields the means.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough of a mean")]
    fn take(&mut self, steps: &[i32], centre: usize, into: &mut [f64]) {
        let Self { width, mut sum, mut growth } = *self;
        let before = centre - 1;
        let from = |place: usize| &steps[place..][..into.len()];
        let ends = from(before - width).iter().zip(from(before + width));
        let changes = ends.zip(from(before));
        let part = 1.0 / (width * width) as f64;
        for (into, ((first, last), middle)) in into.iter_mut().zip(changes) {
            growth += i64::from(*first) + i64::from(*last) - 2 * i64::from(*middle);
            sum += growth;
            *into = sum as f64 * part;
        }
        (self.sum, self.growth) = (sum, growth);
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made numbers")]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::golden::Window;
    use biosignal::Channel;

    fn filtered(period_us: i64, steps: &[i32], at_once: usize) -> (usize, Vec<f64>) {
        let mut band = Band::new(period_us, steps[0]);
        let mut into = [0.0; Band::MOST];
        let (rows, _) = steps.as_chunks();
        let out = rows.chunks(at_once).flat_map(|part| band.take(part, &mut into).to_vec());
        let out: Vec<f64> = out.collect();
        (band.delay(), out)
    }

    /// How much is left of a tone, against which mean square it went in with.
    fn gain(hz: f64, rate_hz: f64) -> f64 {
        let tone = |at: i32| (1e6 * (2.0 * PI * hz * f64::from(at) / rate_hz).sin()) as i32;
        let steps: Vec<i32> = (0..(40.0 * rate_hz) as i32).map(tone).collect();
        let (_, out) = filtered((1e6 / rate_hz) as i64, &steps, 50);
        let kept = &out[(4.0 * rate_hz) as usize..(34.0 * rate_hz) as usize];
        (2.0 * kept.iter().map(|value| value * value).sum::<f64>() / kept.len() as f64).sqrt() / 1e6
    }

    #[test]
    fn a_wave_comes_out_as_from_numpys_convolve() {
        let reference = Window::read();
        let to_step = |value: f64| (value / Channel::Bvp.scale()).round() as i32;
        let steps: Vec<i32> = reference.signal(Channel::Bvp).into_iter().map(to_step).collect();
        let expected = reference.numbers("pulse", "band");
        let (delay, out) = filtered(15_625, &steps, 64);
        assert_eq!((delay, out.len()), (54, steps.len() - 54));
        for (found, expected) in out.iter().zip(&expected) {
            assert!((found * Channel::Bvp.scale() - expected).abs() < 1e-9);
        }
        for at_once in [1, 7, 50] {
            assert_eq!(filtered(15_625, &steps, at_once).1, out);
        }
    }

    /// 1 less the square of sin(x)/x by the long window, times that by the short one.
    #[test]
    fn the_band_passes_pulses_and_stops_drift_and_tremor_at_every_rate() {
        for rate_hz in [25.0, 50.0, 64.0, 125.0, 250.0, 500.0] {
            assert!(gain(0.15, rate_hz) < 0.06, "{rate_hz} Hz");
            assert!((0.35..0.55).contains(&gain(0.5, rate_hz)), "{rate_hz} Hz");
            assert!((0.85..1.1).contains(&gain(1.2, rate_hz)), "{rate_hz} Hz");
            assert!((0.8..1.1).contains(&gain(3.0, rate_hz)), "{rate_hz} Hz");
            if rate_hz > 60.0 {
                assert!(gain(20.0, rate_hz) < 0.1, "{rate_hz} Hz");
            }
        }
    }

    #[test]
    fn a_value_that_stands_gives_nothing_however_large() {
        for period_us in [2_000, 15_625, 50_000] {
            for value in [i32::MIN, 7, i32::MAX] {
                let (_, out) = filtered(period_us, &[value; 1200], 64);
                assert!(out.iter().all(|value| *value == 0.0));
            }
            let ends = [[i32::MIN; 300], [i32::MAX; 300]].concat().repeat(4);
            let (_, out) = filtered(period_us, &ends, 64);
            assert!(out.iter().all(|value| value.abs() < 5e9));
        }
    }

    #[test]
    fn symmetric_waves_keep_their_middle() {
        for (period_us, middle) in [(50_000, 60), (15_625, 192), (2_000, 1500)] {
            let bump = |at: i32| {
                let seconds = f64::from(at - middle) * period_us as f64 / 1e6;
                (1000.0 * (-0.5 * (seconds / 0.12).powi(2)).exp()) as i32
            };
            let steps: Vec<i32> = (0..2 * middle + 1).map(bump).collect();
            let (_, out) = filtered(period_us, &steps, 64);
            let top = (0..out.len()).max_by(|one, other| out[*one].total_cmp(&out[*other]));
            assert_eq!(top, usize::try_from(middle).ok());
        }
    }
}
