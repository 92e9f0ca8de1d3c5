//! Samples as bytes: what all have in common is shifted away, and each is told as its
//! difference from the one before, in as few bytes as it needs.

use biosignal::Channel;

use crate::DecodeError;
use crate::bytes::{Reader, put_varint};

/// Trailing zero bits that all samples share: coarse sensors step in powers of two.
pub(crate) fn common_shift(samples: &[i32]) -> u8 {
    let bits = samples.iter().fold(0, |bits, sample| bits | sample);
    if bits == 0 { 0 } else { u8::try_from(bits.trailing_zeros()).unwrap_or(0) }
}

/// Writes the samples: component by component the difference from the sample before
/// (the first: from 0), zigzag, varint.
pub(crate) fn put(bytes: &mut Vec<u8>, channel: Channel, shift: u8, samples: &[i32]) {
    let mut before = [0; MAX_COMPONENTS];
    for (index, sample) in samples.iter().enumerate() {
        let last = &mut before[index % channel.components()];
        let value = i64::from(*sample >> shift);
        put_varint(bytes, zigzag(value - *last));
        *last = value;
    }
}

/// Reads `count` integers that [`put`] wrote.
pub(crate) fn take(
    reader: &mut Reader<'_>,
    channel: Channel,
    shift: u8,
    count: usize,
) -> Result<Vec<i32>, DecodeError> {
    const WHAT: &str = "a sample";
    if count > reader.left() {
        return Err(DecodeError::Value { what: "a sample count", value: count as u64 });
    }
    let mut before = [0_i64; MAX_COMPONENTS];
    let mut samples = Vec::with_capacity(count);
    for index in 0..count {
        let last = &mut before[index % channel.components()];
        let word = reader.varint(WHAT)?;
        *last += unzigzag(word);
        let sample = last.checked_mul(1 << shift).and_then(|value| i32::try_from(value).ok());
        samples.push(sample.ok_or(DecodeError::Value { what: WHAT, value: word })?);
    }
    Ok(samples)
}

const MAX_COMPONENTS: usize = 3;

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(word: u64) -> i64 {
    (word >> 1).cast_signed() ^ -(word & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(channel: Channel, samples: &[i32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, channel, common_shift(samples), samples);
        bytes
    }

    #[test]
    fn a_coarse_sensor_costs_a_byte_a_sample() {
        let still = [32, 160, -1024, 48, 160, -1008, 32, 144, -1024];
        assert_eq!(common_shift(&still), 4);
        assert_eq!(bytes_of(Channel::Acceleration, &still).len(), 9);
    }

    #[test]
    fn the_ends_of_the_range_come_back() {
        let wild = [i32::MIN, i32::MAX, i32::MIN, 0, 1, -1];
        let bytes = bytes_of(Channel::Bvp, &wild);
        let back = take(&mut Reader::new(&bytes), Channel::Bvp, 0, wild.len());
        assert_eq!(back, Ok(wild.to_vec()));
        assert_eq!(common_shift(&[i32::MIN]), 31);
        assert_eq!(common_shift(&[0, 0]), 0);
    }
}
