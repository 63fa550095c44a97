//! From deliveries to inputs and back: who asked, what they asked, what they are told, and what is parked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::{CommandKind, ServiceCommand};
use skstore_domain::events::{BadEvent, Event, TYPE_PREFIX};

use crate::bus::{Delivery, Message, Properties, PublishOutcome, Publisher, Unacked};
use crate::clock::Stopwatch;
use crate::context::Context;
use crate::headers::{PARKED_AT, PARKED_CODE, PARKED_ID, SENT_EXPIRATION, SENT_PRIORITY};
use crate::logging;
use crate::reply_to;
use crate::topology;

/// One of our events, alone.
pub(crate) const EVENT_TYPE: &str = "application/cloudevents+json";
/// Several of them: a convention of ours for AMQP.
pub(crate) const EVENT_BATCH_TYPE: &str = "application/cloudevents-batch+json";
/// Everything else.
pub(crate) const JSON_TYPE: &str = "application/json";

/// How long the bus may take to confirm a parked message before it is tried again.
const PARK_WITHIN: Duration = Duration::from_secs(5);

/// Who waits for an answer, and how it finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    reply_to: String,
    correlation_id: Option<String>,
}

impl Caller {
    /// Whoever sent `message`, if they want an answer.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        let reply_to = message.properties.reply_to.clone().filter(|queue| !queue.is_empty())?;
        Some(Self { reply_to, correlation_id: message.properties.correlation_id.clone() })
    }

    /// The queue on which they wait.
    pub(crate) fn queue(&self) -> &str {
        &self.reply_to
    }

    /// What tells them, to be [sent](Publisher::send): nobody waits for it to arrive, as whoever misses it asks again.
    pub(crate) fn answer(&self, body: Vec<u8>) -> Message {
        self.through(topology::DEFAULT, body)
    }

    /// What tells one of our own services.
    pub(crate) fn reply(&self, body: Vec<u8>) -> Message {
        self.through(topology::REPLIES, body)
    }

    fn through(&self, exchange: &str, body: Vec<u8>) -> Message {
        let mut message = json_message(exchange, &self.reply_to, body);
        message.properties.correlation_id.clone_from(&self.correlation_id);
        message
    }
}

/// A message of JSON that says no more of itself.
pub(crate) fn json_message(exchange: &str, routing_key: &str, body: Vec<u8>) -> Message {
    Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        body: body.into(),
        properties: Properties { content_type: Some(JSON_TYPE.to_owned()), ..Properties::default() },
    }
}

/// What is wrong with a message: a sentence for its sender, or for the operator who finds it parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    /// What it means for those who may send the message again.
    pub code: ParkedCode,
    pub sentence: String,
}

impl Bad {
    /// A message that had no effect.
    pub(crate) const fn new(sentence: String) -> Self {
        Self { code: ParkedCode::NoEffect, sentence }
    }

    /// An order, a top-up or a restock that came without an id and may not be new: nobody can tell whether it has taken
    /// effect, and doing it again might charge twice. `what` and `done`: *the order*, *placed*.
    pub(crate) fn may_have_happened(what: &str, done: &str) -> Self {
        let sentence = format!("{what} {MAY_HAVE_HAPPENED} {done}");
        Self { code: ParkedCode::MayHaveHappened, sentence }
    }
}

/// What is known of the effects of a parked message: the header `parked_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedCode {
    /// It had none.
    NoEffect,
    /// It may have had its effect before, and would have it once more.
    MayHaveHappened,
}

impl ParkedCode {
    /// As the header has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoEffect => "no_effect",
            Self::MayHaveHappened => "may_have_happened",
        }
    }

    /// What a message was parked with, by its header; by its reason where an older version parked it.
    #[must_use]
    pub fn of(header: Option<&str>, reason: &str) -> Self {
        match header {
            Some(word) if word == Self::NoEffect.word() => Self::NoEffect,
            // Also one that only a newer version knows: it is asked about rather than charged twice.
            Some(_) => Self::MayHaveHappened,
            None if reason.contains(MAY_HAVE_HAPPENED) => Self::MayHaveHappened,
            None => Self::NoEffect,
        }
    }
}

/// Reads a command that came in `delivery`.
///
/// # Errors
/// [`Bad`] says what to fix.
pub(crate) fn read_command<C: ServiceCommand>(delivery: &Delivery) -> Result<C, Bad> {
    let message = &delivery.message;
    let Some(kind) = CommandKind::from_word(&message.routing_key) else {
        return Err(Bad::new(format!("there is no command '{}'", quoted(&message.routing_key))));
    };
    if let Some(reply_to) = &message.properties.reply_to
        && !(kind.is_replay() && reply_to == topology::MYINFO_REBUILD)
        && let Some(why) = reply_to::refusal(reply_to)
    {
        return Err(Bad::new(format!("reply_to '{}' {why}", quoted(reply_to))));
    }
    match C::Kind::try_from(kind) {
        Ok(kind) => C::from_json(kind, &message.body).map_err(|invalid| Bad::new(invalid.to_string())),
        Err(_) if &*delivery.queue == topology::UNROUTED => Err(Bad::new(
            "the way of this command was missing on the broker and is being put back; send it again"
                .to_owned(),
        )),
        Err(_) => Err(Bad::new(format!("this command is not for {}", C::SERVICE))),
    }
}

/// Longest foreign text that a message of ours quotes, in characters.
const QUOTED_CHARS: usize = 100;

/// Longest reason that a message is parked with, in characters: what is wrong with foreign JSON may quote all of it.
const REASON_CHARS: usize = 500;
/// Most bytes in the headers that a parked message brings along. With its other properties and ours they travel in one
/// frame, which has 32 KiB.
const PARKED_HEADER_BYTES: usize = 16 * 1024;

/// Foreign text as a sentence quotes it.
fn quoted(text: &str) -> String {
    shown(text, QUOTED_CHARS)
}

/// Foreign text, fit to be shown.
fn shown(text: &str, max_chars: usize) -> String {
    text.chars().filter(|c| !skstore_domain::ids::is_unsafe_to_show(*c)).take(max_chars).collect()
}

/// Leaves out the headers that there is no room for. Returns how many.
fn fit(headers: &mut BTreeMap<String, String>) -> usize {
    let (mut room, before) = (PARKED_HEADER_BYTES, headers.len());
    headers.retain(|name, value| {
        let left = room.checked_sub(name.len() + value.len());
        room = left.unwrap_or(room);
        left.is_some()
    });
    before - headers.len()
}

/// The events in a message.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Each on its own: a bad one does not spoil the others.
    pub parts: Vec<Result<Event, BadPart>>,
    /// The types of those that only another version of this system knows. Whoever does not know one has no use for it.
    pub unknown: Vec<String>,
}

/// Reads the events in the `body` of a message.
///
/// # Errors
/// [`Bad`] if the message as a whole is no JSON, or larger than any of ours.
pub(crate) fn read_events(body: &[u8]) -> Result<Events, Bad> {
    if body.len() > topology::MAX_BYTES {
        return Err(Bad::new(format!(
            "a message of events has at most {} bytes",
            topology::MAX_EVENTS_BYTES
        )));
    }
    let text = std::str::from_utf8(body).map_err(|_| Bad::new("the message is not UTF-8".to_owned()))?;
    let mut events = Events::default();
    if !text.trim_start().starts_with('[') {
        events.read(text);
        return Ok(events);
    }
    let parts: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| Bad::new(format!("the message is not JSON: {error}")))?;
    parts.into_iter().for_each(|part| events.read(part.get()));
    Ok(events)
}

impl Events {
    fn read(&mut self, text: &str) {
        match Event::from_json(text) {
            Ok(event) => self.parts.push(Ok(event)),
            Err(BadEvent::UnknownType(of_type)) if of_type.starts_with(TYPE_PREFIX) => {
                self.unknown.push(of_type);
            }
            Err(error) => {
                self.parts
                    .push(Err(BadPart { bad: Bad::new(error.to_string()), body: text.as_bytes().into() }));
            }
        }
    }
}

/// One bad event out of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadPart {
    pub bad: Bad,
    pub body: Arc<[u8]>,
}

impl BadPart {
    /// An event that could be read, but makes no sense.
    pub(crate) fn of(event: &Event, reason: String) -> Self {
        Self { bad: Bad::new(reason), body: event.to_json().into_bytes().into() }
    }
}

/// A delivery between being read and being acked.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub message: Message,
    pub queue: Arc<str>,
    pub caller: Option<Caller>,
    /// Since it came.
    pub age: Stopwatch,
    pub unacked: Unacked,
}

impl From<Delivery> for Envelope {
    fn from(delivery: Delivery) -> Self {
        let caller = Caller::of(&delivery.message);
        let Delivery { message, queue, unacked, .. } = delivery;
        Self { message, queue, caller, age: Stopwatch::start(), unacked }
    }
}

/// In the reason of a message that [`ParkedCode::MayHaveHappened`]: what tells it where there is no such header.
const MAY_HAVE_HAPPENED: &str = "has no id and may already have been";

/// Parks `body` of `message`: publishes it where an operator sees it, and returns once the bus has it safe.
/// Retries until then; the message stays unacked meanwhile, so nothing is lost.
pub(crate) async fn park(
    context: &Context,
    publisher: &Publisher,
    message: &Message,
    queue: &str,
    body: Arc<[u8]>,
    Bad { code, sentence }: &Bad,
) {
    let reason = shown(sentence, REASON_CHARS);
    context.status.figures().parked.add(1);
    let (order, trace) = (logging::about(&body), message.properties.headers.get("traceparent"));
    tracing::warn!(
        queue,
        routing_key = %quoted(&message.routing_key),
        reason,
        order = order.order(),
        traceparent = trace.map(|trace| quoted(trace)),
        "parked a message"
    );
    let mut properties = message.properties.clone();
    let left_out = fit(&mut properties.headers);
    let expiration = properties.expiration.take().map(|within| within.as_millis().to_string());
    let priority = properties.priority.take().map(|priority| priority.to_string());
    let sent = [(SENT_EXPIRATION, expiration), (SENT_PRIORITY, priority)];
    properties.headers.extend(sent.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    if left_out > 0 {
        properties.headers.insert("headers_left_out".to_owned(), left_out.to_string());
    }
    let id = context.ids.mint();
    // A broker wants one in any case. One that equals the parked id says that the message came without.
    properties.message_id.get_or_insert_with(|| id.clone());
    properties.headers.extend(BTreeMap::from([
        (PARKED_ID.to_owned(), id),
        (PARKED_CODE.to_owned(), code.word().to_owned()),
        ("reason".to_owned(), reason.clone()),
        ("exchange".to_owned(), message.exchange.clone()),
        ("routing_key".to_owned(), message.routing_key.clone()),
        ("queue".to_owned(), queue.to_owned()),
        ("service".to_owned(), context.service.word().to_owned()),
        (PARKED_AT.to_owned(), context.clock.now().to_string()),
    ]));
    let parked = Message {
        exchange: topology::DEAD.to_owned(),
        routing_key: message.routing_key.clone(),
        body,
        properties,
    };
    let backoff = context.backoff();
    loop {
        let receipt = publisher.publish(parked.clone());
        let problem = match tokio::time::timeout(PARK_WITHIN, receipt).await {
            Ok(PublishOutcome::Confirmed) => break,
            Ok(PublishOutcome::Returned) => "there is no queue for parked messages",
            Ok(PublishOutcome::Nacked) => "the queue of parked messages is full",
            Ok(PublishOutcome::Unknown) | Err(_) => "the bus does not confirm parked messages",
        };
        context.status.failed(problem.to_owned(), context.clock.now());
        backoff.wait().await;
    }
    context.status.recovered();
}

/// Whether a refusal that nobody hears has to be parked, so that somebody sees it. What was *not found* or
/// *declined* shows in the view or names nothing.
pub(crate) fn must_be_seen(answer: &Answer) -> Option<&str> {
    let error = answer.error.as_ref()?;
    match error.code {
        ErrorCode::Invalid | ErrorCode::Conflict | ErrorCode::TryLater | ErrorCode::Internal => {
            Some(&error.message)
        }
        ErrorCode::NotFound | ErrorCode::Declined | ErrorCode::PaymentTimeout | ErrorCode::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_parked_before_there_was_a_code_is_known_by_its_reason() {
        use ParkedCode::{MayHaveHappened, NoEffect};
        let doubtful = Bad::may_have_happened("the top-up", "made");
        let table = [
            (Some("may_have_happened"), "whatever", MayHaveHappened),
            (Some("no_effect"), doubtful.sentence.as_str(), NoEffect),
            (Some("what a newer version says"), "whatever", MayHaveHappened),
            (None, doubtful.sentence.as_str(), MayHaveHappened),
            (None, "the order has no id and may already have been placed", MayHaveHappened),
            (None, "order.place: it needs a 'item_id'", NoEffect),
        ];
        for (header, reason, expected) in table {
            assert_eq!(ParkedCode::of(header, reason), expected, "{header:?}, {reason}");
        }
        assert_eq!(doubtful.code, MayHaveHappened);
    }
}
