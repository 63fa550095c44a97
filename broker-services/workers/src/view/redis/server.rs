//! The way to the Redis that takes writes: the address as it is written, not as a library would read it; and where Sentinels
//! know which of several it is, what they say now.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo, RedisError,
};
use tokio::time::timeout;

use crate::config::address::{Endpoint, Login, RedisAddress, RedisHost, Secret};
use crate::tls;

/// How long a connection may take to be made: seconds of network are given up sooner by trying again.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a Sentinel may take to answer. All are asked at once, so that those that are away hold up nobody.
const SENTINEL_WITHIN: Duration = Duration::from_secs(1);

/// Where the view's Redis is, and how to get there.
#[derive(Clone)]
pub(super) struct Server(RedisAddress);

impl Server {
    pub(super) const fn at(address: RedisAddress) -> Self {
        Self(address)
    }

    /// Where it is, for people: without user and password.
    pub(super) fn place(&self) -> String {
        self.0.place()
    }

    /// Makes a connection to the one that takes writes, on the runtime that will drive it.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let (sentinels, name) = match self.0.host() {
            RedisHost::One(endpoint) => return self.connect_to(endpoint).await,
            RedisHost::KnownTo { sentinels, name } => (sentinels, name),
        };
        let mut asked: FuturesUnordered<_> =
            sentinels.iter().map(|sentinel| self.ask(sentinel, name)).collect();
        let mut tried = HashSet::new();
        let mut said = Vec::new();
        while let Some(answer) = asked.next().await {
            match answer {
                // One that was cut off may still name the last one that it knew of.
                Ok(named) if tried.insert(named.clone()) => match self.enter(&named).await {
                    Ok(connection) => return Ok(connection),
                    Err(why) => said.push(why),
                },
                Ok(_) => {}
                Err(why) => said.push(why),
            }
        }
        Err(said.join("; "))
    }

    /// Connects to the one that was named, which must see itself as the one that takes writes, too: where it was
    /// replaced, what it is told would be lost.
    async fn enter(&self, named: &Endpoint) -> Result<MultiplexedConnection, String> {
        let mut connection = self.connect_to(named).await?;
        let ask = redis::cmd("ROLE");
        let role = timeout(CONNECT_WITHIN, ask.query_async::<Vec<redis::Value>>(&mut connection)).await;
        let role = role.map_err(|_| format!("Redis at {named} does not answer"))?;
        let role = role.map_err(|error| sentence_of(named, &error))?;
        let role = role.into_iter().next().map(redis::from_redis_value::<String>);
        match role {
            Some(Ok(role)) if role == "master" => Ok(connection),
            _ => Err(format!("Redis at {named} takes no writes yet, or no longer")),
        }
    }

    async fn connect_to(&self, endpoint: &Endpoint) -> Result<MultiplexedConnection, String> {
        let login = self.login()?;
        let login = login.as_ref().map(|(login, password)| (login.user.as_str(), password));
        match timeout(CONNECT_WITHIN, open(&self.0, endpoint, login, i64::from(self.0.database()))).await {
            Ok(made) => made.map_err(|error| sentence_of(endpoint, &error)),
            Err(_) => Err(format!("Redis at {endpoint} cannot be reached within {CONNECT_WITHIN:?}")),
        }
    }

    /// Asks one Sentinel which Redis takes writes now.
    async fn ask(&self, sentinel: &Endpoint, name: &str) -> Result<Endpoint, String> {
        match timeout(SENTINEL_WITHIN, self.question(sentinel, name)).await {
            Ok(Ok(Some((host, port)))) => Ok(Endpoint { host, port }),
            Ok(Ok(None)) => Err(format!("the Sentinel at {sentinel} knows no '{name}'")),
            Ok(Err(error)) => Err(format!("the Sentinel at {sentinel}: {}", advised(&error))),
            Err(_) => Err(format!("the Sentinel at {sentinel} does not answer within {SENTINEL_WITHIN:?}")),
        }
    }

    async fn question(&self, sentinel: &Endpoint, name: &str) -> Result<Option<(String, u16)>, RedisError> {
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(name);
        let mut connection = open(&self.0, sentinel, None, 0).await?;
        match ask.query_async(&mut connection).await {
            // Most have no password of their own; one that has is taken to have the same.
            Err(error) if error.code() == Some("NOAUTH") => {
                let Ok(Some((_, password))) = self.login() else { return Err(error) };
                let mut connection = open(&self.0, sentinel, Some(("", &password)), 0).await?;
                ask.query_async(&mut connection).await
            }
            answer => answer,
        }
    }

    fn login(&self) -> Result<Option<(&Login, Secret)>, String> {
        let Some(login) = self.0.login() else { return Ok(None) };
        let password = login.password.read();
        let password = password.map_err(|error| format!("Redis at {}: {error}", self.place()))?;
        Ok(Some((login, password)))
    }

    /// What Redis, or the way to it, said no with.
    pub(super) fn sentence(&self, error: &RedisError) -> String {
        format!("Redis at {}: {}", self.place(), advised(error))
    }
}

fn sentence_of(endpoint: &Endpoint, error: &RedisError) -> String {
    format!("Redis at {endpoint}: {}", advised(error))
}

fn advised(error: &RedisError) -> String {
    let error = error.to_string();
    match tls::advice(&error) {
        Some(advice) => format!("{advice} ({error})"),
        None => error,
    }
}

async fn open(
    address: &RedisAddress,
    endpoint: &Endpoint,
    login: Option<(&str, &Secret)>,
    database: i64,
) -> Result<MultiplexedConnection, RedisError> {
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    let at = if address.is_encrypted() {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    // The scripts and readers know answers as the older protocol, which every version speaks, has them.
    let mut settings = RedisConnectionInfo::default().set_db(database).set_protocol(ProtocolVersion::RESP2);
    if let Some((user, password)) = login {
        settings = settings.set_password(password.reveal());
        if !user.is_empty() {
            settings = settings.set_username(user);
        }
    }
    let client = Client::open(at.into_connection_info()?.set_redis_settings(settings))?;
    // Each call has a timeout of its own.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}
