//! The accounts, and what was paid from the selected one.

pub mod state;

mod draw;
pub(crate) mod update;
