//! The real btleplug against the simulated bands: discovery, streams, replay and faults.

mod central;
mod faults;
mod play;
mod program;
mod rig;
