//! Which bus, view and store: URLs, each read and shown in one place.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::address::{AMQP, BrokerAddress, POSTGRES, PostgresAddress, REDIS, RedisAddress};

/// What a SQLite store's URL starts with.
pub(super) const SQLITE: &str = "sqlite:";
/// The bus and the view inside the process.
const EMBEDDED: &str = "embedded:";

/// Which message bus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum BusUrl {
    /// `embedded:`, in this process.
    Embedded,
    /// `amqp://…` or `amqps://…`: a broker.
    Amqp(BrokerAddress),
}

impl TryFrom<String> for BusUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        match url.as_str() {
            EMBEDDED => Ok(Self::Embedded),
            url if AMQP.iter().any(|scheme| url.starts_with(scheme)) => {
                BrokerAddress::parse(url).map(Self::Amqp).map_err(|error| error.to_string())
            }
            other => Err(other_url(other, "'embedded:' or 'amqp://USER:PASSWORD@HOST:PORT'")),
        }
    }
}

impl fmt::Display for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::Amqp(url) => url.fmt(f),
        }
    }
}

/// Which view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ViewUrl {
    /// `embedded:`, in this process's memory.
    Embedded,
    /// `redis://…`, `rediss://…` or `redis+sentinel://…`: a Redis.
    Redis(RedisAddress),
}

impl TryFrom<String> for ViewUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        match url.as_str() {
            EMBEDDED => Ok(Self::Embedded),
            url if REDIS.iter().any(|scheme| url.starts_with(scheme)) => {
                RedisAddress::parse(url).map(Self::Redis).map_err(|error| error.to_string())
            }
            other => Err(other_url(other, "'embedded:' or 'redis(s)://HOST:PORT'")),
        }
    }
}

impl fmt::Display for ViewUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::Redis(url) => url.fmt(f),
        }
    }
}

/// Which store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:PATH`: a file.
    Sqlite(PathBuf),
    /// `postgres://…`: a schema of a PostgreSQL.
    Postgres(PostgresAddress),
}

impl StoreUrl {
    /// With a relative path taken for one below `directory`.
    #[must_use]
    pub(super) fn below(self, directory: &Path) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(directory.join(path)),
            elsewhere @ Self::Postgres(_) => elsewhere,
        }
    }

    /// Whether both are the same store.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => one == other,
            (Self::Postgres(one), Self::Postgres(other)) => one.is_same_place(other),
            (Self::Sqlite(_), Self::Postgres(_)) | (Self::Postgres(_), Self::Sqlite(_)) => false,
        }
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        if POSTGRES.iter().any(|scheme| url.starts_with(scheme)) {
            return PostgresAddress::parse(&url).map(Self::Postgres).map_err(|error| error.to_string());
        }
        match url.strip_prefix(SQLITE) {
            None | Some("") => Err(other_url(
                &url,
                "'sqlite:PATH', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE', or \"\" for a file in data_dir",
            )),
            // Some would mean a host by it, or a path below data_dir; as a path it is one from the root.
            Some(path) if path.starts_with("//") => {
                Err("has slashes in front of a path that may be meant otherwise; write sqlite:PATH, like \
                     sqlite:/var/lib/skstore/order.db"
                    .to_owned())
            }
            Some(path) => Ok(Self::Sqlite(path.into())),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{SQLITE}{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// A URL that this key has no adapter for. Only its scheme is repeated: the rest may hold a password.
fn other_url(given: &str, takes: &str) -> String {
    let adapter = match given.split_once(':').map_or("", |(scheme, _)| scheme) {
        "amqp" | "amqps" => "RabbitMQ (amqp://HOST)",
        "redis" => "Redis (redis://HOST)",
        "rediss" => "Redis over TLS (rediss://)",
        "postgres" | "postgresql" => "PostgreSQL (postgres://)",
        _ => return format!("is no URL that it can be; this build takes {takes}"),
    };
    format!("asks for {adapter}, which this build cannot use here; it takes {takes}")
}
