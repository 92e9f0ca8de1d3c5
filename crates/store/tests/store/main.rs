//! The store as its callers see it: real files, several handles, processes that die.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stdout, reason = "a process tells its test what it has done")]

mod alerts;
mod append;
mod death;
mod decisions;
mod identities;
mod ledger;
mod opening;
mod sharing;
mod world;
