//! Connections for whoever reads or fills the tables by itself, instead of through the port. What fails is a sentence.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::failure::{self, Failure};
use super::{connection, schema};

/// A store, to be read by whoever has no right to write.
pub(in crate::store) fn open_to_look(path: &Path) -> Result<Connection, String> {
    let opened = connection::open_to_look(path).and_then(|connection| {
        if schema::is_prepared(&connection)? {
            return Ok(connection);
        }
        Err(Failure::Unusable("there is no store in it".to_owned()))
    });
    opened.map_err(Failure::in_words)
}

/// Whether everything is in it that this version writes; an older one may have made it.
pub(in crate::store) fn is_complete(connection: &Connection) -> Result<bool, String> {
    schema::is_complete(connection).map_err(Failure::in_words)
}

/// An empty store in the empty file `path`, which nobody else has: see [`connection::open_to_fill`].
pub(in crate::store) fn make_anew(path: &Path) -> Result<Connection, String> {
    begin(connection::open_to_fill(path)).map_err(Failure::in_words)
}

/// Whether there is nothing in the file `path` that could be lost. It is left as it is, and so are the files beside it.
pub(in crate::store) fn is_unused(path: &Path) -> Result<bool, String> {
    let look = || {
        let connection = connection::open_as_it_lies(path)?;
        if !schema::is_prepared(&connection)? {
            return Ok(true);
        }
        schema::is_empty(&connection)
    };
    look().map_err(Failure::in_words)
}

/// The store in the file `path`, which is there, within a transaction that has the write lock; whether it is empty.
pub(in crate::store) fn open_to_fill(path: &Path) -> Result<(Connection, bool), String> {
    let opened = begin(connection::open_file(path, connection::Missing::Refused));
    let opened = opened.and_then(|connection| {
        let is_empty = schema::is_empty(&connection)?;
        Ok((connection, is_empty))
    });
    opened.map_err(Failure::in_words)
}

/// Begins a transaction in which the tables are there.
fn begin(opened: Result<Connection, Failure>) -> Result<Connection, Failure> {
    let connection = opened?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    schema::make(&connection)?;
    schema::complete(&connection)?;
    Ok(connection)
}

/// Makes `directory` so that it survives a power cut.
pub(in crate::store) fn create_directory(directory: &Path) -> Result<(), String> {
    connection::create_directory(directory)
        .map_err(|error| format!("its directory {} cannot be created: {error}", directory.display()))
}

/// The file of SQLite's beside `path` whose name ends in `suffix`.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    connection::beside(path, suffix)
}

/// What failed, in a sentence.
pub(in crate::store) fn in_words(error: &rusqlite::Error) -> String {
    failure::in_words(error)
}
