//! RMSSD, ms: root mean square of the differences of successive normal intervals. No
//! difference spans a gap or a beat that is not normal.
//!
//! Reference: `nk.hrv_time` (`HRV_RMSSD`), 1e-9 on the same intervals.

use crate::beats::Beat;
use crate::sum::sum;

/// From [`differences`].
pub(crate) fn rmssd(differences: &[f64]) -> Option<f64> {
    let squares = sum(differences, |difference| difference * difference);
    let count = u32::try_from(differences.len()).ok()?;
    (count >= 10).then(|| (squares / f64::from(count)).sqrt())
}

/// Differences of successive normal intervals, ms.
pub(crate) fn differences(beats: impl Iterator<Item = Beat>) -> Vec<f64> {
    let mut differences = Vec::with_capacity(beats.size_hint().0);
    let mut before: Option<f64> = None;
    beats.for_each(|beat| {
        let interval = beat.clean.then_some(beat.interval_s);
        if let (Some(before), Some(interval), true) = (before, interval, beat.joined) {
            differences.push((interval - before) * 1000.0);
        }
        before = interval;
    });
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::hr::tests::reference_beats;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_neurokit() {
        let reference = Window::read();
        let expected = reference.of("pulse", "hrv")["rmssd"].as_f64().unwrap();
        let differences = differences(reference_beats(&reference).into_iter());
        assert_close(rmssd(&differences).unwrap(), expected, 1e-9);
        assert_eq!(rmssd(&differences[..9]), None);
    }

    #[test]
    fn no_difference_spans_a_gap_or_an_artefact() {
        let mut beats = reference_beats(&Window::read());
        beats[20].joined = false;
        beats[40].clean = false;
        assert_eq!(differences(beats.iter().copied()).len(), beats.len() - 1 - 1 - 2);
    }
}
