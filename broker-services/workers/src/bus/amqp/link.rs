//! One connection to the broker, made when it is needed and made anew after any error.
//!
//! lapin's own recovery is not used: it is young, and what it restores cannot be told from what it has lost.
//! Here whoever meets an error drops the whole connection, everybody on it notices, and the next one who needs
//! a channel connects, declares the topology and goes on.

use std::sync::Arc;
use std::time::Duration;

use async_rs::{Runtime, Tokio};
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, Error};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::blocked::Blocked;
use super::clean::Clean;
use super::kit::CleanTokio;
use super::refusal::Refusal;
use super::request::{ANSWER_WITHIN, answered, close};
use super::upkeep::Upkeep;
use crate::bus::BusError;
use crate::config::address::{BrokerAddress, Endpoint, Secret};
use crate::tls;

/// How long until a connection stands. With the longest wait between two attempts (2 s) a broker that accepts
/// connections again is in use within the six seconds of the promise.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Silence for twice as long ends a connection here, for two to three times as long at the broker. Until then the broker
/// counts a connection that was cut as alive: it hands messages to it, and what is exclusively its own is nobody else's.
/// So this bounds how soon all is well after a cut, within the six seconds of the promise. RabbitMQ advises against less than
/// 5 s, since a short silence is taken for a loss then; such a loss costs a new connection and some redeliveries, no more.
const HEARTBEAT_SECONDS: u16 = 2;
/// What we publish goes in several frames, all but its properties. lapin keeps two buffers of 32 frames for each
/// connection: 1 MiB each.
pub(super) const PUBLISHED_FRAME_BYTES: u32 = 32 * 1024;
/// Properties of others come in one frame, which RabbitMQ lets have 128 KiB unless its operator sets `frame_max`. A
/// smaller one here would let anybody's message end this connection each time that it is delivered. Where it is larger
/// there, `?frame_max=` in the URL has it larger here.
pub(super) const CONSUMED_FRAME_BYTES: u32 = 128 * 1024;
/// A connection that comes back.
#[derive(Debug)]
pub(super) struct Link {
    address: BrokerAddress,
    frame_bytes: u32,
    /// What the broker's operator sees it as.
    name: &'static str,
    /// What sees to it that everything is declared there before anything else; nothing, where none of it is needed.
    upkeep: Option<Arc<Upkeep>>,
    blocked: Blocked,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    connection: Option<Arc<Connection>>,
    /// How many there have been.
    generation: u64,
    /// Whether what is declared there may only be looked at: the user has no permission to declare.
    only_look: bool,
    /// Which of the broker's hosts is tried first: the one behind that of the last connection.
    next: usize,
}

impl Live {
    fn opened(&self, channel: Channel) -> Opened {
        Opened { channel, generation: self.generation, only_look: self.only_look }
    }
}

/// A channel, and of which connection it is.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) channel: Channel,
    pub(super) generation: u64,
    /// See [`super::declare::consumable`].
    pub(super) only_look: bool,
}

impl Link {
    /// Not connected yet. `frame_bytes` are asked for unless the address has others.
    pub(super) fn new(
        address: BrokerAddress,
        name: &'static str,
        frame_bytes: u32,
        upkeep: Arc<Upkeep>,
    ) -> Self {
        let (blocked, live) = (Blocked::default(), Mutex::default());
        Self { address, frame_bytes, name, upkeep: Some(upkeep), blocked, live }
    }

    /// The same, but it needs nothing of the topology, and is sooner there.
    pub(super) fn without_topology(self) -> Self {
        Self { upkeep: None, ..self }
    }

    /// A new channel on the connection there is, else on a new one, on which the topology has been declared.
    pub(super) async fn channel(&self) -> Result<Opened, BusError> {
        let mut live = self.live.lock().await;
        if let Some(connection) = live.connection.as_ref().filter(|live| live.status().connected()) {
            match timeout(ANSWER_WITHIN, connection.create_channel()).await {
                Ok(Ok(channel)) => return Ok(live.opened(channel)),
                Ok(Err(error)) => {
                    tracing::debug!(link = self.name, %error, "the connection was lost meanwhile");
                }
                Err(_) => tracing::warn!(link = self.name, "the broker does not answer; connecting anew"),
            }
        }
        if let Some(old) = live.connection.take() {
            tokio::spawn(close(old));
        }
        self.connect(&mut live).await
    }

    /// A channel on a new connection, to the first of the broker's hosts that can be used. Each says why it cannot.
    async fn connect(&self, live: &mut Live) -> Result<Opened, BusError> {
        let hosts = self.address.endpoints();
        let (first, mut refusals) = (live.next, Vec::new());
        for at in (0..hosts.len()).map(|further| (first + further) % hosts.len()) {
            match self.open(&hosts[at], live.generation == 0).await {
                Ok((connection, channel, only_look)) => {
                    tracing::info!(link = self.name, broker = %hosts[at], "connected");
                    let upkeep = self.upkeep.clone();
                    self.blocked.watch(&connection, move |what| {
                        upkeep.iter().for_each(|upkeep| upkeep.is_over(what.clone()));
                    });
                    live.connection = Some(connection);
                    live.generation += 1;
                    live.next = at + 1;
                    live.only_look = only_look;
                    return Ok(live.opened(channel));
                }
                Err(error) => refusals.push(error),
            }
        }
        Err(together(refusals))
    }

    /// A connection of one's own, to the first of the broker's hosts that can be used, on which nothing is declared.
    /// Whoever asks for it [closes](close) it.
    pub(super) async fn bare(&self) -> Result<Arc<Connection>, BusError> {
        let mut refusals = Vec::new();
        for host in self.address.endpoints() {
            match self.connect_to(host).await {
                Ok(connection) => return Ok(Arc::new(connection)),
                Err(error) => refusals.push(error),
            }
        }
        Err(together(refusals))
    }

    /// A channel on a new connection to `host`, on which everything has been declared; and whether some of it may only be
    /// looked at.
    async fn open(
        &self,
        host: &Endpoint,
        is_first: bool,
    ) -> Result<(Arc<Connection>, Channel, bool), BusError> {
        let connection = Arc::new(self.connect_to(host).await?);
        let channel = async {
            let only_look = match &self.upkeep {
                // Boxed: it is large, rare, and part of every call that needs a channel.
                Some(upkeep) => Box::pin(upkeep.restore(&connection, is_first)).await?,
                None => false,
            };
            Ok((answered(connection.create_channel()).await?, only_look))
        };
        match channel.await {
            Ok((channel, only_look)) => Ok((connection, channel, only_look)),
            Err(error) => {
                tokio::spawn(close(connection));
                Err(error)
            }
        }
    }

    /// Drops the connection of `generation`, on which something went wrong, with all its channels.
    pub(super) async fn forget(&self, generation: u64) {
        let mut live = self.live.lock().await;
        if live.generation == generation
            && let Some(connection) = live.connection.take()
        {
            tokio::spawn(close(connection));
        }
    }

    /// The connection there is.
    ///
    /// # Errors
    /// When there is none: whoever needs a channel makes one.
    pub(super) async fn standing(&self) -> Result<Arc<Connection>, BusError> {
        let live = self.live.lock().await;
        let standing = live.connection.as_ref().filter(|connection| connection.status().connected());
        standing.cloned().ok_or_else(|| BusError::Lost(format!("{} is not connected", self.name)))
    }

    /// Where it leads.
    pub(super) const fn address(&self) -> &BrokerAddress {
        &self.address
    }

    /// Why the broker has stopped reading from it, if it has: for lack of memory or disk.
    pub(super) fn blocked(&self) -> Option<String> {
        self.blocked.reason()
    }

    /// Whether the broker has stopped reading from it.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked().is_some()
    }

    /// Says goodbye.
    pub(super) async fn close(&self) {
        if let Some(connection) = self.live.lock().await.connection.take() {
            close(connection).await;
        }
    }

    async fn connect_to(&self, host: &Endpoint) -> Result<Connection, BusError> {
        let options = ConnectionProperties::default().with_connection_name(self.name.into());
        let tokio = Tokio::current();
        let password = self.address.password().read();
        let password = password.map_err(|error| BusError::Lost(format!("{host}: {error}")))?;
        let connecting = Connection::connector(
            self.uri(host, &password),
            Runtime::new(CleanTokio(tokio.clone())),
            // lapin connects on a thread of its own, which would go on trying for as long as the system does.
            async move |uri, _| {
                let (tls, runtime) = (OwnedTLSConfig::default(), Runtime::new(tokio.clone()));
                match timeout(CONNECT_WITHIN, uri.connect_with_config_async(tls.as_ref(), &runtime)).await {
                    Ok(Ok(connected)) => Ok(AsyncTcpStream::Plain(Clean::new(connected))),
                    Ok(Err(error)) => Err(Error::from(error)),
                    Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
                }
            },
            options,
        );
        match timeout(CONNECT_WITHIN + ANSWER_WITHIN, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.lost(host, &error)),
            Err(_) => Err(BusError::Lost(format!("{host} does not answer"))),
        }
    }

    /// The address as lapin has it, filled in here: its own parser would put something else in the place of what it does not
    /// know.
    fn uri(&self, host: &Endpoint, password: &Secret) -> AMQPUri {
        let address = &self.address;
        AMQPUri {
            scheme: if address.is_encrypted() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: address.user().to_owned(),
                    password: password.reveal().to_owned(),
                },
                host: host.host.clone(),
                port: host.port,
            },
            vhost: address.vhost().to_owned(),
            query: AMQPQueryString {
                heartbeat: Some(address.heartbeat_seconds().unwrap_or(HEARTBEAT_SECONDS)),
                frame_max: Some(address.frame_bytes().unwrap_or(self.frame_bytes)),
                ..Default::default()
            },
        }
    }

    fn lost(&self, broker: &Endpoint, error: &Error) -> BusError {
        if let Some(refusal) = Refusal::of(error) {
            return refusal.of_entry(broker, &self.address);
        }
        let error = error.to_string();
        match tls::advice(&error) {
            Some(advice) => BusError::Topology(format!("the message broker {broker}: {advice} ({error})")),
            None => BusError::Lost(format!("{broker}: {error}")),
        }
    }
}

/// What all hosts said, as one error. A person has to act only where no host is merely away.
fn together(mut refusals: Vec<BusError>) -> BusError {
    if refusals.len() == 1 {
        return refusals.remove(0);
    }
    let is_lost = refusals.iter().any(|refusal| matches!(refusal, BusError::Lost(_)));
    let sentences: Vec<String> = refusals
        .into_iter()
        .map(|refusal| match refusal {
            BusError::Lost(why) | BusError::Topology(why) | BusError::Occupied(why) => why,
        })
        .collect();
    let all = sentences.join("; ");
    if is_lost { BusError::Lost(all) } else { BusError::Topology(all) }
}
