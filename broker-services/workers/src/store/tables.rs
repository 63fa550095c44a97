//! The tables of a store as they are, whichever engine has them: read a page at a time over a connection that cannot write, and
//! filled in one transaction where there is nothing yet. Who reads or fills them knows nothing of what the rows mean.

mod cells;
mod filler;
mod part;
mod postgres;
mod reader;
mod sqlite;
mod table;

pub(crate) use cells::{Cell, Columns};
pub(super) use filler::{Filler, NotFilled};
pub(crate) use reader::Reader;
pub(super) use table::{TABLES, Table};
