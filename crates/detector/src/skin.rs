use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What skin can conduct, uS, and how fast that can change, uS/s (Kleckner 2018).
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.05..=60.0;
const MAX_SLOPE: f64 = 10.0;
/// So long around an impossible change nothing counts.
pub(crate) const DOUBT_US: i64 = 5_000_000;
/// A response: at least so high (uS), with a rise of so long (s).
const MIN_RESPONSE: f64 = 0.05;
const RISE_S: std::ops::RangeInclusive<f64> = 0.5..=5.0;
/// A fall by so much ends a rise, uS.
const DIP: f64 = 0.005;
/// Slower is drift and not yet a rise, uS/s.
const DRIFT: f64 = 0.01;
const GAP_US: i64 = 1_500_000;
const SMOOTHED: usize = 4;

/// Follows skin conductance: which samples count, and the responses in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Skin {
    last: Option<(i64, f64)>,
    doubt_until: i64,
    recent: VecDeque<f64>,
    /// Smoothed value before, trough and peak of the rise: time and value.
    before: Option<(i64, f64)>,
    trough: (i64, f64),
    peak: Option<(i64, f64)>,
}

/// What a sample is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Worth {
    Valid {
        response: Option<f64>,
    },
    Invalid,
    /// A jump: what lies just before does not count either.
    Jump,
}

impl Skin {
    /// Takes the sample of a moment, uS.
    pub(crate) fn take(&mut self, at_us: i64, value: f64) -> Worth {
        let before = self.last.replace((at_us, value));
        if !PLAUSIBLE.contains(&value) {
            self.forget_rise();
            return Worth::Invalid;
        }
        if let Some((then, old)) = before {
            let seconds = seconds(then, at_us).max(0.01);
            if at_us - then > GAP_US {
                self.forget_rise();
            } else if ((value - old) / seconds).abs() > MAX_SLOPE {
                self.doubt_until = at_us + DOUBT_US;
                self.forget_rise();
                return Worth::Jump;
            }
        }
        if at_us < self.doubt_until {
            return Worth::Invalid;
        }
        Worth::Valid { response: self.follow(at_us, value) }
    }

    fn forget_rise(&mut self) {
        self.recent.clear();
        self.before = None;
        self.peak = None;
    }

    /// Trough to peak on the smoothed signal; gives a response's amplitude when it is over.
    fn follow(&mut self, at: i64, value: f64) -> Option<f64> {
        self.recent.push_back(value);
        if self.recent.len() > SMOOTHED {
            self.recent.pop_front();
        }
        let count = f64::from(u32::try_from(self.recent.len()).unwrap_or(1));
        let now = self.recent.iter().sum::<f64>() / count;
        let (then, old) = self.before.replace((at, now))?;
        let slope = (now - old) / seconds(then, at).max(0.01);
        let Some(peak) = self.peak else {
            if slope > DRIFT {
                self.trough = (then, old);
                self.peak = Some((at, now));
            }
            return None;
        };
        if now > peak.1 {
            self.peak = Some((at, now));
            return None;
        }
        if now > peak.1 - DIP && at - peak.0 < 1_000_000 {
            return None;
        }
        self.peak = None;
        let amplitude = peak.1 - self.trough.1;
        let rise = seconds(self.trough.0, peak.0);
        (amplitude >= MIN_RESPONSE && RISE_S.contains(&rise)).then_some(amplitude)
    }
}

#[expect(clippy::cast_precision_loss, reason = "differences are small")]
fn seconds(from_us: i64, until_us: i64) -> f64 {
    (until_us - from_us) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_of_two_seconds_is_a_response_and_a_jump_is_not() {
        let mut skin = Skin::default();
        let mut responses = 0;
        for index in 0..80_i64 {
            let height = if index < 20 {
                0.0
            } else if index < 28 {
                (index - 20) as f64 / 8.0
            } else {
                1.0 - (index - 28) as f64 / 60.0
            };
            if let Worth::Valid { response: Some(_) } =
                skin.take(index * 250_000, 2.0 + 0.3 * height)
            {
                responses += 1;
            }
        }
        assert_eq!(responses, 1);
        assert_eq!(skin.take(80 * 250_000, 9.0), Worth::Jump);
        assert_eq!(skin.take(81 * 250_000, 9.0), Worth::Invalid);
        assert_eq!(skin.take(150 * 250_000, 0.01), Worth::Invalid);
    }
}
