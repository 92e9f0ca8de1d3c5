//! Samples as the store keeps them: a byte with the shift, then differences as varints.
//!
//! Each component is coded against its own sample before, less the low bits that are
//! zero in all of them.

/// Packs samples of so many components each.
pub(crate) fn pack(samples: &[i32], components: usize) -> Vec<u8> {
    let shift = shift_of(samples);
    let mut packed = Vec::with_capacity(1 + samples.len() * 2);
    packed.push(shift);
    for (index, sample) in samples.iter().enumerate() {
        let before = index.checked_sub(components).map_or(0, |index| samples[index] >> shift);
        push_varint(&mut packed, zigzag((sample >> shift).wrapping_sub(before)));
    }
    packed
}

/// Unpacks what [`pack`] made; `None` where the bytes were not made so.
pub(crate) fn unpack(packed: &[u8], components: usize) -> Option<Vec<i32>> {
    let (&shift, mut rest) = packed.split_first()?;
    if shift > 31 {
        return None;
    }
    let mut samples: Vec<i32> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let difference = unzigzag(take_varint(&mut rest)?);
        let before =
            samples.len().checked_sub(components).map_or(0, |index| samples[index] >> shift);
        samples.push(before.wrapping_add(difference) << shift);
    }
    samples.len().is_multiple_of(components).then_some(samples)
}

/// Low bits that are zero in every sample, 0 to 31.
fn shift_of(samples: &[i32]) -> u8 {
    let bits = samples.iter().fold(0, |bits, sample| bits | sample);
    if bits == 0 { 0 } else { u8::try_from(bits.trailing_zeros()).unwrap_or(0) }
}

fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)).cast_unsigned()
}

fn unzigzag(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u32::from(byte & 0x7f);
        if bits.leading_zeros() < shift {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn coarse_and_slow_signals_are_small() {
        let still: Vec<i32> = std::iter::repeat_n([32, -64, 1024], 32).flatten().collect();
        assert_eq!(pack(&still, 3).len(), 1 + 96);
        assert_eq!(pack(&[], 1), [0]);
    }

    proptest! {
        #[test]
        fn every_sample_comes_back(
            components in 1_usize..=3,
            shift in 0_u32..=31,
            values in prop::collection::vec(any::<i32>(), 0..300),
        ) {
            let whole = values.len() - values.len() % components;
            let samples: Vec<i32> = values[..whole].iter().map(|value| value << shift).collect();
            prop_assert_eq!(unpack(&pack(&samples, components), components), Some(samples));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, components in 1_usize..=3) {
            if let Some(samples) = unpack(&bytes, components) {
                prop_assert_eq!(unpack(&pack(&samples, components), components), Some(samples));
            }
        }
    }
}
