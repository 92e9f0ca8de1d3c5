//! An evaluation to read: on a terminal, and in a browser.

mod again;
mod found;
mod html;
mod svg;
mod text;

pub(crate) use again::command;
pub(crate) use html::html;
pub(crate) use text::text;
