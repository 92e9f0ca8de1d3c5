//! Which EDA samples can be used: Kleckner IR et al. (2018) Simple, Transparent, and
//! Flexible Automated Quality Assessment Procedures for Ambulatory Electrodermal Activity
//! Data. IEEE Trans Biomed Eng 65(7): 1460-1467.
//!
//! 0.05 to 60 uS, at most 10 uS/s, and nothing within 5 s of what breaks these rules. Their
//! fourth rule, skin of 30 to 40 C, is a flag alone: wrists are often cooler.

use serde::{Deserialize, Serialize};

const RANGE_US: std::ops::RangeInclusive<f64> = 0.05..=60.0;
const STEEPEST_US_PER_S: f64 = 10.0;
/// How far around a bad sample others are rejected, us of time.
pub(crate) const AROUND_US: i64 = 5_000_000;

const SKIN_CEL: std::ops::RangeInclusive<f64> = 30.0..=40.0;

/// Whether skin is as warm as a band that sits well should find it.
pub(crate) fn warm_as_worn(celsius: f64) -> bool {
    SKIN_CEL.contains(&celsius)
}

/// Judges samples in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EdaValidity {
    before: Option<(i64, f64)>,
    rejected_until_us: Option<i64>,
}

/// What a sample means for itself and for those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EdaVerdict {
    Valid,
    /// Too close after a bad one.
    Rejected,
    /// Bad: those of the last 5 s go as well.
    Bad,
}

impl EdaValidity {
    pub(crate) fn judge(&mut self, at_us: i64, value: f64) -> EdaVerdict {
        let steep = self.before.is_some_and(|(before_us, before)| {
            #[expect(clippy::cast_precision_loss, reason = "a short time")]
            let seconds = (at_us - before_us) as f64 / 1e6;
            seconds > 0.0 && ((value - before) / seconds).abs() > STEEPEST_US_PER_S
        });
        self.before = Some((at_us, value));
        if steep || !RANGE_US.contains(&value) {
            self.rejected_until_us = Some(at_us + AROUND_US);
            return EdaVerdict::Bad;
        }
        match self.rejected_until_us {
            Some(until) if at_us <= until => EdaVerdict::Rejected,
            _ => EdaVerdict::Valid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(values: &[f64]) -> Vec<EdaVerdict> {
        let mut validity = EdaValidity::default();
        let each = values.iter().enumerate();
        each.map(|(index, value)| validity.judge(index as i64 * 250_000, *value)).collect()
    }

    #[test]
    fn the_rules_of_kleckner_hold() {
        use EdaVerdict::{Bad, Rejected, Valid};
        assert_eq!(verdicts(&[0.05, 60.0, 0.0499, 1.0]), [Valid, Bad, Bad, Rejected]);
        // 2.5 uS in a quarter of a second is just allowed.
        assert_eq!(verdicts(&[1.0, 3.5, 6.1]), [Valid, Valid, Bad]);
        let mut after = vec![1.0; 23];
        after[1] = 0.01;
        let found = verdicts(&after);
        assert_eq!(found[21], Rejected, "5 s after");
        assert_eq!(found[22], Valid, "5.25 s after");
        assert_eq!([29.9, 30.0, 40.0, 40.1].map(warm_as_worn), [false, true, true, false]);
    }
}
