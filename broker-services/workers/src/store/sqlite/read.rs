//! What is read, inside a transaction or on its own.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::{Connection, Row as SqlRow};
use skstore_domain::events::EventKind;
use skstore_domain::time::Timestamp;

use super::failure::Failure;
use crate::store::{Again, Key, Loaded, LogPage, NewEvent, Row, StoredEvent};

/// What the functions below ask, by themselves so that a test can look at SQLite's plan for each.
#[cfg(test)]
pub(super) const QUERIES: &[&str] = &[LOAD, UNSENT, EVENT, DUE, DUE_AHEAD, NEWEST, LOG, LAST_SEQ, HAS_ANY];

const LOAD: &str = "SELECT revision, body FROM aggregates WHERE kind = ?1 AND id = ?2";
const UNSENT: &str = "SELECT seq, told_again FROM unsent WHERE seq > ?1 ORDER BY seq";
const EVENT: &str = "SELECT seq, id, aggregate_id, revision, type, body FROM events WHERE seq = ?1";
const UNSENT_COUNT: &str = "SELECT count(*) FROM unsent";
const DUE: &str = "
    SELECT id FROM aggregates INDEXED BY aggregates_due
    WHERE kind = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3";
const DUE_AHEAD: &str = "
    SELECT id FROM aggregates INDEXED BY aggregates_due
    WHERE kind = ?1 AND due > ?2 ORDER BY due, id LIMIT ?3";
const NEWEST: &str = "
    SELECT seq, id, aggregate_id, revision, type, body FROM events INDEXED BY events_history
    WHERE kind = ?1 AND aggregate_id = ?2 AND type = ?3 ORDER BY revision DESC LIMIT 1";
const LOG: &str = "SELECT seq, body FROM events WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3";
const LAST_SEQ: &str = "SELECT coalesce(max(seq), 0) FROM events";
const HAS_ANY: &str = "SELECT 1 FROM aggregates WHERE kind = ?1 LIMIT 1";

/// Those of `keys` that are there.
pub(super) fn load(connection: &Connection, keys: &BTreeSet<Key>) -> Result<Loaded, Failure> {
    let mut select = connection.prepare_cached(LOAD)?;
    let mut loaded = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = select.query((key.kind, &key.id))?;
        if let Some(row) = rows.next()? {
            loaded.push((key.clone(), Row { revision: revision(row, 0)?, body: row.get(1)? }));
        }
    }
    Ok(loaded.into_iter().collect())
}

/// See [`Store::unsent`](crate::store::Store::unsent).
pub(super) fn unsent(
    connection: &mut Connection,
    after: i64,
    is_known: impl Fn(i64) -> bool,
    max: usize,
) -> Result<Vec<StoredEvent>, Failure> {
    // One read transaction, so that what is unsent is there.
    let transaction = connection.transaction()?;
    let mut select = transaction.prepare_cached(UNSENT)?;
    let mut read = transaction.prepare_cached(EVENT)?;
    let mut numbers = select.query([after])?;
    let mut events = Vec::new();
    while let Some(row) = numbers.next()?
        && events.len() < max
    {
        let seq: i64 = row.get(0)?;
        if !is_known(seq) {
            let event = read.query_one([seq], |row| Ok(stored_event(row)))??;
            let told_again = row.get::<_, Option<u32>>(1)?.unwrap_or_default();
            events.push(StoredEvent { told_again, ..event });
        }
    }
    Ok(events)
}

/// See [`Store::unsent_count`](crate::store::Store::unsent_count).
pub(super) fn unsent_count(connection: &Connection) -> Result<u64, Failure> {
    let count: i64 = connection.prepare_cached(UNSENT_COUNT)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A number that changes when another connection commits.
pub(super) fn data_version(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// See [`Store::scan`](crate::store::Store::scan).
pub(super) fn scan(
    connection: &Connection,
    kind: &'static str,
    after: &str,
    max: usize,
) -> Result<Vec<(String, Row)>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT id, revision, body FROM aggregates WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = select.query((kind, after, limit(max)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, Row { revision: revision(row, 1)?, body: row.get(2)? }));
    }
    Ok(found)
}

/// See [`Store::due`](crate::store::Store::due).
pub(super) fn due(
    connection: &Connection,
    kind: &'static str,
    now: Timestamp,
    latest: Timestamp,
    max: usize,
) -> Result<Vec<Key>, Failure> {
    let mut keys = Vec::new();
    for (query, bound) in [(DUE, now), (DUE_AHEAD, latest)] {
        let mut select = connection.prepare_cached(query)?;
        let left = limit(max.saturating_sub(keys.len()));
        let ids = select.query_map((kind, bound.0, left), |row| row.get::<_, String>(0))?;
        for id in ids {
            keys.push(Key::new(kind, id?));
        }
    }
    Ok(keys)
}

/// The event that `again` names.
pub(super) fn newest(connection: &Connection, again: &Again) -> Result<Option<StoredEvent>, Failure> {
    let Again { kind, aggregate_id, .. } = again;
    let mut select = connection.prepare_cached(NEWEST)?;
    let mut rows = select.query((kind.aggregate_kind(), aggregate_id, kind.word()))?;
    rows.next()?.map(stored_event).transpose()
}

/// See [`Store::log`](crate::store::Store::log).
pub(super) fn log(
    connection: &mut Connection,
    seqs: RangeInclusive<i64>,
    max: usize,
    max_bytes: usize,
) -> Result<LogPage, Failure> {
    // One read transaction, so that the newest entry and the page belong together.
    let transaction = connection.transaction()?;
    let last_seq = last_seq(&transaction)?;
    let mut select = transaction.prepare_cached(LOG)?;
    // One more than wanted: it tells where the next page starts.
    let mut rows = select.query((seqs.start(), seqs.end(), limit(max.max(1).saturating_add(1))))?;
    let mut page = LogPage { bodies: Vec::new(), next_seq: None, last_seq };
    let mut bytes = 0_usize;
    while let Some(row) = rows.next()? {
        let body = text(row, 1)?;
        bytes = bytes.saturating_add(body.len());
        if !page.bodies.is_empty() && (page.bodies.len() >= max || bytes > max_bytes) {
            page.next_seq = Some(row.get(0)?);
            break;
        }
        page.bodies.push(body.to_owned());
    }
    Ok(page)
}

/// The newest entry's number; 0 for an empty log.
pub(super) fn last_seq(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.prepare_cached(LAST_SEQ)?.query_row([], |row| row.get(0))?)
}

/// See [`Store::has_any`](crate::store::Store::has_any).
pub(super) fn has_any(connection: &Connection, kind: &str) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(HAS_ANY)?.exists([kind])?)
}

fn stored_event(row: &SqlRow<'_>) -> Result<StoredEvent, Failure> {
    let seq: i64 = row.get(0)?;
    let word = text(row, 4)?;
    let kind = EventKind::from_word(word).ok_or_else(|| {
        Failure::Unusable(format!(
            "event {seq} is a '{word}', which this version does not know; use the program that wrote it"
        ))
    })?;
    let event = NewEvent {
        id: row.get(1)?,
        aggregate_kind: kind.aggregate_kind(),
        aggregate_id: row.get(2)?,
        revision: revision(row, 3)?,
        kind,
        body: row.get(5)?,
    };
    Ok(StoredEvent { seq, event, told_again: 0 })
}

fn text<'row>(row: &'row SqlRow<'_>, column: usize) -> Result<&'row str, Failure> {
    row.get_ref(column)?
        .as_str()
        .map_err(|error| Failure::Unusable(format!("column {column} of a row is no text: {error}")))
}

fn revision(row: &SqlRow<'_>, column: usize) -> Result<u64, Failure> {
    let revision: i64 = row.get(column)?;
    u64::try_from(revision).map_err(|_| Failure::Unusable(format!("a row has the revision {revision}")))
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
