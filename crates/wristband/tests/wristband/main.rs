//! Bytes in, actions out: the codec, the page that describes it, and whole conversations.

mod anything;
mod band;
mod codec;
mod model;
mod page;
mod stage;
mod strap;
