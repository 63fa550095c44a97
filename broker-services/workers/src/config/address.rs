//! Where a broker, a Redis or a PostgreSQL is, and as whom to go there: URLs, parsed once and strictly.
//!
//! No library that connects gets to see the text. Each has a parser of its own, which fills in what it does not
//! understand: for a host in brackets one took `localhost`, and sent the password there. Here a URL is used as it is
//! written, or refused with a sentence; and since what cannot be read may have its password anywhere, no sentence
//! repeats any of it.

use std::fmt;

mod encoding;
mod error;
mod login;
pub mod management;
mod parts;
mod postgres;
mod redis;

use encoding::{decode, encode};
pub use error::AddressError;
use error::MAX_HOSTS;
pub(super) use error::MAX_NAME_BYTES;
pub use login::{Login, Password, PasswordError, Secret};
pub use parts::Endpoint;
use parts::{Endpoints, split};
pub(super) use postgres::POSTGRES;
pub use postgres::PostgresAddress;
pub(super) use redis::REDIS;
pub use redis::{RedisAddress, RedisHost};

/// What the URL of a broker begins with.
pub(super) const AMQP: [&str; 2] = ["amqp://", "amqps://"];

/// AMQP's port, without encryption and with it.
const AMQP_PORTS: [u16; 2] = [5672, 5671];
/// Whom RabbitMQ lets in from its own machine unless it is told otherwise.
const GUEST: &str = "guest";
/// The virtual host that every RabbitMQ has.
const DEFAULT_VHOST: &str = "/";
/// Frames that a broker may be asked for, in bytes: the smallest that RabbitMQ 4.1 agrees on, and far more than any
/// message's properties.
const FRAME_BYTES: std::ops::RangeInclusive<u32> = 8 * 1024..=16 * 1024 * 1024;
/// Heartbeats that a broker may be asked for, in seconds. Without any, a dead connection would never be noticed.
const HEARTBEAT_SECONDS: std::ops::RangeInclusive<u16> = 1..=60;

/// `amqp(s)://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/VHOST][?heartbeat=SECONDS&frame_max=BYTES]`. Shown without the
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    is_encrypted: bool,
    login: Option<Login>,
    endpoints: Vec<Endpoint>,
    vhost: String,
    heartbeat_seconds: Option<u16>,
    frame_bytes: Option<u32>,
}

impl BrokerAddress {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`AddressError`], which repeats nothing of it.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let parts = split(url)?;
        let is_encrypted = parts.is_encrypted(AMQP).ok_or(AddressError::Scheme("amqp:// or amqps://"))?;
        let endpoints = parts.endpoints(AMQP_PORTS[usize::from(is_encrypted)])?;
        if endpoints.len() > MAX_HOSTS {
            return Err(AddressError::TooManyHosts);
        }
        let vhost = match parts.path {
            // The path of a URL may be left out or be a mere slash, which says the same.
            "" => DEFAULT_VHOST.to_owned(),
            path => decode(path)?,
        };
        let login = parts.login()?;
        let user_bytes = login.as_ref().map_or(0, |login| login.user.len());
        if vhost.len().max(user_bytes) > MAX_NAME_BYTES {
            return Err(AddressError::TooLong);
        }
        let [heartbeat, frame] = parts.parameters(
            &[
                ("heartbeat", u32::from(*HEARTBEAT_SECONDS.start())..=u32::from(*HEARTBEAT_SECONDS.end())),
                ("frame_max", FRAME_BYTES),
            ],
            "there are heartbeat (seconds) and frame_max (bytes)",
        )?;
        let heartbeat_seconds = heartbeat.and_then(|seconds| u16::try_from(seconds).ok());
        Ok(Self { is_encrypted, login, endpoints, vhost, heartbeat_seconds, frame_bytes: frame })
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Where it is: at least one host, to be tried in turn.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// As whom to log in, if somebody is named.
    pub(super) const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The same place, as somebody else.
    pub(super) fn log_in(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// As whom to log in; as RabbitMQ's own default user where none is named.
    #[must_use]
    pub fn user(&self) -> &str {
        self.login.as_ref().map_or(GUEST, |login| &login.user)
    }

    /// That user's password.
    #[must_use]
    pub fn password(&self) -> Password {
        self.login.as_ref().map_or_else(|| Password::given(GUEST.to_owned()), |login| login.password.clone())
    }

    /// The virtual host.
    #[must_use]
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// The heartbeat that is asked for, in seconds, where one is.
    #[must_use]
    pub const fn heartbeat_seconds(&self) -> Option<u16> {
        self.heartbeat_seconds
    }

    /// The largest frame that is asked for, in bytes, where one is.
    #[must_use]
    pub const fn frame_bytes(&self) -> Option<u32> {
        self.frame_bytes
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AMQP[usize::from(self.is_encrypted)])?;
        if let Some(login) = &self.login {
            write!(f, "{login}")?;
        }
        write!(f, "{}", Endpoints(&self.endpoints))?;
        if self.vhost != DEFAULT_VHOST {
            write!(f, "/{}", encode(&self.vhost))?;
        }
        let heartbeat = self.heartbeat_seconds.map(|seconds| format!("heartbeat={seconds}"));
        let frame = self.frame_bytes.map(|bytes| format!("frame_max={bytes}"));
        let parameters: Vec<String> = [heartbeat, frame].into_iter().flatten().collect();
        if parameters.is_empty() { Ok(()) } else { write!(f, "?{}", parameters.join("&")) }
    }
}

impl fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerAddress({self})")
    }
}

#[cfg(test)]
mod tests;
