//! Little-endian fields, varints and the check sum.

use crate::DecodeError;

/// Reads fields from the front of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// Takes the check sum off the end and compares it.
    pub(crate) fn checked(bytes: &'a [u8], limit: usize) -> Result<Self, DecodeError> {
        if bytes.len() > limit {
            return Err(DecodeError::TooLong { length: bytes.len(), limit });
        }
        let (body, sum) = bytes
            .split_last_chunk::<2>()
            .ok_or(DecodeError::Truncated { length: bytes.len(), what: "the check sum" })
            .map(|(body, sum)| (body, u16::from_le_bytes(*sum)))?;
        let expected = check_sum(body);
        if sum != expected {
            return Err(DecodeError::CheckSum { found: sum, expected });
        }
        Ok(Self { rest: body, length: bytes.len() })
    }

    /// Bytes not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.take::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.take(what).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.take(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.take(what).map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        self.take(what).map(i64::from_le_bytes)
    }

    /// A moment on the device's clock.
    pub(crate) fn device_time(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let value = self.u64(what)?;
        if value > MAX_DEVICE_TIME_US {
            return Err(DecodeError::Value { what, value });
        }
        Ok(value)
    }

    /// An unsigned LEB128 number of at most 35 bits.
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.u8(what)?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Value { what, value })
    }

    pub(crate) fn varint_u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        let value = self.varint(what)?;
        u32::try_from(value).map_err(|_| DecodeError::Value { what, value })
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(DecodeError::TooLong { length: self.length, limit: self.length - self.rest.len() })
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated { length: self.length, what })?;
        self.rest = rest;
        Ok(*head)
    }
}

/// The last moment of a device's clock: 285 years after its boot.
pub(crate) const MAX_DEVICE_TIME_US: u64 = 1 << 53;

/// Writes an unsigned LEB128 number.
pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7F).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Writes the check sum of all that stands before it.
pub(crate) fn put_check_sum(bytes: &mut Vec<u8>) {
    let sum = check_sum(bytes);
    bytes.extend(sum.to_le_bytes());
}

/// CRC-16/IBM-3740: polynomial 0x1021, start 0xFFFF, nothing reflected.
fn check_sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_the_catalogued_one() {
        assert_eq!(check_sum(b"123456789"), 0x29B1);
    }

    #[test]
    fn varints_come_back_and_end() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), (1 << 35) - 1] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint("value"), Ok(value));
            assert_eq!(reader.end(), Ok(()));
        }
        let endless = [0xFF; 9];
        assert!(matches!(
            Reader::new(&endless).varint("value"),
            Err(DecodeError::Value { what: "value", .. })
        ));
    }
}
