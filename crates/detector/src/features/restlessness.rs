//! How uneven movement is within a minute: the standard deviation of ln(SD of norm(a) in a
//! second + 0.003), and the mean way of gravity's direction from second to second, g.
//!
//! Reference: numpy, 1e-12, own vectors.

/// The logarithm of a second's deviation (g).
pub(crate) fn log_deviation(deviation: f64) -> f64 {
    (deviation + 0.003).ln()
}

/// The standard deviation over seconds of each one's [`log_deviation`].
pub(crate) fn burst(logs: impl Iterator<Item = f64>, fewest: u32) -> Option<f64> {
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0);
    logs.for_each(|log| {
        sum += log;
        squares += log * log;
        count += 1;
    });
    let n = f64::from(count);
    (count >= fewest.max(1)).then(|| (squares / n - (sum / n).powi(2)).max(0.0).sqrt())
}

/// The way from a direction to the next.
pub(crate) fn distance(before: [f64; 3], direction: [f64; 3]) -> f64 {
    let squares = before.iter().zip(direction).map(|(a, b)| (b - a).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The mean of the ways from each direction to the next.
pub(crate) fn wander(ways: impl Iterator<Item = f64>, fewest: u32) -> Option<f64> {
    let (sum, count) = ways.fold((0.0, 0), |(sum, count), way| (sum + way, count + 1));
    (count >= fewest.max(1)).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::assert_close;

    #[test]
    fn even_movement_has_no_bursts_and_half_of_a_minute_of_it_has() {
        assert_close(burst(std::iter::repeat_n(log_deviation(0.2), 60), 30).unwrap(), 0.0, 1e-7);
        let half = (0..60).map(|s| if s < 30 { 0.0 } else { 0.003 * (1_f64.exp() - 1.0) });
        assert_close(burst(half.map(log_deviation), 30).unwrap(), 0.5, 1e-12);
        assert_eq!(burst([0.2].into_iter(), 30), None);
    }

    #[test]
    fn a_hand_that_turns_wanders() {
        let turning: Vec<[f64; 3]> =
            (0..4).map(|s| [f64::from(s % 2), f64::from((s + 1) % 2), 0.0]).collect();
        let ways = || turning.windows(2).map(|pair| distance(pair[0], pair[1]));
        assert_close(wander(ways(), 3).unwrap(), 2_f64.sqrt(), 1e-12);
        assert_eq!(wander(ways(), 4), None);
    }
}
