//! The tables, and which version of them a schema has.
//!
//! They are public, and the same as those in SQLite: the audit reads them, and people do with `psql`.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::failure::Failure;

/// What makes each version of the one before, the first of nothing. A version must leave those at work that know the one
/// before it: they go on while the first of the new ones starts.
const STEPS: [&str; 1] = [TABLES];
/// The newest version, kept in `meta`.
const VERSION: i64 = STEPS.len() as i64;
/// From here to the end of a transaction nobody else on this store has numbers, or begins an incarnation. A row that
/// counts them would do as well, and would have a thousand versions for as long as somebody reads at length.
pub(super) const NUMBERING: &str = "SELECT pg_advisory_xact_lock('events'::regclass::oid::int, 1)";
/// What nobody else locks meanwhile: two processes that start would else create the same.
const LOCK: i64 = 0x0073_6b73_746f_7265;

/// An aggregate's and an event's `kind` is a word such as `order`, an event's `type` its routing key such as
/// `order.placed`; times are milliseconds since 1970 UTC. Texts are compared byte by byte, as everywhere else.
///
/// - `events` is only ever appended to, and what waits to be published stands in `unsent`.
/// - An event's `id` is made of its aggregate and revision, so `events_history` makes it unique.
/// - `seq` is no sequence's: that would give numbers in another order than that of the commits, and leave gaps that nobody
///   could tell from what is still to come. Whoever appends has the lock [`NUMBERING`] until it has committed.
/// - `openings` are the incarnations of the store ([`identity`](super::identity)).
const TABLES: &str = r#"
    CREATE TABLE meta (
        key text COLLATE "C" PRIMARY KEY,
        value text COLLATE "C" NOT NULL
    );
    CREATE TABLE aggregates (
        kind text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        body text COLLATE "C" NOT NULL,
        due bigint,
        PRIMARY KEY (kind, id)
    );
    CREATE INDEX aggregates_due ON aggregates (kind, due, id) WHERE due IS NOT NULL;
    CREATE TABLE events (
        seq bigint PRIMARY KEY,
        id text COLLATE "C" GENERATED ALWAYS AS (kind || '/' || aggregate_id || '/' || revision::text) STORED,
        kind text COLLATE "C" NOT NULL,
        aggregate_id text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        type text COLLATE "C" NOT NULL,
        body text COLLATE "C" NOT NULL,
        headers text COLLATE "C"
    );
    CREATE UNIQUE INDEX events_history ON events (kind, aggregate_id, revision);
    CREATE TABLE unsent (seq bigint PRIMARY KEY, told_again integer);
    CREATE TABLE openings (
        number bigint PRIMARY KEY,
        id text COLLATE "C" NOT NULL,
        since_seq bigint NOT NULL
    );
    INSERT INTO meta (key, value) VALUES ('store_id', replace(gen_random_uuid()::text, '-', ''));"#;

/// What to do about a schema of version `found`.
fn remedy(found: i64) -> &'static str {
    if found > VERSION {
        "Use the program that wrote it, or a newer one"
    } else {
        "Use the program that wrote it, or choose another schema (?schema=NAME) to start with an empty store"
    }
}

/// Brings the schema to our version, from nothing if need be, and checks it.
pub(super) async fn prepare(client: &Client, schema: &str) -> Result<(), Failure> {
    if is_behind(version(client, schema).await?) {
        client.batch_execute("BEGIN").await?;
        make(client, schema).await?;
        client.batch_execute("COMMIT").await?;
    }
    check(client, schema).await
}

/// Likewise, within a transaction, and without the check.
pub(super) async fn make(client: &Client, schema: &str) -> Result<(), Failure> {
    // Whoever waited for the lock looks again.
    client.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let found = version(client, schema).await?;
    if found.is_none() {
        make_room(client, schema).await?;
    }
    if is_behind(found) {
        let steps = STEPS.iter().skip(found.and_then(|found| usize::try_from(found).ok()).unwrap_or(0));
        let steps: String = steps.copied().collect();
        let noted = format!(
            "INSERT INTO meta (key, value) VALUES ('schema_version', '{VERSION}')
             ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        );
        client.batch_execute(&format!("{steps} {noted}")).await?;
    }
    Ok(())
}

fn is_behind(found: Option<i64>) -> bool {
    found.is_none_or(|found| (1..VERSION).contains(&found))
}

/// Creates the schema, unless whoever may not do that was given one; it must be free.
async fn make_room(client: &Client, schema: &str) -> Result<(), Failure> {
    let exists = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
    if client.query_opt(exists, &[&schema]).await?.is_none() {
        client.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    let taken = "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename IN ('aggregates', 'events', 'unsent')";
    if client.query_one(taken, &[&schema]).await?.get::<_, i64>(0) == 0 {
        return Ok(());
    }
    Err(Failure::Unusable(format!(
        "the schema '{schema}' has tables of another program; name another one (?schema=NAME)"
    )))
}

/// That the tables are there, in our version.
pub(super) async fn check(client: &Client, schema: &str) -> Result<(), Failure> {
    match version(client, schema).await? {
        Some(VERSION) => Ok(()),
        Some(found) => Err(Failure::Schema { found, known: VERSION, remedy: remedy(found) }),
        None => Err(Failure::Unusable(format!("there is no store in the schema '{schema}'"))),
    }
}

/// The version that a schema says it has; nothing where it has no tables of ours. It fails nothing that goes on.
async fn version(client: &Client, schema: &str) -> Result<Option<i64>, Failure> {
    // `to_regclass` would say what this connection has seen last, and not what others have created since.
    let meta = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'meta'";
    if client.query_opt(meta, &[&schema]).await?.is_none() {
        return Ok(None);
    }
    let of_another = || {
        Failure::Unusable(format!(
            "the schema '{schema}' has a table 'meta' of another program; name another schema (?schema=NAME)"
        ))
    };
    let sql = format!("SELECT value::text FROM \"{schema}\".meta WHERE key = 'schema_version'");
    let found = client.query_opt(&sql, &[]).await.map_err(|error| match error.code() {
        Some(&SqlState::UNDEFINED_COLUMN) => of_another(),
        _ => error.into(),
    })?;
    let text: Option<String> = found.map(|row| row.get(0));
    text.and_then(|text| text.parse().ok()).map(Some).ok_or_else(of_another)
}
