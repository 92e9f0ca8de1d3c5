use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{BeatClass, Correction, classify};
use crate::features::{intervals, upper_median};
use crate::sum::sum;

/// Beats are remembered for so long, us.
const KEPT_US: i64 = 65_000_000;
/// Intervals outside of 30 to 200 beats/min are none, s.
const PLAUSIBLE_S: std::ops::RangeInclusive<f64> = 0.3..=2.0;
/// The part of a window that clean intervals must cover for its heart to be told.
pub(crate) const CLEAN_ENOUGH: f64 = 0.6;
/// The part of a window's median by which an interval that counts may differ from it.
const NEAR_MEDIAN: f64 = 0.25;

/// A beat with the interval that it ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beat {
    pub(crate) at_us: i64,
    pub(crate) interval_s: f64,
    /// Pulse wave from foot to top, in the sensor's unit; 0 where the device sent only times.
    pub(crate) amplitude: f64,
    /// Normal, and its interval plausible.
    pub(crate) clean: bool,
    /// Follows without a gap on the beat before it in the log.
    pub(crate) joined: bool,
}

/// The last minute's beats, judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BeatLog {
    correction: Correction,
    /// Not judged yet.
    waiting: VecDeque<Beat>,
    judged: Vec<Beat>,
    broken: bool,
}

impl BeatLog {
    /// Takes a beat and the interval that it ends.
    pub(crate) fn push(&mut self, at_us: i64, interval_s: f64, amplitude: f64) {
        if !PLAUSIBLE_S.contains(&interval_s) {
            self.interrupt();
            return;
        }
        let joined = !std::mem::take(&mut self.broken);
        self.waiting.push_back(Beat { at_us, interval_s, amplitude, clean: false, joined });
        if let Some(class) = self.correction.push(interval_s)
            && let Some(beat) = self.waiting.pop_front()
        {
            self.judged.push(Beat { clean: class == BeatClass::Normal, ..beat });
        }
    }

    /// No interval spans what comes next.
    pub(crate) fn interrupt(&mut self) {
        self.broken = true;
    }

    /// Gives up on beats that no later ones came to judge.
    pub(crate) fn pass_second(&mut self, now_us: i64) {
        if self.waiting.front().is_some_and(|beat| beat.at_us < now_us - KEPT_US) {
            self.waiting.clear();
            self.correction = Correction::default();
        }
    }

    /// Forgets what is too old to matter.
    pub(crate) fn forget(&mut self, now_us: i64) {
        self.judged.drain(..self.judged.len() - self.since(now_us - KEPT_US).len());
    }

    /// The newest beat's time, judged or not.
    pub(crate) fn last_us(&self) -> Option<i64> {
        self.waiting.back().or(self.judged.last()).map(|beat| beat.at_us)
    }

    /// Judged beats from a moment on.
    pub(crate) fn since(&self, from_us: i64) -> &[Beat] {
        &self.judged[self.judged.partition_point(|beat| beat.at_us < from_us)..]
    }
}

/// Beats of a window, of which those are clean whose intervals do not lie far from the median of
/// the clean ones either. Among many false beats correction takes gross errors for the heart's
/// own unrest; they would rule means and differences.
pub(crate) fn steady(beats: &[Beat]) -> impl Iterator<Item = Beat> + Clone {
    // Without a clean one there is none to be judged.
    let median = upper_median(&mut intervals(beats.iter().copied())).unwrap_or_default();
    let near = move |beat: &Beat| (beat.interval_s - median).abs() <= NEAR_MEDIAN * median;
    beats.iter().map(move |beat| Beat { clean: beat.clean && near(beat), ..*beat })
}

/// How much of the time the clean intervals cover.
pub(crate) fn clean_part(beats: &[Beat], window_s: f64) -> f64 {
    let covered = sum(beats, |beat| if beat.clean { beat.interval_s } else { 0.0 });
    (covered / window_s).min(1.0)
}

/// All beats of a series at these moments, s, judged as a whole.
pub(crate) fn judged(beats: &[f64]) -> Vec<Beat> {
    let mut joined = false;
    let mut judged = Vec::new();
    for pair in beats.windows(2) {
        let interval_s = pair[1] - pair[0];
        let plausible = PLAUSIBLE_S.contains(&interval_s);
        if plausible {
            #[expect(clippy::cast_possible_truncation, reason = "saturates; a moment")]
            let at_us = (pair[1] * 1e6).floor() as i64;
            judged.push(Beat { at_us, interval_s, amplitude: 0.0, clean: true, joined });
        }
        joined = plausible;
    }
    let intervals: Vec<f64> = judged.iter().map(|beat| beat.interval_s).collect();
    for (beat, class) in judged.iter_mut().zip(classify(&intervals)) {
        beat.clean = class == BeatClass::Normal;
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_far_from_the_median_is_not_steady() {
        let mut log = BeatLog::default();
        // So many beats are false that correction does not know them from the heart's.
        let told = [0.8, 0.82, 0.4, 0.42, 0.8, 0.84, 1.6, 0.78, 0.5, 0.8, 1.3, 0.79, 0.81];
        for (at_us, interval) in (0..).step_by(800_000).zip(told) {
            log.push(at_us, interval, 1.0);
        }
        assert!(log.since(0).iter().any(|beat| beat.clean && beat.interval_s < 0.6));
        assert_eq!(steady(log.since(0)).count(), log.since(0).len());
        assert_eq!(intervals(steady(log.since(0))), [0.8, 0.82, 0.8, 0.84, 0.78, 0.8]);
        assert_eq!(steady(log.since(i64::MAX)).count(), 0);
    }
}
