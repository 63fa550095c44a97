//! Which store this is, and how far it goes: what tells it from a copy of itself that took its place.

use skstore_domain::checkpoint::{Began, LogHead, LogId, MAX_INCARNATIONS};
use tokio_postgres::{Client, Row};

use super::failure::Failure;
use super::schema::NUMBERING;
use super::session::Session;

/// The newest incarnation, of a store that has one.
pub(super) const BOTH: &str = "
    SELECT value, id FROM meta, openings
    WHERE key = 'store_id' AND number = (SELECT max(number) FROM openings)";
/// All in one statement, so that it is true at once. The newest incarnations come last.
const HEAD: &str = "
    WITH newest AS (
        SELECT number, id, since_seq FROM openings WHERE number > (SELECT max(number) FROM openings) - $1
    )
    SELECT value, (SELECT coalesce(max(seq), 0) FROM events), (SELECT min(seq) FROM unsent),
        (SELECT coalesce(array_agg(id ORDER BY number), '{}') FROM newest),
        (SELECT coalesce(array_agg(since_seq ORDER BY number), '{}') FROM newest)
    FROM meta WHERE key = 'store_id'";

/// Begins an incarnation. The last some dozens are kept. Commits wait for it, so each is before it or after it. One that is a
/// copy of a backup remembers from when on, and how far it went.
pub(super) async fn begin(client: &Client) -> Result<(), Failure> {
    let begin = format!(
        "BEGIN;
         {NUMBERING};
         DELETE FROM openings WHERE number <= (SELECT max(number) FROM openings) - 64;
         INSERT INTO openings (number, since_seq, id) SELECT
             coalesce((SELECT max(number) FROM openings), 0) + 1,
             coalesce((SELECT max(seq) FROM events), 0) + 1,
             replace(gen_random_uuid()::text, '-', '');
         INSERT INTO meta (key, value)
             SELECT 'restored_seq', (SELECT coalesce(max(seq), 0) FROM events)::text FROM meta WHERE key = 'copied_at'
             UNION ALL SELECT 'restored_from', value FROM meta WHERE key = 'copied_at'
             ON CONFLICT (key) DO UPDATE SET value = excluded.value;
         DELETE FROM meta WHERE key = 'copied_at';
         COMMIT"
    );
    Ok(client.batch_execute(&begin).await?)
}

/// See [`Store::identity`](crate::store::Store::identity).
pub(super) async fn identity(session: &Session) -> Result<Option<LogId>, Failure> {
    let both = session.statement(BOTH).await?;
    Ok(session.client.query_opt(&both, &[]).await?.map(|row| of_row(&row)))
}

/// What [`BOTH`] finds.
pub(super) fn of_row(row: &Row) -> LogId {
    LogId { store: row.get(0), incarnation: row.get(1) }
}

/// See [`Store::head`](crate::store::Store::head).
pub(super) async fn head(session: &Session) -> Result<Option<LogHead>, Failure> {
    let head = session.statement(HEAD).await?;
    let newest = i64::try_from(MAX_INCARNATIONS + 1).unwrap_or(i64::MAX);
    let Some(row) = session.client.query_opt(&head, &[&newest]).await? else { return Ok(None) };
    let (ids, since): (Vec<String>, Vec<i64>) = (row.get(3), row.get(4));
    let began = ids.into_iter().zip(since).map(|(incarnation, since_seq)| Began { incarnation, since_seq });
    let mut incarnations: Vec<Began> = began.collect();
    let Some(Began { incarnation, since_seq }) = incarnations.pop() else { return Ok(None) };
    let (last_seq, first_unsent): (i64, Option<i64>) = (row.get(1), row.get(2));
    let sent_seq = first_unsent.map_or(last_seq, |seq| seq - 1);
    Ok(Some(LogHead { store: row.get(0), incarnation, since_seq, last_seq, sent_seq, earlier: incarnations }))
}
