use biosignal::{DeviceId, Reading};
use serde::{Deserialize, Serialize};

/// Ranges of packet numbers kept per numbering; of more, the lowest are forgotten.
const MAX_RANGES: usize = 256;
/// Numberings kept: seven channels of the last boots; of more, the oldest is forgotten.
const MAX_NUMBERINGS: usize = 28;

/// Which packets were ever pushed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Came(Vec<Numbering>);

/// The packets of one channel since a boot of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbering {
    device: DeviceId,
    epoch: u32,
    channel: u8,
    /// Both ends included, ascending, with a hole between each two.
    ranges: Vec<(u32, u32)>,
}

impl Came {
    /// Notes a packet; false where it came before.
    pub(crate) fn insert(&mut self, reading: &Reading) -> bool {
        let (epoch, channel) = (reading.epoch, reading.channel.code());
        let known = self.0.iter().position(|numbering| {
            numbering.epoch == epoch
                && numbering.channel == channel
                && numbering.device == reading.device
        });
        let at = known.unwrap_or_else(|| {
            if self.0.len() == MAX_NUMBERINGS {
                self.0.remove(0);
            }
            let device = reading.device.clone();
            self.0.push(Numbering { device, epoch, channel, ranges: Vec::new() });
            self.0.len() - 1
        });
        insert(&mut self.0[at].ranges, reading.sequence)
    }
}

/// Adds a number to ranges; false where it was in one.
fn insert(ranges: &mut Vec<(u32, u32)>, number: u32) -> bool {
    let after = ranges.partition_point(|(from, _)| *from <= number);
    let before = after.checked_sub(1);
    if before.is_some_and(|at| ranges[at].1 >= number) {
        return false;
    }
    let joins_before = before.filter(|at| ranges[*at].1 + 1 == number);
    let joins_after = ranges.get(after).is_some_and(|(from, _)| from - 1 == number);
    match (joins_before, joins_after) {
        (Some(at), true) => {
            ranges[at].1 = ranges[after].1;
            ranges.remove(after);
        }
        (Some(at), false) => ranges[at].1 = number,
        (None, true) => ranges[after].0 = number,
        (None, false) => {
            ranges.insert(after, (number, number));
            if ranges.len() > MAX_RANGES {
                ranges.remove(0);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_is_taken_once_and_neighbours_join(
            numbers in prop::collection::vec(0..300_u32, 0..400),
        ) {
            let (mut ranges, mut all) = (Vec::new(), std::collections::BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(insert(&mut ranges, number), all.insert(number));
            }
            let held: Vec<u32> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
            prop_assert_eq!(held, all.into_iter().collect::<Vec<_>>());
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    #[test]
    fn the_highest_number_is_one_like_the_others() {
        let mut ranges = Vec::new();
        assert!(insert(&mut ranges, u32::MAX));
        assert!(!insert(&mut ranges, u32::MAX));
        assert!(insert(&mut ranges, 0) && insert(&mut ranges, u32::MAX - 1));
        assert_eq!(ranges, [(0, 0), (u32::MAX - 1, u32::MAX)]);
    }
}
