//! The store port: aggregates, and the events that tell their changes, in one commit.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - [`Store::transact`] is atomic: all writes and events of a decision are there after it, or none.
//! - Only what was asked for is written, and against the revision that was read. Where somebody else was faster, everything staged is
//!   dropped, and the decision is made again on what is there now.
//! - What `transact` returned survives a crash of the process and the machine.
//! - Events are numbered by `seq`, and never changed or deleted. Each is unsent until it is marked as sent.
//! - What a page of the log has passed over is never there later, whatever was committed meanwhile.
//! - Several processes may use one store. One of them at a time has its lease; what the others commit is news.
//! - It has an identity, which its copies share, and begins an incarnation whenever it is opened to write: one that began
//!   before the end of what an older one has told is a copy that was put back.
//! - Once what it was opened as is gone, or something else is in its place, everything fails. Nobody is told of a commit
//!   that is not there.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use skstore_domain::checkpoint::{LogHead, LogId};
use skstore_domain::time::Timestamp;

use crate::config::StoreUrl;

pub mod copy;
mod error;
mod lease;
pub mod postgres;
mod records;
pub mod sqlite;
pub(crate) mod tables;

pub use error::StoreError;
pub use lease::LEASE_LASTS;
pub use records::{Again, Changes, Key, Loaded, LogPage, NewEvent, Row, StoredEvent, Write};

/// A service's own data. Used by one thread; clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// A file, or memory, of this process.
    Sqlite(sqlite::SqliteStore),
    /// A schema of a PostgreSQL, which machines share. It needs a runtime with I/O.
    Postgres(postgres::PostgresStore),
}

impl Store {
    /// Opens the store that `url` names, as [`StoreUrl`] reads it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_at(&place(url)?).await
    }

    /// Opens the store at `url`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_at(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => sqlite::SqliteStore::open(path).map(Self::Sqlite),
            StoreUrl::Postgres(address) => postgres::PostgresStore::open(address).await.map(Self::Postgres),
        }
    }

    /// The same, for a process that nobody hears of but itself: where its bus is its own. A file is kept from others by the lock
    /// on its data directory; of a server, it is asked for.
    ///
    /// # Errors
    /// [`StoreError`]; also where another process works on it.
    pub async fn open_alone(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(_) => Self::open_at(url).await,
            StoreUrl::Postgres(address) => {
                postgres::PostgresStore::open_alone(address).await.map(Self::Postgres)
            }
        }
    }

    /// Opens it to read from it beside those who work on it: with little memory, and without the right to write.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_to_read(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => sqlite::SqliteStore::open_to_read(path).map(Self::Sqlite),
            StoreUrl::Postgres(address) => {
                postgres::PostgresStore::open_to_read(address).await.map(Self::Postgres)
            }
        }
    }

    /// Copies the store that `url` names to the file `to`, which must not be there, as it is at one moment between two
    /// commits, beside those who work on it. What it has returned from survives a crash of the machine.
    ///
    /// # Errors
    /// [`StoreError`]; what was begun of the copy is gone then.
    pub async fn back_up(url: &StoreUrl, to: &Path) -> Result<(), StoreError> {
        match url {
            StoreUrl::Sqlite(path) => sqlite::SqliteStore::back_up(path, to),
            StoreUrl::Postgres(_) => Err(StoreError::Failed {
                store: url.to_string(),
                cause: "what PostgreSQL has is copied by its own means; use pg_dump, or pg_basebackup"
                    .to_owned(),
            }),
        }
    }

    /// Reads all of `keys`, lets `decide` say what to write, and commits that. `decide` may be asked again
    /// with newer rows, and only the last answer counts: it must not do anything but decide.
    ///
    /// Returns what `decide` returned beside its changes, and with their numbers the events that are unsent by that:
    /// those appended, and those to be published again.
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
            Self::Postgres(store) => store.transact(keys, decide).await,
        }
    }

    /// The oldest events that are not marked as sent and have a number above `after`, at most `most`, without those
    /// that `is_known`, which cost next to nothing. `after` is only there to page through them in one go, never to
    /// remember between two.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsent(
        &self,
        after: i64,
        is_known: impl Fn(i64) -> bool,
        max: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        match self {
            Self::Sqlite(store) => store.unsent(after, is_known, max),
            Self::Postgres(store) => store.unsent(after, is_known, max).await,
        }
    }

    /// How many events are not marked as sent. Takes time in proportion to them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsent_count(&self) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.unsent_count(),
            Self::Postgres(store) => store.unsent_count().await,
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
            Self::Postgres(store) => store.mark_sent(seqs).await,
        }
    }

    /// Takes the right to relay this store's events, or prolongs it, until `lasts` after `now`. Returns whether
    /// `holder` has it: only one has at a time, for as long as it prolongs it before its end. A lease that ends later than any
    /// that is taken now could was taken by another clock (this one was set back), and does not count.
    ///
    /// # Errors
    /// [`StoreError`]; what there was stays.
    pub async fn take_lease(
        &self,
        holder: &str,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.take_lease(holder, now, lasts),
            Self::Postgres(store) => store.take_lease(holder, now, lasts).await,
        }
    }

    /// Ends the lease, if `holder` has it.
    ///
    /// # Errors
    /// [`StoreError`]; then it ends when its time is up.
    pub async fn give_up_lease(&self, holder: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.give_up_lease(holder),
            Self::Postgres(store) => store.give_up_lease(holder).await,
        }
    }

    /// Whether anybody but this `Store` and its clones may have committed since it was last asked, and at first.
    /// What was committed before it is asked is found by [`Store::unsent`] after it. Cheap enough to be asked a
    /// hundred times a second.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changed_externally(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.changed_externally(),
            Self::Postgres(store) => store.changed_externally().await,
        }
    }

    /// Aggregates of `kind` whose `due` is `now` or earlier, earliest first, then by id; then those whose `due` is
    /// after `latest`, which nobody sets whose clock is right. At most `most` in all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        kind: &'static str,
        now: Timestamp,
        latest: Timestamp,
        max: usize,
    ) -> Result<Vec<Key>, StoreError> {
        match self {
            Self::Sqlite(store) => store.due(kind, now, latest, max),
            Self::Postgres(store) => store.due(kind, now, latest, max).await,
        }
    }

    /// The entries of the event log with these numbers, at most `max` of them and about `max_bytes` of bodies (at least
    /// one entry if there is one).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log(
        &self,
        seqs: RangeInclusive<i64>,
        max: usize,
        max_bytes: usize,
    ) -> Result<LogPage, StoreError> {
        match self {
            Self::Sqlite(store) => store.log(seqs, max, max_bytes),
            Self::Postgres(store) => store.log(seqs, max, max_bytes).await,
        }
    }

    /// Whose entries those are that are sent from now on: those that were committed here, or found by [`Store::unsent`]. It
    /// costs nothing then. Nothing as in [`Store::head`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identity(&self) -> Result<Option<LogId>, StoreError> {
        match self {
            Self::Sqlite(store) => store.identity(),
            Self::Postgres(store) => store.identity().await,
        }
    }

    /// Which log this is, and how far it goes: all of it true at the same time. Nothing as long as it could not be written
    /// to by a version that gives it an identity.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self) -> Result<Option<LogHead>, StoreError> {
        match self {
            Self::Sqlite(store) => store.head(),
            Self::Postgres(store) => store.head().await,
        }
    }

    /// Aggregates of `kind` whose id comes after `after`, by id, at most `most`: to look at all of them, page
    /// by page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scan(
        &self,
        kind: &'static str,
        after: &str,
        max: usize,
    ) -> Result<Vec<(String, Row)>, StoreError> {
        match self {
            Self::Sqlite(store) => store.scan(kind, after, max),
            Self::Postgres(store) => store.scan(kind, after, max).await,
        }
    }

    /// Whether any aggregate of `kind` exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_any(&self, kind: &'static str) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.has_any(kind),
            Self::Postgres(store) => store.has_any(kind).await,
        }
    }
}

/// The place that `url` names. What follows a scheme, or stands where one should be, may be a password, and is not repeated.
fn place(url: &str) -> Result<StoreUrl, StoreError> {
    let shown = url.split_once(':').map_or_else(|| "…".to_owned(), |(scheme, _)| format!("{scheme}:…"));
    StoreUrl::try_from(url.to_owned()).map_err(|cause| StoreError::Url { url: shown, cause })
}
