//! What Order keeps, and what goes into its machine and comes out of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::price::Quote;
use super::replies::Reply;
use crate::charges::{Charge, PaymentOutcome};
use crate::commands::Settle;
use crate::events::{Event, OrderKind};
use crate::ids::{Customer, ItemId, OrderId};
use crate::money::Won;
use crate::objects::{DeliveryStatus, Disowned, Order, PaymentStatus};
use crate::time::Timestamp;

/// What Order keeps under an order's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRecord {
    /// An order.
    Order(Order),
    /// A cancel came for an id that nobody had placed, or something was held for one that Order does not know. A place that
    /// was still on its way will not happen.
    Tombstone(Tombstone),
}

/// The mark of an order that will never be: a cancel came before it, or it was disowned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The id that was cancelled.
    pub order_id: OrderId,
    /// The time of it.
    pub at: Timestamp,
    /// Transitions so far.
    pub revision: u64,
    /// What others held for it, if Order was asked to have them let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disowned: Option<Disowned>,
}

impl OrderRecord {
    /// Transitions so far.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        match self {
            Self::Order(order) => order.revision,
            Self::Tombstone(tombstone) => tombstone.revision,
        }
    }
}

/// A place with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRequest {
    /// The idempotency key: the caller's, the message's, or a fresh one.
    pub order_id: OrderId,
    /// Whose account pays.
    pub customer: Customer,
    /// The item.
    pub item_id: ItemId,
    /// Number of units.
    pub qty: u32,
    /// The price the caller saw.
    pub unit_price: Option<Won>,
}

/// Whether the payment call may be made. Decided before the intent is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// A permit was taken.
    Granted,
    /// A call for this order is in flight in this worker: wait for its outcome.
    Join,
    /// No permit, or no connection: nothing to charge with.
    Refused {
        /// When it is worth another try.
        retry_after: Duration,
    },
}

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// Someone wants it.
    Place {
        /// What, by whom.
        request: &'a PlaceRequest,
        /// Today's price.
        quote: Quote<'a>,
        /// Whether it may be charged.
        admission: Admission,
        /// Whether somebody hears the answer. If not, a refusal for want of a permit is recorded.
        answerable: bool,
    },
    /// Someone wants it taken back.
    Cancel(&'a OrderId),
    /// What became of its charge.
    Payment(PaymentOutcome),
    /// Deposit has released its payment: `Refunded` or `Voided`.
    Released(PaymentStatus),
    /// Item tells of its delivery.
    Delivery(DeliveryStatus),
    /// The services differ on it, and no message will settle that.
    Settle {
        /// Which, and what others hold for it.
        settle: &'a Settle,
        /// Whether it may be charged.
        admission: Admission,
    },
}

/// What an input does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record after it and the event that tells it; absent if nothing changes.
    pub change: Option<(OrderRecord, Event)>,
    /// The order's newest event of this kind is told again.
    pub again: Option<OrderKind>,
    /// What to do once that is committed.
    pub then: Then,
}

/// What to do once a decision is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Tell whoever asked. Boxed: it is larger than all the rest.
    Answer(Box<Reply>),
    /// Something about the order's payment, for which its callers wait.
    Pay(PaymentStep),
    /// Nobody waits.
    Nothing,
}

/// What Order does about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStep {
    /// Ask Deposit for this, and answer whoever placed the order with its outcome.
    Charge(Charge),
    /// Answer whoever placed this order with the outcome of the call that is in flight.
    Join(OrderId),
    /// The outcome is known: tell everyone who waits for that order.
    Conclude(OrderId, Box<Reply>),
}

impl Then {
    pub(super) fn answer(reply: Reply) -> Self {
        Self::Answer(Box::new(reply))
    }
}
