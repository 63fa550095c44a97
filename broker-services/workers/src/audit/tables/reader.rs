//! Reads the tables of a store, whichever engine has them: they are the same, and so is what is asked of them.

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use crate::config::StoreUrl;

/// A text or a number: there is nothing else in the tables that are audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Number(i64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The columns of a row, taken one after the other.
pub(super) struct Columns(std::vec::IntoIter<Cell>);

impl Columns {
    pub(super) fn of(row: Vec<Cell>) -> Self {
        Self(row.into_iter())
    }

    /// The next one, which is a text. What is none would be one that nobody has written, and differs from everything.
    pub(super) fn text(&mut self) -> String {
        match self.0.next() {
            Some(Cell::Text(text)) => text,
            Some(Cell::Number(number)) => number.to_string(),
            None => String::new(),
        }
    }

    /// The next one, which is a number.
    pub(super) fn number(&mut self) -> i64 {
        match self.0.next() {
            Some(Cell::Number(number)) => number,
            Some(Cell::Text(_)) | None => i64::MIN,
        }
    }
}

/// A connection that cannot write. What fails is a sentence.
pub(super) enum Reader {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Reader {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, String> {
        match url {
            StoreUrl::Sqlite(path) => Sqlite::open(path).map(Self::Sqlite),
            StoreUrl::Postgres(address) => Postgres::open(address).map(Self::Postgres),
        }
    }

    /// From here on everything is read as it is now.
    pub(super) fn begin(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(reader) => reader.begin(),
            Self::Postgres(reader) => reader.begin(),
        }
    }

    /// From here on every read sees what is there when it is made.
    pub(super) fn end(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(reader) => reader.end(),
            Self::Postgres(reader) => reader.end(),
        }
    }

    /// The rows that `sql` selects, with its parameters `$1`, `$2` and on.
    pub(super) fn rows(&self, sql: &'static str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Sqlite(reader) => reader.rows(sql, parameters),
            Self::Postgres(reader) => reader.rows(sql, parameters),
        }
    }
}
