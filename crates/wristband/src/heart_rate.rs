use crate::DecodeError;
use crate::bytes::Reader;

/// A value of the standard Heart Rate Measurement characteristic (0x2A37).
///
/// Bluetooth SIG, Heart Rate Service 1.0, section 3.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartRateMeasurement {
    /// Beats per minute; 0 where the sensor has none.
    pub beats_per_minute: u16,
    /// Whether skin contact is good; `None` where the sensor cannot tell.
    pub contact: Option<bool>,
    /// Energy spent since its last reset, kJ.
    pub energy_kj: Option<u16>,
    /// Intervals between beats, oldest first, 1/1024 s.
    pub intervals_1024: Vec<u16>,
    /// Bytes after the last field that is whole: a cut interval, or what a later
    /// version of the service may add.
    pub trailing_bytes: usize,
}

impl HeartRateMeasurement {
    /// Reads a measurement.
    ///
    /// # Errors
    /// [`DecodeError`] where the rate or the energy is cut off, or the value is longer
    /// than an attribute can be.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_ATTRIBUTE_BYTES {
            return Err(DecodeError::TooLong { length: bytes.len(), limit: MAX_ATTRIBUTE_BYTES });
        }
        let mut reader = Reader::new(bytes);
        let flags = reader.u8("the flags")?;
        let beats_per_minute = if flags & WIDE_RATE == 0 {
            reader.u8("the heart rate")?.into()
        } else {
            reader.u16("the heart rate")?
        };
        let contact = (flags & CONTACT_KNOWN != 0).then_some(flags & CONTACT != 0);
        let energy_kj =
            if flags & ENERGY == 0 { None } else { Some(reader.u16("the energy expended")?) };
        let mut intervals_1024 = Vec::new();
        while flags & INTERVALS != 0 && reader.left() >= 2 {
            intervals_1024.push(reader.u16("an interval")?);
        }
        let trailing_bytes = reader.left();
        Ok(Self { beats_per_minute, contact, energy_kj, intervals_1024, trailing_bytes })
    }

    /// The measurement's bytes, the rate in one byte where it fits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let narrow = u8::try_from(self.beats_per_minute);
        let mut bytes = vec![
            flag(narrow.is_err(), WIDE_RATE)
                | flag(self.contact.is_some(), CONTACT_KNOWN)
                | flag(self.contact == Some(true), CONTACT)
                | flag(self.energy_kj.is_some(), ENERGY)
                | flag(!self.intervals_1024.is_empty(), INTERVALS),
        ];
        match narrow {
            Ok(rate) => bytes.push(rate),
            Err(_) => bytes.extend(self.beats_per_minute.to_le_bytes()),
        }
        for field in self.energy_kj.iter().chain(&self.intervals_1024) {
            bytes.extend(field.to_le_bytes());
        }
        bytes
    }
}

const WIDE_RATE: u8 = 1 << 0;
const CONTACT: u8 = 1 << 1;
const CONTACT_KNOWN: u8 = 1 << 2;
const ENERGY: u8 = 1 << 3;
const INTERVALS: u8 = 1 << 4;

/// The longest value that an attribute can have.
const MAX_ATTRIBUTE_BYTES: usize = 512;
