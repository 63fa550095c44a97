//! What is read, at the beginning of a decision or by itself.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use futures_util::TryStreamExt as _;
use futures_util::future::try_join;
use skstore_domain::events::EventKind;
use skstore_domain::time::Timestamp;
use tokio_postgres::Row as SqlRow;
use tokio_postgres::types::ToSql;

use super::failure::Failure;
use super::session::Session;
use crate::store::{Key, Loaded, LogPage, NewEvent, Row, StoredEvent};

/// In the order of the keys, in which whoever decides on several of them locks them.
const LOAD: &str = "
    SELECT wanted.at, revision, body FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (kind, id, at)
    JOIN aggregates USING (kind, id) ORDER BY wanted.at FOR NO KEY UPDATE OF aggregates";
const UNSENT: &str = "SELECT seq FROM unsent WHERE seq > $1 ORDER BY seq LIMIT $2";
const EVENTS: &str = "
    SELECT seq, aggregate_id, revision, type, body, coalesce(told_again, 0) FROM unsent JOIN events USING (seq)
    WHERE seq = ANY($1) ORDER BY seq";
const UNSENT_COUNT: &str = "SELECT count(*) FROM unsent";
const DUE: &str = "SELECT id FROM aggregates WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $3";
const DUE_AHEAD: &str = "SELECT id FROM aggregates WHERE kind = $1 AND due > $2 ORDER BY due, id LIMIT $3";
/// One statement, so that the newest entry and the page belong together; a row without an entry where there is none.
const LOG: &str = "
    SELECT last_seq, seq, body FROM (SELECT coalesce(max(seq), 0) AS last_seq FROM events) AS whole
    LEFT JOIN LATERAL (
        SELECT seq, body FROM events WHERE seq BETWEEN $1 AND $2 ORDER BY seq LIMIT $3
    ) AS page ON true ORDER BY seq";
const LAST_SEQ: &str = "SELECT coalesce(max(seq), 0) FROM events";
const SCAN: &str =
    "SELECT id, revision, body FROM aggregates WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";
const HAS_ANY: &str = "SELECT 1 FROM aggregates WHERE kind = $1 LIMIT 1";

/// Numbers of unsent events that are read at once: a look at a hundred thousand that are all known takes five rounds.
const NUMBERS: i64 = 20_000;

/// Begins a transaction and locks those of `keys` that are there, in one round.
pub(super) async fn begin_and_load(session: &Session, keys: &BTreeSet<Key>) -> Result<Loaded, Failure> {
    let load = session.statement(LOAD).await?;
    let kinds: Vec<&str> = keys.iter().map(|key| key.kind).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let parameters: [&(dyn ToSql + Sync); 2] = [&kinds, &ids];
    let begin = session.client.batch_execute("BEGIN");
    let ((), rows) = try_join(begin, session.client.query(&load, &parameters)).await?;
    // They come in the order of the keys, which the set has too.
    let mut keys = keys.iter().zip(1_i64..);
    let mut loaded = Vec::with_capacity(rows.len());
    for row in rows {
        let at: i64 = row.get(0);
        if let Some((key, _)) = keys.find(|(_, place)| *place == at) {
            loaded.push((key.clone(), Row { revision: revision(&row, 1)?, body: row.get(2) }));
        }
    }
    Ok(loaded.into_iter().collect())
}

/// See [`Store::unsent`](crate::store::Store::unsent).
pub(super) async fn unsent(
    session: &Session,
    after: i64,
    is_known: &impl Fn(i64) -> bool,
    max: usize,
) -> Result<Vec<StoredEvent>, Failure> {
    let (numbers, events) = (session.statement(UNSENT).await?, session.statement(EVENTS).await?);
    let (mut after, mut found) = (after, Vec::new());
    while found.len() < max {
        let seqs = session.client.query(&numbers, &[&after, &NUMBERS]).await?;
        let Some(last) = seqs.last() else { break };
        after = last.get(0);
        let unknown = seqs.iter().map(|row| row.get(0)).filter(|seq| !is_known(*seq));
        let wanted: Vec<i64> = unknown.take(max - found.len()).collect();
        if let Some(last) = wanted.last().filter(|_| wanted.len() + found.len() == max) {
            after = *last;
        }
        if !wanted.is_empty() {
            // Those that were sent meanwhile are not there any more.
            for row in session.client.query(&events, &[&wanted]).await? {
                found.push(stored_event(&row)?);
            }
        }
    }
    Ok(found)
}

/// See [`Store::unsent_count`](crate::store::Store::unsent_count).
pub(super) async fn unsent_count(session: &Session) -> Result<u64, Failure> {
    let count = session.statement(UNSENT_COUNT).await?;
    let count: i64 = session.client.query_one(&count, &[]).await?.get(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// See [`Store::scan`](crate::store::Store::scan).
pub(super) async fn scan(
    session: &Session,
    kind: &'static str,
    after: &str,
    max: usize,
) -> Result<Vec<(String, Row)>, Failure> {
    let scan = session.statement(SCAN).await?;
    let rows = session.client.query(&scan, &[&kind, &after, &limit(max)]).await?;
    let found = |row: &SqlRow| Ok((row.get(0), Row { revision: revision(row, 1)?, body: row.get(2) }));
    rows.iter().map(found).collect()
}

/// See [`Store::due`](crate::store::Store::due).
pub(super) async fn due(
    session: &Session,
    kind: &'static str,
    now: Timestamp,
    latest: Timestamp,
    max: usize,
) -> Result<Vec<Key>, Failure> {
    let mut keys = Vec::new();
    for (query, bound) in [(DUE, now), (DUE_AHEAD, latest)] {
        let query = session.statement(query).await?;
        let left = limit(max.saturating_sub(keys.len()));
        let rows = session.client.query(&query, &[&kind, &bound.0, &left]).await?;
        keys.extend(rows.iter().map(|row| Key::new(kind, row.get::<_, String>(0))));
    }
    Ok(keys)
}

/// See [`Store::log`](crate::store::Store::log).
pub(super) async fn log(
    session: &Session,
    seqs: RangeInclusive<i64>,
    max: usize,
    max_bytes: usize,
) -> Result<LogPage, Failure> {
    let log = session.statement(LOG).await?;
    // One more than wanted: it tells where the next page starts.
    let wanted = limit(max.max(1).saturating_add(1));
    let parameters: [&(dyn ToSql + Sync); 3] = [seqs.start(), seqs.end(), &wanted];
    let rows = session.client.query_raw(&log, parameters).await?;
    let mut rows = std::pin::pin!(rows);
    let mut page = LogPage { bodies: Vec::new(), next_seq: None, last_seq: 0 };
    let mut bytes = 0_usize;
    while let Some(row) = rows.try_next().await? {
        page.last_seq = row.get(0);
        let Some(seq) = row.get::<_, Option<i64>>(1) else { break };
        let body: String = row.get(2);
        bytes = bytes.saturating_add(body.len());
        if !page.bodies.is_empty() && (page.bodies.len() >= max || bytes > max_bytes) {
            page.next_seq = Some(seq);
            break;
        }
        page.bodies.push(body);
    }
    Ok(page)
}

/// The newest entry's number; 0 for an empty log.
pub(super) async fn last_seq(session: &Session) -> Result<i64, Failure> {
    let last_seq = session.statement(LAST_SEQ).await?;
    Ok(session.client.query_one(&last_seq, &[]).await?.get(0))
}

/// See [`Store::has_any`](crate::store::Store::has_any).
pub(super) async fn has_any(session: &Session, kind: &str) -> Result<bool, Failure> {
    let has_any = session.statement(HAS_ANY).await?;
    Ok(session.client.query_opt(&has_any, &[&kind]).await?.is_some())
}

/// A row of `seq, aggregate_id, revision, type, body, told_again`.
pub(super) fn stored_event(row: &SqlRow) -> Result<StoredEvent, Failure> {
    let (seq, word): (i64, &str) = (row.get(0), row.get(3));
    let kind = EventKind::from_word(word).ok_or_else(|| {
        Failure::Unusable(format!(
            "event {seq} is a '{word}', which this version does not know; use the program that wrote it"
        ))
    })?;
    let (aggregate_kind, aggregate_id): (_, String) = (kind.aggregate_kind(), row.get(1));
    let revision = revision(row, 2)?;
    let id = format!("{aggregate_kind}/{aggregate_id}/{revision}");
    let event = NewEvent { id, aggregate_kind, aggregate_id, revision, kind, body: row.get(4) };
    let told_again = u32::try_from(row.get::<_, i32>(5)).unwrap_or(0);
    Ok(StoredEvent { seq, event, told_again })
}

fn revision(row: &SqlRow, column: usize) -> Result<u64, Failure> {
    let revision: i64 = row.get(column);
    u64::try_from(revision).map_err(|_| Failure::Unusable(format!("a row has the revision {revision}")))
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
