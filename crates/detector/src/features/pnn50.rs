//! pNN50, %: successive normal intervals that differ by more than 50 ms, of all differences.
//!
//! Reference: `nk.hrv_time` (`HRV_pNN50`), which divides by the intervals, one more than
//! there are differences; 1e-9 after that is accounted for.

use super::rmssd::differences;
use crate::beats::Beat;

pub(crate) fn pnn50<'a>(beats: impl Iterator<Item = &'a Beat>) -> Option<f64> {
    let (mut above, mut count) = (0.0, 0.0);
    for difference in differences(beats) {
        above += f64::from(u8::from(difference.abs() > 50.0));
        count += 1.0;
    }
    (count >= 10.0).then(|| 100.0 * above / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::hr::tests::reference_beats;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_that_of_neurokit_over_one_less() {
        let reference = Window::read();
        let beats = reference_beats(&reference);
        let over_n = reference.of("pulse", "hrv")["pnn50_over_n"].as_f64().unwrap();
        let n = beats.len() as f64;
        assert_close(pnn50(beats.iter()).unwrap(), over_n * n / (n - 1.0), 1e-9);
    }
}
