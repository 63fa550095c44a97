//! The lease, a row of `meta`: who has it, and until when.

use std::time::Duration;

use serde_json::json;
use skstore_domain::time::Timestamp;

use super::failure::Failure;
use super::session::Session;

/// Whether somebody else has it.
const IS_ANOTHERS: &str = "
    SELECT 1 FROM meta WHERE key = 'relay_lease' AND value::json ->> 'holder' <> $1
        AND (value::json ->> 'until')::bigint > $2 AND (value::json ->> 'until')::bigint <= $3";
/// The same, decided by the server under the row's lock: of two who ask, the later one looks at what the first has written.
const TAKE: &str = "
    INSERT INTO meta (key, value) VALUES ('relay_lease', $4)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE NOT (
        meta.value::json ->> 'holder' <> $1
        AND (meta.value::json ->> 'until')::bigint > $2 AND (meta.value::json ->> 'until')::bigint <= $3)";
const GIVE_UP: &str = "DELETE FROM meta WHERE key = 'relay_lease' AND value::json ->> 'holder' = $1";

/// See [`Store::take_lease`](crate::store::Store::take_lease).
pub(super) async fn take(
    session: &Session,
    holder: &str,
    now: Timestamp,
    lasts: Duration,
) -> Result<bool, Failure> {
    let until = now.after(lasts).0;
    // Those who only look take no lock.
    let is_anothers = session.statement(IS_ANOTHERS).await?;
    if session.client.query_opt(&is_anothers, &[&holder, &now.0, &until]).await?.is_some() {
        return Ok(false);
    }
    let lease = json!({ "holder": holder, "until": until }).to_string();
    let take = session.statement(TAKE).await?;
    Ok(session.client.execute(&take, &[&holder, &now.0, &until, &lease]).await? == 1)
}

/// See [`Store::give_up_lease`](crate::store::Store::give_up_lease).
pub(super) async fn give_up(session: &Session, holder: &str) -> Result<(), Failure> {
    let give_up = session.statement(GIVE_UP).await?;
    session.client.execute(&give_up, &[&holder]).await?;
    Ok(())
}
