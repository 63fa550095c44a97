//! The tables, and which version of them a file has.
//!
//! They are public: the audit reads them, and people do with `sqlite3`.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::failure::Failure;

/// Version of [`TABLES`], kept in `meta`.
const VERSION: i64 = 1;

/// An aggregate's and an event's `kind` is a word such as `order`, an event's `type` its routing key such as
/// `order.placed`; times are milliseconds since 1970 UTC.
///
/// - `aggregates` keeps its rows apart from its key: with rows of half a kilobyte in the key's own tree
///   (`WITHOUT ROWID`), that tree has twice the levels, and a commit into a million orders costs 10 % more.
/// - `events` is only ever appended to. What waits to be published stands in `unsent`: setting a flag in the
///   event itself would write its whole page a second time, which makes a message cost 30 % more.
/// - An event's `id` is made of its aggregate and revision ([`NewEvent`](crate::store::NewEvent) is checked
///   for that), so `events_history` makes it unique. The same index finds the history of one aggregate in
///   order, which an index of the ids could not: as text, revision 10 comes before 2.
/// - `seq` needs no `AUTOINCREMENT`: events are never deleted, so no number can come twice.
/// - `headers` is for what an event's transport needs beside its body; nothing yet.
/// - `told_again` of what is unsent says for how many times that is, because an order waits; nothing where it was never sent.
///   Files of older versions have it from the first time on that this one opens them to write ([`complete`]).
/// - Who the store is stands beside them ([`identity`](super::identity)), in files of older versions from the first time on
///   that this one opens them to write: those know their way about them all the same.
const TABLES: &str = "
    CREATE TABLE meta (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE aggregates (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        body TEXT NOT NULL,
        due INTEGER,
        PRIMARY KEY (kind, id)
    ) STRICT;
    CREATE INDEX aggregates_due ON aggregates (kind, due, id) WHERE due IS NOT NULL;

    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        id TEXT GENERATED ALWAYS AS (kind || '/' || aggregate_id || '/' || revision) VIRTUAL,
        kind TEXT NOT NULL,
        aggregate_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        type TEXT NOT NULL,
        body TEXT NOT NULL,
        headers TEXT
    ) STRICT;
    CREATE UNIQUE INDEX events_history ON events (kind, aggregate_id, revision);

    CREATE TABLE unsent (seq INTEGER PRIMARY KEY, told_again INTEGER) STRICT;
";

/// See [`complete`].
const OPENINGS: &str = "
    CREATE TABLE IF NOT EXISTS openings (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, since_seq INTEGER NOT NULL
    ) STRICT;
";

/// What to do about a file of version `found`.
fn remedy(found: i64) -> &'static str {
    if found > VERSION {
        "Use the program that wrote it, or a newer one"
    } else {
        "Use the program that wrote it, or choose another path to start with an empty store"
    }
}

/// Creates the tables in an empty database, and checks the version of any other.
pub(super) fn prepare(mut connection: Connection) -> Result<Connection, Failure> {
    if !is_prepared(&connection)? {
        // Another process may be doing the same: look again under the write lock.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        make(&transaction)?;
        transaction.commit()?;
    }
    Ok(connection)
}

/// Likewise, within a transaction that has the write lock.
pub(super) fn make(connection: &Connection) -> Result<(), Failure> {
    if !is_prepared(connection)? {
        connection.execute_batch(TABLES)?;
        let version = "INSERT INTO meta (key, value) VALUES ('schema_version', ?1)";
        connection.execute(version, [VERSION.to_string()])?;
    }
    Ok(())
}

/// Empties all tables; the numbers of events start again at 1.
#[cfg(feature = "simulation")]
pub(super) fn empty(connection: &mut Connection) -> Result<(), Failure> {
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         DELETE FROM meta WHERE key <> 'schema_version';
         DELETE FROM openings;
         DELETE FROM aggregates;
         DELETE FROM events;
         DELETE FROM unsent;
         COMMIT",
    )?;
    Ok(())
}

/// Whether the tables are there, in our version.
pub(super) fn is_prepared(connection: &Connection) -> Result<bool, Failure> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema";
    let (all, meta): (i64, i64) = connection.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if all == 0 {
        return Ok(false);
    }
    let version = match meta {
        0 => None,
        _ => connection
            .query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |row| {
                row.get::<_, String>(0)
            })
            .optional()?,
    };
    match version.map(|version| version.parse::<i64>()) {
        Some(Ok(VERSION)) => Ok(true),
        Some(Ok(found)) => Err(Failure::Schema { found, known: VERSION, remedy: remedy(found) }),
        None | Some(Err(_)) => Err(Failure::Unusable(
            "the file is an SQLite database of another program; choose another path".into(),
        )),
    }
}

/// Whether nobody has ever written to it: none has opened it to write, and it has no row but those that come with the tables.
pub(super) fn is_empty(connection: &Connection) -> Result<bool, Failure> {
    for table in ["aggregates", "events", "unsent", "openings"] {
        let is_there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        if connection.prepare(is_there)?.exists([table])?
            && connection.prepare(&format!("SELECT 1 FROM {table} LIMIT 1"))?.exists([])?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds what older versions knew nothing of, and do not miss, to what they have made. Within a transaction.
pub(super) fn complete(connection: &Connection) -> Result<(), Failure> {
    if !is_complete(connection)? {
        let has_it = "SELECT 1 FROM pragma_table_info('unsent') WHERE name = 'told_again'";
        if !connection.prepare(has_it)?.exists([])? {
            connection.execute_batch("ALTER TABLE unsent ADD COLUMN told_again INTEGER")?;
        }
        connection.execute_batch(OPENINGS)?;
    }
    Ok(())
}

/// Whether this version, or a newer one, has opened it to write.
pub(super) fn is_complete(connection: &Connection) -> Result<bool, Failure> {
    let has_both = "SELECT 1 FROM pragma_table_info('unsent') WHERE name = 'told_again'
                    AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'openings')";
    Ok(connection.prepare(has_both)?.exists([])?)
}
