//! What care staff see, and what they say: live cards and alerts on tablets, people and
//! their wristbands, accounts with roles.
//!
//! - [`rules`]: every address, who may use it, what the audit keeps; nothing is reached
//!   but by this table
//! - `board`: the state of every card, pure; never calm on stale data
//! - `live`, `rebuild`: the board, from the broker and, at the start, from the store
//! - `intake`, `desk`, `events`: alerts, kept before they are told, told in server order,
//!   to a tablet that was away exactly what it missed
//! - `publish`: who wears what, for the detector
//! - `session`, `access`, `attempts`, `password`: who is let in
//! - `page`: the tablet app of `web/`, embedded
//!
//! What this crate refuses to know: how a finding was made, how a reading is stored, and
//! Bluetooth. It decides nothing about a person; it says what it cannot see.

mod access;
mod accounts;
mod alert_view;
mod alerts;
mod app;
mod assignments;
mod attempts;
mod board;
mod body;
mod caller;
mod cards;
mod config;
mod desk;
mod devices;
mod directory;
mod door;
mod events;
mod failure;
mod headers;
mod health;
mod heard;
mod intake;
mod live;
mod lock;
mod moment;
mod news;
mod page;
mod password;
mod people;
mod publish;
mod rebuild;
mod routes;
mod server;
mod session;
mod setup;
mod signals;

use biosignal::SiteId;
use bus::Endpoint;
use store::Store;
use tokio_util::sync::CancellationToken;

pub use config::{Config, Tls};
pub use routes::{Rule, rules};
pub use server::Console;

/// Runs the console until shutdown.
///
/// # Errors
/// Where it cannot start, or a part of it ends that should not.
pub async fn run(
    config: Config,
    site: SiteId,
    store: Store,
    endpoint: Endpoint,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    Console::open(config, site, store, endpoint, shutdown).await?.serve().await
}
