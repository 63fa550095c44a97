//! The store in SQLite: a file of this machine, or memory for a simulation.
//!
//! Everything runs inline on the caller's thread, one transaction after the other. Several processes may
//! share a file; SQLite's write lock, which a decision takes before it reads, lets one of them
//! decide at a time. So nobody can be faster than a decision here, and none is ever made twice.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use skstore_domain::checkpoint::{LogHead, LogId};
use skstore_domain::time::Timestamp;

use super::{Changes, Key, Loaded, LogPage, Row, StoreError, StoredEvent};
use connection::{Durability, Missing};
use failure::Failure;
use identity::OpenFile;

mod backup;
mod connection;
pub(super) mod direct;
mod failure;
mod identity;
mod lease;
mod read;
#[cfg(feature = "simulation")]
pub mod rewind;
mod schema;
mod write;

/// Events marked as sent in one transaction: some milliseconds of work, after which other processes get
/// their turn at the write lock.
const MARKS_PER_TRANSACTION: usize = 8_192;

/// A store in SQLite. Clones share one connection, which closes with the last of them. Stays on its thread.
#[derive(Clone)]
pub struct SqliteStore(Rc<Shared>);

struct Shared {
    /// For messages.
    url: String,
    connection: RefCell<Connection>,
    durability: Cell<Durability>,
    /// As SQLite counts commits of other connections.
    data_version: Cell<Option<i64>>,
    /// Unless it is in memory.
    file: Option<OpenFile>,
    /// Whether an incarnation is still to be begun before anything is committed.
    begins: Cell<bool>,
    /// As it was when events were committed last, and nothing once others' may have been found.
    identity: RefCell<Option<LogId>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.0.url).finish()
    }
}

impl SqliteStore {
    /// Opens the file `path`; creates it, and the directories it is in, if they are not there.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when another version wrote it, else [`StoreError::Failed`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_as_it_is(path, Missing::Made)?;
        store.begin();
        Ok(store)
    }

    fn open_as_it_is(path: &Path, missing: Missing) -> Result<Self, StoreError> {
        let opened = connection::open_file(path, missing).and_then(|connection| {
            let file = OpenFile::at(path).map_err(|error| Failure::Unusable(error.to_string()))?;
            Ok((connection, Some(file)))
        });
        Self::over(format!("sqlite:{}", path.display()), opened)
    }

    /// Begins an incarnation. On a disk that is full that has to wait until something can be committed at all.
    fn begin(&self) {
        self.0.identity.replace(None);
        self.0.begins.set(self.with(identity::begin).is_err());
    }

    /// The store in memory of that name; new if it is not open. For several of them to share it, as processes share a
    /// file: on one thread.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn in_named_memory(name: &str) -> Result<Self, StoreError> {
        Self::in_memory_of(format!("sqlite in memory '{name}'"), connection::open_named_memory(name))
    }

    /// Forgets everything, so that another simulation can use what is open and prepared.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    #[cfg(feature = "simulation")]
    pub fn forget_everything(&self) -> Result<(), StoreError> {
        self.with(schema::empty)?;
        self.begin();
        Ok(())
    }

    /// All that it has now.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    #[cfg(feature = "simulation")]
    pub fn copied(&self) -> Result<rewind::Snapshot, StoreError> {
        self.with(rewind::copy)
    }

    /// Puts it back to what it had. Nobody may be working on it: who opens it next begins an incarnation.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    #[cfg(feature = "simulation")]
    pub fn put_back(&self, snapshot: &rewind::Snapshot) -> Result<(), StoreError> {
        self.with(|connection| rewind::put_back(connection, snapshot))
    }

    /// As a process has it that has just opened it: with what it is to know of others' commits still to be learnt.
    #[cfg(feature = "simulation")]
    #[must_use]
    pub fn as_just_opened(&self) -> Self {
        self.0.data_version.set(None);
        self.begin();
        self.clone()
    }

    /// Opens the file as [`SqliteStore::open`] does, if it is there, but with little memory and without the right to write.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_as_it_is(path, Missing::Refused)?;
        store.with(|connection| connection::only_read(connection))?;
        Ok(store)
    }

    /// Copies the file `path` to the file `to`: see [`Store::back_up`](super::Store::back_up).
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; also when there is no store at `path`, or something at `to`.
    pub fn back_up(path: &Path, to: &Path) -> Result<(), StoreError> {
        let url = format!("sqlite:{}", path.display());
        backup::check(path, to).map_err(|failure| failure.of(&url))?;
        Self::open_as_it_is(path, Missing::Refused)?.with(|connection| backup::write(connection, to))
    }

    /// A new store in memory, gone with its last clone.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::in_memory_of("sqlite in memory".to_owned(), connection::open_memory())
    }

    fn in_memory_of(url: String, opened: Result<Connection, Failure>) -> Result<Self, StoreError> {
        let store = Self::over(url, opened.map(|connection| (connection, None)))?;
        store.begin();
        Ok(store)
    }

    /// A store on what was just opened, once its tables are there.
    fn over(
        url: String,
        opened: Result<(Connection, Option<OpenFile>), Failure>,
    ) -> Result<Self, StoreError> {
        let prepared = opened.and_then(|(connection, file)| Ok((schema::prepare(connection)?, file)));
        let (connection, file) = prepared.map_err(|failure| failure.of(&url))?;
        Ok(Self(Rc::new(Shared {
            url,
            connection: RefCell::new(connection),
            durability: Cell::new(Durability::AtCommit),
            data_version: Cell::new(None),
            file,
            begins: Cell::new(false),
            identity: RefCell::default(),
        })))
    }

    pub(super) fn transact<T>(
        &self,
        keys: &BTreeSet<Key>,
        decide: impl FnMut(&Loaded) -> (Changes, T),
    ) -> Result<(T, Vec<StoredEvent>), StoreError> {
        if self.0.begins.get() {
            self.with(identity::begin)?;
            self.0.begins.set(false);
        }
        self.with(|connection| self.decide_and_commit(connection, keys, decide))
    }

    /// Any early return, and a panic of `decide`, rolls back when the transaction is dropped.
    fn decide_and_commit<T>(
        &self,
        connection: &mut Connection,
        keys: &BTreeSet<Key>,
        mut decide: impl FnMut(&Loaded) -> (Changes, T),
    ) -> Result<(T, Vec<StoredEvent>), Failure> {
        self.set_durability(connection, Durability::AtCommit)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let loaded = read::load(&transaction, keys)?;
        let (changes, answer) = decide(&loaded);
        if changes.is_empty() {
            transaction.rollback()?;
            return Ok((answer, Vec::new()));
        }
        changes.check(keys, &loaded).map_err(Failure::Contradiction)?;
        write::aggregates(&transaction, &changes.writes)?;
        write::looks(&transaction, &changes.looks)?;
        let mut events = write::events(&transaction, changes.events)?;
        events.extend(write::again(&transaction, &changes.again)?);
        if !events.is_empty() {
            self.0.identity.replace(identity::of_a_writer(&transaction)?);
        }
        transaction.commit()?;
        // What was taken away in this very moment was committed for nobody, and nobody is told that it was.
        self.check_file()?;
        Ok((answer, events))
    }

    pub(super) fn unsent(
        &self,
        after: i64,
        is_known: impl Fn(i64) -> bool,
        max: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.identity.replace(None);
        self.with(|connection| read::unsent(connection, after, is_known, max))
    }

    pub(super) fn unsent_count(&self) -> Result<u64, StoreError> {
        self.with(|connection| read::unsent_count(connection))
    }

    pub(super) fn mark_sent(&self, seqs: &[i64]) -> Result<(), StoreError> {
        // Wherever the file is: what is marked in vain is sent again.
        self.lend(|connection| {
            for seqs in seqs.chunks(MARKS_PER_TRANSACTION) {
                self.set_durability(connection, Durability::Soon)?;
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                write::sent(&transaction, seqs)?;
                transaction.commit()?;
            }
            Ok(())
        })
    }

    pub(super) fn take_lease(
        &self,
        holder: &str,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<bool, StoreError> {
        self.with(|connection| {
            // Those who only look take no lock.
            if lease::is_anothers(connection, holder, now, lasts)? {
                return Ok(false);
            }
            self.set_durability(connection, Durability::Soon)?;
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if lease::is_anothers(&transaction, holder, now, lasts)? {
                return Ok(false);
            }
            lease::write(&transaction, holder, now.after(lasts))?;
            transaction.commit()?;
            Ok(true)
        })
    }

    pub(super) fn give_up_lease(&self, holder: &str) -> Result<(), StoreError> {
        self.with(|connection| {
            self.set_durability(connection, Durability::Soon)?;
            lease::delete(connection, holder)
        })
    }

    pub(super) fn changed_externally(&self) -> Result<bool, StoreError> {
        let version = self.with(|connection| read::data_version(connection))?;
        Ok(self.0.data_version.replace(Some(version)) != Some(version))
    }

    pub(super) fn due(
        &self,
        kind: &'static str,
        now: Timestamp,
        latest: Timestamp,
        max: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.with(|connection| read::due(connection, kind, now, latest, max))
    }

    pub(super) fn log(
        &self,
        seqs: RangeInclusive<i64>,
        max: usize,
        max_bytes: usize,
    ) -> Result<LogPage, StoreError> {
        self.with(|connection| read::log(connection, seqs, max, max_bytes))
    }

    pub(super) fn identity(&self) -> Result<Option<LogId>, StoreError> {
        let known = self.0.identity.borrow().clone();
        if known.is_some() {
            return Ok(known);
        }
        let found = self.with(|connection| identity::identity(connection))?;
        self.0.identity.replace(found.clone());
        Ok(found)
    }

    pub(super) fn head(&self) -> Result<Option<LogHead>, StoreError> {
        self.with(identity::head)
    }

    pub(super) fn scan(
        &self,
        kind: &'static str,
        after: &str,
        max: usize,
    ) -> Result<Vec<(String, Row)>, StoreError> {
        self.with(|connection| read::scan(connection, kind, after, max))
    }

    pub(super) fn has_any(&self, kind: &'static str) -> Result<bool, StoreError> {
        self.with(|connection| read::has_any(connection, kind))
    }

    fn check_file(&self) -> Result<(), Failure> {
        self.0.file.as_ref().map_or(Ok(()), OpenFile::check)
    }

    /// Lends the connection to `work` while its file is there, and says in which store it failed.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.check_file().map_err(|failure| failure.of(&self.0.url))?;
        self.lend(work)
    }

    /// Lends the connection to `work`, wherever its file is.
    fn lend<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        let lent: Result<RefMut<'_, Connection>, _> = self.0.connection.try_borrow_mut();
        let reentered = |_| Failure::Contradiction("it was used from within one of its decisions".into());
        lent.map_err(reentered)
            .and_then(|mut connection| work(&mut connection))
            .map_err(|failure| failure.of(&self.0.url))
    }

    /// Only switches when it must: it costs a few µs, as SQLite obeys this pragma while it compiles it, and a
    /// cached statement would change nothing.
    fn set_durability(&self, connection: &Connection, durability: Durability) -> Result<(), Failure> {
        if self.0.durability.get() != durability {
            connection::set_durability(connection, durability)?;
            self.0.durability.set(durability);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
