//! The gateway: reads wristbands over Bluetooth LE, keeps what they say until the store
//! has it, and publishes it, live readings first.
//!
//! - [`Config`] and [`run`]: all that is public;
//! - `radio`: the adapter, the scan, and what is done when either is stuck;
//! - `band`: one task and one `wristband::Session` per band, so that one band's trouble
//!   never touches another's; `link` is its connection;
//! - `collector`: what the bands say, several times a second, in one transaction into
//! - `spool`: the SQLite file that holds a batch until the *store* acknowledges it;
//! - `publisher`: from the spool to the broker, and the store's word back;
//! - `status`: where every band and the gateway stand.
//!
//! What this crate refuses to know: who wears a band, what a reading means, how the store
//! keeps it. It never deletes a batch for the broker's word alone.

mod band;
mod clock;
mod collector;
mod config;
mod link;
mod publisher;
mod radio;
mod service;
mod spool;
mod status;

pub use config::Config;
pub use service::run;
