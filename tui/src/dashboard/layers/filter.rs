//! A filter that is being typed.

pub mod state;

pub(crate) mod draw;
pub(crate) mod update;
