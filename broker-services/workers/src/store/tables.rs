//! The tables of a store as they are, whichever engine has them, read over a connection that cannot write. Who reads them knows
//! nothing of what the rows mean.

mod cells;
mod postgres;
mod reader;
mod sqlite;

pub(crate) use cells::{Cell, Columns};
pub(crate) use reader::Reader;
