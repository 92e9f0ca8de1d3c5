use crate::bytes::{Reader, put_check_sum};
use crate::stream::{VERSION, header};
use crate::{DecodeError, MAX_PACKET_BYTES};

/// Earlier epochs that a band keeps and tells of, at most.
pub const MAX_EARLIER_EPOCHS: usize = 7;

/// What a band is doing, and what its flash holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BandState {
    /// The band's count of its boots.
    pub epoch: u32,
    /// The newest packet's number; 0 before the first of the epoch.
    pub newest_sequence: u32,
    /// The oldest packet of the epoch that flash still holds; one more than the newest
    /// where it holds none.
    pub oldest_sequence: u32,
    /// The band's clock as the state was made, microseconds since its boot.
    pub device_time_us: u64,
    /// Battery level, 0 to 100.
    pub battery_percent: u8,
    /// Whether packets are sent as they are made.
    pub streaming: bool,
    /// Whether the band is on a wrist.
    pub on_wrist: bool,
    /// Epochs before this one that flash still holds something of, newest first, at
    /// most [`MAX_EARLIER_EPOCHS`].
    pub earlier: Vec<EarlierEpoch>,
}

/// What flash holds of an epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierEpoch {
    /// The epoch.
    pub epoch: u32,
    /// The oldest packet that is held.
    pub oldest_sequence: u32,
    /// The newest packet that was made.
    pub newest_sequence: u32,
    /// When the newest packet ended, on that epoch's clock.
    pub end_us: u64,
    /// UTC minus that epoch's clock, as a gateway last set it; `None` if none did.
    pub utc_offset_us: Option<i64>,
}

impl BandState {
    /// The state's bytes, at most [`MAX_PACKET_BYTES`]. Earlier epochs beyond
    /// [`MAX_EARLIER_EPOCHS`] are left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut bytes = Vec::with_capacity(MAX_PACKET_BYTES);
        bytes.extend([VERSION, flag(self.streaming, STREAMING) | flag(self.on_wrist, ON_WRIST)]);
        bytes.push(self.battery_percent);
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.oldest_sequence.to_le_bytes());
        bytes.extend(self.newest_sequence.to_le_bytes());
        bytes.extend(self.device_time_us.to_le_bytes());
        let told = &self.earlier[..self.earlier.len().min(MAX_EARLIER_EPOCHS)];
        bytes.push(u8::try_from(told.len()).unwrap_or(0));
        for earlier in told {
            earlier.put(&mut bytes);
        }
        put_check_sum(&mut bytes);
        bytes
    }

    /// Reads a state.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::checked(bytes, MAX_PACKET_BYTES)?;
        let flags = header(&mut reader, STREAMING | ON_WRIST)?;
        let battery_percent = percent(&mut reader)?;
        let epoch = reader.u32("the epoch")?;
        let (oldest_sequence, newest_sequence) = held(&mut reader)?;
        let device_time_us = reader.device_time("the device time")?;
        let count = reader.u8("the number of earlier epochs")?;
        if usize::from(count) > MAX_EARLIER_EPOCHS {
            let value = count.into();
            return Err(DecodeError::Value { what: "the number of earlier epochs", value });
        }
        let earlier =
            (0..count).map(|_| EarlierEpoch::take(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self {
            epoch,
            newest_sequence,
            oldest_sequence,
            device_time_us,
            battery_percent,
            streaming: flags & STREAMING != 0,
            on_wrist: flags & ON_WRIST != 0,
            earlier,
        })
    }
}

impl EarlierEpoch {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.oldest_sequence.to_le_bytes());
        bytes.extend(self.newest_sequence.to_le_bytes());
        bytes.extend(self.end_us.to_le_bytes());
        bytes.extend(self.utc_offset_us.unwrap_or(UNSET).to_le_bytes());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let epoch = reader.u32("an earlier epoch")?;
        let (oldest_sequence, newest_sequence) = held(reader)?;
        let end_us = reader.device_time("the end of an epoch")?;
        let utc_offset_us = Some(reader.i64("a UTC offset")?).filter(|offset| *offset != UNSET);
        if let Some(offset) = utc_offset_us.filter(|offset| !UTC_OFFSETS.contains(offset)) {
            let value = offset.cast_unsigned();
            return Err(DecodeError::Value { what: "a UTC offset", value });
        }
        Ok(Self { epoch, oldest_sequence, newest_sequence, end_us, utc_offset_us })
    }
}

/// Reads a percentage.
pub(crate) fn percent(reader: &mut Reader<'_>) -> Result<u8, DecodeError> {
    match reader.u8("the battery level")? {
        percent @ 0..=100 => Ok(percent),
        value => Err(DecodeError::Value { what: "the battery level", value: value.into() }),
    }
}

fn held(reader: &mut Reader<'_>) -> Result<(u32, u32), DecodeError> {
    let oldest = reader.u32("the oldest sequence number")?;
    let newest = reader.u32("the newest sequence number")?;
    if oldest == 0 || oldest > newest.saturating_add(1) {
        return Err(DecodeError::Value {
            what: "the oldest sequence number",
            value: oldest.into(),
        });
    }
    Ok((oldest, newest))
}

const STREAMING: u8 = 1 << 0;
const ON_WRIST: u8 = 1 << 1;
const UNSET: i64 = i64::MIN;
/// A boot between 1970 and 2255.
const UTC_OFFSETS: std::ops::RangeInclusive<i64> = 0..=1 << 53;
