use serde::{Deserialize, Serialize};

/// Values are kept in steps of 2^-40: as fine as sums over five minutes have room for.
const STEPS: f64 = 1_099_511_627_776.0;

/// The least-squares line through the values of the last `SECONDS`, one a second where there
/// is one, kept up from second to second.
///
/// All sums are of integers, so that a value that goes takes away exactly what it brought.
/// Times count from the end of the last second, so that they stay small.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trend<const SECONDS: usize> {
    count: i64,
    time: i64,
    time_time: i64,
    value: i64,
    time_value: i64,
}

impl<const SECONDS: usize> Trend<SECONDS> {
    /// Lets a second pass: one value comes, and that of the second before the first goes.
    pub(super) fn pass_second(&mut self, comes: Option<f64>, goes: Option<f64>) {
        if let Some(value) = goes {
            self.add(-1, SECONDS, value);
        }
        // All are a second older: (t - 1)^2 = t^2 - 2 t + 1.
        self.time_time += self.count - 2 * self.time;
        self.time_value = self.time_value.wrapping_sub(self.value);
        self.time -= self.count;
        if let Some(value) = comes {
            self.add(1, 1, value);
        }
    }

    /// Takes back the value of a second that began so many before the last one's end.
    pub(super) fn take_back(&mut self, ago_s: usize, value: f64) {
        if ago_s <= SECONDS {
            self.add(-1, ago_s, value);
        }
    }

    /// The mean value; missing under `fewest`.
    #[expect(clippy::cast_precision_loss, reason = "within 2^53 for a minute of values")]
    pub(super) fn mean(&self, fewest: i64) -> Option<f64> {
        let count = self.count as f64;
        (self.count >= fewest.max(1)).then(|| self.value as f64 / (count * STEPS))
    }

    /// The slope per minute; missing under `fewest` values.
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub(super) fn per_minute(&self, fewest: i64) -> Option<f64> {
        let product = |one: i64, other: i64| i128::from(one) * i128::from(other);
        let covariance = product(self.count, self.time_value) - product(self.time, self.value);
        let variance = product(self.count, self.time_time) - product(self.time, self.time);
        (self.count >= fewest.max(2) && variance > 0)
            .then(|| 60.0 * (covariance as f64 / STEPS) / variance as f64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "saturates; values are below 100")]
    fn add(&mut self, times: i64, ago_s: usize, value: f64) {
        let time = -i64::try_from(ago_s).unwrap_or(0);
        let value = times * (value * STEPS) as i64;
        self.count += times;
        self.time += times * time;
        self.time_time += times * time * time;
        self.value = self.value.wrapping_add(value);
        self.time_value = self.time_value.wrapping_add(time.wrapping_mul(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::slope_per_minute;
    use crate::golden::assert_close;

    #[test]
    fn it_slides_as_if_it_were_made_anew() {
        let value = |at: usize| (at % 7 != 3).then(|| 31.0 + ((at * at) % 13) as f64 / 10.0);
        let mut trend = Trend::<30>::default();
        for at in 0..100 {
            trend.pass_second(value(at), at.checked_sub(30).and_then(value));
        }
        trend.take_back(1, value(99).unwrap());
        trend.take_back(31, 5.0);
        let last = || (70..99).filter_map(|at| Some((at as f64 - 100.0, value(at)?)));
        assert_close(trend.per_minute(3).unwrap(), slope_per_minute(last(), 3).unwrap(), 1e-9);
        let count = last().count() as i64;
        let mean = last().map(|(_, value)| value).sum::<f64>() / count as f64;
        assert_close(trend.mean(count).unwrap(), mean, 1e-9);
        assert_eq!((trend.mean(count + 1), trend.per_minute(count + 1)), (None, None));
    }
}
