//! The recording of a breaker that is made from here: where it stands, what its key does, and what is said of it.

pub mod state;

pub(crate) mod update;
pub(crate) mod words;
