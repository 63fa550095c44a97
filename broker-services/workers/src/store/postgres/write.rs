//! What a decision writes, all of it sent at once with its commit; and what is written beside.

use futures_util::future::{join, join4, join5};
use skstore_domain::checkpoint::LogId;
use skstore_domain::time::Timestamp;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::failure::Failure;
use super::schema::NUMBERING;
use super::session::Session;
use super::{identity, read};
use crate::store::{Again, Changes, Key, NewEvent, StoredEvent, Write};

/// Fails where somebody else has created one of them since they were read.
const INSERT: &str = "
    INSERT INTO aggregates (kind, id, revision, body, due)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])";
/// Those that were read are locked since then.
const UPDATE: &str = "
    UPDATE aggregates SET revision = new.revision, body = new.body, due = new.due
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[]) AS new (kind, id, revision, body, due)
    WHERE aggregates.kind = new.kind AND aggregates.id = new.id";
const LOOK: &str = "
    UPDATE aggregates SET due = new.due FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (kind, id, due)
    WHERE aggregates.kind = new.kind AND aggregates.id = new.id";
/// Once it has the lock for numbering.
const APPEND: &str = "
    WITH numbered AS (
        SELECT coalesce(max(seq), 0) AS before FROM events
    ), appended AS (
        INSERT INTO events (seq, kind, aggregate_id, revision, type, body)
        SELECT before + at, kind, aggregate_id, revision, type, body
        FROM numbered, unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
            WITH ORDINALITY AS new (kind, aggregate_id, revision, type, body, at)
    ), queued AS (
        INSERT INTO unsent (seq) SELECT before + at FROM numbered, generate_series(1, cardinality($1::text[])) AS at
    )
    SELECT before FROM numbered";
/// The newest event of each kind that is named, and whether it is unsent by that and was not before.
const AGAIN: &str = "
    WITH found AS (
        SELECT at, told_again, newest.* FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[])
            WITH ORDINALITY AS wanted (kind, aggregate_id, type, told_again, at)
        CROSS JOIN LATERAL (
            SELECT seq, aggregate_id, revision, type, body FROM events
            WHERE events.kind = wanted.kind AND events.aggregate_id = wanted.aggregate_id AND events.type = wanted.type
            ORDER BY revision DESC LIMIT 1
        ) AS newest
    ), queued AS (
        INSERT INTO unsent (seq, told_again) SELECT DISTINCT ON (seq) seq, told_again FROM found ORDER BY seq, at
        ON CONFLICT DO NOTHING RETURNING seq
    )
    SELECT seq, aggregate_id, revision, type, body,
        CASE WHEN queued.seq IS NULL THEN 0 ELSE told_again END
    FROM found LEFT JOIN queued USING (seq) ORDER BY at";
/// By itself after the commit, so that no commit waits for it, and nothing for the disk.
const NOTIFY: &str = "
    SELECT set_config('synchronous_commit', 'off', true),
        pg_notify($1, $2::text || ' ' || coalesce((SELECT max(seq) FROM events), 0))";
const SENT: &str = "DELETE FROM unsent WHERE seq = ANY($1)";

/// What became of a decision.
#[derive(Debug)]
pub(super) struct Committed {
    /// Those appended, and those to be published again.
    pub(super) events: Vec<StoredEvent>,
    /// The first and the last number of those appended, if any were.
    pub(super) appended: Option<(i64, i64)>,
    /// Whose they are.
    pub(super) identity: Option<LogId>,
}

/// Writes and commits what was decided, in one round, and has others `told` by that name. Nothing comes back where
/// somebody else has created meanwhile what was to be created.
pub(super) async fn and_commit(
    session: &Session,
    changes: Changes,
    told: Option<&str>,
) -> Result<Option<Committed>, Failure> {
    let Changes { mut writes, events, again, looks } = changes;
    // Those that are new wait for each other only in the order of their keys, as the others do.
    writes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    let (new, old): (Vec<Write>, Vec<Write>) = writes.into_iter().partition(|write| write.read == 0);
    let prepared = Prepared::of(session).await?;
    // What is polled first is sent first, and all of it before the first answer is waited for.
    let rows = join5(
        write(session, &prepared.insert, &new),
        write(session, &prepared.update, &old),
        look(session, &prepared.look, &looks),
        append(session, (&prepared.numbering, &prepared.append), &events),
        publish_again(session, &prepared.again, &again),
    );
    let identity = identity_of(session, &prepared.identity, !(events.is_empty() && again.is_empty()));
    let commit = session.client.batch_execute("COMMIT");
    let notify = notify(session, &prepared.notify, told.filter(|_| !(events.is_empty() && again.is_empty())));
    let ((created, updated, looked, before, found), identity, committed, notified) =
        join4(rows, identity, commit, notify).await;
    // The first that failed is the cause of all that failed after it, and the commit undid everything.
    match created {
        Err(failure) if failure.is_taken() => return Ok(None),
        done => done?,
    }
    updated?;
    looked?;
    let before = before?;
    let (found, identity) = (found?, identity?);
    committed?;
    if let Err(failure) = notified {
        tracing::debug!(?failure, "others on this store find what was committed later");
    }
    let appended =
        before.zip(i64::try_from(events.len()).ok()).map(|(before, count)| (before + 1, before + count));
    let numbered = events.into_iter().zip(before.unwrap_or_default() + 1..);
    let mut events: Vec<StoredEvent> =
        numbered.map(|(event, seq)| StoredEvent { seq, event, told_again: 0 }).collect();
    events.extend(found);
    Ok(Some(Committed { events, appended, identity }))
}

/// The statements of a decision.
struct Prepared {
    insert: Statement,
    update: Statement,
    look: Statement,
    numbering: Statement,
    append: Statement,
    again: Statement,
    identity: Statement,
    notify: Statement,
}

impl Prepared {
    async fn of(session: &Session) -> Result<Self, Failure> {
        Ok(Self {
            insert: session.statement(INSERT).await?,
            update: session.statement(UPDATE).await?,
            look: session.statement(LOOK).await?,
            numbering: session.statement(NUMBERING).await?,
            append: session.statement(APPEND).await?,
            again: session.statement(AGAIN).await?,
            identity: session.statement(identity::BOTH).await?,
            notify: session.statement(NOTIFY).await?,
        })
    }
}

async fn write(session: &Session, statement: &Statement, writes: &[Write]) -> Result<(), Failure> {
    if writes.is_empty() {
        return Ok(());
    }
    let revisions: Vec<i64> = writes.iter().map(|write| bigint(write.revision)).collect();
    let kinds: Vec<&str> = writes.iter().map(|write| write.key.kind).collect();
    let ids: Vec<&str> = writes.iter().map(|write| write.key.id.as_str()).collect();
    let bodies: Vec<&str> = writes.iter().map(|write| write.body.as_str()).collect();
    let dues: Vec<Option<i64>> = writes.iter().map(|write| write.due.map(|due| due.0)).collect();
    session.client.execute(statement, &[&kinds, &ids, &revisions, &bodies, &dues]).await?;
    Ok(())
}

/// Says when aggregates have to be looked after next.
async fn look(session: &Session, statement: &Statement, looks: &[(Key, Timestamp)]) -> Result<(), Failure> {
    if looks.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = looks.iter().map(|(key, _)| key.kind).collect();
    let ids: Vec<&str> = looks.iter().map(|(key, _)| key.id.as_str()).collect();
    let dues: Vec<i64> = looks.iter().map(|(_, due)| due.0).collect();
    session.client.execute(statement, &[&kinds, &ids, &dues]).await?;
    Ok(())
}

/// Appends `events` in their order; they are unsent. The number before theirs comes back.
async fn append(
    session: &Session,
    (numbering, statement): (&Statement, &Statement),
    events: &[NewEvent],
) -> Result<Option<i64>, Failure> {
    if events.is_empty() {
        return Ok(None);
    }
    let revisions: Vec<i64> = events.iter().map(|event| bigint(event.revision)).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.aggregate_kind).collect();
    let ids: Vec<&str> = events.iter().map(|event| event.aggregate_id.as_str()).collect();
    let types: Vec<&str> = events.iter().map(|event| event.kind.word()).collect();
    let bodies: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
    let parameters: [&(dyn ToSql + Sync); 5] = [&kinds, &ids, &revisions, &types, &bodies];
    // What is committed before it has the lock must be seen by what comes after: two statements.
    let (locked, appended) =
        join(session.client.query(numbering, &[]), session.client.query_one(statement, &parameters)).await;
    locked?;
    let row = appended.map_err(|error| match error.as_db_error() {
        Some(said) if *said.code() == SqlState::UNIQUE_VIOLATION => Failure::Contradiction(format!(
            "an event is already there: {}",
            said.detail().unwrap_or_default()
        )),
        _ => error.into(),
    })?;
    Ok(Some(row.get(0)))
}

/// Makes recorded events unsent again. What is not there cannot be published again.
async fn publish_again(
    session: &Session,
    statement: &Statement,
    again: &[Again],
) -> Result<Vec<StoredEvent>, Failure> {
    if again.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<&str> = again.iter().map(|again| again.kind.aggregate_kind()).collect();
    let ids: Vec<&str> = again.iter().map(|again| again.aggregate_id.as_str()).collect();
    let types: Vec<&str> = again.iter().map(|again| again.kind.word()).collect();
    let times: Vec<i32> =
        again.iter().map(|again| i32::try_from(again.told_again).unwrap_or(i32::MAX)).collect();
    let rows = session.client.query(statement, &[&kinds, &ids, &types, &times]).await?;
    rows.iter().map(read::stored_event).collect()
}

/// In whose name events are sent that are committed now.
async fn identity_of(
    session: &Session,
    statement: &Statement,
    is_asked: bool,
) -> Result<Option<LogId>, Failure> {
    if !is_asked {
        return Ok(None);
    }
    Ok(session.client.query_opt(statement, &[]).await?.map(|row| identity::of_row(&row)))
}

async fn notify(session: &Session, statement: &Statement, told: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = told {
        session.client.execute(statement, &[&session.channel, &name]).await?;
    }
    Ok(())
}

/// Marks the events `seqs` as sent.
pub(super) async fn sent(session: &Session, seqs: &[i64]) -> Result<(), Failure> {
    let sent = session.statement(SENT).await?;
    session.client.execute(&sent, &[&seqs]).await?;
    Ok(())
}

/// A revision as PostgreSQL keeps it, which was checked. Nothing may fail here any more: the commit is on its way, and would
/// leave out just this.
fn bigint(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
