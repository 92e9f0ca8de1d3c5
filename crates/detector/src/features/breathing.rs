//! Breathing in the movement of a resting arm: the spectrum of acceleration over 32 s, its
//! three axes together, smoothed over three bins of 1/32 Hz. The ratio is ln(highest from 0.31
//! to 1.5 Hz / highest from 0.16 to 0.28 Hz): quick against slow. The line is ln(highest /
//! median from 0.31 to 1.5 Hz), less where movement drowns it.
//!
//! Reference: numpy, on `scipy.signal.welch`'s density, 1e-9.

use std::ops::Range;

use super::scl::median;

/// Samples a second of the slowed acceleration.
pub(crate) const BREATH_HZ: f64 = 8.0;
/// The bins that are looked at.
pub(crate) const BREATH_BINS: Range<usize> = SLOW.start - 1..QUICK.end + 1;
const QUICK: Range<usize> = 10..49;
const SLOW: Range<usize> = 5..10;
/// What a sensor at rest shows, g^2/Hz.
const REST: f64 = 1e-8;
/// Above this logarithm of the median density movement drowns breath.
const DROWNED: f64 = -8.6;

/// Breathing as a spectrum shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Breathing {
    pub(crate) ratio: f64,
    pub(crate) line: f64,
}

/// From the density at multiples of 1/32 Hz, g^2/Hz.
pub(crate) fn breathing(density: &[f64]) -> Option<Breathing> {
    let density = density.get(..BREATH_BINS.end)?;
    let smooth = |bin: usize| density[bin - 1..=bin + 1].iter().sum::<f64>() / 3.0 + REST;
    let mut quick: [f64; QUICK.end - QUICK.start] =
        std::array::from_fn(|at| smooth(QUICK.start + at));
    let top = quick.iter().copied().fold(0.0, f64::max);
    let slowest = SLOW.map(smooth).fold(0.0, f64::max);
    let middle = median(&mut quick)?;
    let line = (top / middle).ln();
    let drowned = (middle.ln() - DROWNED).max(0.0);
    Some(Breathing { ratio: line - (slowest / middle).ln(), line: line * (-drowned).exp() })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::filter::{SEGMENT, Welch};

    fn breaths(hz: f64, restless: f64) -> Breathing {
        let sample = |k: usize| {
            let noise = ((k as f64 * 12.9898).sin() * 43_758.545).fract();
            0.01 * (TAU * hz * k as f64 / BREATH_HZ).sin() + restless * noise
        };
        let arm: [f64; SEGMENT] = std::array::from_fn(sample);
        breathing(&Welch::of(&arm, BREATH_HZ).densities()).unwrap()
    }

    #[test]
    fn quick_breath_shows_against_slow_and_not_through_movement() {
        let (quick, slow) = (breaths(0.5, 0.002), breaths(0.22, 0.002));
        assert!(quick.ratio > 2.0 && slow.ratio < -2.0, "{quick:?} {slow:?}");
        assert!(quick.line > 3.0, "{quick:?}");
        assert!(breaths(0.5, 1.0).line < 0.1);
        assert_eq!(breathing(&[]), None);
    }
}
