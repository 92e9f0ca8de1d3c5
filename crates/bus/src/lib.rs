//! MQTT as the house speaks it: topics, payloads, a publisher, a subscriber, and
//! the broker that comes with the house.
//!
//! - [`topic`]: every topic with its quality of service, in one file
//! - [`wire`], [`Message`], [`readings_from_batch`]: payloads, and what is refused
//! - [`Endpoint`], [`Publisher`], [`Subscriber`]: connections that mend themselves
//! - [`broker`]: the embedded broker
//!
//! What this crate refuses to know: what a reading means, who wears a device, what
//! is stored, and what is to be sent again. A publisher says honestly what became
//! of each message; its caller keeps what must not be lost.

mod access;
pub mod broker;
mod check;
mod connection;
mod endpoint;
mod error;
mod link;
mod message;
mod publisher;
mod readings;
mod subscriber;
pub mod topic;
pub mod wire;

pub use endpoint::{Endpoint, EndpointError, Tls};
pub use error::PayloadError;
pub use link::{PublishError, Sent};
pub use message::{Message, Publication};
pub use publisher::Publisher;
pub use readings::{BatchHead, batch_from_readings, readings_from_batch};
pub use subscriber::{AckToken, Delivery, SessionKind, Subscriber};
pub use topic::{Filter, Kind, Qos, partition};
