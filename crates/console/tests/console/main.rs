//! The console over real HTTP, with the real store in a folder of its own and the real
//! embedded broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod alerts;
mod bad_requests;
mod board;
mod house;
mod page;
mod pairing;
mod stream;
