//! Where a Redis is: one, or the one of several that Sentinels say takes writes now.

use std::fmt;

use super::encoding::{decode, encode};
use super::error::{MAX_HOSTS, MAX_NAME_BYTES};
use super::parts::{Endpoints, Parts, split};
use super::{AddressError, Endpoint, Login};

/// What the URL of a view in Redis begins with.
pub(in crate::config) const REDIS: [&str; 4] = [ONE[0], ONE[1], KNOWN[0], KNOWN[1]];
/// One Redis, without encryption and with it.
const ONE: [&str; 2] = ["redis://", "rediss://"];
/// Likewise, one that Sentinels know.
const KNOWN: [&str; 2] = ["redis+sentinel://", "rediss+sentinel://"];
/// Redis's port.
const PORT: u16 = 6379;
/// A Sentinel's port.
const SENTINEL_PORT: u16 = 26379;

/// `redis(s)://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, or
/// `redis(s)+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]` with the hosts of the Sentinels and
/// the name by which they know the Redis that takes writes. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    is_encrypted: bool,
    login: Option<Login>,
    host: RedisHost,
    database: u32,
}

/// Which Redis it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisHost {
    /// The one there.
    One(Endpoint),
    /// The one that takes writes, as the Sentinels say that are asked.
    KnownTo {
        /// Where they are: one at least.
        sentinels: Vec<Endpoint>,
        /// By which name they know it.
        name: String,
    },
}

impl RedisAddress {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`AddressError`], which repeats nothing of it.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let parts = split(url)?;
        let (is_encrypted, (host, database)) = match (parts.is_encrypted(ONE), parts.is_encrypted(KNOWN)) {
            (Some(is_encrypted), _) => (is_encrypted, one(&parts)?),
            (None, Some(is_encrypted)) => (is_encrypted, known(&parts)?),
            (None, None) => {
                return Err(AddressError::Scheme("redis://, rediss:// or redis+sentinel://"));
            }
        };
        let [] = parts.parameters(&[], "there are none")?;
        Ok(Self { is_encrypted, login: parts.login()?, host, database })
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Which it is.
    #[must_use]
    pub const fn host(&self) -> &RedisHost {
        &self.host
    }

    /// Where it is, for people: without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.host {
            RedisHost::One(endpoint) => endpoint.to_string(),
            RedisHost::KnownTo { sentinels, name } => {
                format!("'{name}' of the Sentinels {}", Endpoints(sentinels))
            }
        }
    }

    /// As whom to log in, if at all.
    #[must_use]
    pub const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The same place, as somebody else.
    pub(in crate::config) fn log_in(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// Which of its databases.
    #[must_use]
    pub const fn database(&self) -> u32 {
        self.database
    }
}

fn one(parts: &Parts<'_>) -> Result<(RedisHost, u32), AddressError> {
    let mut endpoints = parts.endpoints(PORT)?.into_iter();
    let (Some(endpoint), None) = (endpoints.next(), endpoints.next()) else {
        return Err(AddressError::SeveralHosts);
    };
    Ok((RedisHost::One(endpoint), database(parts.path)?))
}

fn known(parts: &Parts<'_>) -> Result<(RedisHost, u32), AddressError> {
    let sentinels = parts.endpoints(SENTINEL_PORT)?;
    if sentinels.len() > MAX_HOSTS {
        return Err(AddressError::TooManyHosts);
    }
    let (name, number) = parts.path.split_once('/').unwrap_or((parts.path, ""));
    let name = decode(name)?;
    match name.len() {
        0 => Err(AddressError::NoSentinelName),
        1..=MAX_NAME_BYTES => Ok((RedisHost::KnownTo { sentinels, name }, database(number)?)),
        _ => Err(AddressError::TooLong),
    }
}

fn database(path: &str) -> Result<u32, AddressError> {
    match path {
        "" => Ok(0),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| AddressError::Database)
        }
        _ => Err(AddressError::Database),
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            RedisHost::One(endpoint) => write!(f, "{}{endpoint}", ONE[usize::from(self.is_encrypted)])?,
            RedisHost::KnownTo { sentinels, name } => {
                let scheme = KNOWN[usize::from(self.is_encrypted)];
                write!(f, "{scheme}{}/{}", Endpoints(sentinels), encode(name))?;
            }
        }
        if self.database == 0 { Ok(()) } else { write!(f, "/{}", self.database) }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({self})")
    }
}
