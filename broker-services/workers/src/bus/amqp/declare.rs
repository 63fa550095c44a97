//! Declares exchanges, queues and bindings on a broker, exactly as [`crate::topology`] has them. A user who may not declare
//! uses what is there.

use std::fmt;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection};

use super::refusal::{Denied, Meaning, asked};
use super::request::answered;
use crate::bus::BusError;
use crate::topology::{EXCHANGES, ExchangeKind, ExchangeSpec, Overflow, QueueKind, QueueSpec, queues};

/// A part of the topology.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// An exchange.
    Exchange(String),
    /// A queue.
    Queue(String),
    /// What brings messages from one to the other.
    Binding {
        /// Where to.
        queue: String,
        /// Where from.
        exchange: String,
        /// Those of which key.
        key: String,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(name) => write!(f, "the exchange '{name}'"),
            Self::Queue(name) => write!(f, "the queue '{name}'"),
            Self::Binding { queue, exchange, key } => {
                write!(f, "the binding of queue '{queue}' to exchange '{exchange}' by '{key}'")
            }
        }
    }
}

/// All exchanges and queues, whose properties are compared so, and the bindings that went with those of them that were
/// `missing`. Any other binding is left to those who look for it: they tell when it is missing. Returns what could only be
/// looked at, for want of permissions: nothing, as a rule.
///
/// # Errors
/// [`BusError::Topology`] names what is there with other properties, or is not there and may not be declared, and the
/// remedy.
pub(super) async fn topology(connection: &Connection, missing: &[Part]) -> Result<Vec<String>, BusError> {
    let mut declaring = Declaring::all_but_bindings(connection).await?;
    for mut spec in queues() {
        if !missing.contains(&Part::Queue(spec.name.clone())) {
            spec.bindings.retain(|(exchange, _)| missing.contains(&Part::Exchange((*exchange).to_owned())));
        }
        declaring.bindings(&spec).await?;
    }
    Ok(declaring.only_seen)
}

/// Declares on a channel that each refusal ends.
struct Declaring<'a> {
    connection: &'a Connection,
    channel: Channel,
    only_seen: Vec<String>,
}

impl<'a> Declaring<'a> {
    async fn all_but_bindings(connection: &'a Connection) -> Result<Self, BusError> {
        let channel = answered(connection.create_channel()).await?;
        let mut declaring = Self { connection, channel, only_seen: Vec::new() };
        // Alternate and dead-letter exchanges are looked up when they are needed, so any order will do.
        for spec in EXCHANGES {
            declaring.exchange(spec).await?;
        }
        for spec in queues() {
            declaring.queue(&spec).await?;
        }
        Ok(declaring)
    }

    async fn renew(&mut self) -> Result<(), BusError> {
        self.channel = answered(self.connection.create_channel()).await?;
        Ok(())
    }

    async fn exchange(&mut self, spec: &ExchangeSpec) -> Result<(), BusError> {
        let refused = match declare_exchange(&self.channel, spec, false).await? {
            Ok(()) => return Ok(()),
            Err(refused) if refused.meaning() == Some(Meaning::Forbidden) => refused,
            Err(refused) => return Err(refused.or(|refusal| refusal.of_exchange(spec))),
        };
        self.renew().await?;
        self.only_seen.push(format!("exchange '{}'", spec.name));
        match see_exchange(&self.channel, spec).await? {
            Err(missing) if missing.meaning() == Some(Meaning::Missing) => {
                Err(refused.or(|refusal| refusal.of_missing("exchange", spec.name)))
            }
            seen => seen.map_err(|denied| denied.or(|refusal| refusal.of_exchange(spec))),
        }
    }

    async fn queue(&mut self, spec: &QueueSpec) -> Result<(), BusError> {
        let refused = match declare(&self.channel, spec).await? {
            Ok(()) => return Ok(()),
            Err(refused) if refused.meaning() == Some(Meaning::Forbidden) => refused,
            Err(refused) => return Err(refused.or_of_queue(spec)),
        };
        self.renew().await?;
        self.only_seen.push(format!("queue '{}'", spec.name));
        match see(&self.channel, spec).await? {
            Err(missing) if missing.meaning() == Some(Meaning::Missing) => {
                Err(refused.or(|refusal| refusal.of_missing("queue", &spec.name)))
            }
            seen => seen.map(drop).map_err(|denied| denied.or_of_queue(spec)),
        }
    }

    /// Whether a binding is there cannot be seen; without the permission it is taken to be.
    async fn bindings(&mut self, spec: &QueueSpec) -> Result<(), BusError> {
        match bind_all(&self.channel, spec).await? {
            Ok(()) => Ok(()),
            Err(refused) if refused.meaning() == Some(Meaning::Forbidden) => {
                self.only_seen.push(format!("the bindings of queue '{}'", spec.name));
                self.renew().await
            }
            Err(refused) => Err(refused.or(|refusal| BusError::Lost(refusal.to_string()))),
        }
    }
}

/// A queue to consume, with its bindings; or, where it is not the consumer's own and may only be looked at, whether it is
/// there. An error ends the channel.
///
/// # Errors
/// As [`queue`].
pub(super) async fn consumable(channel: &Channel, spec: &QueueSpec, only_look: bool) -> Result<(), BusError> {
    if only_look && spec.is_durable() {
        return see(channel, spec).await?.map(drop).map_err(|denied| denied.or_of_queue(spec));
    }
    queue(channel, spec).await
}

/// One queue and its bindings. An error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] names a queue that is there with other properties, and the remedy; [`BusError::Occupied`] one that
/// is another's.
pub(super) async fn queue(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    unbound(channel, spec).await?;
    bind(channel, spec).await
}

/// One queue without its bindings. An error ends the channel.
///
/// # Errors
/// As [`queue`].
pub(super) async fn unbound(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    declare(channel, spec).await?.map_err(|denied| denied.or_of_queue(spec))
}

/// The bindings of a queue that is there. An error ends the channel.
///
/// # Errors
/// When the queue or an exchange is not there or may not be bound, or the connection is lost.
pub(super) async fn bind(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    bind_all(channel, spec).await?.map_err(|denied| denied.or_of_queue(spec))
}

/// One exchange. An error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] names an exchange that is there with other properties, and the remedy.
pub(super) async fn exchange(channel: &Channel, spec: &ExchangeSpec) -> Result<(), BusError> {
    let declared = declare_exchange(channel, spec, false).await?;
    declared.map_err(|denied| denied.or(|refusal| refusal.of_exchange(spec)))
}

/// The broker's answer is the inner result. The outer one is about names that no broker can have.
pub(super) type Asked<T> = Result<Result<T, Denied>, BusError>;

async fn declare(channel: &Channel, spec: &QueueSpec) -> Asked<()> {
    let exclusive = spec.kind == QueueKind::Exclusive;
    let options = QueueDeclareOptions { durable: spec.is_durable(), exclusive, ..Default::default() };
    let declared = channel.queue_declare(short(&spec.name)?, options, arguments(spec)?);
    Ok(asked(declared).await.map(drop))
}

async fn bind_all(channel: &Channel, spec: &QueueSpec) -> Asked<()> {
    let name = short(&spec.name)?;
    for (exchange, key) in &spec.bindings {
        let key = if key.is_empty() { &spec.name } else { *key };
        let bound = channel.queue_bind(
            name.clone(),
            short(exchange)?,
            short(key)?,
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        if let Err(denied) = asked(bound).await {
            return Ok(Err(denied));
        }
    }
    Ok(Ok(()))
}

/// Looks at a queue without changing it: how many messages wait in it, and how many consume it.
pub(super) async fn see(channel: &Channel, spec: &QueueSpec) -> Asked<(usize, usize)> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let looking = channel.queue_declare(short(&spec.name)?, options, FieldTable::default());
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let seen = asked(looking).await;
    Ok(seen.map(|queue| (count(queue.message_count()), count(queue.consumer_count()))))
}

/// How many messages wait in a queue, and how many consume it. Changes nothing; an error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] when it is not there.
pub(super) async fn look(channel: &Channel, spec: &QueueSpec) -> Result<(usize, usize), BusError> {
    see(channel, spec).await?.map_err(|denied| match denied.meaning() {
        Some(Meaning::Missing) => BusError::Topology(format!(
            "queue '{}' is not to be found; if it was deleted, start the workers again: they declare it anew",
            spec.name
        )),
        _ => denied.or(|refusal| BusError::Lost(refusal.to_string())),
    })
}

/// Deletes a queue that was one consumer's own.
pub(super) async fn delete(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    answered(channel.queue_delete(short(&spec.name)?, QueueDeleteOptions::default())).await?;
    Ok(())
}

/// AMQP's short string has 255 bytes.
pub(super) fn short(name: &str) -> Result<ShortString, BusError> {
    ShortString::try_new(name).map_err(|_| {
        BusError::Topology(format!(
            "'{name}' is longer than the 255 bytes that a name on the message bus may have"
        ))
    })
}

/// Looks at an exchange without changing it.
pub(super) async fn see_exchange(channel: &Channel, spec: &ExchangeSpec) -> Asked<()> {
    declare_exchange(channel, spec, true).await
}

async fn declare_exchange(channel: &Channel, spec: &ExchangeSpec, passive: bool) -> Asked<()> {
    let kind = match spec.kind {
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
    };
    let mut arguments = FieldTable::default();
    if let Some(alternate) = spec.alternate {
        arguments.insert("alternate-exchange".into(), text(alternate));
    }
    let options = ExchangeDeclareOptions { durable: true, passive, ..Default::default() };
    Ok(asked(channel.exchange_declare(short(spec.name)?, kind, options, arguments)).await)
}

/// What [`Overflow::RejectPublish`] is to a broker.
pub(super) const REJECT_PUBLISH: &str = "reject-publish";

/// What a queue is declared with.
pub(super) fn arguments(spec: &QueueSpec) -> Result<FieldTable, BusError> {
    let mut table = FieldTable::default();
    let mut set = |name: &str, value| {
        table.insert(name.into(), value);
    };
    let kind = if spec.kind == QueueKind::Quorum { "quorum" } else { "classic" };
    set("x-queue-type", text(kind));
    set("x-max-length", number(spec.max_messages)?);
    let overflow = match spec.overflow {
        Overflow::RejectPublish => REJECT_PUBLISH,
        Overflow::DropHead => "drop-head",
    };
    set("x-overflow", text(overflow));
    if let Some(ttl) = spec.ttl {
        set("x-message-ttl", number(ttl.as_millis())?);
    }
    if let Some(limit) = spec.delivery_limit() {
        set("x-delivery-limit", number(limit)?);
    }
    if let Some(exchange) = spec.dead_letter {
        set("x-dead-letter-exchange", text(exchange));
        // Otherwise a dead letter may get lost on its way. It needs reject-publish, which our quorum queues have.
        if spec.kind == QueueKind::Quorum && spec.overflow == Overflow::RejectPublish {
            set("x-dead-letter-strategy", text("at-least-once"));
        }
    }
    Ok(table)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn number<T: TryInto<i64>>(value: T) -> Result<AMQPValue, BusError> {
    let too_large =
        |_| BusError::Topology("a bound of the topology is beyond what a broker can count".to_owned());
    value.try_into().map(AMQPValue::LongLongInt).map_err(too_large)
}
