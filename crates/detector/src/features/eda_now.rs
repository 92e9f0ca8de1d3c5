//! What skin conductance does right now: the part of the last seconds in which it rose, and
//! the slope of its logarithm over a minute, on means of seconds.
//!
//! Reference: own vectors, exact; `numpy.polyfit` for the slope, 1e-9.

/// A rise from second to second that is one, uS.
const RISE_US: f64 = 0.001;

/// The part of changes from second to second that are rises; missing under `fewest`.
pub(crate) fn rising_part(means: impl Iterator<Item = Option<f64>>, fewest: u32) -> Option<f64> {
    let (mut before, mut rises, mut changes): (Option<f64>, u32, u32) = (None, 0, 0);
    for mean in means {
        if let (Some(before), Some(mean)) = (before, mean) {
            changes += 1;
            rises += u32::from(mean - before > RISE_US);
        }
        before = mean;
    }
    (changes >= fewest.max(1)).then(|| f64::from(rises) / f64::from(changes))
}

/// ln(EDA + 0.1), the slope of which is per minute.
pub(crate) fn log_level(mean: f64) -> f64 {
    (mean + 0.1).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_are_counted_and_none_spans_a_hole() {
        let means = [1.0, 1.1, 1.1005, 1.0].map(Some);
        let means = || means.into_iter().chain([None, Some(5.0), Some(6.0)]);
        assert_eq!(rising_part(means(), 4), Some(0.5));
        assert_eq!(rising_part(means(), 5), None);
    }
}
