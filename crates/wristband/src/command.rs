use biosignal::Timestamp;

use crate::DecodeError;
use crate::bytes::Reader;

/// What a gateway asks of a band, written with response to the control point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tells the band what time it is.
    SetTime {
        /// UTC as it is written.
        utc: Timestamp,
    },
    /// Send packets as they are made.
    Start,
    /// Only keep them.
    Stop,
    /// Send from flash again.
    Replay {
        /// The epoch to send from.
        epoch: u32,
        /// First packet.
        from: u32,
        /// Last packet.
        through: u32,
    },
    /// Show a light, so that somebody can tell which band this is.
    Identify,
}

impl Command {
    /// The command's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::SetTime { utc } => {
                let mut bytes = vec![SET_TIME];
                bytes.extend(utc.as_micros().to_le_bytes());
                bytes
            }
            Self::Start => vec![START],
            Self::Stop => vec![STOP],
            Self::Replay { epoch, from, through } => {
                let mut bytes = vec![REPLAY];
                for field in [epoch, from, through] {
                    bytes.extend(field.to_le_bytes());
                }
                bytes
            }
            Self::Identify => vec![IDENTIFY],
        }
    }

    /// Reads a command.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let command = match reader.u8("the command")? {
            SET_TIME => Self::SetTime { utc: Timestamp::from_micros(reader.i64("the time")?) },
            START => Self::Start,
            STOP => Self::Stop,
            REPLAY => replay(&mut reader)?,
            IDENTIFY => Self::Identify,
            value => return Err(DecodeError::Value { what: "the command", value: value.into() }),
        };
        reader.end()?;
        Ok(command)
    }
}

fn replay(reader: &mut Reader<'_>) -> Result<Command, DecodeError> {
    let epoch = reader.u32("the epoch")?;
    let from = reader.u32("the first sequence number")?;
    let through = reader.u32("the last sequence number")?;
    if from == 0 || from > through {
        return Err(DecodeError::Value { what: "the first sequence number", value: from.into() });
    }
    Ok(Command::Replay { epoch, from, through })
}

const SET_TIME: u8 = 1;
const START: u8 = 2;
const STOP: u8 = 3;
const REPLAY: u8 = 4;
const IDENTIFY: u8 = 5;
