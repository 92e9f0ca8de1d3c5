//! Everything that is kept. `Ok` from an act that changes something means that it is on
//! the disk.
//!
//! - [`Batch`], [`Appended`]: what the recorder brings, once or often, in any order
//! - [`DeviceAck`]: what a gateway may delete, and what it is to send again
//! - [`Scan`]: readings of a device or a person, each once
//! - [`LedgerEntry`], [`Account`]: missing time with its causes
//! - [`Decision`], [`Snapshot`]: what the detector decided, and where it stood
//! - [`Person`], [`Assignment`]: who there is, and who wears what
//! - [`Alert`], [`AlertEvent`]: what was raised, who goes, what came of it, in server order
//! - [`User`], [`Session`], [`AuditEntry`]: who may look, and who did
//!
//! Readings carry their device alone; a person is found by the assignments. Names live in
//! a file of their own, `identities.sqlite`, which its owner alone can read.
//!
//! What this crate refuses to know: MQTT, HTTP, what a payload's bytes say, what a
//! snapshot or a password hash is made of, and what anything means for care.

mod accounts;
mod alert_acts;
mod alerts;
mod append;
mod assignments;
mod audit;
mod batches;
mod database;
mod decisions;
mod error;
mod fits;
mod gaps;
mod health;
mod people;
mod received;
mod rows;
mod samples;
mod scan;
mod sessions;
mod store;
mod users;
mod words;

pub use accounts::{Account, CauseShare};
pub use alert_acts::Acknowledged;
pub use alerts::{
    Alert, AlertEvent, AlertEventKind, AlertLevel, AlertRecord, AlertState, Outcome, Reason,
};
pub use append::{Appended, Quarantined};
pub use assignments::{Assignment, Wearing};
pub use audit::{AuditCheck, AuditEntry};
pub use batches::Batch;
pub use decisions::{Decision, DecisionKind, Snapshot, StoredAlert, StoredAssessment};
pub use error::{Refusal, StoreError};
pub use gaps::{LedgerEntry, PacketRange};
pub use health::{DeviceSeen, Health};
pub use people::Person;
pub use received::DeviceAck;
pub use scan::{Of, Scan};
pub use sessions::Session;
pub use store::Store;
pub use users::{Role, User, UserId};
pub use words::UnknownWord;
