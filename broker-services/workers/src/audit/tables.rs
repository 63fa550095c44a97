//! What the stores' tables say: states and entries, read page by page.

use std::collections::VecDeque;
use std::iter::Peekable;

use skstore_domain::events::Source;

use super::report::AuditError;
use super::sources::Sources;
use crate::config::StoreUrl;
use crate::service;
use crate::store::tables::{Cell, Columns, Reader};

/// Rows of a page: a few MiB of bodies.
const PAGE: i64 = 2_000;

/// The three stores.
pub(super) struct Stores {
    pub(super) order: Tables,
    pub(super) deposit: Tables,
    pub(super) item: Tables,
}

impl Stores {
    pub(super) const fn of(&self, source: Source) -> &Tables {
        match source {
            Source::Order => &self.order,
            Source::Deposit => &self.deposit,
            Source::Item => &self.item,
        }
    }

    pub(super) fn open(sources: &Sources) -> Result<Self, AuditError> {
        Ok(Self {
            order: Tables::open(&sources.order, Source::Order)?,
            deposit: Tables::open(&sources.deposit, Source::Deposit)?,
            item: Tables::open(&sources.item, Source::Item)?,
        })
    }

    /// From here on each store is read as it is now. Order comes last: what it has done the others have caused.
    pub(super) fn begin(&self) -> Result<(), AuditError> {
        [&self.deposit, &self.item, &self.order].into_iter().try_for_each(Tables::begin)
    }

    /// From here on every read sees what is there when it is made.
    pub(super) fn end(&self) -> Result<(), AuditError> {
        [&self.deposit, &self.item, &self.order].into_iter().try_for_each(Tables::end)
    }
}

/// An aggregate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) id: String,
    pub(super) revision: i64,
    pub(super) body: String,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: i64,
    /// Kind of its aggregate.
    pub(super) kind: String,
    pub(super) aggregate_id: String,
    pub(super) revision: i64,
    /// Its routing key: `order.placed`.
    pub(super) what: String,
    pub(super) body: String,
}

/// One store.
pub(super) struct Tables {
    url: String,
    reader: Reader,
}

impl Tables {
    fn open(url: &StoreUrl, of: Source) -> Result<Self, AuditError> {
        let failed = |cause| AuditError::Store { store: url.to_string(), cause };
        if let StoreUrl::Sqlite(path) = url
            && !path.is_file()
        {
            let cause = "there is no such file; run the audit where the stores are, or say where with \
                         order.store.url, deposit.store.url and item.store.url";
            return Err(failed(cause.to_owned()));
        }
        let reader = Reader::open(url).map_err(failed)?;
        let tables = Self { url: url.to_string(), reader };
        tables.check_kinds(of)?;
        Ok(tables)
    }

    /// That it is the store of that service, and not another's under its name.
    fn check_kinds(&self, of: Source) -> Result<(), AuditError> {
        const SQL: &str = "SELECT 1 FROM aggregates WHERE kind = $1 LIMIT 1";
        for other in Source::ALL.iter().filter(|other| **other != of) {
            for kind in service::kinds(*other) {
                if !self.rows(SQL, &[(*kind).into()], |_| ())?.is_empty() {
                    let cause = format!(
                        "it is named as the store of {of}, but it is that of {other}: name the right one there"
                    );
                    return Err(AuditError::Store { store: self.url.clone(), cause });
                }
            }
        }
        Ok(())
    }

    fn failed(&self, cause: String) -> AuditError {
        AuditError::Store { store: self.url.clone(), cause }
    }

    fn begin(&self) -> Result<(), AuditError> {
        self.reader.begin().map_err(|cause| self.failed(cause))
    }

    fn end(&self) -> Result<(), AuditError> {
        self.reader.end().map_err(|cause| self.failed(cause))
    }

    fn rows<T>(
        &self,
        sql: &'static str,
        parameters: &[Cell],
        read: impl Fn(&mut Columns) -> T,
    ) -> Result<VecDeque<T>, AuditError> {
        let read = |row| {
            let mut columns = Columns::of(row);
            let read = read(&mut columns);
            columns.end().map(|()| read)
        };
        let rows = self.reader.rows(sql, parameters);
        let rows = rows.and_then(|rows| rows.into_iter().map(read).collect());
        rows.map_err(|cause| self.failed(cause))
    }

    /// The aggregate `id` of `kind`, as it is now.
    pub(super) fn state(&self, kind: &str, id: &str) -> Result<Option<State>, AuditError> {
        const SQL: &str = "SELECT id, revision, body FROM aggregates WHERE kind = $1 AND id = $2";
        Ok(self.rows(SQL, &[kind.into(), id.into()], state)?.pop_front())
    }

    /// All aggregates of `kind`, by id.
    pub(super) fn states<'a>(
        &'a self,
        kind: &'static str,
    ) -> impl Iterator<Item = Result<State, AuditError>> + 'a {
        const SQL: &str = "SELECT id, revision, body FROM aggregates WHERE kind = $1 AND id > $2 \
                           ORDER BY id LIMIT $3";
        pages(move |last: Option<&State>| {
            let after = last.map_or("", |state| state.id.as_str());
            self.rows(SQL, &[kind.into(), after.into(), PAGE.into()], state)
        })
    }

    /// Every aggregate of `kind` that has a state or an entry, by id.
    pub(super) fn histories<'a>(
        &'a self,
        kind: &'static str,
    ) -> impl Iterator<Item = Result<History, AuditError>> + 'a {
        let (mut entries, mut states) = (self.entries(kind).peekable(), self.states(kind).peekable());
        let mut next = move || {
            let ids = [
                next_id(&mut entries, |entry| &entry.aggregate_id)?,
                next_id(&mut states, |state| &state.id)?,
            ];
            let Some(id) = ids.into_iter().flatten().min() else { return Ok(None) };
            let mut of_it = Vec::new();
            while let Some(entry) =
                entries.next_if(|entry| entry.as_ref().is_ok_and(|entry| entry.aggregate_id == id))
            {
                of_it.push(entry?);
            }
            let state =
                states.next_if(|state| state.as_ref().is_ok_and(|state| state.id == id)).transpose()?;
            Ok(Some(History { id, entries: of_it, state }))
        };
        std::iter::from_fn(move || next().transpose())
    }

    /// All entries about aggregates of `kind`, by their id and revision.
    fn entries<'a>(&'a self, kind: &'static str) -> impl Iterator<Item = Result<Entry, AuditError>> + 'a {
        const SQL: &str = "SELECT seq, kind, aggregate_id, revision, type, body FROM events \
                           WHERE kind = $1 AND (aggregate_id, revision) > ($2, $3) \
                           ORDER BY aggregate_id, revision LIMIT $4";
        pages(move |last: Option<&Entry>| {
            let (id, revision) =
                last.map_or(("", i64::MIN), |entry| (entry.aggregate_id.as_str(), entry.revision));
            self.rows(SQL, &[kind.into(), id.into(), revision.into(), PAGE.into()], entry)
        })
    }

    /// The whole log, in its order.
    pub(super) fn log(&self) -> impl Iterator<Item = Result<Entry, AuditError>> + '_ {
        const SQL: &str = "SELECT seq, kind, aggregate_id, revision, type, body FROM events WHERE seq > $1 \
                           ORDER BY seq LIMIT $2";
        pages(move |last: Option<&Entry>| {
            let after = last.map_or(i64::MIN, |entry| entry.seq);
            self.rows(SQL, &[after.into(), PAGE.into()], entry)
        })
    }

    /// What it says of itself under `key`.
    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, AuditError> {
        const SQL: &str = "SELECT value FROM meta WHERE key = $1";
        Ok(self.rows(SQL, &[key.into()], Columns::text)?.pop_front())
    }

    /// Whether something about the aggregate is committed and not yet confirmed by the bus.
    pub(super) fn is_unsent(&self, kind: &str, id: &str) -> Result<bool, AuditError> {
        const SQL: &str =
            "SELECT 1 FROM events JOIN unsent USING (seq) WHERE kind = $1 AND aggregate_id = $2 LIMIT 1";
        Ok(!self.rows(SQL, &[kind.into(), id.into()], |_| ())?.is_empty())
    }
}

fn state(row: &mut Columns) -> State {
    State { id: row.text(), revision: row.number(), body: row.text() }
}

fn entry(row: &mut Columns) -> Entry {
    Entry {
        seq: row.number(),
        kind: row.text(),
        aggregate_id: row.text(),
        revision: row.number(),
        what: row.text(),
        body: row.text(),
    }
}

/// Rows one after the other, read a page at a time; each page starts after the last row of the one before.
fn pages<T: Clone>(
    mut read: impl FnMut(Option<&T>) -> Result<VecDeque<T>, AuditError>,
) -> impl Iterator<Item = Result<T, AuditError>> {
    let (mut page, mut last, mut has_ended) = (VecDeque::new(), None, false);
    std::iter::from_fn(move || {
        if page.is_empty() && !has_ended {
            match read(last.as_ref()) {
                Ok(rows) => (last, has_ended, page) = (rows.back().cloned(), rows.is_empty(), rows),
                Err(error) => {
                    has_ended = true;
                    return Some(Err(error));
                }
            }
        }
        page.pop_front().map(Ok)
    })
}

/// The id of the next one, without taking it.
///
/// # Errors
/// The error that comes next instead.
pub(super) fn next_id<T>(
    rows: &mut Peekable<impl Iterator<Item = Result<T, AuditError>>>,
    id: impl Fn(&T) -> &String,
) -> Result<Option<String>, AuditError> {
    match rows.next_if(Result::is_err) {
        Some(Err(error)) => Err(error),
        Some(Ok(_)) | None => Ok(rows.peek().and_then(|row| row.as_ref().ok()).map(|row| id(row).clone())),
    }
}

/// Everything about one aggregate.
#[derive(Debug)]
pub(super) struct History {
    pub(super) id: String,
    /// Its entries, by revision.
    pub(super) entries: Vec<Entry>,
    pub(super) state: Option<State>,
}
