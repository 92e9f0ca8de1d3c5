//! RMSSD, ms: root mean square of the differences of successive normal intervals. No
//! difference spans a gap or a beat that is not normal.
//!
//! Reference: `nk.hrv_time` (`HRV_RMSSD`), 1e-9 on the same intervals.

use crate::beats::Beat;

pub(crate) fn rmssd<'a>(beats: impl Iterator<Item = &'a Beat>) -> Option<f64> {
    let (mut squares, mut count) = (0.0, 0.0);
    for difference in differences(beats) {
        squares += difference * difference;
        count += 1.0;
    }
    (count >= 10.0).then(|| (squares / count).sqrt())
}

/// Differences of successive normal intervals, ms.
pub(super) fn differences<'a>(beats: impl Iterator<Item = &'a Beat>) -> impl Iterator<Item = f64> {
    let mut before: Option<f64> = None;
    beats.filter_map(move |beat| {
        let interval = beat.clean.then_some(beat.interval_s);
        let before = std::mem::replace(&mut before, interval);
        if !beat.joined {
            return None;
        }
        Some((interval? - before?) * 1000.0)
    })
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
        assert_close(rmssd(reference_beats(&reference).iter()).unwrap(), expected, 1e-9);
    }

    #[test]
    fn no_difference_spans_a_gap_or_an_artefact() {
        let mut beats = reference_beats(&Window::read());
        beats[20].joined = false;
        beats[40].clean = false;
        assert_eq!(differences(beats.iter()).count(), beats.len() - 1 - 1 - 2);
    }
}
