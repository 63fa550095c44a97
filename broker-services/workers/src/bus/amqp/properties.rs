//! Our messages in AMQP's words, out and back.

use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use serde_json::Value;

use crate::bus::{Message, Properties};
use crate::topology::{BEAT_KEY, BREAKER_KEY, COMMANDS, DEAD, EVENTS, UNROUTED};

/// AMQP's delivery mode of a message that is worth writing to disk.
const PERSISTENT: u8 = 2;
/// That of one that is worthless after a restart.
const TRANSIENT: u8 = 1;

/// Headers that are between a broker and whoever sends or receives: where else a message is to go, and how it fared. Sent
/// on they would be obeyed, refused or believed, so they are no part of a message.
const OF_BROKERS: &[&str] = &["CC", "BCC", "x-death", "x-delivery-count", "x-acquired-count"];

/// A message as lapin takes it.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
}

impl Outgoing {
    /// Publishes it, and waits for what its channel has to say: its confirm, or, on a channel without, that it is on the
    /// wire. The first poll puts it on the channel, so messages go out in the order in which their futures are first polled.
    pub(super) async fn publish(
        self,
        channel: &Channel,
        body: &[u8],
        mandatory: bool,
    ) -> lapin::Result<Confirmation> {
        let Self { exchange, routing_key, properties } = self;
        let options = BasicPublishOptions { mandatory, ..Default::default() };
        // Awaited twice: lapin keeps a confirm that is dropped, be it that of a channel without.
        channel.basic_publish(exchange, routing_key, options, body, properties).await?.await
    }
}

/// `message` for the wire; `None` if a name or property is longer than the 255 bytes that AMQP has
/// for it.
pub(super) fn outgoing(message: &Message) -> Option<Outgoing> {
    let Properties { message_id, correlation_id, reply_to, content_type, expiration, priority, headers } =
        &message.properties;
    let mode = if is_worth_keeping(message) { PERSISTENT } else { TRANSIENT };
    let mut properties = BasicProperties::default().with_delivery_mode(mode);
    if let Some(message_id) = message_id {
        properties = properties.with_message_id(short(message_id)?);
    }
    if let Some(correlation_id) = correlation_id {
        properties = properties.with_correlation_id(short(correlation_id)?);
    }
    if let Some(reply_to) = reply_to {
        properties = properties.with_reply_to(short(reply_to)?);
    }
    if let Some(content_type) = content_type {
        properties = properties.with_content_type(short(content_type)?);
    }
    if let Some(expiration) = expiration {
        properties = properties.with_expiration(short(&expiration.as_millis().to_string())?);
    }
    if let Some(priority) = priority {
        properties = properties.with_priority(*priority);
    }
    if !headers.is_empty() {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert(short(name)?, AMQPValue::LongString(LongString::from(value.as_str())));
        }
        properties = properties.with_headers(table);
    }
    Some(Outgoing {
        exchange: short(&message.exchange)?,
        routing_key: short(&message.routing_key)?,
        properties,
    })
}

/// What a delivery carries, as it was published. Headers that are no text become text: structures, their JSON.
pub(super) fn incoming(properties: &BasicProperties) -> Properties {
    let text = |short: &Option<ShortString>| short.as_ref().map(ToString::to_string);
    let headers = properties.headers().iter().flat_map(|table| table.inner());
    Properties {
        message_id: text(properties.message_id()),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        content_type: text(properties.content_type()),
        expiration: properties
            .expiration()
            .as_ref()
            .and_then(|millis| millis.as_str().parse().ok())
            .map(Duration::from_millis),
        priority: *properties.priority(),
        headers: headers
            .filter(|(name, _)| !OF_BROKERS.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), as_text(value)))
            .collect(),
    }
}

/// Answers, charges, wishes and signals wait in memory: who waits for them has given up by the time that a
/// broker is up again.
fn is_worth_keeping(message: &Message) -> bool {
    match message.exchange.as_str() {
        COMMANDS | UNROUTED | DEAD => true,
        EVENTS => message.routing_key != BEAT_KEY && message.routing_key != BREAKER_KEY,
        _ => false,
    }
}

fn short(text: &str) -> Option<ShortString> {
    ShortString::try_new(text).ok()
}

/// A scalar as itself, a structure as its JSON.
fn as_text(value: &AMQPValue) -> String {
    match as_json(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Nested no deeper than [`super::clean`] lets through.
fn as_json(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::ShortString(text) => text.to_string().into(),
        AMQPValue::Boolean(value) => (*value).into(),
        AMQPValue::ShortShortInt(value) => (*value).into(),
        AMQPValue::ShortShortUInt(value) => (*value).into(),
        AMQPValue::ShortInt(value) => (*value).into(),
        AMQPValue::ShortUInt(value) => (*value).into(),
        AMQPValue::LongInt(value) => (*value).into(),
        AMQPValue::LongUInt(value) => (*value).into(),
        AMQPValue::LongLongInt(value) => (*value).into(),
        AMQPValue::Timestamp(value) => (*value).into(),
        AMQPValue::Float(value) => number(value.to_string()),
        AMQPValue::Double(value) => number(value.to_string()),
        AMQPValue::DecimalValue(value) => format!("{}e-{}", value.value, value.scale).into(),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(as_json).collect(),
        AMQPValue::FieldTable(table) => {
            table.inner().iter().map(|(name, value)| (name.to_string(), as_json(value))).collect()
        }
        AMQPValue::ByteArray(bytes) => String::from_utf8_lossy(bytes.as_slice()).into(),
        AMQPValue::Void => Value::Null,
    }
}

/// A number as it is written, or the word for what is none: JSON has no other.
fn number(written: String) -> Value {
    written.parse().map_or_else(|_| written.into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lapin::types::DecimalValue;

    use super::*;
    use crate::topology::{CONTROL, DEFAULT, PAYMENTS, REPLIES};

    fn message(exchange: &str, routing_key: &str) -> Message {
        Message {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            body: Vec::new().into(),
            properties: Properties {
                message_id: Some("0193".into()),
                correlation_id: Some("사과".into()),
                reply_to: Some("amq.rabbitmq.reply-to".into()),
                content_type: Some("application/json".into()),
                expiration: Some(Duration::from_millis(300)),
                priority: Some(7),
                headers: BTreeMap::from([("reason".into(), "없음".into())]),
            },
        }
    }

    #[test]
    fn a_message_comes_back_as_it_went_out() {
        let sent = message(COMMANDS, "order.place");
        let out = outgoing(&sent).unwrap();
        assert_eq!((out.exchange.as_str(), out.routing_key.as_str()), (COMMANDS, "order.place"));
        assert_eq!(incoming(&out.properties), sent.properties);
    }

    #[test]
    fn only_what_outlives_its_asker_is_written_to_disk() {
        let table = [
            (COMMANDS, "order.place", true),
            (EVENTS, "order.placed", true),
            (DEAD, "", true),
            (EVENTS, BEAT_KEY, false),
            (EVENTS, BREAKER_KEY, false),
            (PAYMENTS, "charge", false),
            (REPLIES, "skstore.replies.order-1", false),
            (CONTROL, "", false),
            (DEFAULT, "desk.1", false),
        ];
        for (exchange, key, keeps) in table {
            let out = outgoing(&message(exchange, key)).unwrap();
            let mode = if keeps { PERSISTENT } else { TRANSIENT };
            assert_eq!(*out.properties.delivery_mode(), Some(mode), "'{key}' on '{exchange}'");
        }
    }

    #[test]
    fn what_amqp_has_no_room_for_is_not_sent() {
        let with_id = |length| {
            let mut message = message(DEFAULT, "k");
            message.properties.message_id = Some("i".repeat(length));
            message
        };
        assert!(outgoing(&message(DEFAULT, &"k".repeat(255))).is_some());
        assert!(outgoing(&message(DEFAULT, &"k".repeat(256))).is_none());
        assert!(outgoing(&with_id(255)).is_some());
        assert!(outgoing(&with_id(256)).is_none());
    }

    #[test]
    fn what_others_put_in_headers_becomes_text_and_structures_their_json() {
        let mut inner = FieldTable::default();
        inner.insert("사과".into(), AMQPValue::LongLongInt(5));
        inner.insert("none".into(), AMQPValue::Void);
        let array = vec![AMQPValue::FieldTable(inner), AMQPValue::Double(0.5), AMQPValue::Boolean(false)];
        let mut table = FieldTable::default();
        table.insert("retries".into(), AMQPValue::LongLongInt(-3));
        table.insert("urgent".into(), AMQPValue::Boolean(true));
        table.insert("ratio".into(), AMQPValue::Float(f32::NAN));
        table.insert("baskets".into(), AMQPValue::FieldArray(array.into()));
        table.insert("bytes".into(), AMQPValue::ByteArray(vec![b'x', 255].into()));
        table.insert("price".into(), AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 1999 }));
        let properties = incoming(&BasicProperties::default().with_headers(table));
        let expected = [
            ("retries", "-3"),
            ("urgent", "true"),
            ("ratio", "NaN"),
            ("baskets", r#"[{"none":null,"사과":5},0.5,false]"#),
            ("bytes", "x\u{fffd}"),
            ("price", "1999e-2"),
        ]
        .map(|(name, value)| (name.into(), value.into()));
        assert_eq!(properties.headers, BTreeMap::from(expected));
    }

    #[test]
    fn what_is_between_a_broker_and_others_is_no_part_of_a_message() {
        let mut table = FieldTable::default();
        let elsewhere = vec![AMQPValue::LongString("item.commands".into())];
        table.insert("CC".into(), AMQPValue::FieldArray(elsewhere.into()));
        table.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
        table.insert("x-death".into(), AMQPValue::FieldArray(Vec::new().into()));
        table.insert("x-first-death-queue".into(), AMQPValue::LongString("order.commands".into()));
        let properties = incoming(&BasicProperties::default().with_headers(table));
        let expected = [("x-first-death-queue".into(), "order.commands".into())];
        assert_eq!(
            properties.headers,
            BTreeMap::from(expected),
            "but where it died says where it goes back to"
        );
    }
}
