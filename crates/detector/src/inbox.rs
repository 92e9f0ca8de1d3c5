use biosignal::{DeviceId, Reading};
use serde::{Deserialize, Serialize};

/// How far back in a device's numbering a repeat is known as one.
const KNOWN: u32 = 1024;
const WORDS: usize = KNOWN as usize / 64;
/// Numberings that are remembered.
const EPOCHS: usize = 8;
/// Readings that wait for a tick; beyond this they are not taken.
const CAPACITY: usize = 1 << 20;

/// Readings between two ticks. What is made of them depends on which they are, not on the
/// order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inbox(Vec<Reading>);

impl Inbox {
    pub(crate) fn push(&mut self, reading: &Reading) {
        if reading.validate().is_ok() && self.0.len() < CAPACITY {
            self.0.push(reading.clone());
        }
    }

    /// Takes everything out, by device, numbering and channel.
    pub(crate) fn take(&mut self) -> Vec<Reading> {
        let mut readings = std::mem::take(&mut self.0);
        readings.sort_by(|one, other| {
            let key = |reading: &Reading| (reading.epoch, reading.sequence, reading.channel);
            one.device.cmp(&other.device).then_with(|| key(one).cmp(&key(other)))
        });
        readings
    }
}

/// Which readings have been taken, by device, epoch, sequence and channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen(Vec<Numbering>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbering {
    device: DeviceId,
    epoch: u32,
    channel: u8,
    newest: u32,
    bits: [u64; WORDS],
}

impl Seen {
    /// Notes a reading; false where it was taken before, or lies too far back to tell.
    pub(crate) fn insert(&mut self, reading: &Reading) -> bool {
        let numbering = self.numbering(reading);
        numbering.insert(reading.sequence)
    }

    /// Whether a reading lies too far back to tell.
    pub(crate) fn is_past(&self, reading: &Reading) -> bool {
        self.0
            .iter()
            .find(|numbering| numbering.is_of(reading))
            .is_some_and(|numbering| reading.sequence.saturating_add(KNOWN) <= numbering.newest)
    }

    fn numbering(&mut self, reading: &Reading) -> &mut Numbering {
        let at = match self.0.iter().position(|numbering| numbering.is_of(reading)) {
            Some(at) => at,
            None => {
                if self.0.len() >= EPOCHS * 7 {
                    self.0.remove(0);
                }
                self.0.push(Numbering {
                    device: reading.device.clone(),
                    epoch: reading.epoch,
                    channel: reading.channel.code(),
                    newest: reading.sequence,
                    bits: [0; WORDS],
                });
                self.0.len() - 1
            }
        };
        &mut self.0[at]
    }
}

impl Numbering {
    fn is_of(&self, reading: &Reading) -> bool {
        self.epoch == reading.epoch
            && self.channel == reading.channel.code()
            && self.device == reading.device
    }

    fn insert(&mut self, sequence: u32) -> bool {
        if sequence > self.newest {
            let ahead = sequence - self.newest;
            if ahead >= KNOWN {
                self.bits = [0; WORDS];
            } else {
                (1..=ahead).for_each(|step| self.clear(self.newest.wrapping_add(step)));
            }
            self.newest = sequence;
        } else if self.newest - sequence >= KNOWN {
            return false;
        }
        let (word, bit) = place(sequence);
        let fresh = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        fresh
    }

    fn clear(&mut self, sequence: u32) {
        let (word, bit) = place(sequence);
        self.bits[word] &= !bit;
    }
}

const fn place(sequence: u32) -> (usize, u64) {
    let at = sequence % KNOWN;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use biosignal::{Channel, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn reading(epoch: u32, sequence: u32) -> Reading {
        Reading {
            device: DeviceId::from_address([1; 6]),
            channel: Channel::Eda,
            epoch,
            sequence,
            measured_at: Timestamp::from_seconds(1),
            received_at: Timestamp::from_seconds(1),
            period_us: 250_000,
            samples: vec![1],
        }
    }

    proptest! {
        #[test]
        fn each_number_is_taken_once(numbers in prop::collection::vec(0..900_u32, 0..300)) {
            let mut seen = Seen::default();
            let mut before = std::collections::BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(seen.insert(&reading(1, number)), before.insert(number));
            }
        }
    }

    #[test]
    fn a_new_epoch_counts_anew_and_the_far_past_cannot_be_told() {
        let mut seen = Seen::default();
        assert!(seen.insert(&reading(1, 5000)));
        assert!(seen.insert(&reading(2, 10)));
        assert!(seen.is_past(&reading(1, 100)));
        assert!(!seen.insert(&reading(1, 100)));
        assert!(!seen.is_past(&reading(3, 100)));
        assert!(seen.insert(&reading(1, 9000)));
        assert!(!seen.insert(&reading(1, 9000)));
    }
}
