use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The last `N` values in one piece of memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned")]
pub(super) struct Ring<T, const N: usize> {
    #[serde(with = "crate::fixed")]
    values: [T; N],
    /// Where the next one goes; the oldest stands there once the ring is full.
    next: usize,
    count: usize,
}

impl<T: Copy + Default, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self { values: [T::default(); N], next: 0, count: 0 }
    }
}

impl<T: Copy, const N: usize> Ring<T, N> {
    /// Adds values, no more than there is room for.
    pub(super) fn extend(&mut self, values: &[T]) {
        self.next %= N;
        let (first, second) = values.split_at(values.len().min(N - self.next));
        self.values[self.next..][..first.len()].copy_from_slice(first);
        if !second.is_empty() {
            self.values[..second.len()].copy_from_slice(second);
        }
        self.next = (self.next + values.len()) % N;
        self.count = N.min(self.count + values.len());
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Puts the values, by a function of each, from the oldest on; only once there are `N`.
    pub(super) fn put<U>(&self, into: &mut [U; N], of: impl Fn(T) -> U) -> Option<()> {
        if self.count < N {
            return None;
        }
        let (newer, older) = self.values.split_at(self.next % N);
        let (first, second) = into.split_at_mut(older.len());
        first.iter_mut().zip(older).for_each(|(into, value)| *into = of(*value));
        second.iter_mut().zip(newer).for_each(|(into, value)| *into = of(*value));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_values_come_out_in_order() {
        let mut ring = Ring::<u32, 4>::default();
        let twice = |ring: &Ring<u32, 4>| {
            let mut all = [0; 4];
            ring.put(&mut all, |value| 2 * value).map(|()| all)
        };
        ring.extend(&[1, 2, 3]);
        assert_eq!(twice(&ring), None);
        ring.extend(&[4, 5, 6]);
        assert_eq!(twice(&ring), Some([6, 8, 10, 12]));
        ring.clear();
        ring.extend(&[7]);
        assert_eq!(twice(&ring), None);
    }
}
