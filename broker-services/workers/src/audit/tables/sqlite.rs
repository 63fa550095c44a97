//! A store in SQLite, as the audit reads it.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use super::cells::Cell;

/// How long to wait for a checkpoint of somebody else's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages cached by a connection, in KiB.
const CACHE_KIB: i64 = 16_384;

/// A file, open to be read.
pub(super) struct Sqlite(Connection);

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        if !path.is_file() {
            let cause = "there is no such file; run the audit where the stores are, or say where with \
                         order.store.url, deposit.store.url and item.store.url";
            return Err(cause.to_owned());
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            Ok(Self(connection))
        });
        opened.map_err(|error| error.to_string())
    }

    /// A snapshot begins with the first read, so there is one.
    pub(super) fn begin(&self) -> Result<(), String> {
        self.batch("BEGIN; SELECT count(*) FROM meta;")
    }

    pub(super) fn end(&self) -> Result<(), String> {
        self.batch("COMMIT")
    }

    fn batch(&self, sql: &str) -> Result<(), String> {
        self.0.execute_batch(sql).map_err(|error| error.to_string())
    }

    pub(super) fn rows(&self, sql: &str, parameters: &[Cell]) -> Result<Vec<Vec<Cell>>, String> {
        let read = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map(params_from_iter(parameters), |row| {
                (0..columns).map(|column| row.get_ref(column).map(cell)).collect()
            })?;
            rows.collect::<rusqlite::Result<Vec<Vec<Cell>>>>()
        };
        read().map_err(|error| error.to_string())
    }
}

/// The tables are strict: there is no other type in them than those of their columns.
fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(number) => Cell::Number(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Real(real) => Cell::Text(real.to_string()),
        ValueRef::Null => Cell::Text(String::new()),
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
        }
    }
}
