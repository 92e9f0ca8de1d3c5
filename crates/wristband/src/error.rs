use biosignal::{Channel, UnknownChannel};
use uuid::Uuid;

/// Bytes that are not what their characteristic should carry. The packet is lost; the
/// session goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No profile has the characteristic.
    #[error("characteristic {0} is in no profile")]
    UnknownCharacteristic(Uuid),
    /// The bytes end before the packet does.
    #[error("truncated at byte {length}, before {what}")]
    Truncated {
        /// How many bytes there are.
        length: usize,
        /// The field that is not there.
        what: &'static str,
    },
    /// More bytes than the packet has, or may have.
    #[error("{length} bytes where {limit} would do")]
    TooLong {
        /// How many bytes there are.
        length: usize,
        /// How many there can be.
        limit: usize,
    },
    /// The check sum does not fit the bytes before it.
    #[error("check sum {found:#06x} where the bytes make {expected:#06x}")]
    CheckSum {
        /// The sum that came.
        found: u16,
        /// The sum of the bytes that came.
        expected: u16,
    },
    /// A format that this code does not speak.
    #[error("format version {0}")]
    Version(u8),
    /// A channel that is not in the vocabulary.
    #[error(transparent)]
    Channel(#[from] UnknownChannel),
    /// A channel that comes twice in one packet.
    #[error("{0} comes twice")]
    Repeated(Channel),
    /// A field whose value cannot be.
    #[error("{what} cannot be {value}")]
    Value {
        /// The field.
        what: &'static str,
        /// What it holds.
        value: u64,
    },
}

/// A packet that cannot be put into bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More bytes than a notification carries: [`crate::packets`] splits.
    #[error("{length} bytes where a packet has at most {limit}")]
    TooLong {
        /// How many bytes it would have.
        length: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A packet that nobody could decode.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}
