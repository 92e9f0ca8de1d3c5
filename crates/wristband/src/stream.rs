use biosignal::Channel;

use crate::bytes::{Reader, put_check_sum, put_varint};
use crate::{DecodeError, EncodeError, samples};

/// Bytes of the longest packet: what a notification carries at an ATT MTU of 247.
pub const MAX_PACKET_BYTES: usize = 244;

/// Samples of a stretch of time, as numbered, kept and sent by a band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPacket {
    /// The band's count of its boots.
    pub epoch: u32,
    /// The packet's number in the epoch: 1, 2, 3, ...
    pub sequence: u32,
    /// Start of the stretch on the band's clock, microseconds since its boot.
    pub device_time_us: u64,
    /// Whether it comes from flash on request, rather than as it was measured.
    pub replayed: bool,
    /// At most one per channel; none where flash can no longer be read.
    pub blocks: Vec<Block>,
}

/// Consecutive samples of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What was measured.
    pub channel: Channel,
    /// The first sample's time after the packet's, microseconds.
    pub offset_us: u32,
    /// Microseconds from sample to sample; 0 for event channels.
    pub period_us: u32,
    /// Integers in steps of [`Channel::scale`], [`Channel::components`] per sample.
    pub samples: Vec<i32>,
}

impl StreamPacket {
    /// The packet's bytes, at most [`MAX_PACKET_BYTES`].
    ///
    /// # Errors
    /// [`EncodeError`] where the packet is too long, or holds what cannot be decoded.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        self.check()?;
        let mut bytes = Vec::with_capacity(MAX_PACKET_BYTES);
        bytes.extend([VERSION, if self.replayed { REPLAYED } else { 0 }]);
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.device_time_us.to_le_bytes());
        bytes.push(u8::try_from(self.blocks.len()).unwrap_or(u8::MAX));
        for block in &self.blocks {
            block.put(&mut bytes);
        }
        put_check_sum(&mut bytes);
        if bytes.len() > MAX_PACKET_BYTES {
            return Err(EncodeError::TooLong { length: bytes.len(), limit: MAX_PACKET_BYTES });
        }
        Ok(bytes)
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::checked(bytes, MAX_PACKET_BYTES)?;
        let replayed = header(&mut reader, REPLAYED)? & REPLAYED != 0;
        let epoch = reader.u32("the epoch")?;
        let sequence = reader.u32("the sequence number")?;
        let device_time_us = reader.device_time("the device time")?;
        let count = reader.u8("the number of blocks")?;
        let blocks = (0..count).map(|_| Block::take(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        let packet = Self { epoch, sequence, device_time_us, replayed, blocks };
        packet.check()?;
        Ok(packet)
    }

    /// The time of the last sample on the band's clock: before it the packet cannot
    /// have been sent.
    #[must_use]
    pub fn last_sample_us(&self) -> u64 {
        let last = self.blocks.iter().map(Block::last_offset_us).max().unwrap_or(0);
        self.device_time_us.saturating_add(last)
    }

    /// First moment after the packet's samples on the band's clock.
    #[must_use]
    pub fn end_us(&self) -> u64 {
        let end = |block: &Block| block.last_offset_us().saturating_add(block.period_us.into());
        self.device_time_us.saturating_add(self.blocks.iter().map(end).max().unwrap_or(0))
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.sequence == 0 {
            return Err(DecodeError::Value { what: "the sequence number", value: 0 });
        }
        if self.device_time_us > crate::bytes::MAX_DEVICE_TIME_US {
            let value = self.device_time_us;
            return Err(DecodeError::Value { what: "the device time", value });
        }
        for (index, block) in self.blocks.iter().enumerate() {
            block.check()?;
            if self.blocks[..index].iter().any(|earlier| earlier.channel == block.channel) {
                return Err(DecodeError::Repeated(block.channel));
            }
        }
        Ok(())
    }
}

impl Block {
    /// Number of samples (of all components together).
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len() / self.channel.components()
    }

    /// Whether the block holds no whole sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the block takes in a packet.
    pub(crate) fn encoded_len(&self) -> usize {
        let mut bytes = Vec::with_capacity(MAX_PACKET_BYTES);
        self.put(&mut bytes);
        bytes.len()
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let shift = samples::common_shift(&self.samples);
        bytes.extend([self.channel.code(), shift]);
        put_varint(bytes, self.offset_us.into());
        put_varint(bytes, self.period_us.into());
        put_varint(bytes, self.len() as u64);
        samples::put(bytes, self.channel, shift, &self.samples);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = Channel::from_code(reader.u8("a channel code")?)?;
        let shift = reader.u8("a shift")?;
        if shift > 31 {
            return Err(DecodeError::Value { what: "a shift", value: shift.into() });
        }
        let offset_us = reader.varint_u32("an offset")?;
        let period_us = reader.varint_u32("a period")?;
        let count = reader.varint_u32("a sample count")? as usize;
        let integers = count.saturating_mul(channel.components());
        let samples = samples::take(reader, channel, shift, integers)?;
        Ok(Self { channel, offset_us, period_us, samples })
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.samples.is_empty() || !self.samples.len().is_multiple_of(self.channel.components())
        {
            let value = self.samples.len() as u64;
            return Err(DecodeError::Value { what: "a sample count", value });
        }
        if (self.period_us == 0) != self.channel.is_event() {
            return Err(DecodeError::Value { what: "a period", value: self.period_us.into() });
        }
        Ok(())
    }

    /// The last sample's time after the packet's.
    fn last_offset_us(&self) -> u64 {
        let within = if self.channel.is_event() {
            let times = self.samples.iter().step_by(self.channel.components());
            times.copied().max().and_then(|time| u64::try_from(time).ok()).unwrap_or(0)
        } else {
            u64::from(self.period_us) * (self.len().saturating_sub(1) as u64)
        };
        u64::from(self.offset_us).saturating_add(within)
    }
}

/// Reads the version and the flags, of which only `known` may be set.
pub(crate) fn header(reader: &mut Reader<'_>, known: u8) -> Result<u8, DecodeError> {
    let version = reader.u8("the version")?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let flags = reader.u8("the flags")?;
    if flags & !known != 0 {
        return Err(DecodeError::Value { what: "the flags", value: flags.into() });
    }
    Ok(flags)
}

/// The version of the format, first byte of stream and state.
pub(crate) const VERSION: u8 = 1;

const REPLAYED: u8 = 1 << 0;
