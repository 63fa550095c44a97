//! The command palette: everything that can be done here, found by its name.

pub(super) mod commands;
pub(crate) mod draw;
pub mod state;
pub(crate) mod update;
