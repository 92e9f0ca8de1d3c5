//! Slope per minute by ordinary least squares; over 180 s for EDA (uS/min), over 3 and
//! 5 min for skin temperature (C/min; a weak prior, its sign differs between people).
//!
//! Reference: `numpy.polyfit(minutes, values, 1)[0]`, 1e-9.

/// Slope of (seconds, value) per minute; missing under `fewest` points.
pub(crate) fn slope_per_minute(
    points: impl Iterator<Item = (f64, f64)>,
    fewest: usize,
) -> Option<f64> {
    let (mut n, mut count, mut origin) = (0.0, 0, None);
    let (mut sum_t, mut sum_x, mut sum_tt, mut sum_tx) = (0.0, 0.0, 0.0, 0.0);
    for (t, x) in points {
        // From the first value on, so that the sums lose no digits to a high level.
        let x = x - *origin.get_or_insert(x);
        (n, count) = (n + 1.0, count + 1);
        (sum_t, sum_x) = (sum_t + t, sum_x + x);
        (sum_tt, sum_tx) = (sum_tt + t * t, sum_tx + t * x);
    }
    if count < fewest.max(2) {
        return None;
    }
    let covariance = sum_tx - sum_t * sum_x / n;
    let variance = sum_tt - sum_t * sum_t / n;
    (variance > 0.0).then(|| 60.0 * covariance / variance)
}

#[cfg(test)]
mod tests {
    use biosignal::Channel;

    use super::*;
    use crate::golden::{Window, assert_close};

    fn check(channel: Channel, name: &str) {
        let reference = Window::read();
        let values = reference.signal(channel);
        let points = values.iter().enumerate().map(|(index, value)| (index as f64 / 4.0, *value));
        let found = slope_per_minute(points, 100).unwrap();
        assert_close(found, reference.number("skin", name), 1e-9);
    }

    #[test]
    fn it_is_that_of_numpys_polyfit() {
        check(Channel::Eda, "scl_slope");
        check(Channel::SkinTemperature, "temperature_slope");
    }

    #[test]
    fn too_few_points_have_no_slope() {
        assert_eq!(slope_per_minute([(0.0, 1.0), (1.0, 2.0)].into_iter(), 3), None);
        assert_eq!(slope_per_minute([(1.0, 1.0), (1.0, 2.0)].into_iter(), 2), None);
    }
}
