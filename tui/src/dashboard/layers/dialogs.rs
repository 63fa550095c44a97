//! Menus, and questions that are asked before something is done.

pub mod state;

pub(crate) mod draw;
pub(crate) mod update;
