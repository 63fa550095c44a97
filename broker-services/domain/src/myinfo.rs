//! How events become the view: each object at its highest revision, in any order of arrival.

use serde::{Deserialize, Serialize};

use crate::events::{EventKind, Source};
use crate::ids::{Customer, OrderId};
use crate::money::Won;
use crate::objects::{Account, Item, Order, Payment};
use crate::time::Timestamp;

/// One write to the view. Applying it twice, or after a newer one, changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewWrite {
    /// The order, if this revision is newer than the one that is there.
    Order(Order),
    /// The payment, likewise.
    Payment(Payment),
    /// The account, likewise.
    Account(Account),
    /// The item, likewise.
    Item(Item),
    /// A step of an order, unless it is there.
    Step(OrderId, Step),
    /// What happened, for those who watch.
    Feed(FeedEntry),
}

/// A step in an order's timeline, keyed by (`source`, `revision`): within one order each service counts its
/// own transitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who did it.
    pub source: Source,
    /// That service's revision of the order, payment or delivery.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Why, in a word of the objects' reasons, if there is one.
    pub reason: Option<String>,
}

/// An event as those who watch see it: enough for one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// The event's id.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// To what: an order, customer or item.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// Whose account, where there is one.
    pub customer: Option<Customer>,
    /// How much money, where there is some.
    pub amount: Option<Won>,
    /// Why, in a word, where there is a reason.
    pub reason: Option<String>,
}

/// An order with what the other services say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The order, from Order's events only.
    pub order: Order,
    /// The payment, from Deposit's events only.
    pub payment: Option<Payment>,
}
