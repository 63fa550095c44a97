//! RabbitMQ's management API, as far as it shows what AMQP does not: bindings, policies, alarms.
//!
//! It is asked where it can be, and nothing depends on it: without it less is seen. One request is one connection,
//! made as those of the bus are, so that names, addresses and certificates mean the same for both.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig};
use lapin::uri::{AMQPAuthority, AMQPScheme, AMQPUri};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::config::address::management::{ManagementAddress, ManagementAt};
use crate::config::address::{BrokerAddress, Endpoint};

/// How long one answer may take, connecting included: a person waits for some of them.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longest answer that is read, in bytes: what some ten thousand queues come to.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// The management API of a broker, for one virtual host.
#[derive(Debug, Clone)]
pub(super) struct Management(ManagementAddress);

/// Why it says nothing. All are for people, none is waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// The settings have it so.
    #[error("bus.management_url says that it is not to be asked")]
    NotAsked,
    /// It is not there.
    #[error("the management API at {at} cannot be reached: {why}")]
    Unreachable {
        /// Where it was looked for.
        at: String,
        /// What the system said.
        why: String,
    },
    /// It is there, and does not tell this user.
    #[error(
        "the management API at {at} does not answer user '{user}' (HTTP {status}); give that user the tag \
         'monitoring', or name another one in bus.management_url"
    )]
    Refused {
        /// Where it is.
        at: String,
        /// Who asked.
        user: String,
        /// HTTP's status.
        status: u16,
    },
    /// It says what is not understood.
    #[error("the management API at {at} answers what cannot be read: {why}")]
    Garbled {
        /// Where it is.
        at: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Management {
    /// That of the broker at `bus`.
    ///
    /// # Errors
    /// [`Unseen::NotAsked`].
    pub(super) fn new(bus: &BrokerAddress, at: &ManagementAt) -> Result<Self, Unseen> {
        at.seen_from(bus).map(Self).ok_or(Unseen::NotAsked)
    }

    /// What it says at `/api/{what}/{this virtual host}`.
    pub(super) async fn of_vhost<T: DeserializeOwned>(&self, what: &str, columns: &str) -> Result<T, Unseen> {
        self.get(&format!("/api/{what}/{}?columns={columns}", self.0.vhost_in_path())).await
    }

    /// What it says at `/api/{what}`.
    pub(super) async fn of_all<T: DeserializeOwned>(&self, what: &str, columns: &str) -> Result<T, Unseen> {
        self.get(&format!("/api/{what}?columns={columns}")).await
    }

    /// Asks its hosts in turn until one can be reached.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Unseen> {
        let mut unreached = Unseen::NotAsked;
        for host in &self.0.endpoints {
            let unreachable = |why: String| Unseen::Unreachable { at: host.to_string(), why };
            match timeout(ANSWER_WITHIN, self.call(host, path)).await {
                Ok(Ok(answer)) => return self.read(host, &answer),
                Ok(Err(error)) => unreached = unreachable(error.to_string()),
                Err(_) => unreached = unreachable(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
            }
        }
        Err(unreached)
    }

    fn read<T: DeserializeOwned>(&self, host: &Endpoint, answer: &[u8]) -> Result<T, Unseen> {
        let garbled = |why: &str| Unseen::Garbled { at: host.to_string(), why: why.to_owned() };
        let (status, body) = split(answer).ok_or_else(|| garbled("it is no HTTP"))?;
        if status != 200 {
            return Err(Unseen::Refused { at: host.to_string(), user: self.0.user.clone(), status });
        }
        serde_json::from_slice(body).map_err(|error| garbled(&error.to_string()))
    }

    /// Asks, and reads until the other side has said all. In HTTP 1.0 nothing comes in pieces.
    async fn call(&self, host: &Endpoint, path: &str) -> io::Result<Vec<u8>> {
        let password = self.0.password.read().map_err(io::Error::other)?;
        let (tls, runtime) = (OwnedTLSConfig::default(), Runtime::new(Tokio::current()));
        let mut stream = self.uri(host).connect_with_config_async(tls.as_ref(), &runtime).await?;
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Basic {}\r\nAccept: application/json\r\n\r\n",
            base64(format!("{}:{}", self.0.user, password.reveal()).as_bytes()),
        );
        let mut rest = request.as_bytes();
        while !rest.is_empty() {
            let written = poll_fn(|context| Pin::new(&mut stream).poll_write(context, rest)).await?;
            rest = &rest[written..];
        }
        poll_fn(|context| Pin::new(&mut stream).poll_flush(context)).await?;
        let (mut answer, mut chunk) = (Vec::new(), vec![0; CHUNK_BYTES]);
        loop {
            let read = poll_fn(|context| Pin::new(&mut stream).poll_read(context, &mut chunk)).await?;
            answer.extend_from_slice(&chunk[..read]);
            if read == 0 {
                return Ok(answer);
            }
            if answer.len() > MAX_ANSWER_BYTES {
                return Err(io::Error::other(format!("it says more than {MAX_ANSWER_BYTES} bytes")));
            }
        }
    }

    /// What the library that connects takes, which speaks no AMQP by itself.
    fn uri(&self, host: &Endpoint) -> AMQPUri {
        let scheme = if self.0.is_encrypted { AMQPScheme::AMQPS } else { AMQPScheme::AMQP };
        let AMQPUri { authority, .. } = AMQPUri::default();
        let authority = AMQPAuthority { host: host.host.clone(), port: host.port, ..authority };
        AMQPUri { scheme, authority, ..AMQPUri::default() }
    }
}

/// Status and body of an answer.
fn split(answer: &[u8]) -> Option<(u16, &[u8])> {
    const END: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END.len()).position(|window| window == END)?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, &answer[end + END.len()..]))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * n) & 0x3f).unwrap_or_default();
            text.push(if n <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_put_as_http_has_them() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("guest:guest", "Z3Vlc3Q6Z3Vlc3Q=")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(split(b"HTTP/1.1 401 Unauthorized\r\nA: b\r\n\r\n{}"), Some((401, &b"{}"[..])));
        for garbled in [&b"SSH-2.0\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n", b""] {
            assert_eq!(split(garbled), None);
        }
    }
}
