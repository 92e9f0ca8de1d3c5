//! Stereotypy: how much of the movement is one rhythm, as in rocking (0.8 to 2 Hz) and
//! flapping (2 to 4.5 Hz). Mean of Hann periodograms of 8 s with half overlap (Welch) of
//! norm(a); the peak's frequency in 0.8 to 4.5 Hz, the part of all power within 0.25 Hz of
//! it, the part in the whole band, and how well the band's movement repeats itself: the
//! highest autocorrelation at the lags of the band's periods, from its spectrum (Wiener,
//! Khinchin): max over lag of sum P(f) cos(2 pi f lag) / sum P(f).
//!
//! Reference: `scipy.signal.welch(nperseg=256)` at 32 Hz, 1e-9.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Bins of 0.125 Hz from 0.875 to 4.5 Hz.
pub(crate) const BAND_BINS: std::ops::RangeInclusive<usize> = 7..=36;
/// How many bins those are.
pub(crate) const BAND: usize = *BAND_BINS.end() - *BAND_BINS.start() + 1;
const AROUND_PEAK: usize = 2;
const BIN_HZ: f64 = 0.125;
/// Periods from 4.5 to 0.875 Hz, in samples at 32 Hz.
const LAGS: std::ops::RangeInclusive<u8> = 7..=36;

/// How far each bin of the band has turned at each of the lags.
static TURNS: LazyLock<Vec<[f64; BAND]>> = LazyLock::new(|| {
    #[expect(clippy::cast_precision_loss, reason = "a bin")]
    let hz = |bin: usize| (BAND_BINS.start() + bin) as f64 * BIN_HZ;
    let turns = |lag: u8| std::array::from_fn(|bin| (TAU * hz(bin) * f64::from(lag) / 32.0).cos());
    LAGS.map(turns).collect()
});

/// The strongest rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    pub(crate) hz: f64,
    pub(crate) part: f64,
    pub(crate) band: f64,
    pub(crate) repeats: f64,
}

/// From the density of the band's bins and the sum over all bins.
pub(crate) fn stereotypy(band: &[f64], total: f64) -> Option<Rhythm> {
    let peak = (0..band.len()).max_by(|a, b| band[*a].total_cmp(&band[*b]))?;
    if total <= 0.0 {
        return None;
    }
    let near = peak.saturating_sub(AROUND_PEAK)..(peak + AROUND_PEAK + 1).min(band.len());
    #[expect(clippy::cast_precision_loss, reason = "a bin")]
    let hz = (BAND_BINS.start() + peak) as f64 * BIN_HZ;
    Some(Rhythm {
        hz,
        part: band[near].iter().sum::<f64>() / total,
        band: band.iter().sum::<f64>() / total,
        repeats: repeats(band),
    })
}

/// The highest autocorrelation of what lies in the band.
fn repeats(band: &[f64]) -> f64 {
    let at =
        |turns: &[f64; BAND]| band.iter().zip(turns).map(|(power, turn)| power * turn).sum::<f64>();
    let all: f64 = band.iter().sum();
    if all > 0.0 { TURNS.iter().map(at).fold(f64::MIN, f64::max) / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::activity::tests::norms;
    use crate::filter::Welch;
    use crate::golden::{Window, assert_all_close, assert_close};

    #[test]
    fn the_spectrum_is_that_of_scipys_welch() {
        let reference = Window::read();
        let norms = norms(&reference);
        let mut mean = vec![0.0; 129];
        let starts: Vec<usize> = (0..=norms.len() - 256).step_by(128).collect();
        for start in &starts {
            let segment: &[f64; 256] = norms[*start..start + 256].try_into().unwrap();
            for (sum, density) in mean.iter_mut().zip(Welch::of(segment, 32.0).densities()) {
                *sum += density / starts.len() as f64;
            }
        }
        assert_all_close(&mean, &reference.numbers("motion", "welch"), 1e-9);
        let rhythm = stereotypy(&mean[BAND_BINS], mean.iter().sum()).unwrap();
        assert_close(rhythm.hz, 1.875, 0.07);
        assert!(rhythm.part > 0.1 && rhythm.part <= rhythm.band);
        assert_close(rhythm.repeats, reference.number("motion", "repeats"), 1e-9);
    }

    #[test]
    fn one_rhythm_repeats_itself_and_noise_does_not() {
        let mut pure = [0.0; BAND];
        pure[9] = 2.0;
        // 2 Hz: a period of 16 samples.
        assert_close(stereotypy(&pure, 4.0).unwrap().repeats, 1.0, 1e-12);
        assert!(stereotypy(&[1.0; BAND], 60.0).unwrap().repeats < 0.4);
    }

    #[test]
    fn stillness_has_no_rhythm() {
        assert_eq!(stereotypy(&[0.0; 30], 0.0), None);
    }
}
