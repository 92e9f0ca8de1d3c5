//! What skin conductance does right now: the part of the last seconds in which it rose, and
//! the slope of its logarithm over a minute, on means of seconds.
//!
//! Reference: own vectors, exact; `numpy.polyfit` for the slope, 1e-9.

use super::slope_per_minute;

/// A rise from second to second that is one, uS.
const RISE_US: f64 = 0.001;

/// The part of changes from second to second that are rises; missing under `fewest`.
pub(crate) fn rising_part(means: impl Iterator<Item = (i64, f64)>, fewest: u32) -> Option<f64> {
    let (mut before, mut rises, mut changes): (Option<(i64, f64)>, u32, u32) = (None, 0, 0);
    for (at_s, mean) in means {
        if let Some((_, last)) = before.filter(|(last_s, _)| last_s + 1 == at_s) {
            changes += 1;
            rises += u32::from(mean - last > RISE_US);
        }
        before = Some((at_s, mean));
    }
    (changes >= fewest.max(1)).then(|| f64::from(rises) / f64::from(changes))
}

/// Slope of ln(EDA + 0.1) per minute; missing under `fewest` seconds.
pub(crate) fn log_slope(means: impl Iterator<Item = (f64, f64)>, fewest: usize) -> Option<f64> {
    slope_per_minute(means.map(|(at_s, mean)| (at_s, (mean + 0.1).ln())), fewest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::assert_close;

    #[test]
    fn rises_are_counted_and_none_spans_a_hole() {
        let means = [(0, 1.0), (1, 1.1), (2, 1.1005), (3, 1.0), (9, 5.0), (10, 6.0)];
        assert_eq!(rising_part(means.into_iter(), 4), Some(0.5));
        assert_eq!(rising_part(means.into_iter(), 5), None);
    }

    #[test]
    fn growth_by_a_part_a_minute_is_a_slope() {
        let grown = (0..60).map(|s| (f64::from(s), (0.3 * f64::from(s) / 60.0).exp() - 0.1));
        assert_close(log_slope(grown, 30).unwrap(), 0.3, 1e-9);
    }
}
