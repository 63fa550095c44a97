//! What has happened, as [CloudEvents](https://cloudevents.io) in JSON.
//!
//! An [`Event`] tells one transition of one aggregate. Its data holds the objects as they are after it, each
//! with its own revision, so that nobody has to ask back and the order of arrival does not matter.

use crate::by_service::by_service;
use crate::ids::OrderId;
use crate::objects::{Account, Disowned, Item, Order, Payment};
use crate::time::Timestamp;

mod kinds;
mod wire;

pub use crate::by_service::Source;
pub use kinds::{DepositKind, EventKind, ItemKind, OrderKind, UnknownKind};
pub use wire::{BadEvent, TYPE_PREFIX, kind_of};

/// One transition of one aggregate, with the objects as they are after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened, and the objects after it.
    pub data: EventData,
    /// The aggregate's revision after it.
    pub revision: u64,
    /// When it was decided.
    pub time: Timestamp,
    /// W3C trace context of the message that caused it.
    pub traceparent: Option<String>,
}

by_service! {
    /// What happened, by the service that tells it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    EventData(OrderEvent, DepositEvent, ItemEvent)
}

/// What Order tells: see [`OrderKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum OrderEvent {
    Paying(Order),
    CancelRequested(Order),
    Placed(Order),
    Delivering(Order),
    Rejected(Order),
    Cancelled(Order),
    /// Of an order that had ended.
    Noted(Order),
    /// Of a cancel that came before its order. Its kind is *noted*, too.
    CancelNoted(OrderId),
    /// Of an order that there is not; or of one that has ended, under whose id others hold something for another one.
    Disowned(OrderId, Disowned, Option<Order>),
}

/// What Deposit tells: see [`DepositKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum DepositEvent {
    Paid { payment: Payment, account: Account },
    Declined(Payment),
    Refunded { payment: Payment, account: Account },
    Voided(Payment),
    ToppedUp(Account),
}

/// What Item tells: see [`ItemKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum ItemEvent {
    Listed(Item),
    Restocked(Item),
    DeliveryStarted {
        order_id: OrderId,
        item: Item,
    },
    DeliveryCancelled {
        order_id: OrderId,
        /// None of an item that was never listed.
        item: Option<Item>,
    },
    SoldOut {
        order_id: OrderId,
        item: Item,
    },
}

impl Event {
    /// The event of a transition to `revision` at `time`, caused by no message that has a trace context.
    pub fn new(data: impl Into<EventData>, revision: u64, time: Timestamp) -> Self {
        Self { data: data.into(), revision, time, traceparent: None }
    }

    /// What kind of event it is.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match &self.data {
            EventData::Order(event) => EventKind::Order(event.kind()),
            EventData::Deposit(event) => EventKind::Deposit(event.kind()),
            EventData::Item(event) => EventKind::Item(event.kind()),
        }
    }

    /// What makes it unique: `order/0193…/2`. The same transition told again has the same id.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.kind().aggregate_kind(), self.subject(), self.revision)
    }

    /// The aggregate's id: the order's for orders, payments and deliveries; the customer for top-ups; the
    /// item for listings and restocks.
    #[must_use]
    pub fn subject(&self) -> &str {
        match &self.data {
            EventData::Order(event) => event.order_id().as_str(),
            EventData::Deposit(
                DepositEvent::Paid { payment, .. }
                | DepositEvent::Refunded { payment, .. }
                | DepositEvent::Declined(payment)
                | DepositEvent::Voided(payment),
            ) => payment.order_id.as_str(),
            EventData::Deposit(DepositEvent::ToppedUp(account)) => account.customer.as_str(),
            EventData::Item(
                ItemEvent::DeliveryStarted { order_id, .. }
                | ItemEvent::DeliveryCancelled { order_id, .. }
                | ItemEvent::SoldOut { order_id, .. },
            ) => order_id.as_str(),
            EventData::Item(ItemEvent::Listed(item) | ItemEvent::Restocked(item)) => item.item_id.as_str(),
        }
    }

    /// The order it belongs to, if any: the correlation id.
    #[must_use]
    pub fn order_id(&self) -> Option<&OrderId> {
        match &self.data {
            EventData::Order(event) => Some(event.order_id()),
            EventData::Deposit(event) => event.payment().map(|payment| &payment.order_id),
            EventData::Item(event) => event.order_id(),
        }
    }
}

impl OrderEvent {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OrderKind {
        match self {
            Self::Paying(_) => OrderKind::Paying,
            Self::CancelRequested(_) => OrderKind::CancelRequested,
            Self::Placed(_) => OrderKind::Placed,
            Self::Delivering(_) => OrderKind::Delivering,
            Self::Rejected(_) => OrderKind::Rejected,
            Self::Cancelled(_) => OrderKind::Cancelled,
            Self::Noted(_) | Self::CancelNoted(_) => OrderKind::Noted,
            Self::Disowned(..) => OrderKind::Disowned,
        }
    }

    /// The order after it, unless there is none.
    #[must_use]
    pub const fn order(&self) -> Option<&Order> {
        match self {
            Self::Paying(order)
            | Self::CancelRequested(order)
            | Self::Placed(order)
            | Self::Delivering(order)
            | Self::Rejected(order)
            | Self::Cancelled(order)
            | Self::Noted(order) => Some(order),
            Self::Disowned(_, _, order) => order.as_ref(),
            Self::CancelNoted(_) => None,
        }
    }

    /// Of which order it tells.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        match self {
            Self::Paying(order)
            | Self::CancelRequested(order)
            | Self::Placed(order)
            | Self::Delivering(order)
            | Self::Rejected(order)
            | Self::Cancelled(order)
            | Self::Noted(order) => &order.order_id,
            Self::CancelNoted(order_id) | Self::Disowned(order_id, ..) => order_id,
        }
    }
}

impl DepositEvent {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> DepositKind {
        match self {
            Self::Paid { .. } => DepositKind::Paid,
            Self::Declined(_) => DepositKind::Declined,
            Self::Refunded { .. } => DepositKind::Refunded,
            Self::Voided(_) => DepositKind::Voided,
            Self::ToppedUp(_) => DepositKind::ToppedUp,
        }
    }

    /// The payment after it, unless it is a top-up.
    #[must_use]
    pub const fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Paid { payment, .. }
            | Self::Refunded { payment, .. }
            | Self::Declined(payment)
            | Self::Voided(payment) => Some(payment),
            Self::ToppedUp(_) => None,
        }
    }

    /// The account after it, if its balance changed.
    #[must_use]
    pub const fn account(&self) -> Option<&Account> {
        match self {
            Self::Paid { account, .. } | Self::Refunded { account, .. } | Self::ToppedUp(account) => {
                Some(account)
            }
            Self::Declined(_) | Self::Voided(_) => None,
        }
    }
}

impl ItemEvent {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        match self {
            Self::Listed(_) => ItemKind::Listed,
            Self::Restocked(_) => ItemKind::Restocked,
            Self::DeliveryStarted { .. } => ItemKind::DeliveryStarted,
            Self::DeliveryCancelled { .. } => ItemKind::DeliveryCancelled,
            Self::SoldOut { .. } => ItemKind::SoldOut,
        }
    }

    /// The item after it, unless it was never listed.
    #[must_use]
    pub const fn item(&self) -> Option<&Item> {
        match self {
            Self::Listed(item)
            | Self::Restocked(item)
            | Self::DeliveryStarted { item, .. }
            | Self::SoldOut { item, .. } => Some(item),
            Self::DeliveryCancelled { item, .. } => item.as_ref(),
        }
    }

    /// The order whose delivery it tells of, if it does.
    #[must_use]
    pub const fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::DeliveryStarted { order_id, .. }
            | Self::DeliveryCancelled { order_id, .. }
            | Self::SoldOut { order_id, .. } => Some(order_id),
            Self::Listed(_) | Self::Restocked(_) => None,
        }
    }
}
