use uuid::Uuid;

use crate::bytes::Reader;
use crate::{BandState, DecodeError, HeartRateMeasurement, StreamPacket, state, uuids};

/// What a device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A wristband's samples.
    Stream(StreamPacket),
    /// A wristband's state.
    State(BandState),
    /// A strap's heart rate.
    HeartRate(HeartRateMeasurement),
    /// A battery level, 0 to 100.
    Battery(u8),
}

/// Reads the value of a characteristic, as notified or read.
///
/// # Errors
/// [`DecodeError`] says what is wrong with the bytes; no bytes make it panic.
pub fn decode(characteristic: Uuid, bytes: &[u8]) -> Result<Packet, DecodeError> {
    match characteristic {
        uuids::STREAM => StreamPacket::decode(bytes).map(Packet::Stream),
        uuids::STATE => BandState::decode(bytes).map(Packet::State),
        uuids::HEART_RATE_MEASUREMENT => HeartRateMeasurement::decode(bytes).map(Packet::HeartRate),
        uuids::BATTERY_LEVEL => battery_level(bytes).map(Packet::Battery),
        unknown => Err(DecodeError::UnknownCharacteristic(unknown)),
    }
}

fn battery_level(bytes: &[u8]) -> Result<u8, DecodeError> {
    let mut reader = Reader::new(bytes);
    let percent = state::percent(&mut reader)?;
    reader.end()?;
    Ok(percent)
}
