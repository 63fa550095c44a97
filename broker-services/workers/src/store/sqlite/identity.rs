//! Which store this is, and which file: what tells it from a copy of itself, and from what stands in its place.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use skstore_domain::checkpoint::{Began, LogHead, LogId, MAX_INCARNATIONS};

use super::failure::Failure;
use super::{connection, read, schema};

/// What the functions below ask, by themselves so that a test can look at SQLite's plan for each.
#[cfg(test)]
pub(super) const QUERIES: &[&str] = &[BOTH, INCARNATION, INCARNATIONS, FIRST_UNSENT];

const INCARNATION: &str = "SELECT id FROM openings WHERE number = (SELECT max(number) FROM openings)";
const BOTH: &str = "
    SELECT value, id FROM meta, openings
    WHERE key = 'store_id' AND number = (SELECT max(number) FROM openings)";
/// The newest ones, the newest last.
const INCARNATIONS: &str = "
    SELECT id, since_seq FROM openings
    WHERE number > (SELECT max(number) FROM openings) - ?1 ORDER BY number";
const FIRST_UNSENT: &str = "SELECT min(seq) FROM unsent";

/// A file as it was opened, and the one beside it that has its newest entries, which SQLite leaves there for as long as it has
/// the first one open.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    wal: PathBuf,
    of_file: Inode,
    of_wal: Cell<Option<Inode>>,
}

/// Its device, and its number there.
type Inode = (u64, u64);

fn inode(path: &Path) -> io::Result<Inode> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

impl OpenFile {
    /// The file at `path`, which is open.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        // As SQLite has opened it, wherever this process goes meanwhile.
        let path = std::path::absolute(path)?;
        let (wal, of_file) = (connection::beside(&path, "-wal"), inode(&path)?);
        Ok(Self { path, wal, of_file, of_wal: Cell::new(None) })
    }

    /// Fails unless it is still there under its name: what is committed to another is lost, or is nobody's.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match inode(&self.path) {
            Ok(found) if found == self.of_file => self.check_wal(),
            Ok(_) => Err(Failure::Unusable(
                "another file was put in its place while it was in use. Put the old one back; or, to use that one, end this \
                 worker, remove the files beside it whose names end in -wal and -shm, and start it again"
                    .to_owned(),
            )),
            Err(error) => Err(Failure::Unusable(format!(
                "its file was moved or deleted while it was in use ({error}). Put it back, or restart this worker to begin \
                 with what is there"
            ))),
        }
    }

    fn check_wal(&self) -> Result<(), Failure> {
        let found = inode(&self.wal).ok();
        match self.of_wal.get() {
            // Made with the first transaction.
            None => self.of_wal.set(found),
            known if known == found => {}
            Some(_) => {
                return Err(Failure::Unusable(format!(
                    "the file beside it that has its newest entries ({}) was moved, deleted or replaced while it was in use. Put \
                     it back, or restart this worker to go on with what is left",
                    self.wal.display()
                )));
            }
        }
        Ok(())
    }
}

/// Begins an incarnation of the store: each opening is one, also if it writes nothing, and the last some dozens are kept. One
/// that is a copy remembers from when on, and how far it went. It gets an identity if it has none: versions that knew of none have made it.
pub(super) fn begin(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::complete(&transaction)?;
    transaction.execute_batch(
        "DELETE FROM openings WHERE number <= (SELECT max(number) FROM openings) - 64;
         INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', lower(hex(randomblob(16))));
         INSERT INTO openings (since_seq, id)
             SELECT coalesce(max(seq), 0) + 1, lower(hex(randomblob(16))) FROM events;
         INSERT OR REPLACE INTO meta (key, value)
             SELECT 'restored_seq', (SELECT coalesce(max(seq), 0) FROM events) FROM meta WHERE key = 'copied_at';
         INSERT OR REPLACE INTO meta (key, value)
             SELECT 'restored_from', value FROM meta WHERE key = 'copied_at';
         DELETE FROM meta WHERE key = 'copied_at';",
    )?;
    Ok(transaction.commit()?)
}

/// See [`Store::identity`](crate::store::Store::identity).
pub(super) fn identity(connection: &Connection) -> Result<Option<LogId>, Failure> {
    let Some(store) = store_id(connection)? else { return Ok(None) };
    let incarnation = connection.prepare_cached(INCARNATION)?.query_row([], |row| row.get(0))?;
    Ok(Some(LogId { store, incarnation }))
}

/// The same, of a store that somebody has opened to write: with each commit of events.
pub(super) fn of_a_writer(connection: &Connection) -> Result<Option<LogId>, Failure> {
    let mut both = connection.prepare_cached(BOTH)?;
    Ok(both.query_row([], |row| Ok(LogId { store: row.get(0)?, incarnation: row.get(1)? })).optional()?)
}

/// None until the first incarnation begins, whose table is made together with it.
fn store_id(connection: &Connection) -> Result<Option<String>, Failure> {
    let mut store = connection.prepare_cached("SELECT value FROM meta WHERE key = 'store_id'")?;
    Ok(store.query_row([], |row| row.get(0)).optional()?)
}

/// See [`Store::head`](crate::store::Store::head).
pub(super) fn head(connection: &mut Connection) -> Result<Option<LogHead>, Failure> {
    // One read transaction, so that all of it is true at once.
    let transaction = connection.transaction()?;
    let Some(store) = store_id(&transaction)? else { return Ok(None) };
    let mut incarnations = incarnations(&transaction)?;
    let Some(Began { incarnation, since_seq }) = incarnations.pop() else { return Ok(None) };
    let last_seq = read::last_seq(&transaction)?;
    let first_unsent: Option<i64> =
        transaction.prepare_cached(FIRST_UNSENT)?.query_row([], |row| row.get(0))?;
    let sent_seq = first_unsent.map_or(last_seq, |seq| seq - 1);
    Ok(Some(LogHead { store, incarnation, since_seq, last_seq, sent_seq, earlier: incarnations }))
}

/// The newest ones, the newest last: the one that goes on, and as many before it as are told.
fn incarnations(connection: &Connection) -> Result<Vec<Began>, Failure> {
    let mut newest = connection.prepare_cached(INCARNATIONS)?;
    let began = newest.query_map([i64::try_from(MAX_INCARNATIONS + 1).unwrap_or(i64::MAX)], |row| {
        Ok(Began { incarnation: row.get(0)?, since_seq: row.get(1)? })
    })?;
    Ok(began.collect::<rusqlite::Result<_>>()?)
}
