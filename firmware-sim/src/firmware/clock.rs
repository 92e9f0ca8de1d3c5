use biosignal::Timestamp;

/// A band's crystal: counts microseconds since the boot, a little fast or slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceClock {
    boot: Timestamp,
    drift_ppm: f64,
}

impl DeviceClock {
    pub(crate) fn new(boot: Timestamp, drift_ppm: f64) -> Self {
        Self { boot, drift_ppm }
    }

    /// What the clock shows at a true time; 0 before the boot.
    #[expect(clippy::cast_precision_loss, reason = "a microsecond in 285 years")]
    #[expect(clippy::cast_possible_truncation, reason = "a millionth of a time that fits")]
    pub(crate) fn at(&self, moment: Timestamp) -> u64 {
        let elapsed = moment.micros_since(self.boot);
        let drift = (elapsed as f64 * self.drift_ppm * 1e-6).round() as i64;
        u64::try_from(elapsed + drift).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_gains_its_drift() {
        let clock = DeviceClock::new(Timestamp::from_seconds(1_000), 20.0);
        assert_eq!(clock.at(Timestamp::from_seconds(1_000)), 0);
        assert_eq!(clock.at(Timestamp::from_seconds(4_600)), 3_600_072_000);
        assert_eq!(clock.at(Timestamp::from_seconds(999)), 0);
    }
}
