//! Opening SQLite, and how it is set up.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::failure::Failure;

/// How long to wait for another process's lock, which it holds for one batch and its fsync: tens of
/// milliseconds. The thread stands still meanwhile, so it must stay below the time after which a worker is
/// missed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Tries to switch a file to WAL while others open it too. Each waits up to [`BUSY_TIMEOUT`] for them.
const WAL_ATTEMPTS: usize = 5;
/// Page size, in bytes.
const PAGE_BYTES: i64 = 4_096;
/// Pages cached by a connection, in KiB.
const CACHE_KIB: i64 = 8_192;
/// Likewise by one that only reads from one end to the other, and needs no page twice.
const READER_CACHE_KIB: i64 = 256;
/// Likewise by one that looks at tables in more than one order.
const LOOK_CACHE_KIB: i64 = 16_384;
/// Likewise by one that fills a store: the index of the log's histories grows in no order, and a page of it that is not in
/// memory is read again for each entry.
const FILLING_CACHE_KIB: i64 = 131_072;
/// How long whoever looks waits for a checkpoint of somebody else's, whom nobody misses meanwhile.
const LOOK_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// WAL size, in pages, at which a commit copies it into the database file.
const CHECKPOINT_PAGES: i64 = 4_000;
/// Size to which a WAL that grew further (during a long read by another process) is cut back, in bytes.
const MAX_WAL_BYTES: i64 = 4 * CHECKPOINT_PAGES * PAGE_BYTES;
/// Statements kept compiled: all there are, with room to spare.
const CACHED_STATEMENTS: usize = 32;

/// When a commit reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Before it returns.
    AtCommit,
    /// With the next commit that does, or the next checkpoint. The WAL is one file, written in order, so
    /// syncing a later commit syncs this one too.
    Soon,
}

/// Whether a file that is not there is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// With the directories it is in.
    Made,
    /// Who only reads makes none: what a worker has open may have been moved, and is to be put back there.
    Refused,
}

/// Opens `path`, with WAL.
pub(super) fn open_file(path: &Path, missing: Missing) -> Result<Connection, Failure> {
    if path.as_os_str().is_empty() {
        return Err(Failure::Unusable("it names no file: write sqlite:PATH".into()));
    }
    // An absolute path cannot be mistaken for SQLite's special names, such as `:memory:`.
    let path = std::path::absolute(path).map_err(|error| Failure::Unusable(error.to_string()))?;
    if missing == Missing::Refused && !path.exists() {
        return Err(Failure::Unusable("there is no such file".to_owned()));
    }
    if let Some(directory) = path.parent().filter(|_| missing == Missing::Made) {
        create_directory(directory).map_err(|error| {
            let directory = directory.display();
            Failure::Unusable(format!("its directory {directory} cannot be created: {error}"))
        })?;
    }
    let create = match missing {
        Missing::Made => OpenFlags::SQLITE_OPEN_CREATE,
        Missing::Refused => OpenFlags::empty(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connection = Connection::open_with_flags(&path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    use_wal(&connection)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", MAX_WAL_BYTES)?;
    // On macOS a plain fsync stops at the drive's own cache. Elsewhere these two change nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    set_up(connection)
}

/// Opens `path`, which is nobody else's yet, to be filled from one end to the other: nothing of it is undone or survives a
/// crash, so whoever fills it syncs it, or removes it.
pub(super) fn open_to_fill(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -FILLING_CACHE_KIB)?;
    Ok(connection)
}

/// Opens `path` to be looked at: with little memory, and without the right to write.
pub(super) fn open_to_look(path: &Path) -> Result<Connection, Failure> {
    if !path.is_file() {
        return Err(Failure::Unusable("there is no such file".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOOK_BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -LOOK_CACHE_KIB)?;
    Ok(connection)
}

/// Opens `path` to be looked at once, as it lies there, and leaves no file beside it where there is none: SQLite would else
/// make those of whoever works on it, which only one that may write removes again.
pub(super) fn open_as_it_lies(path: &Path) -> Result<Connection, Failure> {
    if beside(path, "-wal").exists() {
        return open_to_look(path);
    }
    let uri = format!("file:{}?immutable=1", in_a_uri(path));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(uri, flags)?)
}

/// A path as SQLite reads it in a URI: all but the plainest bytes are percent-encoded.
fn in_a_uri(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let encoded =
        |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().map(encoded).collect()
}

/// The file beside `path` whose name ends in `suffix`: one of SQLite's, which belongs to it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(suffix);
    beside.into()
}

/// Opens an empty database in memory.
pub(super) fn open_memory() -> Result<Connection, Failure> {
    set_up(Connection::open_in_memory()?)
}

/// Opens the database in memory of that name, which all who open it share. Empty if nobody has it open.
pub(super) fn open_named_memory(name: &str) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    set_up(Connection::open_with_flags(format!("file:{name}?mode=memory&cache=shared"), flags)?)
}

fn set_up(connection: Connection) -> Result<Connection, Failure> {
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    set_durability(&connection, Durability::AtCommit)?;
    Ok(connection)
}

/// From the next transaction on.
pub(super) fn set_durability(connection: &Connection, durability: Durability) -> Result<(), Failure> {
    let synchronous = match durability {
        Durability::AtCommit => "PRAGMA synchronous = FULL",
        Durability::Soon => "PRAGMA synchronous = NORMAL",
    };
    Ok(connection.execute_batch(synchronous)?)
}

/// Where two processes create the same file, SQLite refuses one of them at once, without waiting. So we wait
/// by way of a lock for which it does wait.
fn use_wal(connection: &Connection) -> Result<(), Failure> {
    for _ in 1..WAL_ATTEMPTS {
        match set_wal(connection) {
            Err(Failure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            }
            done => return done,
        }
    }
    set_wal(connection)
}

fn set_wal(connection: &Connection) -> Result<(), Failure> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode == "wal" {
        Ok(())
    } else {
        Err(Failure::Unusable(format!(
            "its file system cannot share memory between processes (journal mode '{mode}' instead of WAL): \
             put it on a local disk"
        )))
    }
}

/// Creates `directory` so that it is still there after a power cut: a new directory's name is safe once the
/// directory above it is synced.
pub(super) fn create_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(above) = directory.parent() {
        create_directory(above)?;
        // `create_dir_all` takes it well when somebody else creates it at the same time.
        fs::create_dir_all(directory)?;
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// Takes the right to write from a connection, and most of its memory.
pub(super) fn only_read(connection: &Connection) -> Result<(), Failure> {
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(())
}
