//! The lease, a row of `meta`: who has it, and until when.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use skstore_domain::time::Timestamp;

use super::failure::Failure;
use crate::store::lease::Lease;

/// Whether somebody else has it.
pub(super) fn is_anothers(
    connection: &Connection,
    holder: &str,
    now: Timestamp,
    lasts: Duration,
) -> Result<bool, Failure> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = 'relay_lease'")?;
    let text: Option<String> = select.query_row([], |row| row.get(0)).optional()?;
    let lease = text.as_deref().and_then(Lease::of);
    Ok(lease.is_some_and(|lease| lease.holder != holder && lease.counts(now, lasts)))
}

pub(super) fn write(connection: &Connection, holder: &str, until: Timestamp) -> Result<(), Failure> {
    let lease = serde_json::to_string(&Lease { holder: holder.into(), until: until.0 })
        .map_err(|error| Failure::Contradiction(error.to_string()))?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('relay_lease', ?1)")?
        .execute([lease])?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, holder: &str) -> Result<(), Failure> {
    connection
        .prepare_cached("DELETE FROM meta WHERE key = 'relay_lease' AND value ->> 'holder' = ?1")?
        .execute([holder])?;
    Ok(())
}
