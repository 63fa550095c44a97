//! What happens, as it happens.

pub mod state;

mod draw;
pub(crate) mod update;
