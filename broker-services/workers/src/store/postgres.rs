//! The store in PostgreSQL: a schema of a database, which processes on any machines share.
//!
//! A decision locks the rows of its aggregates in the order of their keys, so that two of them wait for each other only one
//! way. Just before it commits it takes the lock for numbering, and keeps that until it has committed: the order of numbers
//! is the order of commits, and a page of the log passes over nothing.
//!
//! A decision is two rounds to the server: what it reads, and what it writes together with its commit. It has a
//! connection of its own; all the rest shares another. Whatever fails, is given up or takes too long ends its connection,
//! and the server undoes what was begun. A commit that was not answered may be there all the same: the decision is made
//! again on what is there, and its events are news, as another's are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use skstore_domain::checkpoint::{LogHead, LogId};
use skstore_domain::time::Timestamp;

use super::{Changes, Key, Loaded, LogPage, Row, StoreError, StoredEvent};
use crate::config::address::PostgresAddress;
use failure::Failure;
use line::Line;
use news::News;
use session::{Company, Purpose};

pub(super) mod direct;
mod failure;
mod identity;
mod lease;
mod line;
mod news;
mod read;
mod schema;
mod session;
mod write;

/// How often a decision is made anew because somebody has just created what it was to create: as often as there are
/// processes that can be faster once. Afterwards it is there, and is locked.
const ATTEMPTS: usize = 64;

/// A store in PostgreSQL. Clones share its connections, which close with the last of them. Stays on its thread.
#[derive(Clone)]
pub struct PostgresStore(Rc<Shared>);

struct Shared {
    /// For messages.
    url: String,
    /// Where decisions are made; without one it can only be read.
    deciding: Option<Line>,
    looking: Line,
    news: Rc<News>,
    /// Whether others need not be told of what is committed here, because this one relays it.
    has_lease: Cell<bool>,
    /// As it was when events were committed last, and nothing once others' may have been found.
    identity: RefCell<Option<LogId>>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.0.url).finish()
    }
}

impl PostgresStore {
    /// Opens the store at `address`; creates its schema and tables if they are not there.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when another version made them, else [`StoreError::Failed`].
    pub async fn open(address: &PostgresAddress) -> Result<Self, StoreError> {
        Self::open_with(address, Company::Others).await
    }

    /// The same, as the only process that works on it. Nobody else can open it meanwhile, but to read.
    ///
    /// # Errors
    /// As [`PostgresStore::open`]; also where somebody has it.
    pub async fn open_alone(address: &PostgresAddress) -> Result<Self, StoreError> {
        Self::open_with(address, Company::Nobody).await
    }

    async fn open_with(address: &PostgresAddress, company: Company) -> Result<Self, StoreError> {
        let news = Rc::new(News::new());
        let deciding = Line::new(address, Purpose::Decide(company), &news);
        let store = Self::over(address, Some(deciding), news);
        store.decide(async |_| Ok(())).await?;
        Ok(store)
    }

    /// Opens it as [`PostgresStore::open`] does, if it is there, but without the right to write.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn open_to_read(address: &PostgresAddress) -> Result<Self, StoreError> {
        let store = Self::over(address, None, Rc::new(News::new()));
        store.look(async |_| Ok(())).await?;
        Ok(store)
    }

    fn over(address: &PostgresAddress, deciding: Option<Line>, news: Rc<News>) -> Self {
        let purpose = if deciding.is_some() { Purpose::Look } else { Purpose::Read };
        let looking = Line::new(address, purpose, &news);
        let url = address.to_string();
        let (has_lease, identity) = (Cell::new(false), RefCell::default());
        Self(Rc::new(Shared { url, deciding, looking, news, has_lease, identity }))
    }

    pub(super) async fn transact<T>(
        &self,
        keys: &BTreeSet<Key>,
        mut decide: impl FnMut(&Loaded) -> (Changes, T),
    ) -> Result<(T, Vec<StoredEvent>), StoreError> {
        for _ in 0..ATTEMPTS {
            match self.decide(async |line| self.decide_and_commit(line, keys, &mut decide).await).await? {
                Tried::Done(done) => return Ok(done),
                Tried::Overtaken => {}
            }
        }
        let cause = "others were faster again and again; trying again";
        Err(Failure::Unusable(cause.to_owned()).of(&self.0.url))
    }

    async fn decide_and_commit<T>(
        &self,
        session: &session::Session,
        keys: &BTreeSet<Key>,
        decide: &mut impl FnMut(&Loaded) -> (Changes, T),
    ) -> Result<Tried<T>, Failure> {
        let loaded = read::begin_and_load(session, keys).await?;
        let (changes, answer) = decide(&loaded);
        if changes.is_empty() {
            session.client.batch_execute("ROLLBACK").await?;
            return Ok(Tried::Done((answer, Vec::new())));
        }
        changes.check(keys, &loaded).map_err(Failure::Contradiction)?;
        // Who relays them itself need not tell others.
        let told = (!self.0.has_lease.get()).then(|| self.0.news.own_name());
        let Some(committed) = write::and_commit(session, changes, told).await? else {
            return Ok(Tried::Overtaken);
        };
        if let Some(numbers) = committed.appended {
            self.0.news.own_commit(numbers);
        }
        if let Some(identity) = committed.identity {
            self.0.identity.replace(Some(identity));
        }
        Ok(Tried::Done((answer, committed.events)))
    }

    pub(super) async fn unsent(
        &self,
        after: i64,
        is_known: impl Fn(i64) -> bool,
        max: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.identity.replace(None);
        self.look(async |session| read::unsent(session, after, &is_known, max).await).await
    }

    pub(super) async fn unsent_count(&self) -> Result<u64, StoreError> {
        self.look(async |session| read::unsent_count(session).await).await
    }

    pub(super) async fn mark_sent(&self, seqs: &[i64]) -> Result<(), StoreError> {
        if seqs.is_empty() {
            return Ok(());
        }
        self.look(async |session| write::sent(session, seqs).await).await
    }

    pub(super) async fn take_lease(
        &self,
        holder: &str,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<bool, StoreError> {
        let has_it = self.look(async |session| lease::take(session, holder, now, lasts).await).await;
        self.0.has_lease.set(matches!(has_it, Ok(true)));
        has_it
    }

    pub(super) async fn give_up_lease(&self, holder: &str) -> Result<(), StoreError> {
        self.0.has_lease.set(false);
        self.look(async |session| lease::give_up(session, holder).await).await
    }

    /// What others commit is told by the server within milliseconds, and found at the latest when it is asked for.
    pub(super) async fn changed_externally(&self) -> Result<bool, StoreError> {
        if self.0.news.is_to_be_asked_for() {
            let last_seq = self.look(async |session| read::last_seq(session).await).await?;
            self.0.news.asked(last_seq);
        }
        Ok(self.0.news.take())
    }

    pub(super) async fn due(
        &self,
        kind: &'static str,
        now: Timestamp,
        latest: Timestamp,
        max: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.look(async |session| read::due(session, kind, now, latest, max).await).await
    }

    pub(super) async fn log(
        &self,
        seqs: RangeInclusive<i64>,
        max: usize,
        max_bytes: usize,
    ) -> Result<LogPage, StoreError> {
        self.look(async |session| read::log(session, seqs.clone(), max, max_bytes).await).await
    }

    pub(super) async fn identity(&self) -> Result<Option<LogId>, StoreError> {
        let known = self.0.identity.borrow().clone();
        if known.is_some() {
            return Ok(known);
        }
        let found = self.look(async |session| identity::identity(session).await).await?;
        self.0.identity.replace(found.clone());
        Ok(found)
    }

    pub(super) async fn head(&self) -> Result<Option<LogHead>, StoreError> {
        self.look(async |session| identity::head(session).await).await
    }

    pub(super) async fn scan(
        &self,
        kind: &'static str,
        after: &str,
        max: usize,
    ) -> Result<Vec<(String, Row)>, StoreError> {
        self.look(async |session| read::scan(session, kind, after, max).await).await
    }

    pub(super) async fn has_any(&self, kind: &'static str) -> Result<bool, StoreError> {
        self.look(async |session| read::has_any(session, kind).await).await
    }

    async fn decide<T>(
        &self,
        work: impl AsyncFnOnce(&session::Session) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        match &self.0.deciding {
            // Large, and small beside a round to the server.
            Some(line) => Box::pin(line.with(work)).await,
            None => Err(Failure::Contradiction("it was opened to be read".to_owned())),
        }
        .map_err(|failure| failure.of(&self.0.url))
    }

    async fn look<T>(
        &self,
        work: impl AsyncFnOnce(&session::Session) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        Box::pin(self.0.looking.with(work)).await.map_err(|failure| failure.of(&self.0.url))
    }
}

/// How a decision went.
enum Tried<T> {
    Done((T, Vec<StoredEvent>)),
    /// Somebody else has created what this one was to create, and nothing of it was written.
    Overtaken,
}
