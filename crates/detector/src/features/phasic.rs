//! Phasic EDA, uS: what a Butterworth high-pass of order 2 at 0.05 Hz leaves. Its standard
//! deviation over 60 s says how lively the skin is without counting responses.
//!
//! Reference: `scipy.signal.sosfilt`, 1e-9.

use serde::{Deserialize, Serialize};

use crate::filter::{Cascade, Section, high_pass};
use crate::sum::sum;

const CUT_HZ: f64 = 0.05;

/// Follows valid samples at a fixed rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phasic(Option<Running>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    period_us: u32,
    sections: [Section; 1],
    filter: Cascade<1>,
}

impl Phasic {
    /// Takes a sample of a rate given by its period; a new rate starts anew.
    pub(crate) fn push(&mut self, value: f64, period_us: u32) -> f64 {
        let running = match &mut self.0 {
            Some(running) if running.period_us == period_us => running,
            none => none.insert(Running::start(value, period_us)),
        };
        running.filter.step(&running.sections, value)
    }
}

impl Running {
    fn start(value: f64, period_us: u32) -> Self {
        let sections = [high_pass(CUT_HZ, 1e6 / f64::from(period_us))];
        Self { period_us, sections, filter: Cascade::settled(&sections, value) }
    }
}

/// Standard deviation of phasic values; missing under half a window. They lie around 0, so
/// that their squares lose no digits.
pub(crate) fn deviation<T>(samples: &[T], phasic: impl Fn(&T) -> f64, valid_s: f64) -> Option<f64> {
    let count = f64::from(u32::try_from(samples.len()).ok()?);
    let mean = sum(samples, &phasic) / count;
    let squares = sum(samples, |sample| phasic(sample) * phasic(sample));
    (valid_s >= 30.0 && count > 0.0).then(|| (squares / count - mean * mean).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::assert_close;

    #[test]
    fn a_level_has_no_phasic_part_and_a_step_has_one() {
        let mut phasic = Phasic::default();
        let flat: Vec<f64> = (0..240).map(|_| phasic.push(3.0, 250_000)).collect();
        let deviation = |valid_s| deviation(&flat, |value| *value, valid_s);
        assert_close(deviation(60.0).unwrap(), 0.0, 1e-12);
        assert_close(phasic.push(4.0, 250_000), 1.0, 0.1);
        assert_eq!(deviation(20.0), None);
    }
}
