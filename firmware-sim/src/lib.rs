//! Wristbands that are not there: bodies that live, firmware that samples and keeps,
//! and a Bluetooth presence that the real gateway talks to.
//!
//! - [`Scenario`]: what is played, from TOML;
//! - [`Simulation`]: the bands on a private D-Bus with a stand-in for bluetoothd;
//! - [`Command`] and [`Event`]: what is done to them and what they tell, as JSON lines;
//! - [`body`]: recordings played as they were worn, and simulated people.
//!
//! What this crate refuses to know: the gateway, and all that comes after it.

mod address;
mod bluez;
pub mod body;
mod command;
mod event;
mod firmware;
pub mod scenario;
mod simulation;
mod wearable;
mod world;

pub use address::Address;
pub use command::{BandFault, Command, RadioFault};
pub use event::{BandInfo, Event};
pub use scenario::Scenario;
pub use simulation::Simulation;
use wearable::Wearable;
