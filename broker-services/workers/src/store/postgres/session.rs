//! A connection to the server, with what it has prepared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::time::Duration;

use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Failure;
use super::news::News;
use super::schema;
use crate::config::address::PostgresAddress;

/// How long one host may take to let us in.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long what was sent may go without the network's word that it came.
const LOST_AFTER: Duration = Duration::from_secs(8);
/// Likewise, while nothing is sent: how long until it is asked, and how often.
const PROBE_AFTER: Duration = Duration::from_secs(5);

/// What every connection is set to. The bounds, in milliseconds, are the server's own: they hold as well where this process
/// stands still with others' rows in its hand. Each statement goes by an index; without the right numbers on the
/// tables, such as a new one has, the server would rather read all of it. To be told so looks so costly to it that it would
/// compile each statement anew, for a second and more. A connection whose other end is gone without a word, with all that it
/// has, is ended by the server after some fifteen seconds, and not after hours.
const SETTINGS: &str = "
    SET application_name = 'skstore';
    SET client_min_messages = 'warning';
    SET default_transaction_isolation = 'read committed';
    SET lock_timeout = 8000;
    SET statement_timeout = 9000;
    SET idle_in_transaction_session_timeout = 5000;
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 2;
    SET plan_cache_mode = 'force_generic_plan';
    SET jit = off;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Decisions, which are on the disk once they are committed, beside other processes or as the only one that makes any.
    Decide(Company),
    /// All the rest of a worker: what it writes may be lost in a crash of the server, and does no harm then.
    Look,
    /// Reading, for whoever is no worker.
    Read,
    /// Filling an empty store in one transaction, for whoever is no worker.
    Fill,
}

/// With whom a process has a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// Others work on it as well, and all hear of its events over a bus.
    Others,
    /// Nobody: its events are told within this process alone.
    Nobody,
}

/// Whether this connection has the store in the way that it wants it: together with all others that do, or alone. The server
/// lets it go with the connection.
const HAVE_TOGETHER: &str = "SELECT pg_try_advisory_lock_shared('events'::regclass::oid::int, 2)";
const HAVE_ALONE: &str = "SELECT pg_try_advisory_lock('events'::regclass::oid::int, 2)";

/// How often that is tried, and how long after each time: what a server takes to see that whoever had it was killed.
const HAVE_TRIES: usize = 20;
const HAVE_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A connection.
pub(super) struct Session {
    pub(super) client: Client,
    /// The channel on which those who share the store tell each other of commits.
    pub(super) channel: String,
    prepared: RefCell<HashMap<&'static str, Statement>>,
}

impl Session {
    /// Connects to the host that takes writes. What arrives by itself is told to `news`.
    pub(super) async fn connect(
        address: &PostgresAddress,
        purpose: Purpose,
        news: &News,
    ) -> Result<Self, Failure> {
        let config = config(address)?;
        let client = if address.is_encrypted() {
            let (tls, _) = MakeRustlsConnect::with_native_certs().map_err(|errors| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Failure::Unusable(format!(
                    "this machine's certificates cannot be read: {}",
                    errors.join("; ")
                ))
            })?;
            open(&config, tls, news).await?
        } else {
            open(&config, NoTls, news).await?
        };
        let schema = address.schema();
        let session = Self { client, channel: format!("skstore_{schema}"), prepared: RefCell::default() };
        session.set_up(purpose, schema).await?;
        Ok(session)
    }

    async fn set_up(&self, purpose: Purpose, schema: &str) -> Result<(), Failure> {
        let rest = match purpose {
            Purpose::Decide(_) => "SET synchronous_commit = on",
            Purpose::Look => &format!("SET synchronous_commit = off; LISTEN {}", self.channel),
            // Whoever only reads holds up nobody.
            Purpose::Read => {
                "SET default_transaction_read_only = on; SET idle_in_transaction_session_timeout = 0"
            }
            // It has nothing that others need, and its commit waits for the disk with all that it has written.
            Purpose::Fill => {
                "SET synchronous_commit = on; SET statement_timeout = 60000;
                 SET idle_in_transaction_session_timeout = 60000"
            }
        };
        self.client.batch_execute(&format!("{SETTINGS} SET search_path = \"{schema}\"; {rest}")).await?;
        match purpose {
            Purpose::Decide(company) => {
                schema::prepare(&self.client, schema).await?;
                self.have(company, schema).await
            }
            Purpose::Look | Purpose::Read => schema::check(&self.client, schema).await,
            Purpose::Fill => self.begin_to_fill(schema).await,
        }
    }

    async fn have(&self, company: Company, schema: &str) -> Result<(), Failure> {
        let lock = match company {
            Company::Others => HAVE_TOGETHER,
            Company::Nobody => HAVE_ALONE,
        };
        for _ in 0..HAVE_TRIES {
            if self.client.query_one(lock, &[]).await?.get(0) {
                return Ok(());
            }
            tokio::time::sleep(HAVE_AGAIN_AFTER).await;
        }
        Err(Failure::Unusable(format!(
            "the schema '{schema}' is in use by a desk that has it for itself, or would be by this one: without a broker nobody hears \
             of what another process commits. End the other one, or give both the same broker (bus.url)"
        )))
    }

    /// Begins a transaction in which the tables are there and nobody else writes to them.
    async fn begin_to_fill(&self, schema: &str) -> Result<(), Failure> {
        self.client.batch_execute("BEGIN").await?;
        schema::make(&self.client, schema).await?;
        schema::check(&self.client, schema).await?;
        let alone = "LOCK TABLE meta, aggregates, events, unsent, openings IN EXCLUSIVE MODE";
        Ok(self.client.batch_execute(alone).await?)
    }

    /// Which history this server is in: another one begins when a standby takes the place of its primary, and when a server
    /// is brought back to what it was.
    pub(super) async fn timeline(&self) -> Result<String, Failure> {
        let timeline = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";
        Ok(self.client.query_one(timeline, &[]).await?.get(0))
    }

    /// `sql`, prepared when it is needed first.
    pub(super) async fn statement(&self, sql: &'static str) -> Result<Statement, Failure> {
        let known = self.prepared.borrow().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }
}

fn config(address: &PostgresAddress) -> Result<Config, Failure> {
    let mut config = Config::new();
    for endpoint in address.endpoints() {
        config.host(&endpoint.host).port(endpoint.port);
    }
    config
        .dbname(address.database())
        .connect_timeout(CONNECT_WITHIN)
        .tcp_user_timeout(LOST_AFTER)
        .keepalives_idle(PROBE_AFTER)
        .keepalives_interval(PROBE_AFTER)
        .ssl_mode(if address.is_encrypted() { SslMode::Require } else { SslMode::Disable })
        // Also to read: a standby is behind, and what it does not have yet would seem to be missing.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    if let Some(login) = address.login() {
        let password = login.password.read().map_err(|error| Failure::Unusable(error.to_string()))?;
        config.user(&login.user).password(password.reveal());
    }
    Ok(config)
}

/// Connects, and has the connection driven for as long as somebody has its client.
async fn open<T>(config: &Config, tls: T, news: &News) -> Result<Client, Failure>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(drive(connection, news.listener()));
    Ok(client)
}

async fn drive<S>(mut connection: Connection<Socket, S>, told: impl Fn(&str))
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => told(notification.payload()),
            Some(Ok(AsyncMessage::Notice(notice))) => tracing::warn!(%notice, "the store says"),
            Some(Ok(_)) => {}
            // Whoever uses it next is told.
            Some(Err(_)) | None => return,
        }
    }
}
