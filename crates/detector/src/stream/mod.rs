//! One file per sensor: from samples in the order of time to what windows are made of.

mod agreement;
mod breath;
mod bridge;
mod frozen;
mod gravity;
mod heart;
mod means;
mod motion;
mod pulse;
mod rate;
mod rest;
mod rhythm;
mod ring;
mod skin;
mod temperature;
mod trend;

pub(crate) use frozen::Frozen;
pub(crate) use heart::{AGREED, Heart};
pub(crate) use motion::Motion;
pub(crate) use skin::Skin;
pub(crate) use temperature::Temperature;

/// The window that features rest on, us.
const WINDOW_US: i64 = 60_000_000;
