//! Every exchange, queue and binding, defined once. A bus declares it as it stands.
//!
//! The names are public: people script against them.
//!
//! All of it is accepted by RabbitMQ 3.10 and later, 4.x included. Where its versions differ:
//!
//! | | 3.10 to 3.13 | 4.0 and later |
//! |---|---|---|
//! | deliveries of a quorum queue's message | no limit unless one is set | 20 unless one is set ([`DELIVERY_LIMIT`]); a policy that sets fewer wins |
//! | a queue that is neither durable nor exclusive | accepted | deprecated, refused from 4.3 on: ours are one or the other ([`QueueKind`]) |
//! | prefetch for a whole channel (`global`) | accepted | deprecated: ours is each consumer's own |
//! | mirrored and lazy classic queues | by policy, argument | gone: we ask for neither |
//! | `x-dead-letter-strategy` *at-least-once* | needs the feature flag `stream_queue`, which a new broker has on; else it is at most once | on |
//! | `x-overflow` *reject-publish* | classic and quorum | the same; *reject-publish-dlx*, which quorum queues never had, is not used |
//! | largest message | 128 MiB | 16 MiB: ours have half of one |
//! | smallest frame that may be agreed on | 4 KiB | 8 KiB from 4.1 on: we ask for more |

use std::time::Duration;

use skstore_domain::commands::{CommandKind, MAX_COMMAND_BYTES};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::signals::Service;

/// What someone asks for, routed by key: the command exchange.
pub const COMMANDS: &str = "skstore.commands";
/// Where commands of an unknown key go.
pub const UNROUTED: &str = "skstore.unrouted";
/// Charges, Order to Deposit. No alternate, so what cannot be routed is returned.
pub const PAYMENTS: &str = "skstore.payments";
/// What has happened.
pub const EVENTS: &str = "skstore.events";
/// Answers between our own services.
pub const REPLIES: &str = "skstore.replies";
/// Operator's wishes to every instance.
pub const CONTROL: &str = "skstore.control";
/// Parked messages.
pub const DEAD: &str = "skstore.dead";
/// Routes to the queue of the routing key's name, as every AMQP broker has it: answers to outside callers.
pub const DEFAULT: &str = "";

/// Routing key of a charge on [`PAYMENTS`].
pub const CHARGE_KEY: &str = "charge";
/// Routing key of a heartbeat.
pub const BEAT_KEY: &str = "service.beat";
/// Routing key of a breaker's change.
pub const BREAKER_KEY: &str = "breaker.changed";

/// Queue of commands to Order.
pub const ORDER_COMMANDS: &str = "order.commands";
/// Queue of commands to Deposit.
pub const DEPOSIT_COMMANDS: &str = "deposit.commands";
/// Queue of commands to Item.
pub const ITEM_COMMANDS: &str = "item.commands";
/// Queue of charges.
pub const DEPOSIT_PAYMENTS: &str = "deposit.payments";
/// Queue of events that Order acts on.
pub const ORDER_EVENTS: &str = "order.events";
/// Queue of events that Deposit acts on.
pub const DEPOSIT_EVENTS: &str = "deposit.events";
/// Queue of events that Item acts on.
pub const ITEM_EVENTS: &str = "item.events";
/// Queue of events that the view is made of.
pub const MYINFO_EVENTS: &str = "myinfo.events";
/// Queue of heartbeats and breaker changes.
pub const MYINFO_SIGNALS: &str = "myinfo.signals";
/// Queue of replayed events.
pub const MYINFO_REBUILD: &str = "myinfo.rebuild";
/// Nothing is ever in it: whoever has it may handle parked messages.
pub const OPERATOR: &str = "skstore.dead.operator";

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// By the pattern of a routing key: words between dots, `*` for any one, `#` for any number.
    Topic,
    /// By the exact routing key.
    Direct,
    /// To every bound queue.
    Fanout,
}

/// An exchange. All are durable.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeSpec {
    /// Its name.
    pub name: &'static str,
    /// How it routes.
    pub kind: ExchangeKind,
    /// Where messages go that match no queue.
    pub alternate: Option<&'static str>,
}

/// How a queue keeps its messages. The arguments of one that is there cannot be changed: a broker that is upgraded from 3.x to 4.x
/// keeps what is declared, so they must be the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueKind {
    /// Replicated, durable, messages survive a restart.
    Quorum,
    /// Durable, in memory where it can be.
    Classic,
    /// Gone with the connection that declared it.
    Exclusive,
}

/// What a full queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Refuses new messages: their publisher is told.
    RejectPublish,
    /// Drops its oldest ones: only for what is worthless when old.
    DropHead,
}

/// A queue with its bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// How it keeps messages.
    pub kind: QueueKind,
    /// Most messages it holds.
    pub max_messages: usize,
    /// What it does beyond that.
    pub overflow: Overflow,
    /// How long a message stays at most.
    pub ttl: Option<Duration>,
    /// Exchange of what it gives up on: expired, dropped as its oldest, or delivered too often.
    pub dead_letter: Option<&'static str>,
    /// (exchange, key) pairs. An empty key on a direct exchange means the queue's own name.
    pub bindings: Vec<(&'static str, &'static str)>,
}

impl QueueSpec {
    /// Whether it outlives its consumer.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        !matches!(self.kind, QueueKind::Exclusive)
    }

    /// The longest message that makes sense in it, in bytes of its body: of a longer one only so much is read as tells that
    /// it is too long.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        let is_from = |exchanges: &[&str]| {
            self.bindings.first().is_some_and(|(exchange, _)| exchanges.contains(exchange))
        };
        if is_from(&[COMMANDS, UNROUTED]) {
            return MAX_COMMAND_BYTES;
        }
        if is_from(&[REPLIES, CONTROL]) || self.name == MYINFO_SIGNALS {
            return MAX_TOLD_BYTES;
        }
        MAX_BYTES
    }

    /// How often a message is delivered before the queue gives up on it; only quorum queues count.
    #[must_use]
    pub const fn delivery_limit(&self) -> Option<u32> {
        match self.kind {
            QueueKind::Quorum => Some(DELIVERY_LIMIT),
            QueueKind::Classic | QueueKind::Exclusive => None,
        }
    }
}

/// Deliveries of one message: out of reach, and stated. A crash counts against every message that its consumer
/// had in hand, so a storm of crashes would use up the default of RabbitMQ 4 (20) on good ones. Fits the signed
/// 32 bits of an AMQP integer. A negative one, *unlimited* to RabbitMQ 4, has RabbitMQ 3.10 give up on a message that
/// comes back once.
pub const DELIVERY_LIMIT: u32 = 1_000_000_000;

/// The largest message of events, in bytes.
pub const MAX_EVENTS_BYTES: usize = 256 * 1024;
/// The longest message that anybody of ours sends: of events, and a page of a log. An event that is too large for one message
/// still travels alone, hence one command's worth more.
pub const MAX_BYTES: usize = MAX_EVENTS_BYTES + MAX_COMMAND_BYTES;
/// The longest of outcomes, wishes and heartbeats: two hundred outcomes take 20 KiB.
const MAX_TOLD_BYTES: usize = 64 * 1024;

/// Commands waiting at one service. A person can wait that long no more; a script is told to slow down.
pub const MAX_COMMANDS: usize = 100_000;
/// Charges waiting at Deposit: 20 times what one Order worker has in flight.
pub const MAX_PAYMENTS: usize = 10_000;
/// Events waiting at one service: ten times the unsent events at which Order takes no more orders.
pub const MAX_EVENTS: usize = 1_000_000;
/// Heartbeats waiting: more are worthless.
pub const MAX_SIGNALS: usize = 10_000;
/// A heartbeat older than this says nothing.
pub const SIGNAL_TTL: Duration = Duration::from_secs(10);
/// Answers waiting for one instance.
pub const MAX_REPLIES: usize = 10_000;
/// Pages of a replay waiting: it is asked for page by page.
pub const MAX_REBUILD: usize = 100;

/// Every exchange.
pub const EXCHANGES: &[ExchangeSpec] = &[
    ExchangeSpec { name: COMMANDS, kind: ExchangeKind::Topic, alternate: Some(UNROUTED) },
    ExchangeSpec { name: UNROUTED, kind: ExchangeKind::Fanout, alternate: None },
    ExchangeSpec { name: PAYMENTS, kind: ExchangeKind::Direct, alternate: None },
    ExchangeSpec { name: EVENTS, kind: ExchangeKind::Topic, alternate: None },
    ExchangeSpec { name: REPLIES, kind: ExchangeKind::Direct, alternate: None },
    ExchangeSpec { name: CONTROL, kind: ExchangeKind::Fanout, alternate: None },
    ExchangeSpec { name: DEAD, kind: ExchangeKind::Fanout, alternate: None },
];

/// Every queue that outlives its consumers.
#[must_use]
pub fn queues() -> Vec<QueueSpec> {
    let commands = |name: &str, of: Source| {
        let kinds: Vec<CommandKind> = CommandKind::all().filter(|kind| kind.source() == of).collect();
        durable(name, MAX_COMMANDS, keys(COMMANDS, &kinds, CommandKind::word))
    };
    let events =
        |name: &str, kinds: &[EventKind]| durable(name, MAX_EVENTS, keys(EVENTS, kinds, EventKind::word));
    vec![
        commands(ORDER_COMMANDS, Source::Order),
        commands(DEPOSIT_COMMANDS, Source::Deposit),
        commands(ITEM_COMMANDS, Source::Item),
        durable(UNROUTED, MAX_COMMANDS, vec![(UNROUTED, "")]),
        // An expired charge is worthless: its order was told that there is no answer. Nobody has to look at it.
        QueueSpec {
            kind: QueueKind::Classic,
            dead_letter: None,
            ..durable(DEPOSIT_PAYMENTS, MAX_PAYMENTS, vec![(PAYMENTS, CHARGE_KEY)])
        },
        events(
            ORDER_EVENTS,
            &[
                EventKind::Item(ItemKind::Listed),
                EventKind::Item(ItemKind::DeliveryStarted),
                EventKind::Item(ItemKind::DeliveryCancelled),
                EventKind::Item(ItemKind::SoldOut),
                EventKind::Deposit(DepositKind::Refunded),
                EventKind::Deposit(DepositKind::Voided),
            ],
        ),
        events(
            DEPOSIT_EVENTS,
            &[
                EventKind::Order(OrderKind::Cancelled),
                EventKind::Order(OrderKind::Rejected),
                EventKind::Order(OrderKind::Disowned),
            ],
        ),
        events(
            ITEM_EVENTS,
            &[
                EventKind::Order(OrderKind::Placed),
                EventKind::Order(OrderKind::Cancelled),
                EventKind::Order(OrderKind::Disowned),
            ],
        ),
        events(MYINFO_EVENTS, &EventKind::all().collect::<Vec<_>>()),
        QueueSpec {
            kind: QueueKind::Classic,
            overflow: Overflow::DropHead,
            ttl: Some(SIGNAL_TTL),
            dead_letter: None,
            ..durable(MYINFO_SIGNALS, MAX_SIGNALS, vec![(EVENTS, BEAT_KEY), (EVENTS, BREAKER_KEY)])
        },
        dead(),
    ]
}

/// Whose workers read a queue of work: each worker of that service does. None for queues in which nothing is worked on.
#[must_use]
pub fn reader_of(queue: &str) -> Option<Service> {
    match queue {
        ORDER_COMMANDS | ORDER_EVENTS | UNROUTED => Some(Service::Order),
        DEPOSIT_COMMANDS | DEPOSIT_PAYMENTS | DEPOSIT_EVENTS => Some(Service::Deposit),
        ITEM_COMMANDS | ITEM_EVENTS => Some(Service::Item),
        MYINFO_EVENTS | MYINFO_SIGNALS => Some(Service::MyInfo),
        _ => None,
    }
}

/// The queue of parked messages, where a message's way ends.
#[must_use]
pub fn dead() -> QueueSpec {
    QueueSpec { dead_letter: None, ..durable(DEAD, MAX_EVENTS, vec![(DEAD, "")]) }
}

/// The queue on which one instance hears answers from our own services. Its name, like that of each queue here that is one
/// connection's own, must be one that no other connection has had: a broker that has not noticed the end of that one refuses
/// it.
#[must_use]
pub fn replies_to(own_name: &str) -> QueueSpec {
    exclusive(&format!("{REPLIES}.{own_name}"), MAX_REPLIES, vec![(REPLIES, "")])
}

/// The queue on which one instance hears the operator.
#[must_use]
pub fn control_of(own_name: &str) -> QueueSpec {
    exclusive(&format!("{CONTROL}.{own_name}"), MAX_REPLIES, vec![(CONTROL, "")])
}

/// The queue on which an outside caller hears its answers, through the [`DEFAULT`] exchange.
#[must_use]
pub fn answers_to(caller: &str) -> QueueSpec {
    exclusive(&format!("desk.{caller}"), MAX_REPLIES, Vec::new())
}

/// The queue of replayed events, of the one worker that rebuilds. Its name is the same for all on purpose, so that there is
/// one; after a connection that was lost unnoticed, another can have it once the broker misses its heartbeats.
#[must_use]
pub fn rebuild() -> QueueSpec {
    exclusive(MYINFO_REBUILD, MAX_REBUILD, Vec::new())
}

/// The queue that an operator holds while they have parked messages in hand, so that there is one at a time.
#[must_use]
pub fn operator() -> QueueSpec {
    exclusive(OPERATOR, MAX_REPLIES, Vec::new())
}

/// The queue that stands for the claim `name`: nothing is ever in it.
#[must_use]
pub fn claim_of(name: &str) -> QueueSpec {
    QueueSpec { kind: QueueKind::Classic, dead_letter: None, ..durable(name, 1, Vec::new()) }
}

/// What the workers of one service claim for the store that they share.
#[must_use]
pub fn store_claim(service: Service) -> String {
    format!("{service}.store")
}

/// Whether `queue` is one of ours, so that no outside caller may have answers sent there.
#[must_use]
pub fn is_ours(queue: &str) -> bool {
    queue.starts_with("skstore.")
        || ["order.", "deposit.", "item.", "myinfo."].iter().any(|service| queue.starts_with(service))
}

fn keys<K: Copy>(
    exchange: &'static str,
    kinds: &[K],
    word: fn(K) -> &'static str,
) -> Vec<(&'static str, &'static str)> {
    kinds.iter().map(|kind| (exchange, word(*kind))).collect()
}

fn durable(name: &str, max_messages: usize, bindings: Vec<(&'static str, &'static str)>) -> QueueSpec {
    QueueSpec {
        name: name.to_owned(),
        kind: QueueKind::Quorum,
        max_messages,
        overflow: Overflow::RejectPublish,
        ttl: None,
        dead_letter: Some(DEAD),
        bindings,
    }
}

fn exclusive(name: &str, max_messages: usize, bindings: Vec<(&'static str, &'static str)>) -> QueueSpec {
    QueueSpec { kind: QueueKind::Exclusive, dead_letter: None, ..durable(name, max_messages, bindings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_reads_each_queue_but_that_of_parked_messages() {
        for queue in queues() {
            assert_eq!(reader_of(&queue.name).is_none(), queue.name == DEAD, "{}", queue.name);
        }
    }

    /// Name, exchange and keys of its bindings, kind, bound in messages, overflow.
    type Row = (&'static str, &'static str, &'static [&'static str], QueueKind, usize, Overflow);

    /// The table of queues, as people know it.
    const TABLE: &[Row] = {
        use Overflow::{DropHead, RejectPublish};
        use QueueKind::{Classic, Quorum};
        &[
            (
                "order.commands",
                "skstore.commands",
                &["order.place", "order.cancel", "order.query", "order.settle", "order.replay"],
                Quorum,
                100_000,
                RejectPublish,
            ),
            (
                "deposit.commands",
                "skstore.commands",
                &["deposit.topup", "deposit.query", "deposit.replay"],
                Quorum,
                100_000,
                RejectPublish,
            ),
            (
                "item.commands",
                "skstore.commands",
                &["item.restock", "item.query", "item.list", "item.catalog", "item.replay"],
                Quorum,
                100_000,
                RejectPublish,
            ),
            ("skstore.unrouted", "skstore.unrouted", &[""], Quorum, 100_000, RejectPublish),
            ("deposit.payments", "skstore.payments", &["charge"], Classic, 10_000, RejectPublish),
            (
                "order.events",
                "skstore.events",
                &[
                    "item.listed",
                    "item.delivery_started",
                    "item.delivery_cancelled",
                    "item.sold_out",
                    "deposit.refunded",
                    "deposit.voided",
                ],
                Quorum,
                1_000_000,
                RejectPublish,
            ),
            (
                "deposit.events",
                "skstore.events",
                &["order.cancelled", "order.rejected", "order.disowned"],
                Quorum,
                1_000_000,
                RejectPublish,
            ),
            (
                "item.events",
                "skstore.events",
                &["order.placed", "order.cancelled", "order.disowned"],
                Quorum,
                1_000_000,
                RejectPublish,
            ),
            (
                "myinfo.events",
                "skstore.events",
                &[
                    "order.paying",
                    "order.cancel_requested",
                    "order.placed",
                    "order.delivering",
                    "order.rejected",
                    "order.cancelled",
                    "order.noted",
                    "order.disowned",
                    "deposit.paid",
                    "deposit.declined",
                    "deposit.refunded",
                    "deposit.voided",
                    "deposit.topped_up",
                    "item.listed",
                    "item.restocked",
                    "item.delivery_started",
                    "item.delivery_cancelled",
                    "item.sold_out",
                ],
                Quorum,
                1_000_000,
                RejectPublish,
            ),
            (
                "myinfo.signals",
                "skstore.events",
                &["service.beat", "breaker.changed"],
                Classic,
                10_000,
                DropHead,
            ),
            ("skstore.dead", "skstore.dead", &[""], Quorum, 1_000_000, RejectPublish),
        ]
    };

    #[test]
    fn the_queues_are_those_people_script_against() {
        let queues = queues();
        assert_eq!(
            queues.iter().map(|queue| queue.name.as_str()).collect::<Vec<_>>(),
            TABLE.iter().map(|row| row.0).collect::<Vec<_>>()
        );
        for (queue, (name, exchange, keys, kind, max, overflow)) in queues.iter().zip(TABLE) {
            let bindings: Vec<_> = keys.iter().map(|key| (*exchange, *key)).collect();
            assert_eq!(queue.bindings, bindings, "bindings of {name}");
            assert_eq!((queue.kind, queue.max_messages, queue.overflow), (*kind, *max, *overflow), "{name}");
        }
    }

    #[test]
    fn the_exchanges_are_those_people_script_against() {
        use ExchangeKind::{Direct, Fanout, Topic};
        let table = [
            ("skstore.commands", Topic, Some("skstore.unrouted")),
            ("skstore.unrouted", Fanout, None),
            ("skstore.payments", Direct, None),
            ("skstore.events", Topic, None),
            ("skstore.replies", Direct, None),
            ("skstore.control", Fanout, None),
            ("skstore.dead", Fanout, None),
        ];
        let exchanges: Vec<_> =
            EXCHANGES.iter().map(|exchange| (exchange.name, exchange.kind, exchange.alternate)).collect();
        assert_eq!(exchanges, table);
    }

    #[test]
    fn every_name_that_is_referred_to_exists() {
        let exists = |name: &str| EXCHANGES.iter().any(|exchange| exchange.name == name);
        assert!(EXCHANGES.iter().filter_map(|exchange| exchange.alternate).all(exists));
        let ours = [replies_to("order-1"), control_of("order-1"), answers_to("me"), rebuild(), operator()];
        for queue in queues().into_iter().chain(ours) {
            assert!(
                queue.bindings.iter().all(|(exchange, _)| exists(exchange)),
                "bindings of {}",
                queue.name
            );
            assert!(queue.dead_letter.is_none_or(exists), "dead-letter exchange of {}", queue.name);
        }
    }

    #[test]
    fn every_command_and_event_has_a_queue() {
        let bound: Vec<_> = queues().into_iter().flat_map(|queue| queue.bindings).collect();
        for kind in CommandKind::all() {
            let doors = bound.iter().filter(|binding| **binding == (COMMANDS, kind.word())).count();
            assert_eq!(doors, 1, "{} is taken by {doors} services", kind.word());
        }
        for kind in EventKind::all() {
            assert!(bound.contains(&(EVENTS, kind.word())), "nobody hears {}", kind.word());
        }
    }

    #[test]
    fn quorum_queues_lose_nothing_to_a_storm_of_crashes() {
        for queue in queues() {
            let limit = queue.delivery_limit();
            if queue.kind == QueueKind::Quorum {
                assert_eq!(limit, Some(1_000_000_000), "{}", queue.name);
                let last_stop = queue.name == DEAD;
                assert_eq!(queue.dead_letter, (!last_stop).then_some(DEAD), "{}", queue.name);
            } else {
                assert_eq!((limit, queue.dead_letter), (None, None), "{}", queue.name);
            }
        }
    }

    #[test]
    fn only_signals_grow_old() {
        for queue in queues() {
            let ttl = (queue.name == MYINFO_SIGNALS).then_some(Duration::from_secs(10));
            assert_eq!(queue.ttl, ttl, "{}", queue.name);
        }
    }

    #[test]
    fn instances_own_their_queues() {
        let cases = [
            (replies_to("order-1"), "skstore.replies.order-1", vec![(REPLIES, "")]),
            (control_of("order-1"), "skstore.control.order-1", vec![(CONTROL, "")]),
            (answers_to("0193"), "desk.0193", vec![]),
            (rebuild(), "myinfo.rebuild", vec![]),
            (operator(), "skstore.dead.operator", vec![]),
        ];
        for (queue, name, bindings) in cases {
            assert_eq!((queue.name.as_str(), &queue.bindings), (name, &bindings));
            assert_eq!((queue.kind, queue.dead_letter), (QueueKind::Exclusive, None), "{name}");
            assert!(!queue.is_durable(), "{name}");
        }
    }

    #[test]
    fn no_caller_may_have_answers_sent_to_our_queues() {
        for queue in queues() {
            assert!(is_ours(&queue.name), "{}", queue.name);
        }
        for queue in [replies_to("order-1"), control_of("order-1"), rebuild(), operator()] {
            assert!(is_ours(&queue.name), "{}", queue.name);
        }
        for callers in ["desk.0193", "amq.gen-JzTY", "amq.rabbitmq.reply-to.g1h2", "orders", "my.item.queue"]
        {
            assert!(!is_ours(callers), "{callers}");
        }
    }
}
