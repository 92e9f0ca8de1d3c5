//! pNN50, %: successive normal intervals that differ by more than 50 ms, of all differences.
//!
//! Reference: `nk.hrv_time` (`HRV_pNN50`), which divides by the intervals, one more than
//! there are differences; 1e-9 after that is accounted for.

/// From [`differences`](super::differences).
pub(crate) fn pnn50(differences: &[f64]) -> Option<f64> {
    let above: u32 = differences.iter().map(|it| u32::from(it.abs() > 50.0)).sum();
    let count = u32::try_from(differences.len()).ok()?;
    (count >= 10).then(|| 100.0 * f64::from(above) / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::differences;
    use crate::features::hr::tests::reference_beats;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_neurokit_over_one_less() {
        let reference = Window::read();
        let beats = reference_beats(&reference);
        let over_n = reference.of("pulse", "hrv")["pnn50_over_n"].as_f64().unwrap();
        let n = beats.len() as f64;
        assert_close(
            pnn50(&differences(beats.iter().copied())).unwrap(),
            over_n * n / (n - 1.0),
            1e-9,
        );
    }
}
