//! SDNN, ms: standard deviation of normal intervals, n - 1 in the denominator.
//!
//! Reference: `nk.hrv_time` (`HRV_SDNN`), 1e-9 on the same intervals.

use crate::sum::sum;

/// From [`intervals`](super::intervals).
pub(crate) fn sdnn(intervals_s: &[f64]) -> Option<f64> {
    let count = f64::from(u32::try_from(intervals_s.len()).ok()?);
    if count < 10.0 {
        return None;
    }
    let mean_s = sum(intervals_s, |interval_s| *interval_s) / count;
    let squares = sum(intervals_s, |interval_s| (interval_s - mean_s) * (interval_s - mean_s));
    Some(1000.0 * (squares / (count - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::hr::tests::reference_beats;
    use crate::features::intervals;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_neurokit() {
        let reference = Window::read();
        let expected = reference.of("pulse", "hrv")["sdnn"].as_f64().unwrap();
        let intervals = intervals(reference_beats(&reference).into_iter());
        assert_close(sdnn(&intervals).unwrap(), expected, 1e-9);
        assert_eq!(sdnn(&intervals[..9]), None);
    }
}
