//! Skin conductance level, uS: median of the valid samples of 60 s. Models weigh
//! ln(SCL + 0.1), since conductance spreads over two decades between people.
//!
//! Reference: `numpy.median`, 1e-9.

use std::cmp::Ordering;

/// From samples of some unit, which makes them uS; missing below half of those expected.
pub(crate) fn scl<T: Copy + PartialOrd>(
    values: &mut [T],
    expected: usize,
    unit: impl Fn(T) -> f64,
) -> Option<f64> {
    if 2 * values.len() < expected {
        return None;
    }
    let (lower, upper) = middle(values)?;
    Some(f64::midpoint(unit(lower), unit(upper)))
}

/// The middle value, or the mean of the two in the middle; none of nothing.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    middle(values).map(|(lower, upper)| f64::midpoint(lower, upper))
}

/// The middle value, or the upper of the two in the middle; none of nothing.
pub(crate) fn upper_median<T: Copy + PartialOrd>(values: &mut [T]) -> Option<T> {
    split(values).map(|(_, upper)| upper)
}

/// The two in the middle, or twice the one that is.
fn middle<T: Copy + PartialOrd>(values: &mut [T]) -> Option<(T, T)> {
    let odd = values.len() % 2 == 1;
    let (below, upper) = split(values)?;
    let highest = |high: T, value: &T| if *value > high { *value } else { high };
    let lower = below.first().filter(|_| !odd).map(|first| below.iter().fold(*first, highest));
    Some((lower.unwrap_or(upper), upper))
}

/// The lower half, and the least value of the rest.
fn split<T: Copy + PartialOrd>(values: &mut [T]) -> Option<(&[T], T)> {
    if values.is_empty() {
        return None;
    }
    // Numbers all of them: the plain comparison is the quickest.
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let (below, upper, _) = values.select_nth_unstable_by(values.len() / 2, order);
    Some((below, *upper))
}

#[cfg(test)]
mod tests {
    use biosignal::Channel;

    use super::*;
    use crate::golden::{Window, assert_close};

    #[test]
    fn it_is_numpys_median() {
        let reference = Window::read();
        let mut eda = reference.signal(Channel::Eda);
        let level = |of: &mut [f64]| scl(of, 240, |value| value);
        assert_close(level(&mut eda).unwrap(), reference.number("skin", "scl"), 1e-9);
        assert_eq!(level(&mut eda[..100]), None);
        assert_eq!(scl(&mut [4, 1, 3, 2], 8, f64::from), Some(2.5));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
    }
}
