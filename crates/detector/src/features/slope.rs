//! Slope per minute by ordinary least squares; over 180 s for EDA (uS/min), over 3 and
//! 5 min for skin temperature (C/min; a weak prior, its sign differs between people).
//!
//! Reference: `numpy.polyfit(minutes, values, 1)[0]`, 1e-9.

/// Slope of (seconds, value) per minute; missing under `fewest` points.
pub(crate) fn slope_per_minute(
    points: impl Iterator<Item = (f64, f64)> + Clone,
    fewest: usize,
) -> Option<f64> {
    let (mut n, mut mean_t, mut mean_x, mut count) = (0.0, 0.0, 0.0, 0);
    for (t, x) in points.clone() {
        (n, mean_t, mean_x, count) = (n + 1.0, mean_t + t, mean_x + x, count + 1);
    }
    if count < fewest.max(2) {
        return None;
    }
    (mean_t, mean_x) = (mean_t / n, mean_x / n);
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (t, x) in points {
        covariance += (t - mean_t) * (x - mean_x);
        variance += (t - mean_t).powi(2);
    }
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
