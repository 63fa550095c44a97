//! One order, whole.

pub(crate) mod draw;
pub mod state;
