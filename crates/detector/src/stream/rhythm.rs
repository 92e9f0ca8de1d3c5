use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::WINDOW_US;
use super::ring::Ring;
use crate::features::{BAND, BAND_BINS, Rhythm, stereotypy};
use crate::filter::{SEGMENT, Welch};

/// Spectra are of 8 s, every 4 s.
const EVERY_US: i64 = 4_000_000;
/// As many segments as overlap within 60 s.
const SEGMENTS: usize = 14;

/// The rhythms of the last minute's movement, from samples at 32 Hz.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rhythms {
    /// The samples of a segment to come.
    norms: Ring<f64, SEGMENT>,
    spectra: VecDeque<Spectrum>,
    /// As it was when spectra last came or went.
    strongest: Option<Rhythm>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spectrum {
    end_us: i64,
    #[serde(with = "crate::fixed")]
    band: [f64; BAND],
    total: f64,
}

impl Rhythms {
    /// Takes norms of acceleration, g.
    pub(super) fn take(&mut self, norms: &[f64]) {
        self.norms.extend(norms);
    }

    /// Makes a spectrum where a sample just taken is the last one before a whole multiple of
    /// 4 s, so that spectra are the same wherever the stream began.
    pub(super) fn end(&mut self, last_us: i64, period_us: i64) {
        let end_us = last_us + period_us;
        if end_us.div_euclid(EVERY_US) == last_us.div_euclid(EVERY_US) {
            return;
        }
        let mut segment = [0.0; SEGMENT];
        if self.norms.put(&mut segment, |norm| norm).is_none() {
            return;
        }
        let spectrum = Welch::of(&segment, 32.0);
        let band = std::array::from_fn(|bin| spectrum.density(BAND_BINS.start() + bin));
        while self.spectra.front().is_some_and(|s| s.end_us <= end_us - WINDOW_US) {
            self.spectra.pop_front();
        }
        self.spectra.push_back(Spectrum { end_us, band, total: spectrum.total() });
        self.look();
    }

    /// What comes next does not follow.
    pub(super) fn interrupt(&mut self) {
        self.norms.clear();
    }

    /// Takes back everything from a moment on.
    pub(super) fn reject_since(&mut self, from_us: i64) {
        while self.spectra.back().is_some_and(|spectrum| spectrum.end_us > from_us) {
            self.spectra.pop_back();
        }
        self.norms.clear();
        self.look();
    }

    /// Lets what is too old go.
    pub(super) fn forget(&mut self, now_us: i64) {
        let kept = self.spectra.len();
        while self.spectra.front().is_some_and(|s| s.end_us <= now_us - WINDOW_US) {
            self.spectra.pop_front();
        }
        if self.spectra.len() < kept {
            self.look();
        }
    }

    /// The strongest one; none where less than half of the minute is known.
    pub(super) const fn strongest(&self) -> Option<Rhythm> {
        self.strongest
    }

    fn look(&mut self) {
        let mut band = [0.0; BAND];
        let mut total = 0.0;
        for spectrum in &self.spectra {
            band.iter_mut().zip(&spectrum.band).for_each(|(sum, density)| *sum += density);
            total += spectrum.total;
        }
        let known = self.spectra.len() >= SEGMENTS / 2;
        self.strongest = if known { stereotypy(&band, total) } else { None };
    }
}
