use serde::{Deserialize, Serialize};

/// Stands where a second has no mean.
const NONE: f64 = f64::NEG_INFINITY;

/// The mean of a slow signal in each of the last `KEPT` seconds, where it could be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Means<const KEPT: usize> {
    /// The second that is not over: the sum, and of how many samples.
    open: (f64, f64),
    /// In a ring; the oldest stands where the next will.
    #[serde(with = "crate::fixed")]
    seconds: [f64; KEPT],
    next: usize,
    /// When the last second was over.
    end_s: i64,
}

impl<const KEPT: usize> Default for Means<KEPT> {
    fn default() -> Self {
        Self { open: (0.0, 0.0), seconds: [NONE; KEPT], next: 0, end_s: 0 }
    }
}

impl<const KEPT: usize> Means<KEPT> {
    /// Takes a sample of the second that is not over.
    pub(super) fn take(&mut self, value: f64) {
        self.open = (self.open.0 + value, self.open.1 + 1.0);
    }

    /// Lets the second that ends here be over.
    pub(super) fn pass_second(&mut self, end_s: i64) {
        let (sum, count) = std::mem::take(&mut self.open);
        self.seconds[self.next % KEPT] = if count > 0.0 { sum / count } else { NONE };
        self.next = (self.next + 1) % KEPT;
        self.end_s = end_s;
    }

    /// Takes back everything from a second on; tells of each by how many seconds ago it began.
    pub(super) fn reject_since(&mut self, from_s: i64, mut tell: impl FnMut(usize, f64)) {
        self.open = (0.0, 0.0);
        let last = usize::try_from(self.end_s.saturating_sub(from_s)).unwrap_or(0).min(KEPT);
        for ago_s in 1..=last {
            if let Some(mean) = self.ago(ago_s) {
                tell(ago_s, mean);
            }
            self.seconds[(self.next + KEPT - ago_s) % KEPT] = NONE;
        }
    }

    /// The mean of the second that began so many before the last one's end, 1 to `KEPT`.
    pub(super) fn ago(&self, ago_s: usize) -> Option<f64> {
        let mean = self.seconds[(self.next + KEPT - ago_s) % KEPT];
        (mean > NONE).then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_means_and_holes_have_none() {
        let mut means = Means::<4>::default();
        for (end_s, values) in [(8, [1.0, 2.0].as_slice()), (9, &[]), (10, &[5.0]), (11, &[7.0])] {
            values.iter().for_each(|value| means.take(*value));
            means.pass_second(end_s);
        }
        assert_eq!(
            [1, 2, 3, 4].map(|ago_s| means.ago(ago_s)),
            [Some(7.0), Some(5.0), None, Some(1.5)]
        );
        means.take(4.0);
        let mut told = Vec::new();
        means.reject_since(9, |ago_s, mean| told.push((ago_s, mean)));
        assert_eq!(told, [(1, 7.0), (2, 5.0)]);
        means.pass_second(12);
        assert_eq!([1, 2, 3, 4].map(|ago_s| means.ago(ago_s)), [None; 4]);
    }
}
