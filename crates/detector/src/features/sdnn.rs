//! SDNN, ms: standard deviation of normal intervals, n - 1 in the denominator.
//!
//! Reference: `nk.hrv_time` (`HRV_SDNN`), 1e-9 on the same intervals.

use crate::beats::Beat;

pub(crate) fn sdnn(beats: impl Iterator<Item = Beat> + Clone) -> Option<f64> {
    let intervals = beats.filter(|beat| beat.clean).map(|beat| beat.interval_s * 1000.0);
    let (sum, count) = intervals.clone().fold((0.0, 0.0), |(sum, n), ms| (sum + ms, n + 1.0));
    if count < 10.0 {
        return None;
    }
    let mean = sum / count;
    let squares: f64 = intervals.map(|ms| (ms - mean).powi(2)).sum();
    Some((squares / (count - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::hr::tests::reference_beats;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_neurokit() {
        let reference = Window::read();
        let expected = reference.of("pulse", "hrv")["sdnn"].as_f64().unwrap();
        assert_close(sdnn(reference_beats(&reference).into_iter()).unwrap(), expected, 1e-9);
    }
}
