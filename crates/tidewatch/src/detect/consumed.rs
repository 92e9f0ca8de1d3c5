//! Which batches a detector has had.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Batch numbers per spool epoch, as ranges that do not touch.
///
/// Batches come nearly in order, so the ranges stay few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Consumed(BTreeMap<u64, Vec<(u64, u64)>>);

impl Consumed {
    /// Notes a batch; false where it was there already.
    pub(super) fn insert(&mut self, epoch: u64, sequence: u64) -> bool {
        let ranges = self.0.entry(epoch).or_default();
        let after = ranges.partition_point(|(first, _)| *first <= sequence);
        if after > 0 && ranges[after - 1].1 >= sequence {
            return false;
        }
        let joins_before = after > 0 && ranges[after - 1].1 + 1 == sequence;
        let joins_after = ranges.get(after).is_some_and(|(first, _)| *first == sequence + 1);
        match (joins_before, joins_after) {
            (true, true) => {
                ranges[after - 1].1 = ranges[after].1;
                ranges.remove(after);
            }
            (true, false) => ranges[after - 1].1 = sequence,
            (false, true) => ranges[after].0 = sequence,
            (false, false) => ranges.insert(after, (sequence, sequence)),
        }
        true
    }

    /// Whether there was none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges of all epochs, in order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u64, RangeInclusive<u64>)> + '_ {
        self.0.iter().flat_map(|(epoch, ranges)| {
            ranges.iter().map(move |(first, last)| (*epoch, *first..=*last))
        })
    }

    /// Takes everything out.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_join_into_ranges_whatever_their_order() {
        let mut consumed = Consumed::default();
        for sequence in [5, 1, 3, 2, 9, 4] {
            assert!(consumed.insert(7, sequence));
        }
        assert!(!consumed.insert(7, 3));
        assert!(consumed.insert(8, 3));
        let ranges: Vec<_> = consumed.ranges().collect();
        assert_eq!(ranges, [(7, 1..=5), (7, 9..=9), (8, 3..=3)]);
    }
}
