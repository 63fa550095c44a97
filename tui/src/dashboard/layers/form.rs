//! Forms: an order, a top-up, a restock.

pub mod state;

pub(crate) mod draw;
pub(crate) mod update;
