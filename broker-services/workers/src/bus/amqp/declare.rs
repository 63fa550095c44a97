//! Declares exchanges, queues and bindings on a broker, exactly as [`crate::topology`] has them.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::time::timeout;

use super::link::{ANSWER_WITHIN, answered, code};
use crate::bus::BusError;
use crate::topology::{EXCHANGES, ExchangeKind, ExchangeSpec, Overflow, QueueKind, QueueSpec, queues};

/// AMQP's codes for something that is there, but otherwise, or somebody else's.
const ACCESS_REFUSED: u16 = 403;
pub(super) const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;

/// All of it.
///
/// # Errors
/// [`BusError::Topology`] names what is there with other properties, and the remedy.
pub(super) async fn topology(connection: &Connection) -> Result<(), BusError> {
    let channel = answered(connection.create_channel()).await?;
    // Alternate and dead-letter exchanges are looked up when they are needed, so any order will do.
    for spec in EXCHANGES {
        exchange(&channel, spec).await?;
    }
    for spec in queues() {
        queue(&channel, &spec).await?;
    }
    Ok(())
}

/// All exchanges and queues, but no bindings: finds out whether what is there is as it must be.
///
/// # Errors
/// As [`topology`].
pub(super) async fn without_bindings(connection: &Connection) -> Result<(), BusError> {
    let channel = answered(connection.create_channel()).await?;
    for spec in EXCHANGES {
        exchange(&channel, spec).await?;
    }
    for spec in queues() {
        unbound(&channel, &spec).await?;
    }
    Ok(())
}

/// One queue and its bindings. An error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] names a queue that is there with other properties, and the remedy.
pub(super) async fn queue(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    unbound(channel, spec).await?;
    bind(channel, spec).await
}

/// One queue without its bindings. An error ends the channel.
///
/// # Errors
/// As [`queue`].
pub(super) async fn unbound(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
    let exclusive = spec.kind == QueueKind::Exclusive;
    let options = QueueDeclareOptions { durable: spec.is_durable(), exclusive, ..Default::default() };
    let declared = channel.queue_declare(short(&spec.name)?, options, arguments(spec)?);
    refused(declared, |why| mismatch(spec, why)).await?;
    Ok(())
}

/// The bindings of a queue that is there. An error ends the channel.
///
/// # Errors
/// When the queue or an exchange is not there, or the connection is lost.
pub(super) async fn bind(channel: &Channel, spec: &QueueSpec) -> Result<(), BusError> {
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
        answered(bound).await?;
    }
    Ok(())
}

/// How many messages wait in a queue, and how many consume it. Changes nothing; an error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] when it is not there.
pub(super) async fn look(channel: &Channel, spec: &QueueSpec) -> Result<(usize, usize), BusError> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let looking = channel.queue_declare(short(&spec.name)?, options, FieldTable::default());
    let queue = match timeout(ANSWER_WITHIN, looking).await {
        Ok(Ok(queue)) => queue,
        Ok(Err(error)) => match code(&error) {
            Some((NOT_FOUND, why)) => {
                return Err(BusError::Topology(format!(
                    "queue '{}' is not to be found ({why}); if it was deleted, start the workers again: they \
                     declare it anew",
                    spec.name
                )));
            }
            _ => return Err(BusError::Lost(error.to_string())),
        },
        Err(_) => return Err(BusError::Lost(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    };
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    Ok((count(queue.message_count()), count(queue.consumer_count())))
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

/// One exchange. An error ends the channel.
///
/// # Errors
/// [`BusError::Topology`] names an exchange that is there with other properties, and the remedy.
pub(super) async fn exchange(channel: &Channel, spec: &ExchangeSpec) -> Result<(), BusError> {
    let kind = match spec.kind {
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
    };
    let mut arguments = FieldTable::default();
    if let Some(alternate) = spec.alternate {
        arguments.insert("alternate-exchange".into(), text(alternate));
    }
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let declared = channel.exchange_declare(short(spec.name)?, kind, options, arguments);
    refused(declared, |why| {
        format!(
            "exchange '{0}' is there, but not as this version needs it ({why}). Stop all workers, delete it \
             (`rabbitmqadmin delete exchange name={0}`, the newer one: `--name {0}`), and start them again: they \
             declare it anew",
            spec.name
        )
    })
    .await
}

/// The sentence about a queue that is there, but otherwise.
pub(super) fn mismatch(spec: &QueueSpec, why: &str) -> String {
    if spec.kind == QueueKind::Exclusive {
        return format!(
            "queue '{}' belongs to another consumer ({why}); wait until that one has ended",
            spec.name
        );
    }
    format!(
        "queue '{0}' is there, but not as this version needs it ({why}). Let the workers empty it, stop them, delete it \
         (`rabbitmqctl delete_queue {0}`), and start them again: they declare it anew",
        spec.name
    )
}

fn arguments(spec: &QueueSpec) -> Result<FieldTable, BusError> {
    let mut table = FieldTable::default();
    let mut set = |name: &str, value| {
        table.insert(name.into(), value);
    };
    let kind = if spec.kind == QueueKind::Quorum { "quorum" } else { "classic" };
    set("x-queue-type", text(kind));
    set("x-max-length", number(spec.max_messages)?);
    let overflow = match spec.overflow {
        Overflow::RejectPublish => "reject-publish",
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

/// The answer to `declaring`; `sentence` makes one of a refusal that a person has to mend.
pub(super) async fn refused<T>(
    declaring: impl Future<Output = lapin::Result<T>>,
    sentence: impl FnOnce(&str) -> String,
) -> Result<T, BusError> {
    match timeout(ANSWER_WITHIN, declaring).await {
        Ok(Ok(declared)) => Ok(declared),
        Ok(Err(error)) => Err(match code(&error) {
            Some((ACCESS_REFUSED | RESOURCE_LOCKED | PRECONDITION_FAILED, why)) => {
                BusError::Topology(sentence(&why))
            }
            _ => BusError::Lost(error.to_string()),
        }),
        Err(_) => Err(BusError::Lost(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    }
}
