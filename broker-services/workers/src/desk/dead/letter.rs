//! One parked message: what it was, why it is parked, and what would become of it if it were sent again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use skstore_domain::charges::ChargeCall;
use skstore_domain::commands::{Command, CommandKind, DepositCommand, ItemCommand, OrderCommand};
use skstore_domain::ids::{OrderId, RequestId};

use crate::bus::{Message, Properties};
use crate::envelope::{ParkedCode, read_events};
use crate::headers::{BODY_CUT_AT, PARKED_CODE, PARKED_ID, SENT_EXPIRATION, SENT_PRIORITY};
use crate::reply_to;
use crate::topology::{self, COMMANDS, DEFAULT, EVENTS, PAYMENTS, UNROUTED};

/// Headers of a message that its queue gave up on, as brokers write them.
const DEATH_REASON: &str = "x-first-death-reason";
const DEATH_QUEUE: &str = "x-first-death-queue";
const DEATH_EXCHANGE: &str = "x-first-death-exchange";
/// What parking adds to the headers, and takes away again when the message is replayed.
const ADDED: &[&str] = &[
    PARKED_ID,
    PARKED_CODE,
    "reason",
    "exchange",
    "routing_key",
    "queue",
    "service",
    "at",
    "headers_left_out",
    BODY_CUT_AT,
    SENT_EXPIRATION,
    SENT_PRIORITY,
];
/// Why a message is not replayed of which only the beginning was read.
const TOO_LONG: &str = "it is longer than any message may be";
/// What a broker adds.
const ADDED_BY_BROKER: &[&str] = &["x-death", "x-first-death-", "x-last-death-"];

/// A parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it, for as long as it is parked: 1–64 of `[A-Za-z0-9_-]`.
    pub id: String,
    /// Why it was parked: a sentence.
    pub reason: String,
    /// What is known of its effects.
    pub code: ParkedCode,
    /// The exchange that it was sent to.
    pub exchange: String,
    /// Its key there.
    pub routing_key: String,
    /// The queue that it was taken from; empty if nobody knows.
    pub queue: String,
    /// The service that parked it; empty if its queue gave up on it.
    pub service: String,
    /// When, RFC 3339; empty if nobody knows.
    pub at: String,
    /// As it was sent; headers that were no text are text, structures as JSON.
    pub properties: Properties,
    /// As it was sent; only its beginning where it [is cut](Self::is_cut).
    pub body: Arc<[u8]>,
    /// Whether its body is longer than anything that is read here. All of it is in the queue.
    pub is_cut: bool,
}

/// What would become of a message that is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayCheck {
    /// It takes effect, unless it did before under its id.
    TakesEffect,
    /// It takes effect under the parked message's id. It came without one, and may have taken effect before.
    MayDouble,
    /// It would be refused again, for this reason.
    Refused(String),
    /// It does not say where it came from.
    Nowhere,
}

impl DeadLetter {
    /// Reads a message of the queue of parked ones. Any message can be there: whatever it lacks is empty.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let headers = &message.properties.headers;
        let given = |names: &[&str]| names.iter().find_map(|name| headers.get(*name)).cloned();
        let died = || headers.get(DEATH_REASON).map(|word| how_it_died(word, headers.get(DEATH_QUEUE)));
        let parked_id = headers.get(PARKED_ID).filter(|id| RequestId::new(id).is_ok());
        let mut properties = message.properties.clone();
        properties.message_id = properties.message_id.filter(|id| Some(id) != parked_id);
        let sent_within = headers.get(SENT_EXPIRATION).and_then(|millis| millis.parse().ok());
        properties.expiration = sent_within.map(Duration::from_millis);
        let sent_with = headers.get(SENT_PRIORITY).and_then(|priority| priority.parse().ok());
        properties.priority = sent_with.or(properties.priority);
        properties.headers.retain(|name, _| {
            !ADDED.contains(&name.as_str()) && !ADDED_BY_BROKER.iter().any(|added| name.starts_with(added))
        });
        let reason = given(&["reason"]).or_else(died).unwrap_or_default();
        Self {
            id: parked_id.cloned().unwrap_or_else(|| made_up_id(message)),
            code: ParkedCode::of(headers.get(PARKED_CODE).map(String::as_str), &reason),
            reason,
            exchange: given(&["exchange", DEATH_EXCHANGE]).unwrap_or_default(),
            routing_key: given(&["routing_key"]).unwrap_or_else(|| message.routing_key.clone()),
            queue: given(&["queue", DEATH_QUEUE]).unwrap_or_default(),
            service: given(&["service"]).unwrap_or_default(),
            at: given(&["at"]).unwrap_or_default(),
            properties,
            body: Arc::clone(&message.body),
            is_cut: headers.contains_key(BODY_CUT_AT),
        }
    }

    /// Where it goes when it is replayed, as exchange and routing key: only where it came from, and only to queues
    /// of the topology. Events go to the one queue that parked them; the others have taken them.
    #[must_use]
    pub fn destination(&self) -> Option<(&'static str, String)> {
        let is_its = |queue: &topology::QueueSpec| queue.name == self.queue && queue.name != topology::DEAD;
        let queue = topology::queues().into_iter().find(is_its)?;
        Some(match queue.bindings.first()?.0 {
            COMMANDS | UNROUTED => (COMMANDS, self.routing_key.clone()),
            PAYMENTS => (PAYMENTS, topology::CHARGE_KEY.to_owned()),
            _ => (DEFAULT, queue.name),
        })
    }

    /// What would become of it if it were replayed, as far as this program can tell without the services.
    #[must_use]
    pub fn replay_check(&self) -> ReplayCheck {
        let refused = match self.destination() {
            None => return ReplayCheck::Nowhere,
            Some(_) if self.is_cut => Some(TOO_LONG.to_owned()),
            Some((COMMANDS, key)) => match CommandKind::from_word(&key) {
                None => Some(format!("there is no command '{key}'")),
                Some(kind) => self.refusal(kind),
            },
            Some((PAYMENTS, _)) => {
                serde_json::from_slice::<ChargeCall>(&self.body).err().map(|error| error.to_string())
            }
            Some((_, queue)) if is_of_events(&queue) => self.bad_event(),
            Some(_) => None,
        };
        match refused {
            Some(why) => ReplayCheck::Refused(why),
            None if self.lacks_key() && self.may_have_happened() => ReplayCheck::MayDouble,
            None => ReplayCheck::TakesEffect,
        }
    }

    /// The message to send, or why it stays parked. `all`: nobody has asked for just this one.
    pub(in crate::desk) fn replay(&self, all: bool) -> Result<Message, String> {
        let Some((exchange, routing_key)) = self.destination() else {
            return Err("it does not say from which queue it came".to_owned());
        };
        match self.replay_check() {
            _ if self.is_cut => return Err(TOO_LONG.to_owned()),
            ReplayCheck::Refused(why) if all => return Err(format!("it would only be refused again: {why}")),
            ReplayCheck::MayDouble if all => {
                return Err(format!(
                    "it came without an id and may have taken effect already; if you are sure that it has not, \
                     replay it by name: {}",
                    self.id
                ));
            }
            ReplayCheck::TakesEffect
            | ReplayCheck::MayDouble
            | ReplayCheck::Refused(_)
            | ReplayCheck::Nowhere => {}
        }
        let mut properties = self.properties.clone();
        // That time is over; whoever replays it wants it to be heard. What may be heard too late says so in itself.
        properties.expiration = None;
        // Replayed twice, by a crash or by somebody, it still takes effect once.
        if properties.message_id.is_none() || self.lacks_key() {
            properties.message_id = Some(self.id.clone());
        }
        let exchange = exchange.to_owned();
        Ok(Message { exchange, routing_key, body: Arc::clone(&self.body), properties })
    }

    /// Why a service would refuse the command.
    fn refusal(&self, kind: CommandKind) -> Option<String> {
        let reply_to = self.properties.reply_to.as_deref();
        let may_answer_ours = kind.is_replay() && reply_to == Some(topology::MYINFO_REBUILD);
        if let Some(why) = reply_to.filter(|_| !may_answer_ours).and_then(reply_to::refusal) {
            return Some(format!("its reply_to {why}"));
        }
        Command::from_json(kind, &self.body).err().map(|invalid| invalid.to_string())
    }

    fn bad_event(&self) -> Option<String> {
        match read_events(&self.body) {
            Err(bad) => Some(bad.sentence),
            Ok(events) => events.parts.into_iter().find_map(|part| part.err().map(|part| part.bad.sentence)),
        }
    }

    /// Whether it is a command that needs an idempotency key and came without.
    fn lacks_key(&self) -> bool {
        let Some((COMMANDS, word)) = self.destination() else { return false };
        let command =
            CommandKind::from_word(&word).and_then(|kind| Command::from_json(kind, &self.body).ok());
        let has_own = match command {
            Some(Command::Order(OrderCommand::Place(place))) => place.order_id.is_some(),
            Some(Command::Deposit(DepositCommand::TopUp(top_up))) => top_up.topup_id.is_some(),
            Some(Command::Item(ItemCommand::Restock(restock))) => restock.restock_id.is_some(),
            Some(
                Command::Order(
                    OrderCommand::Cancel(_)
                    | OrderCommand::Query(_)
                    | OrderCommand::Settle(_)
                    | OrderCommand::Replay(_),
                )
                | Command::Deposit(
                    DepositCommand::QueryPayment(_)
                    | DepositCommand::QueryAccount(_)
                    | DepositCommand::Replay(_),
                )
                | Command::Item(
                    ItemCommand::Query(_)
                    | ItemCommand::List(_)
                    | ItemCommand::Catalog(_)
                    | ItemCommand::Replay(_),
                ),
            )
            | None => return false,
        };
        // The alphabet of ids is one for all of them.
        !has_own && self.properties.message_id.as_deref().is_none_or(|id| OrderId::new(id).is_err())
    }

    /// Whether a service may have acted on it: it says so, or its queue gave up on it and nobody knows.
    fn may_have_happened(&self) -> bool {
        self.service.is_empty() || self.code == ParkedCode::MayHaveHappened
    }
}

impl ReplayCheck {
    /// The word for it in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::TakesEffect => "takes_effect",
            Self::MayDouble => "may_double",
            Self::Refused(_) => "refused",
            Self::Nowhere => "nowhere",
        }
    }
}

/// `{"id","reason","exchange","routing_key","queue","service","at","message_id","correlation_id","reply_to",
/// "content_type","expiration_ms","priority","headers","body"|"body_hex","body_is_cut"?,"outlook"}`: the body as text
/// where it is UTF-8.
impl Serialize for DeadLetter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        let texts = [
            ("id", &self.id),
            ("reason", &self.reason),
            ("exchange", &self.exchange),
            ("routing_key", &self.routing_key),
            ("queue", &self.queue),
            ("service", &self.service),
            ("at", &self.at),
        ];
        texts.iter().try_for_each(|(name, text)| map.serialize_entry(name, text))?;
        let Properties { message_id, correlation_id, reply_to, content_type, expiration, priority, headers } =
            &self.properties;
        map.serialize_entry("message_id", message_id)?;
        map.serialize_entry("correlation_id", correlation_id)?;
        map.serialize_entry("reply_to", reply_to)?;
        map.serialize_entry("content_type", content_type)?;
        map.serialize_entry("expiration_ms", &expiration.map(|within| within.as_millis()))?;
        map.serialize_entry("priority", priority)?;
        map.serialize_entry("headers", headers)?;
        match std::str::from_utf8(&self.body) {
            Ok(text) => map.serialize_entry("body", text)?,
            Err(_) => {
                let hex: String = self.body.iter().map(|byte| format!("{byte:02x}")).collect();
                map.serialize_entry("body_hex", &hex)?;
            }
        }
        if self.is_cut {
            map.serialize_entry("body_is_cut", &true)?;
        }
        map.serialize_entry("outlook", self.replay_check().word())?;
        map.end()
    }
}

/// Why its queue gave up on a message, in the broker's word. Workers reject what is too long for its queue, and nothing else.
fn how_it_died(word: &str, queue: Option<&String>) -> String {
    let of_ours = topology::queues().into_iter().find(|spec| Some(&spec.name) == queue);
    match of_ours.filter(|_| word == "rejected") {
        Some(spec) => {
            format!("it is longer than the {} bytes that a message in its queue may have", spec.max_bytes())
        }
        None => format!("its queue gave up on it: {word}"),
    }
}

/// Whether what `queue` takes are events with a log behind them.
fn is_of_events(queue: &str) -> bool {
    queue != topology::MYINFO_SIGNALS
        && topology::queues()
            .iter()
            .any(|spec| spec.name == queue && spec.bindings.iter().any(|(exchange, _)| *exchange == EVENTS))
}

/// The id of a message that no service of ours has parked: what it carries, as a number. The same again has the
/// same id, and to handle one of two that are the same is as good as the other.
fn made_up_id(message: &Message) -> String {
    let Properties { message_id, correlation_id, reply_to, content_type, headers, .. } = &message.properties;
    let headers: BTreeMap<_, _> = headers.iter().filter(|(name, _)| !name.starts_with("x-")).collect();
    let texts = [message_id, correlation_id, reply_to, content_type].map(|text| text.as_deref());
    let told = format!("{} {} {texts:?} {headers:?}", message.exchange, message.routing_key);
    format!("h-{:032x}", fnv1a(told.as_bytes().iter().chain(message.body.iter())))
}

/// FNV-1a with 128 bits: short, and the same in every process. Nobody gains by making two messages collide that they
/// could as well have sent twice.
fn fnv1a<'a>(bytes: impl Iterator<Item = &'a u8>) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
