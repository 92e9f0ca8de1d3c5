//! The vocabulary of the house: channels and their units, samples, readings,
//! identities, time, gaps and their causes, and a recording as it was worn.
//!
//! What this crate refuses to know: files, sockets, Bluetooth, MQTT, async, the
//! clock. Everything here is a value.

mod channel;
mod gap;
mod ids;
mod playback;
mod reading;
pub mod recording;
mod time;

pub use channel::{Channel, UnknownChannel};
pub use gap::{Gap, GapCause};
pub use ids::{DeviceId, GatewayId, IdError, PersonId, SiteId};
pub use reading::{Reading, ReadingError};
pub use time::{MICROS_PER_SECOND, Timestamp};
