//! Sums of many values.

/// Values that are added side by side, since each addition waits for the one before.
const LANES: usize = 8;

/// The sum of what a function makes of each value.
pub(crate) fn sum<T>(values: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += of(value));
    }
    let halves = |at: usize| sums[at] + sums[at + LANES / 2];
    (halves(0) + halves(1)) + (halves(2) + halves(3)) + rest.iter().map(of).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_once() {
        for count in 0..40_u32 {
            let values: Vec<u32> = (0..count).collect();
            let expected: u32 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| f64::from(value * value)), f64::from(expected));
        }
    }
}
