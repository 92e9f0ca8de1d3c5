//! Skin conductance level, uS: median of the valid samples of 60 s. Models weigh
//! ln(SCL + 0.1), since conductance spreads over two decades between people.
//!
//! Reference: `numpy.median`, 1e-9.

use std::cmp::Ordering;

/// Missing below half of the samples expected.
pub(crate) fn scl(values: &mut [f64], expected: usize) -> Option<f64> {
    if 2 * values.len() < expected { None } else { median(values) }
}

/// The middle value, or the mean of the two in the middle; none of nothing.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = values.len() % 2 == 1;
    // Numbers all of them: the plain comparison is the quickest.
    let order = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let (below, upper, _) = values.select_nth_unstable_by(middle, order);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, upper))
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
        assert_close(scl(&mut eda, 240).unwrap(), reference.number("skin", "scl"), 1e-9);
        assert_eq!(scl(&mut eda[..100], 240), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
    }
}
