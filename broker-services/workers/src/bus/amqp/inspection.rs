//! What a broker has of the topology, against what the code says: the same comparison for those who look after it
//! ([`super::upkeep`]) and for whoever asks what is wrong (`skstore doctor`).
//!
//! Over AMQP a passive declare tells whether an exchange or a queue is there, and an active one of what is there
//! whether it is as it must be. Bindings and policies cannot be seen so; where the management API may be asked, it
//! shows them.

use std::collections::BTreeMap;
use std::fmt;

use lapin::Connection;
use serde::Deserialize;
use serde_json::Value;

use super::blocked;
use super::declare::{self, Part};
use super::management::{Management, Unseen};
use super::refusal::{Denied, Meaning};
use super::request::{answered, leave, reopened};
use crate::bus::{BusError, QueueDepth};
use crate::topology::{EXCHANGES, Overflow, QueueKind, QueueSpec, queues};

/// A policy of the broker that makes a queue break a promise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overruling {
    /// Whose messages.
    pub queue: String,
    /// The policy, or the operator's policy, or both, by name.
    pub policy: String,
    /// What it sets, and to what: `message-ttl = 1000`.
    pub rule: String,
}

impl fmt::Display for Overruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, policy, rule } = self;
        write!(f, "{policy} sets {rule} on queue '{queue}': messages there can be lost or refused unseen")
    }
}

/// What the management API shows and AMQP does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) missing: Vec<Part>,
    pub(super) overruled: Vec<Overruling>,
}

/// How a broker is, against how it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What is not there. What belongs to it is not named beside it.
    pub missing: Vec<Part>,
    /// What is there, but otherwise, in sentences with the remedy.
    pub otherwise: Vec<String>,
    /// Policies that overrule promises.
    pub overruled: Vec<Overruling>,
    /// Why the broker reads nothing that is published, in its words, if it does not.
    pub blocked: Option<String>,
    /// Why bindings and policies could not be seen, if they could not.
    pub unseen: Option<Unseen>,
    /// How full the durable queues are that could be seen, and how many consume them.
    pub queues: Vec<QueueDepth>,
}

/// Looks at the broker over a connection on which nothing is declared, and at its `management` API; changes nothing there.
///
/// # Errors
/// As [`super::AmqpBus::connect`].
pub(super) async fn inspect(
    connection: &Connection,
    management: Result<Management, Unseen>,
) -> Result<Inspection, BusError> {
    let Seen { missing, queues: depths, .. } = look(connection).await?;
    let mut found = Inspection { missing, queues: depths, ..Inspection::default() };
    let is_there = |part: Part| !found.missing.contains(&part);
    let mut otherwise = Vec::new();
    let exchanges = EXCHANGES.iter().filter(|spec| is_there(Part::Exchange(spec.name.to_owned())));
    for spec in exchanges {
        let channel = answered(connection.create_channel()).await?;
        otherwise.extend(mismatch(declare::exchange(&channel, spec).await)?);
        let _ = leave(&channel).await;
    }
    for spec in queues().iter().filter(|spec| is_there(Part::Queue(spec.name.clone()))) {
        let channel = answered(connection.create_channel()).await?;
        otherwise.extend(mismatch(declare::unbound(&channel, spec).await)?);
        let _ = leave(&channel).await;
    }
    found.otherwise = otherwise;
    found.blocked = blocked::probe(connection).await?;
    let shown = match management {
        Ok(management) => {
            if let (None, Ok(Some(alarm))) = (&found.blocked, alarm(&management).await) {
                found.blocked = Some(alarm);
            }
            shown(&management, &[]).await
        }
        Err(unseen) => Err(unseen),
    };
    match shown {
        Ok(Shown { missing, overruled }) => {
            found.missing.extend(missing.into_iter().filter(|part| matches!(part, Part::Binding { .. })));
            found.overruled = overruled;
        }
        Err(unseen) => found.unseen = Some(unseen),
    }
    Ok(found)
}

/// The sentence about something that is there otherwise.
fn mismatch(declared: Result<(), BusError>) -> Result<Option<String>, BusError> {
    match declared {
        Ok(()) => Ok(None),
        Err(BusError::Topology(sentence)) => Ok(Some(sentence)),
        Err(error @ (BusError::Lost(_) | BusError::Occupied(_))) => Err(error),
    }
}

/// What a look over AMQP shows.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Exchanges and durable queues that are not there.
    pub(super) missing: Vec<Part>,
    /// Whether somebody consumes one of the queues. Nobody does before they have declared everything: where somebody does,
    /// what is missing was deleted.
    pub(super) is_in_use: bool,
    /// The queues that could be seen.
    pub(super) queues: Vec<QueueDepth>,
}

/// Looks for exchanges and durable queues.
pub(super) async fn look(connection: &Connection) -> Result<Seen, BusError> {
    let mut seen = Seen::default();
    let mut channel = None;
    for spec in EXCHANGES {
        let open = reopened(connection, channel.take()).await?;
        match found(declare::see_exchange(&open, spec).await?)? {
            Some(_) => channel = Some(open),
            None => seen.missing.push(Part::Exchange(spec.name.to_owned())),
        }
    }
    for spec in queues() {
        let open = reopened(connection, channel.take()).await?;
        match found(declare::see(&open, &spec).await?)? {
            Some(depth) => {
                if let Some((ready, consumers)) = depth {
                    seen.is_in_use |= consumers > 0;
                    let name = spec.name.into();
                    seen.queues.push(QueueDepth { name, ready, unacked: None, consumers });
                }
                channel = Some(open);
            }
            None => seen.missing.push(Part::Queue(spec.name.clone())),
        }
    }
    if let Some(channel) = channel {
        let _ = leave(&channel).await;
    }
    Ok(seen)
}

/// Whether it is there, and what is told of it to those who may look.
fn found<T>(seen: Result<T, Denied>) -> Result<Option<Option<T>>, BusError> {
    match seen {
        Ok(found) => Ok(Some(Some(found))),
        Err(Denied::Lost(why)) => Err(BusError::Lost(why)),
        Err(missing) if missing.meaning() == Some(Meaning::Missing) => Ok(None),
        // It is there, and somebody else's; or nobody can tell just now.
        Err(Denied::Refused(_)) => Ok(Some(None)),
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Bound {
    source: String,
    destination: String,
    destination_type: String,
    routing_key: String,
}

#[derive(Debug, Default, Deserialize)]
struct Queue {
    name: String,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default)]
    operator_policy: Option<Value>,
    // An empty list where there is none.
    #[serde(default)]
    effective_policy_definition: Value,
}

/// Compares what the management API shows with the topology and with the queues of `own`.
pub(super) async fn shown(management: &Management, own: &[QueueSpec]) -> Result<Shown, Unseen> {
    let exchanges: Vec<Named> = management.of_vhost("exchanges", "name").await?;
    let bindings: Vec<Bound> =
        management.of_vhost("bindings", "source,destination,destination_type,routing_key").await?;
    let columns = "name,policy,operator_policy,effective_policy_definition";
    let found: Vec<Queue> = management.of_vhost("queues", columns).await?;
    Ok(compare(&exchanges, &found, &bindings, own))
}

fn compare(exchanges: &[Named], found: &[Queue], bindings: &[Bound], own: &[QueueSpec]) -> Shown {
    let mut shown = Shown::default();
    let has_exchange = |name: &str| exchanges.iter().any(|exchange| exchange.name == name);
    let by_name: BTreeMap<&str, &Queue> = found.iter().map(|queue| (queue.name.as_str(), queue)).collect();
    let absent = EXCHANGES.iter().filter(|spec| !has_exchange(spec.name));
    shown.missing.extend(absent.map(|spec| Part::Exchange(spec.name.to_owned())));
    for spec in queues().iter().chain(own) {
        let Some(queue) = by_name.get(spec.name.as_str()) else {
            // An exclusive one that is gone has ended its consumer, who makes another.
            shown.missing.extend(spec.is_durable().then(|| Part::Queue(spec.name.clone())));
            continue;
        };
        for (exchange, key) in &spec.bindings {
            let key = if key.is_empty() { spec.name.as_str() } else { *key };
            let is_bound = bindings.iter().any(|bound| {
                bound.destination_type == "queue"
                    && (bound.source.as_str(), bound.destination.as_str(), bound.routing_key.as_str())
                        == (*exchange, spec.name.as_str(), key)
            });
            if !is_bound && has_exchange(exchange) {
                let (queue, exchange, key) = (spec.name.clone(), (*exchange).to_owned(), key.to_owned());
                shown.missing.push(Part::Binding { queue, exchange, key });
            }
        }
        shown.overruled.extend(overruled(spec, queue));
    }
    shown
}

/// What policies do to a queue that it must not have done to it.
fn overruled(spec: &QueueSpec, queue: &Queue) -> Vec<Overruling> {
    let names = [("the policy", &queue.policy), ("the operator policy", &queue.operator_policy)];
    let names = names.into_iter().filter_map(|(what, name)| {
        let name = name.as_ref()?.as_str().filter(|name| !name.is_empty())?;
        Some(format!("{what} '{name}'"))
    });
    let policy = names.collect::<Vec<_>>().join(" or ");
    let rules = queue.effective_policy_definition.as_object().into_iter().flatten();
    rules
        .filter(|(rule, value)| overrules(spec, rule, value))
        .map(|(rule, value)| Overruling {
            queue: spec.name.clone(),
            policy: policy.clone(),
            rule: format!("{rule} = {value}"),
        })
        .collect()
}

/// Whether a rule of a policy makes a queue other than it was declared. Of numbers the lower one counts. Of everything
/// else it is what the queue was declared with, but for what a full quorum queue does: there the policy wins. What no queue
/// was declared with is the policy's.
///
/// Rules that are not named here cost no message: where a queue's members are, what it keeps in memory, and what only
/// streams know. `dead-letter-strategy` is declared wherever there is something to dead-letter.
fn overrules(spec: &QueueSpec, rule: &str, value: &Value) -> bool {
    let lower_than = |ours: Option<u64>| match (value.as_i64(), ours) {
        (Some(theirs), Some(ours)) => i64::try_from(ours).is_ok_and(|ours| theirs < ours),
        _ => true,
    };
    match rule {
        "message-ttl" => lower_than(spec.ttl.and_then(|ttl| u64::try_from(ttl.as_millis()).ok())),
        "max-length" => lower_than(u64::try_from(spec.max_messages).ok()),
        // Classic queues do not count deliveries.
        "delivery-limit" => spec.delivery_limit().is_some_and(|limit| lower_than(Some(limit.into()))),
        "max-length-bytes" | "expires" => true,
        // What quorum queues do not know (`reject-publish-dlx`) has them drop their oldest as well.
        "overflow" => {
            spec.kind == QueueKind::Quorum
                && spec.overflow == Overflow::RejectPublish
                && value != declare::REJECT_PUBLISH
        }
        "dead-letter-exchange" => spec.dead_letter.is_none(),
        // None is declared, so that a dead letter keeps its own, by which it is replayed.
        "dead-letter-routing-key" => spec.dead_letter.is_some(),
        _ => false,
    }
}

#[derive(Debug, Deserialize)]
struct Node {
    name: String,
    #[serde(default)]
    mem_alarm: bool,
    #[serde(default)]
    disk_free_alarm: bool,
}

/// Why the broker reads nothing that is published, as its nodes tell.
pub(super) async fn alarm(management: &Management) -> Result<Option<String>, Unseen> {
    let nodes: Vec<Node> = management.of_all("nodes", "name,mem_alarm,disk_free_alarm").await?;
    Ok(nodes.into_iter().find_map(|node| {
        let what = match (node.mem_alarm, node.disk_free_alarm) {
            (true, _) => "memory",
            (false, true) => "disk",
            (false, false) => return None,
        };
        Some(format!("low on {what} ({})", node.name))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::topology::{DEAD, DEPOSIT_PAYMENTS, MYINFO_SIGNALS, ORDER_COMMANDS, replies_to};

    fn spec(name: &str) -> QueueSpec {
        queues().into_iter().find(|queue| queue.name == name).unwrap()
    }

    #[test]
    fn a_policy_is_told_where_it_makes_a_queue_other_than_declared() {
        let table = [
            (ORDER_COMMANDS, "message-ttl", json!(1000), true),
            (ORDER_COMMANDS, "max-length", json!(99_999), true),
            (ORDER_COMMANDS, "max-length", json!(100_000), false),
            (ORDER_COMMANDS, "max-length-bytes", json!(1), true),
            (ORDER_COMMANDS, "delivery-limit", json!(20), true),
            (ORDER_COMMANDS, "delivery-limit", json!(-1), true),
            (ORDER_COMMANDS, "expires", json!(60_000), true),
            (ORDER_COMMANDS, "overflow", json!("drop-head"), true),
            (ORDER_COMMANDS, "overflow", json!("reject-publish"), false),
            // Which quorum queues do not have: they drop their oldest then.
            (ORDER_COMMANDS, "overflow", json!("reject-publish-dlx"), true),
            (ORDER_COMMANDS, "dead-letter-exchange", json!("theirs"), false),
            (ORDER_COMMANDS, "dead-letter-routing-key", json!("theirs"), true),
            (ORDER_COMMANDS, "dead-letter-strategy", json!("at-most-once"), false),
            (ORDER_COMMANDS, "max-in-memory-length", json!(1), false),
            (ORDER_COMMANDS, "max-in-memory-bytes", json!(1), false),
            (ORDER_COMMANDS, "max-age", json!("1s"), false),
            (ORDER_COMMANDS, "ha-mode", json!("all"), false),
            (DEPOSIT_PAYMENTS, "overflow", json!("drop-head"), false),
            (DEPOSIT_PAYMENTS, "dead-letter-exchange", json!("theirs"), true),
            (DEPOSIT_PAYMENTS, "dead-letter-routing-key", json!("theirs"), false),
            (DEAD, "overflow", json!("drop-head"), true),
            (DEAD, "dead-letter-exchange", json!("theirs"), true),
            (DEPOSIT_PAYMENTS, "delivery-limit", json!(20), false),
            (MYINFO_SIGNALS, "message-ttl", json!(10_000), false),
            (MYINFO_SIGNALS, "message-ttl", json!(9_999), true),
            (DEAD, "message-ttl", json!(86_400_000), true),
        ];
        for (queue, rule, value, expected) in table {
            assert_eq!(overrules(&spec(queue), rule, &value), expected, "{queue}: {rule} = {value}");
        }
    }

    /// What the API would say of a broker where all is there.
    fn whole(own: &[QueueSpec]) -> (Vec<Named>, Vec<Queue>, Vec<Bound>) {
        let exchanges = EXCHANGES.iter().map(|spec| Named { name: spec.name.to_owned() }).collect();
        let specs = || queues().into_iter().chain(own.iter().cloned());
        let found = specs().map(|spec| Queue { name: spec.name, ..Queue::default() }).collect();
        let bound = |spec: QueueSpec| {
            let name = spec.name.clone();
            spec.bindings.into_iter().map(move |(exchange, key)| Bound {
                source: exchange.to_owned(),
                destination: name.clone(),
                destination_type: "queue".to_owned(),
                routing_key: if key.is_empty() { name.clone() } else { key.to_owned() },
            })
        };
        (exchanges, found, specs().flat_map(bound).collect())
    }

    #[test]
    fn what_is_missing_is_named_once_and_without_what_belongs_to_it() {
        let own = [replies_to("order-1")];
        let (exchanges, found, bindings) = whole(&own);
        assert_eq!(compare(&exchanges, &found, &bindings, &own), Shown::default());

        let (mut exchanges, mut found, mut bindings) = whole(&own);
        exchanges.retain(|exchange| exchange.name != "skstore.control");
        found.retain(|queue| queue.name != "item.events");
        bindings.retain(|bound| {
            bound.destination != "item.events"
                && bound.destination != "skstore.replies.order-1"
                && bound.routing_key != "item.delivery_started"
        });
        let missing = compare(&exchanges, &found, &bindings, &own).missing;
        let told: Vec<String> = missing.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "the exchange 'skstore.control'",
                "the binding of queue 'order.events' to exchange 'skstore.events' by 'item.delivery_started'",
                "the queue 'item.events'",
                "the binding of queue 'myinfo.events' to exchange 'skstore.events' by 'item.delivery_started'",
                "the binding of queue 'skstore.replies.order-1' to exchange 'skstore.replies' by \
                 'skstore.replies.order-1'",
            ]
        );
    }
}
