//! An evaluation to read: on a terminal, and in a browser.

mod html;
mod svg;
mod text;

pub(crate) use html::html;
pub(crate) use text::text;
