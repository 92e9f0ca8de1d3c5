/// Two detectors mean the same beat within this, s.
const SAME_S: f64 = 0.05;
/// Nearest beats further apart than this say nothing of a lag, s.
const LAG_S: f64 = 0.25;

/// Of each of the first's beats: whether the second has it too, one beat for one, once the
/// lag of the first is taken off. Both are in the order of time, s.
pub(super) fn matched(first: &[f64], second: &[f64], lag_s: f64) -> Vec<bool> {
    let mut next = 0;
    let is_there = |beat: &f64| {
        let beat = beat - lag_s;
        while second.get(next).is_some_and(|other| *other < beat - SAME_S) {
            next += 1;
        }
        let found = second.get(next).is_some_and(|other| *other <= beat + SAME_S);
        next += usize::from(found);
        found
    };
    first.iter().map(is_there).collect()
}

/// By how much each of the first's beats comes later than the nearest of the second's.
pub(super) fn delays(first: &[f64], second: &[f64]) -> Vec<f64> {
    let nearest = |beat: &f64| {
        let after = second.partition_point(|other| other < beat);
        let around = &second[after.saturating_sub(1)..(after + 1).min(second.len())];
        around.iter().map(|other| beat - other).min_by(|a, b| a.abs().total_cmp(&b.abs()))
    };
    first.iter().filter_map(nearest).filter(|delay| delay.abs() <= LAG_S).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_matched_once_and_within_fifty_milliseconds() {
        assert_eq!(matched(&[1.0, 2.0, 3.0], &[1.04, 2.06, 3.0], 0.0), [true, false, true]);
        assert_eq!(matched(&[1.0, 1.02], &[1.01], 0.0), [true, false]);
        assert_eq!(matched(&[1.1, 2.1], &[1.0, 2.0], 0.1), [true, true]);
        assert_eq!(matched(&[], &[1.0], 0.0), [false; 0]);
    }

    #[test]
    fn a_delay_is_against_the_nearest() {
        let delays = delays(&[1.1, 2.2, 9.0], &[1.0, 2.0, 2.25]);
        assert_eq!(delays.len(), 2);
        assert!((delays[0] - 0.1).abs() < 1e-9 && (delays[1] + 0.05).abs() < 1e-9);
    }
}
