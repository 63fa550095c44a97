//! The store port: aggregates, and the events that tell their changes, in one commit.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - [`Store::transact`] is atomic: all writes and events of a decision are there after it, or none.
//! - A write is made against the revision that was read. Where somebody else was faster, everything staged is
//!   dropped, and the decision is made again on what is there now.
//! - What `transact` returned survives a crash of the process and the machine.
//! - Events are numbered by `seq`, are never changed but for `sent`, and never deleted.

use std::collections::{BTreeMap, BTreeSet};

use skstore_domain::events::{Event, EventKind};
use skstore_domain::time::Timestamp;

pub mod sqlite;

/// Names an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What kind of aggregate.
    pub kind: &'static str,
    /// Which one.
    pub id: String,
}

impl Key {
    /// The aggregate `id` of `kind`.
    #[must_use]
    pub fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

/// An aggregate as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Transitions so far, from 1.
    pub revision: u64,
    /// Its state, in JSON.
    pub body: String,
}

/// What was read: absent aggregates are not in it.
pub type Loaded = BTreeMap<Key, Row>;

/// An aggregate to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which.
    pub key: Key,
    /// The revision that was read; 0 if it was not there.
    pub read: u64,
    /// The revision after all its transitions in this decision.
    pub revision: u64,
    /// Its state, in JSON.
    pub body: String,
    /// When somebody has to look after it if nothing happens before, for [`Store::due`].
    pub due: Option<Timestamp>,
}

/// Everything one decision writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Changed aggregates, each once.
    pub writes: Vec<Write>,
    /// What happened, at least one event for every transition.
    pub events: Vec<NewEvent>,
}

/// An event to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique: a second event with it is an error.
    pub id: String,
    /// Kind of the aggregate that changed.
    pub aggregate_kind: &'static str,
    /// The aggregate that changed.
    pub aggregate_id: String,
    /// Its revision after the change.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// The event as it is published.
    pub body: String,
}

impl From<&Event> for NewEvent {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id(),
            aggregate_kind: event.aggregate_kind(),
            aggregate_id: event.subject.clone(),
            revision: event.revision,
            kind: event.kind,
            body: event.to_json(),
        }
    }
}

/// An event that was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in this store.
    pub seq: i64,
    /// What was appended.
    pub event: NewEvent,
}

/// Part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Bodies of the events, oldest first.
    pub bodies: Vec<String>,
    /// Where the next page starts, if there is one.
    pub next_seq: Option<i64>,
    /// The newest entry's number; 0 for an empty log.
    pub last_seq: i64,
}

/// Why the store does not work. All of it is worth a retry with backoff, but for `Schema`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is full, is locked, or failed: the text says which.
    #[error("the store {store} failed: {cause}")]
    Failed {
        /// Its URL, without credentials.
        store: String,
        /// What it said.
        cause: String,
    },
    /// It was written by another version.
    #[error("the store {store} has schema version {found}; this program knows {known}. {remedy}")]
    Schema {
        /// Its URL, without credentials.
        store: String,
        /// What it says.
        found: i64,
        /// What we know.
        known: i64,
        /// What to do.
        remedy: String,
    },
    /// A decision that contradicts itself: a mistake of ours. Nothing was written.
    #[error("a decision on the store {store} contradicts itself: {cause}")]
    Contradiction {
        /// Its URL, without credentials.
        store: String,
        /// What it contradicts.
        cause: String,
    },
}

/// A service's own data. Used by one thread; clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// A file, or memory, of this process.
    Sqlite(sqlite::SqliteStore),
}

impl Store {
    /// Reads all of `keys`, lets `decide` say what to write, and commits that. `decide` may be asked again
    /// with newer rows, and only the last answer counts: it must not do anything but decide.
    ///
    /// Returns what `decide` returned beside its changes, and the appended events with their numbers.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then.
    pub async fn transact<T>(
        &self,
        keys: &BTreeSet<Key>,
        decide: impl FnMut(&Loaded) -> (Changes, T),
    ) -> Result<(T, Vec<StoredEvent>), StoreError> {
        match self {
            Self::Sqlite(store) => store.transact(keys, decide),
        }
    }

    /// The oldest events with `sent = false` and a number above `after`, at most `most`. `after` is only
    /// there to page through them in one go, never to remember between two.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsent(&self, after: i64, most: usize) -> Result<Vec<StoredEvent>, StoreError> {
        match self {
            Self::Sqlite(store) => store.unsent(after, most),
        }
    }

    /// The bus has confirmed these events. Survives a crash soon, not at once: an event that is sent again
    /// does no harm.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_sent(&self, seqs: &[i64]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.mark_sent(seqs),
        }
    }

    /// Aggregates of `kind` whose `due` has passed at `now`, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        kind: &'static str,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<Key>, StoreError> {
        match self {
            Self::Sqlite(store) => store.due(kind, now, most),
        }
    }

    /// The event log from `from_seq` on, at most `most` entries and about `most_bytes` of bodies (at least
    /// one entry if there is one).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log(&self, from_seq: i64, most: usize, most_bytes: usize) -> Result<LogPage, StoreError> {
        match self {
            Self::Sqlite(store) => store.log(from_seq, most, most_bytes),
        }
    }

    /// Whether any aggregate of `kind` exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_any(&self, kind: &'static str) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.has_any(kind),
        }
    }
}
