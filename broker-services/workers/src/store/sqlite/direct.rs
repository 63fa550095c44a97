//! Connections for whoever reads the tables by itself, instead of through the port. What fails is a sentence.

use std::path::Path;

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

/// What failed, in a sentence.
pub(in crate::store) fn in_words(error: &rusqlite::Error) -> String {
    failure::in_words(error)
}
