//! The parked messages, and what can be done with them.

pub mod state;

mod draw;
pub(crate) mod update;
pub(crate) mod words;
