//! Every exchange, queue and binding, defined once. A bus declares it as it stands.
//!
//! The names are public: people script against them.

use std::time::Duration;

use skstore_domain::commands::CommandKind;
use skstore_domain::events::EventKind;

/// What someone asks for: the gateway, routed by key.
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

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// By the pattern of a routing key: words and `*`.
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

/// How a queue keeps its messages.
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
    /// Where what it gives up on goes.
    pub dead_letter: Option<&'static str>,
    /// (exchange, key) pairs.
    pub bindings: Vec<(&'static str, &'static str)>,
}

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
    use CommandKind as C;
    use EventKind as E;
    let commands = |name: &str, kinds: &[C]| durable(name, MAX_COMMANDS, keys(COMMANDS, kinds, C::word));
    let events = |name: &str, kinds: &[E]| durable(name, MAX_EVENTS, keys(EVENTS, kinds, E::word));
    vec![
        commands(ORDER_COMMANDS, &[C::OrderPlace, C::OrderCancel, C::OrderQuery, C::OrderReplay]),
        commands(DEPOSIT_COMMANDS, &[C::DepositTopUp, C::DepositQuery, C::DepositReplay]),
        commands(ITEM_COMMANDS, &[C::ItemRestock, C::ItemQuery, C::ItemList, C::ItemReplay]),
        durable(UNROUTED, MAX_COMMANDS, vec![(UNROUTED, "")]),
        QueueSpec {
            kind: QueueKind::Classic,
            ..durable(DEPOSIT_PAYMENTS, MAX_PAYMENTS, vec![(PAYMENTS, CHARGE_KEY)])
        },
        events(
            ORDER_EVENTS,
            &[
                E::ItemListed,
                E::ItemDeliveryStarted,
                E::ItemDeliveryCancelled,
                E::ItemSoldOut,
                E::DepositRefunded,
                E::DepositVoided,
            ],
        ),
        events(DEPOSIT_EVENTS, &[E::OrderCancelled, E::OrderRejected]),
        events(ITEM_EVENTS, &[E::OrderPlaced, E::OrderCancelled]),
        events(MYINFO_EVENTS, E::ALL),
        QueueSpec {
            kind: QueueKind::Classic,
            overflow: Overflow::DropHead,
            ttl: Some(SIGNAL_TTL),
            dead_letter: None,
            ..durable(MYINFO_SIGNALS, MAX_SIGNALS, vec![(EVENTS, BEAT_KEY), (EVENTS, BREAKER_KEY)])
        },
        QueueSpec { dead_letter: None, ..durable(DEAD, MAX_EVENTS, vec![(DEAD, "")]) },
    ]
}

/// The queue on which one instance hears answers from our own services.
#[must_use]
pub fn replies_to(instance: &str) -> QueueSpec {
    exclusive(format!("{REPLIES}.{instance}"), MAX_REPLIES, vec![(REPLIES, "")])
}

/// The queue on which one instance hears the operator.
#[must_use]
pub fn control_of(instance: &str) -> QueueSpec {
    exclusive(format!("{CONTROL}.{instance}"), MAX_REPLIES, vec![(CONTROL, "")])
}

/// The queue on which an outside caller hears its answers, through the [`DEFAULT`] exchange.
#[must_use]
pub fn answers_to(caller: &str) -> QueueSpec {
    exclusive(format!("desk.{caller}"), MAX_REPLIES, Vec::new())
}

/// The queue of replayed events, of the one worker that rebuilds.
#[must_use]
pub fn rebuild() -> QueueSpec {
    exclusive(MYINFO_REBUILD.to_owned(), MAX_REBUILD, Vec::new())
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

/// A binding with an empty key on a direct exchange means the queue's own name.
fn exclusive(name: String, max_messages: usize, bindings: Vec<(&'static str, &'static str)>) -> QueueSpec {
    QueueSpec { kind: QueueKind::Exclusive, dead_letter: None, ..durable(&name, max_messages, bindings) }
}
