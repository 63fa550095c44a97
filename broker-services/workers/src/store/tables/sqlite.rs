//! The tables of a store in SQLite.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::cells::Cell;
use crate::store::sqlite::direct;

/// A file that is open.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    /// To be read.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        direct::open_to_look(path).map(Self)
    }

    /// A snapshot begins with the first read, so there is one.
    pub(super) fn begin(&self) -> Result<(), String> {
        self.batch("BEGIN; SELECT count(*) FROM meta;")
    }

    pub(super) fn end(&self) -> Result<(), String> {
        self.batch("COMMIT")
    }

    fn batch(&self, sql: &str) -> Result<(), String> {
        self.0.execute_batch(sql).map_err(|error| direct::in_words(&error))
    }

    pub(super) fn rows(&self, sql: &str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        let read = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(parameters))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
                found.push(cells.collect::<rusqlite::Result<Result<Vec<Cell>, String>>>()?);
            }
            Ok(found)
        };
        let found = read().map_err(|error: rusqlite::Error| direct::in_words(&error))?;
        found.into_iter().collect()
    }
}

/// The tables are strict: there is no other type in them than those of their columns.
fn cell(value: ValueRef<'_>) -> Result<Cell, String> {
    match value {
        ValueRef::Integer(number) => Ok(Cell::Number(number)),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(|_| "a text in it is not in UTF-8".to_owned())?;
            Ok(text.into())
        }
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err("a row of it has something that is neither a text nor a whole number".to_owned())
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
            Self::Null => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
        }
    }
}
