//! RMSSD, ms: root mean square of the differences of successive normal intervals. No
//! difference spans a gap or a beat that is not normal.
//!
//! Reference: `nk.hrv_time` (`HRV_RMSSD`), 1e-9 on the same intervals.

use crate::beats::Beat;

/// From [`differences`].
pub(crate) fn rmssd(differences: &[f64]) -> Option<f64> {
    let squares: f64 = differences.iter().map(|difference| difference * difference).sum();
    let count = u32::try_from(differences.len()).ok()?;
    (count >= 10).then(|| (squares / f64::from(count)).sqrt())
}

/// Differences of successive normal intervals, ms.
pub(crate) fn differences(beats: &[Beat]) -> Vec<f64> {
    let mut differences = Vec::with_capacity(beats.len());
    for pair in beats.windows(2) {
        if pair[0].clean && pair[1].clean && pair[1].joined {
            differences.push((pair[1].interval_s - pair[0].interval_s) * 1000.0);
        }
    }
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
        let differences = differences(&reference_beats(&reference));
        assert_close(rmssd(&differences).unwrap(), expected, 1e-9);
        assert_eq!(rmssd(&differences[..9]), None);
    }

    #[test]
    fn no_difference_spans_a_gap_or_an_artefact() {
        let mut beats = reference_beats(&Window::read());
        beats[20].joined = false;
        beats[40].clean = false;
        assert_eq!(differences(&beats).len(), beats.len() - 1 - 1 - 2);
    }
}
