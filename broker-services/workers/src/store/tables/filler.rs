//! Fills the tables of an empty store, whichever engine has them: all of it in one transaction, or nothing.

use std::path::Path;

use super::cells::Cell;
use super::part::Part;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::table::Table;
use crate::config::StoreUrl;
use crate::store::sqlite::direct;

/// Whether anything is in it that could be lost. A store in which somebody has begun an incarnation is known to others.
const IS_USED: &str = "
    SELECT 1 WHERE EXISTS (SELECT 1 FROM aggregates) OR EXISTS (SELECT 1 FROM events)
        OR EXISTS (SELECT 1 FROM unsent) OR EXISTS (SELECT 1 FROM openings)";
/// What its tables came with, and what it is called instead comes with the rest.
const FORGET: &str = "DELETE FROM meta WHERE key <> 'schema_version'";
/// In what a failed commit ends that was on its way to a server.
const UNKNOWN: &str =
    "Whether it was committed is not known: begin again, and if it was, that says that there is something";

/// A store that is being filled. Unless it is committed, nothing of that remains.
pub(in crate::store) enum Filler {
    /// A file that is whole only in the end; the connection ends before it.
    Part(Sqlite, Part),
    /// A file that was there, with nothing in it.
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Why a store cannot be filled.
#[derive(Debug)]
pub(in crate::store) enum NotFilled {
    /// There is something in it.
    Taken,
    /// It cannot be written: a sentence.
    Failed(String),
}

impl From<String> for NotFilled {
    fn from(cause: String) -> Self {
        Self::Failed(cause)
    }
}

impl Filler {
    /// Begins with the store at `url`, which has to be empty, and is made if it is not there.
    pub(in crate::store) fn begin(url: &StoreUrl) -> Result<Self, NotFilled> {
        let filler = match url {
            StoreUrl::Sqlite(path) => Self::begin_sqlite(path)?,
            StoreUrl::Postgres(address) => {
                let postgres = Postgres::open_to_fill(address)?;
                if !postgres.rows(IS_USED, &[])?.is_empty() {
                    return Err(NotFilled::Taken);
                }
                Self::Postgres(postgres)
            }
        };
        filler.batch(FORGET)?;
        Ok(filler)
    }

    fn begin_sqlite(path: &Path) -> Result<Self, NotFilled> {
        if !path.exists() {
            let part = Part::begin(path)?;
            let connection = direct::make_anew(part.path())?;
            return Ok(Self::Part(Sqlite::over(connection), part));
        }
        // It is looked at before it is opened to write, which would change what is another program's.
        if !direct::is_unused(path)? {
            return Err(NotFilled::Taken);
        }
        match direct::open_to_fill(path)? {
            (connection, true) => Ok(Self::Sqlite(Sqlite::over(connection))),
            (_, false) => Err(NotFilled::Taken),
        }
    }

    /// Adds `rows` to `table`.
    pub(in crate::store) fn insert(&self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<(), String> {
        match self {
            Self::Part(sqlite, _) | Self::Sqlite(sqlite) => sqlite.insert(table, &rows),
            Self::Postgres(postgres) => postgres.insert(table, rows),
        }
    }

    /// What is in `table` by now, page by page, as a reader has it.
    pub(in crate::store) fn page(
        &self,
        table: &Table,
        last: Option<&[Cell]>,
    ) -> Result<Vec<Vec<Cell>>, String> {
        match self {
            Self::Part(sqlite, _) | Self::Sqlite(sqlite) => sqlite.page(table, last),
            Self::Postgres(postgres) => postgres.page(table, last),
        }
    }

    /// Has it there for everybody, also after a crash.
    pub(in crate::store) fn commit(self) -> Result<(), String> {
        match self {
            Self::Part(sqlite, part) => {
                sqlite.batch("COMMIT")?;
                sqlite.close()?;
                part.put_in_place()
            }
            Self::Sqlite(sqlite) => {
                sqlite.batch("COMMIT")?;
                sqlite.close()
            }
            Self::Postgres(postgres) => {
                postgres.batch("COMMIT").map_err(|cause| format!("{cause}. {UNKNOWN}"))
            }
        }
    }

    fn batch(&self, sql: &'static str) -> Result<(), String> {
        match self {
            Self::Part(sqlite, _) | Self::Sqlite(sqlite) => sqlite.batch(sql),
            Self::Postgres(postgres) => postgres.batch(sql),
        }
    }
}
