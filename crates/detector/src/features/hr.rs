//! Heart rate, beats/min: 60,000 over the mean normal interval in ms.
//!
//! Reference: `nk.hrv_time` (60,000 / `HRV_MeanNN`), 1e-9 on the same intervals.

use crate::beats::Beat;

pub(crate) fn heart_rate(beats: impl Iterator<Item = Beat>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    beats.filter(|beat| beat.clean).for_each(|beat| {
        sum += beat.interval_s;
        count += 1.0;
    });
    (count >= 5.0).then(|| 60.0 * count / sum)
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
        let beats = reference_beats(&reference);
        let expected = reference.of("pulse", "hrv")["hr"].as_f64().unwrap();
        assert_close(heart_rate(beats.iter().copied()).unwrap(), expected, 1e-9);
        assert_eq!(heart_rate(beats[..4].iter().copied()), None);
    }
}
