//! The orders: a table that follows the newest, and one of them whole.

pub mod columns;
pub mod detail;
pub mod filter;
pub mod state;

pub(super) mod beside;
mod draw;
pub(super) mod row;
pub(crate) mod update;
