//! Local maxima and their prominence, as `scipy.signal.find_peaks` has them.

/// The most prominent local maximum of a block, the first of equals.
pub(super) fn most_prominent(block: &[f64]) -> Option<usize> {
    let mut peaks = maxima(block);
    let (first, second) = (peaks.next()?, peaks.next());
    // Most waves have one.
    if second.is_none() {
        return Some(first);
    }
    let mut best = (first, prominence(block, first));
    for peak in second.into_iter().chain(peaks) {
        let height = prominence(block, peak);
        if height > best.1 {
            best = (peak, height);
        }
    }
    Some(best.0)
}

/// Samples higher than both sides; of a plateau its middle. The ends are none.
fn maxima(block: &[f64]) -> impl Iterator<Item = usize> + '_ {
    let mut at = 1;
    std::iter::from_fn(move || {
        while at + 1 < block.len() {
            let start = at;
            at += 1;
            if block[start - 1] >= block[start] {
                continue;
            }
            let mut end = start;
            while end + 1 < block.len() && block[end + 1] == block[start] {
                end += 1;
            }
            if end + 1 < block.len() && block[end + 1] < block[start] {
                at = end + 1;
                return Some(usize::midpoint(start, end));
            }
        }
        None
    })
}

fn prominence(block: &[f64], peak: usize) -> f64 {
    let height = block[peak];
    let lowest = |side: &mut dyn Iterator<Item = &f64>| {
        side.take_while(|value| **value <= height).fold(height, |low, value| low.min(*value))
    };
    let left = lowest(&mut block[..peak].iter().rev());
    let right = lowest(&mut block[peak + 1..].iter());
    height - left.max(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maxima_and_prominence_are_those_of_scipy() {
        let block = [0.0, 2.0, 1.0, 3.0, 3.0, 3.0, 0.5, 4.0, 3.9, 5.0];
        assert_eq!(maxima(&block).collect::<Vec<_>>(), [1, 4, 7]);
        let heights: Vec<f64> = maxima(&block).map(|peak| prominence(&block, peak)).collect();
        for (height, expected) in heights.iter().zip([1.0, 2.5, 0.1]) {
            assert!((height - expected).abs() < 1e-12);
        }
        assert_eq!(most_prominent(&block), Some(4));
        assert_eq!(most_prominent(&[1.0, 2.0]), None);
    }
}
