//! Short messages: what was sent, what was answered, and what can be sent again.

pub mod state;

pub(super) mod draw;
pub(super) mod words;
