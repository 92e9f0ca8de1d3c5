//! What goes over Bluetooth: the GATT profiles, their bytes, and the conversation
//! with a device.
//!
//! - [`Profile`] and [`uuids`]: which devices are known, and what to subscribe to and read;
//! - [`decode`] and [`Packet`]: bytes of a characteristic to values, and back;
//! - [`Session`]: what to make of those values over time: sequence numbers, holes and
//!   their replay, the device's clock. It lives across reconnects, and its [`Cursor`]
//!   across restarts.
//!
//! `PROFILE.md` beside this crate describes the wristband to those who build one.
//!
//! What this crate refuses to know: radios, D-Bus, files, async, the clock, persons.
//! Time comes in as an argument, and what should be done goes out as a value.

mod bytes;
mod command;
mod error;
mod heart_rate;
mod packet;
mod profile;
mod samples;
mod session;
mod split;
mod state;
mod stream;
pub mod uuids;

pub use command::Command;
pub use error::{DecodeError, EncodeError};
pub use heart_rate::HeartRateMeasurement;
pub use packet::{Packet, decode};
pub use profile::Profile;
pub use session::{Action, ClockEstimate, Cursor, Event, Session};
pub use split::packets;
pub use state::{BandState, EarlierEpoch, MAX_EARLIER_EPOCHS};
pub use stream::{Block, MAX_PACKET_BYTES, StreamPacket};
