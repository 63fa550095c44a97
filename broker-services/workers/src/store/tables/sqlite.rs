//! The tables of a store in SQLite.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::cells::Cell;
use super::table::{PAGE_BYTES, Table};
use crate::store::sqlite::direct;

/// A file that is open.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    /// To be read.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        direct::open_to_look(path).map(Self)
    }

    /// To be filled: within a transaction.
    pub(super) const fn over(connection: Connection) -> Self {
        Self(connection)
    }

    pub(super) fn check_whole(&self) -> Result<(), String> {
        if direct::is_complete(&self.0)? {
            return Ok(());
        }
        Err("an older version has written it, and this one has never worked on it. Start its worker once, and stop it".to_owned())
    }

    /// A snapshot begins with the first read, so there is one.
    pub(super) fn begin(&self) -> Result<(), String> {
        self.batch("BEGIN; SELECT count(*) FROM meta;")
    }

    pub(super) fn end(&self) -> Result<(), String> {
        self.batch("COMMIT")
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), String> {
        self.0.execute_batch(sql).map_err(|error| direct::in_words(&error))
    }

    pub(super) fn rows(&self, sql: &str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        self.rows_up_to(i64::MAX, sql, parameters)
    }

    /// The page of `table` after the row `last`.
    pub(super) fn page(&self, table: &Table, last: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, String> {
        let (sql, parameters) = table.page_after(last);
        self.rows_up_to(PAGE_BYTES, sql, &parameters)
    }

    /// The first rows, until their texts have so many bytes.
    fn rows_up_to(&self, bytes: i64, sql: &str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        let mut left = bytes;
        let mut read = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(parameters))?;
            let mut found = Vec::new();
            while left > 0
                && let Some(row) = rows.next()?
            {
                let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
                let cells = cells.collect::<rusqlite::Result<Result<Vec<Cell>, String>>>()?;
                left = left.saturating_sub(cells.iter().flatten().map(Cell::bytes).sum());
                found.push(cells);
            }
            Ok(found)
        };
        let found = read().map_err(|error: rusqlite::Error| direct::in_words(&error))?;
        found.into_iter().collect()
    }

    /// Adds `rows` to `table`.
    pub(super) fn insert(&self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), String> {
        let insert = || {
            let mut statement = self.0.prepare_cached(table.into_sqlite)?;
            rows.iter().try_for_each(|row| statement.execute(params_from_iter(row)).map(drop))
        };
        insert().map_err(|error| direct::in_words(&error))
    }

    /// Ends the connection, and says whether everything has come to the file.
    pub(super) fn close(self) -> Result<(), String> {
        self.0.close().map_err(|(_, error)| direct::in_words(&error))
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
