//! The message bus as AsyncAPI 3.0 describes it, made of the topology and of the kinds of commands and events, so that it cannot
//! get out of step with them. `skstore-worker asyncapi` prints it.
//!
//! The application is all workers together: it receives what others send it, and sends what it tells.

use serde_json::{Map, Value, json};
use skstore_domain::commands::CommandKind;
use skstore_domain::events::EventKind;

use crate::envelope::{EVENT_BATCH_TYPE, EVENT_TYPE, JSON_TYPE};
use crate::headers::{
    BODY_CUT_AT, INCARNATION, PARKED_AT, PARKED_CODE, PARKED_ID, SENT_EXPIRATION, SENT_PRIORITY, SEQS, STORE,
    TOLD_AGAIN,
};
use crate::topology::{
    self, BEAT_KEY, BREAKER_KEY, CHARGE_KEY, COMMANDS, CONTROL, DEAD, EVENTS, EXCHANGES, ExchangeKind,
    Overflow, PAYMENTS, QueueKind, QueueSpec, REPLIES,
};

mod schemas;

/// The version of the AMQP bindings.
const BINDING: &str = "0.3.0";

/// The document. Its text is the same each time.
#[must_use]
pub fn document() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for kind in CommandKind::all() {
        let name = kind.word();
        messages.insert(name.to_owned(), message(name, &format!("command.{name}"), JSON_TYPE, asked()));
        channels.insert(name.to_owned(), routed(COMMANDS, name, &[name]));
        let mut operation = operation("receive", name, name);
        operation["reply"] = reply("answers", "answer");
        operations.insert(name.to_owned(), operation);
    }
    for kind in EventKind::all() {
        let name = kind.word();
        let batch = format!("{name}.batch");
        let schema = format!("event.{name}");
        messages.insert(name.to_owned(), message(name, &schema, EVENT_TYPE, told()));
        let mut several = message(&batch, &schema, EVENT_BATCH_TYPE, told());
        several["payload"] = json!({ "type": "array", "items": schemas::of(&schema), "minItems": 1 });
        messages.insert(batch.clone(), several);
        channels.insert(name.to_owned(), routed(EVENTS, name, &[name, &batch]));
        operations.insert(name.to_owned(), operation("send", name, name));
    }
    for name in [BEAT_KEY, BREAKER_KEY] {
        messages.insert(name.to_owned(), message(name, name, JSON_TYPE, json!({ "type": "object" })));
        channels.insert(name.to_owned(), routed(EVENTS, name, &[name]));
        operations.insert(name.to_owned(), operation("send", name, name));
    }
    answered(&mut channels, &mut messages);
    pay(&mut channels, &mut operations, &mut messages);
    operate(&mut channels, &mut operations, &mut messages);
    for queue in topology::queues() {
        channels.insert(format!("queue.{}", queue.name), kept(&queue));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "skstore",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An order desk: commands, events, answers and signals on its message bus. In words: docs/messages.md.",
            "license": { "name": "MIT" },
        },
        "defaultContentType": JSON_TYPE,
        "servers": {
            "broker": { "host": "localhost:5672", "protocol": "amqp", "description": "RabbitMQ 3.10 or later: bus.url" },
        },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas::all() },
    })
}

/// The document as it is printed and kept.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn message(name: &str, schema: &str, content_type: &str, headers: Value) -> Value {
    let mut message = json!({ "name": name, "contentType": content_type, "payload": schemas::of(schema) });
    message["headers"] = headers;
    message
}

/// The properties of what is asked.
fn asked() -> Value {
    properties(&[
        ("message_id", "Serves as the idempotency key of a place, a top-up or a restock that has none."),
        ("correlation_id", "Comes back with the answer."),
        ("reply_to", "The queue that wants the answer. Without it nobody is answered."),
    ])
}

/// The properties of events.
fn told() -> Value {
    properties(&[
        ("message_id", "The id of the event, or of the first one of several."),
        ("correlation_id", "The order that it is about."),
        ("traceparent", "As of W3C Trace Context."),
        (STORE, "From whose store the events are."),
        (INCARNATION, "Which incarnation of that store has sent them."),
        (SEQS, "Which entries of its log they stand for: ranges, as in 1-5,7."),
        (TOLD_AGAIN, "For how many times they are told again, because their orders wait."),
    ])
}

/// AMQP properties and headers, all of them texts.
fn properties(described: &[(&str, &str)]) -> Value {
    let described: Map<String, Value> = described
        .iter()
        .map(|(name, what)| ((*name).to_owned(), json!({ "type": "string", "description": what })))
        .collect();
    json!({ "type": "object", "properties": described })
}

fn operation(action: &str, channel: &str, message: &str) -> Value {
    let mut operation = json!({ "action": action, "channel": { "$ref": reference("channels", channel) } });
    operation["summary"] = json!(match action {
        "receive" => format!("Takes {message}"),
        _ => format!("Tells {message}"),
    });
    operation
}

fn reply(channel: &str, message: &str) -> Value {
    json!({
        "address": { "location": "$message.header#/reply_to" },
        "channel": { "$ref": reference("channels", channel) },
        "messages": [{ "$ref": format!("{}/messages/{}", reference("channels", channel), escaped(message)) }],
    })
}

fn reference(section: &str, name: &str) -> String {
    format!("#/{section}/{}", escaped(name))
}

/// A name as a JSON pointer has it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn carries(messages: &[&str]) -> Value {
    let messages: Map<String, Value> = messages
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "$ref": reference("components/messages", name) })))
        .collect();
    Value::Object(messages)
}

/// A routing key of an exchange, with the queues that it leads to.
fn routed(exchange: &str, key: &str, messages: &[&str]) -> Value {
    let spec = EXCHANGES.iter().find(|spec| spec.name == exchange);
    let kind = match spec.map(|spec| spec.kind) {
        Some(ExchangeKind::Topic) => "topic",
        Some(ExchangeKind::Fanout) => "fanout",
        Some(ExchangeKind::Direct) | None => "direct",
    };
    let queues: Vec<String> = topology::queues()
        .into_iter()
        .filter(|queue| queue.bindings.contains(&(spec.map_or("", |spec| spec.name), key)))
        .map(|queue| queue.name)
        .collect();
    json!({
        "address": if key.is_empty() { Value::Null } else { json!(key) },
        "messages": carries(messages),
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": { "name": exchange, "type": kind, "durable": true, "autoDelete": false },
            "bindingVersion": BINDING,
        } },
        "x-queues": queues,
    })
}

/// A queue that outlives its consumers.
fn kept(queue: &QueueSpec) -> Value {
    let kind = match queue.kind {
        QueueKind::Quorum => "quorum",
        QueueKind::Classic | QueueKind::Exclusive => "classic",
    };
    let overflow = match queue.overflow {
        Overflow::RejectPublish => "reject-publish",
        Overflow::DropHead => "drop-head",
    };
    let bindings: Vec<Value> =
        queue.bindings.iter().map(|(exchange, key)| json!({ "exchange": exchange, "key": key })).collect();
    let mut described = json!({
        "address": queue.name,
        "bindings": { "amqp": {
            "is": "queue",
            "queue": {
                "name": queue.name, "durable": queue.is_durable(), "exclusive": queue.kind == QueueKind::Exclusive,
                "autoDelete": false,
            },
            "bindingVersion": BINDING,
        } },
        "x-queue-type": kind,
        "x-max-messages": queue.max_messages,
        "x-overflow": overflow,
        "x-max-bytes-of-a-message": queue.max_bytes(),
        "x-bindings": bindings,
    });
    if let Some(service) = topology::reader_of(&queue.name) {
        described["x-read-by"] = json!(service);
    }
    if let Some(ttl) = queue.ttl {
        described["x-message-ttl-ms"] = json!(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
    }
    described
}

/// Answers to callers, at their own addresses.
fn answered(channels: &mut Map<String, Value>, messages: &mut Map<String, Value>) {
    let headers = properties(&[("correlation_id", "That of the question.")]);
    messages.insert("answer".to_owned(), message("answer", "answer", JSON_TYPE, headers));
    channels.insert(
        "answers".to_owned(),
        json!({
            "address": null,
            "description": "The queue that a command's reply_to names, through the default exchange.",
            "messages": carries(&["answer"]),
        }),
    );
}

/// The payment call, from Order to Deposit and back.
fn pay(
    channels: &mut Map<String, Value>,
    operations: &mut Map<String, Value>,
    messages: &mut Map<String, Value>,
) {
    let headers = properties(&[
        ("message_id", "Of the call."),
        ("correlation_id", "The same, which comes back with the outcomes."),
        ("reply_to", "The queue of the Order worker that has called."),
    ]);
    messages.insert("charges".to_owned(), message("charges", "charges", JSON_TYPE, headers));
    let headers = properties(&[("correlation_id", "That of the call.")]);
    messages.insert("outcomes".to_owned(), message("outcomes", "outcomes", JSON_TYPE, headers));
    channels.insert("charges".to_owned(), routed(PAYMENTS, CHARGE_KEY, &["charges"]));
    let mut replies = routed(REPLIES, "", &["outcomes"]);
    replies["description"] = json!("To the queue of the Order worker that has called, under its name.");
    channels.insert("outcomes".to_owned(), replies);
    for action in ["send", "receive"] {
        let mut operation = operation(action, "charges", "charges");
        operation["reply"] = reply("outcomes", "outcomes");
        operations.insert(format!("charges.{action}"), operation);
    }
}

/// What operators send, and where messages are parked.
fn operate(
    channels: &mut Map<String, Value>,
    operations: &mut Map<String, Value>,
    messages: &mut Map<String, Value>,
) {
    messages
        .insert("control".to_owned(), message("control", "control", JSON_TYPE, json!({ "type": "object" })));
    channels.insert("control".to_owned(), routed(CONTROL, "", &["control"]));
    operations.insert("control".to_owned(), operation("receive", "control", "control"));
    let headers = properties(&[
        (PARKED_ID, "Names it."),
        (PARKED_AT, "When it was parked."),
        (PARKED_CODE, "What is known of its effects."),
        ("reason", "Why, in a sentence."),
        ("service", "Who has parked it."),
        ("queue", "The queue from which it was taken."),
        ("exchange", "The exchange to which it was sent."),
        ("routing_key", "The key with which it was sent."),
        (BODY_CUT_AT, "After how many bytes its body was cut off, if it was."),
        (SENT_EXPIRATION, "Within how many milliseconds it was to be delivered, if it was."),
        (SENT_PRIORITY, "With which priority it was sent, if it was."),
    ]);
    let mut parked = json!({ "name": "parked", "headers": headers });
    parked["summary"] = json!("A message as it came, that nobody could take");
    messages.insert("parked".to_owned(), parked);
    channels.insert("parked".to_owned(), routed(DEAD, "", &["parked"]));
    operations.insert("parked".to_owned(), operation("send", "parked", "parked"));
}
