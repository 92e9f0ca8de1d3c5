//! Heart rate, beats/min: 60,000 over the mean normal interval in ms.
//!
//! Reference: `nk.hrv_time` (60,000 / `HRV_MeanNN`), 1e-9 on the same intervals.

use crate::beats::Beat;

/// From [`intervals`].
pub(crate) fn heart_rate(intervals_s: &[f64]) -> Option<f64> {
    let count = u32::try_from(intervals_s.len()).ok()?;
    (count >= 5).then(|| 60.0 * f64::from(count) / intervals_s.iter().sum::<f64>())
}

/// Normal intervals, s.
pub(crate) fn intervals(beats: impl Iterator<Item = Beat>) -> Vec<f64> {
    let mut intervals = Vec::with_capacity(beats.size_hint().1.unwrap_or(0));
    intervals.extend(beats.filter(|beat| beat.clean).map(|beat| beat.interval_s));
    intervals
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::golden::{Window, assert_close, indices};

    /// The reference's beats as clean ones.
    pub(in crate::features) fn reference_beats(reference: &Window) -> Vec<Beat> {
        let peaks = indices(reference.of("pulse", "peaks"));
        peaks
            .windows(2)
            .map(|pair| Beat {
                at_us: pair[1] as i64 * 15_625,
                interval_s: (pair[1] - pair[0]) as f64 / 64.0,
                amplitude: 1.0,
                clean: true,
                joined: true,
            })
            .collect()
    }

    #[test]
    fn it_is_that_of_neurokit() {
        let reference = Window::read();
        let intervals = intervals(reference_beats(&reference).into_iter());
        let expected = reference.of("pulse", "hrv")["hr"].as_f64().unwrap();
        assert_close(heart_rate(&intervals).unwrap(), expected, 1e-9);
        assert_eq!(heart_rate(&intervals[..4]), None);
    }
}
