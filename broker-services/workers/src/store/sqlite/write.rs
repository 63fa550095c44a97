//! What a transaction writes. Statements are compiled once and run for row after row.

use rusqlite::{Connection, ErrorCode};
use skstore_domain::time::Timestamp;

use super::failure::Failure;
use super::read;
use crate::store::{Again, Key, NewEvent, StoredEvent, Write};

/// Writes each aggregate over the revision that was read.
pub(super) fn aggregates(connection: &Connection, writes: &[Write]) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO aggregates (kind, id, revision, body, due) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut update = connection.prepare_cached(
        "UPDATE aggregates SET revision = ?3, body = ?4, due = ?5
         WHERE kind = ?1 AND id = ?2 AND revision = ?6",
    )?;
    for Write { key, read, revision, body, due } in writes {
        let due = due.map(|due| due.0);
        let written = if *read == 0 {
            insert.execute((key.kind, &key.id, sql(*revision)?, body, due))
        } else {
            update.execute((key.kind, &key.id, sql(*revision)?, body, due, sql(*read)?))
        };
        let guarded = match written {
            Ok(rows) => rows == 1,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => false,
            Err(error) => return Err(error.into()),
        };
        if !guarded {
            return Err(Failure::Contradiction(format!(
                "{} '{}' does not have the revision {read} it was read with",
                key.kind, key.id
            )));
        }
    }
    Ok(())
}

/// Appends `events` in their order; they are unsent.
pub(super) fn events(connection: &Connection, events: Vec<NewEvent>) -> Result<Vec<StoredEvent>, Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (kind, aggregate_id, revision, type, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut enqueue = connection.prepare_cached("INSERT INTO unsent (seq) VALUES (?1)")?;
    let mut appended = Vec::with_capacity(events.len());
    for event in events {
        let inserted = insert.insert((
            event.aggregate_kind,
            &event.aggregate_id,
            sql(event.revision)?,
            event.kind.word(),
            &event.body,
        ));
        let seq = inserted.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => {
                Failure::Contradiction(format!("the event '{}' is already there", event.id))
            }
            _ => error.into(),
        })?;
        enqueue.execute([seq])?;
        appended.push(StoredEvent { seq, event, told_again: 0 });
    }
    Ok(appended)
}

/// Says when aggregates have to be looked after next.
pub(super) fn looks(connection: &Connection, looks: &[(Key, Timestamp)]) -> Result<(), Failure> {
    let mut update =
        connection.prepare_cached("UPDATE aggregates SET due = ?3 WHERE kind = ?1 AND id = ?2")?;
    for (key, due) in looks {
        update.execute((key.kind, &key.id, due.0))?;
    }
    Ok(())
}

/// Makes recorded events unsent again. What is not there cannot be published again.
pub(super) fn again(connection: &Connection, again: &[Again]) -> Result<Vec<StoredEvent>, Failure> {
    let mut enqueue =
        connection.prepare_cached("INSERT OR IGNORE INTO unsent (seq, told_again) VALUES (?1, ?2)")?;
    let mut found = Vec::with_capacity(again.len());
    for again in again {
        if let Some(event) = read::newest(connection, again)? {
            // What was never sent is not told again by being sent.
            let was_sent = enqueue.execute((event.seq, again.told_again))? > 0;
            found.push(StoredEvent { told_again: if was_sent { again.told_again } else { 0 }, ..event });
        }
    }
    Ok(found)
}

/// Marks the events `seqs` as sent, a run of consecutive numbers at a time.
pub(super) fn sent(connection: &Connection, seqs: &[i64]) -> Result<(), Failure> {
    let mut dequeue = connection.prepare_cached("DELETE FROM unsent WHERE seq BETWEEN ?1 AND ?2")?;
    for run in seqs.chunk_by(|seq, next| seq.checked_add(1) == Some(*next)) {
        if let [first, ..] = run {
            dequeue.execute((first, run.last().unwrap_or(first)))?;
        }
    }
    Ok(())
}

/// A revision as SQLite keeps it. No aggregate comes near the end of the range.
fn sql(revision: u64) -> Result<i64, Failure> {
    i64::try_from(revision).map_err(|_| Failure::Contradiction(format!("there is no revision {revision}")))
}
