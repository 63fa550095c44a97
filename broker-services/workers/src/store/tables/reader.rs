//! Reads the tables of a store, whichever engine has them: they are the same, and so is what is asked of them.

use super::cells::Cell;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::table::Table;
use crate::config::StoreUrl;

/// A connection that cannot write. What fails is a sentence.
pub(crate) enum Reader {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Reader {
    pub(crate) fn open(url: &StoreUrl) -> Result<Self, String> {
        match url {
            StoreUrl::Sqlite(path) => Sqlite::open(path).map(Self::Sqlite),
            StoreUrl::Postgres(address) => Postgres::open(address).map(Self::Postgres),
        }
    }

    /// That everything is there that this version knows of.
    pub(in crate::store) fn check_whole(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(reader) => reader.check_whole(),
            // Each version completes what it finds before it is used.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// From here on everything is read as it is now.
    pub(crate) fn begin(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(reader) => reader.begin(),
            Self::Postgres(reader) => reader.begin(),
        }
    }

    /// From here on every read sees what is there when it is made.
    pub(crate) fn end(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(reader) => reader.end(),
            Self::Postgres(reader) => reader.end(),
        }
    }

    /// The page of `table` after the row `last`, or the first one; none where there is no more.
    pub(in crate::store) fn page(
        &self,
        table: &Table,
        last: Option<&[Cell]>,
    ) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(reader) => reader.page(table, last),
            Self::Postgres(reader) => reader.page(table, last),
        }
    }

    /// The rows that `sql` selects, with its parameters `$1`, `$2` and on, which stand in it in this order.
    pub(crate) fn rows(&self, sql: &'static str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(reader) => reader.rows(sql, parameters),
            Self::Postgres(reader) => reader.rows(sql, parameters),
        }
    }
}
