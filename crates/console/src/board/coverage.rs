use biosignal::{MICROS_PER_SECOND, Reading, Timestamp};

/// Which of the last 128 seconds hold samples of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Coverage {
    newest_second: i64,
    /// Bit 0 is `newest_second`, bit 1 the second before it.
    seconds: u128,
}

impl Coverage {
    /// Marks every second that the reading touches.
    pub(crate) fn mark(&mut self, reading: &Reading) {
        if reading.is_empty() {
            return;
        }
        let last = second(reading.time_of(reading.len() - 1));
        let first = second(reading.measured_at).max(last - 127);
        for at in first..=last {
            self.mark_second(at);
        }
    }

    /// The share of the `window_s` (at most 120) whole seconds that ended `delay_s` before `now`.
    pub(crate) fn share(&self, now: Timestamp, window_s: u32, delay_s: u32) -> f64 {
        let until = second(now) - i64::from(delay_s);
        let covered = (until - i64::from(window_s)..until).filter(|at| self.has(*at)).count();
        covered.min(window_s as usize) as f64 / f64::from(window_s.max(1))
    }

    fn mark_second(&mut self, at: i64) {
        if at > self.newest_second {
            let shift = u32::try_from(at - self.newest_second).unwrap_or(u32::MAX);
            self.seconds = self.seconds.checked_shl(shift).unwrap_or(0);
            self.newest_second = at;
        }
        if let Some(bit) = self.bit(at) {
            self.seconds |= bit;
        }
    }

    fn has(&self, at: i64) -> bool {
        self.bit(at).is_some_and(|bit| self.seconds & bit != 0)
    }

    fn bit(&self, at: i64) -> Option<u128> {
        let age = u32::try_from(self.newest_second - at).ok()?;
        1_u128.checked_shl(age)
    }
}

fn second(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MICROS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use biosignal::{Channel, DeviceId};

    fn second_of_eda(at_s: i64) -> Reading {
        Reading {
            device: DeviceId::from_address([0; 6]),
            channel: Channel::Eda,
            epoch: 1,
            sequence: 1,
            measured_at: Timestamp::from_seconds(at_s),
            received_at: Timestamp::from_seconds(at_s + 1),
            period_us: 250_000,
            samples: vec![1, 2, 3, 4],
        }
    }

    fn share(seconds: impl Iterator<Item = i64>, now_s: i64) -> f64 {
        let mut coverage = Coverage::default();
        seconds.for_each(|at| coverage.mark(&second_of_eda(at)));
        coverage.share(Timestamp::from_seconds(now_s), 60, 3)
    }

    #[test]
    fn a_whole_minute_is_one_and_nothing_is_none() {
        assert_eq!(share(900..1000, 1000), 1.0);
        assert_eq!(share(0..0, 1000), 0.0);
    }

    #[test]
    fn a_hole_and_the_silence_after_it_count() {
        assert_eq!(share((900..1000).filter(|at| !(950..980).contains(at)), 1000), 0.5);
        assert_eq!(share(900..1000, 1033), 0.5, "30 seconds of silence");
        assert_eq!(share(900..1000, 5000), 0.0, "long gone");
    }

    #[test]
    fn seconds_may_come_late_and_in_any_order() {
        assert_eq!(share((900..1000).rev(), 1000), 1.0);
    }

    #[test]
    fn a_reading_of_absurd_length_or_time_does_no_harm() {
        let mut coverage = Coverage::default();
        let mut reading = second_of_eda(10);
        reading.period_us = u32::MAX;
        coverage.mark(&reading);
        reading.measured_at = Timestamp::from_micros(i64::MAX);
        coverage.mark(&reading);
        reading.measured_at = Timestamp::from_micros(i64::MIN);
        coverage.mark(&reading);
        assert_eq!(coverage.share(Timestamp::from_seconds(1000), 60, 3), 0.0);
    }
}
