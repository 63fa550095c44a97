//! Load that is put on the desk from here, while one watches what it does.

pub mod state;

pub(crate) mod draw;
pub(crate) mod update;
