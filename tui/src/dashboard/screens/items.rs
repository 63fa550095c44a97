//! The items, and what was ordered of the selected one.

pub mod state;

mod draw;
pub(crate) mod update;
