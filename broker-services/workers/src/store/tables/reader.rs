//! Reads the tables of a store, whichever engine has them: they are the same, and so is what is asked of them.

use super::cells::Cell;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
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

    /// The rows that `sql` selects, with its parameters `$1`, `$2` and on, which stand in it in this order.
    pub(crate) fn rows(&self, sql: &'static str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(reader) => reader.rows(sql, parameters),
            Self::Postgres(reader) => reader.rows(sql, parameters),
        }
    }
}
