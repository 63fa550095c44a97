//! How events become the view: each object at its highest revision, in any order of arrival.
//!
//! [`writes`] says what an event writes; the view applies it under the guards that [`ViewWrite`] names, so that
//! events may come in any order and more than once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::events::{DepositEvent, Event, EventData, EventKind, OrderEvent, OrderKind, Source};
use crate::ids::{Customer, OrderId};
use crate::money::Won;
use crate::objects::{Account, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus};
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
    /// A step of an order, unless it is there: one that another event brought along, or a log tells.
    Step(OrderId, Step),
    /// A step of an order that has just happened, and its line for those who watch: both at once, and each unless it is
    /// there. Of a step that is there it counts how often that was told again, the largest number.
    Happened(OrderId, Step, FeedEntry),
    /// What happened otherwise, for those who watch.
    Feed(FeedEntry),
}

impl ViewWrite {
    /// What is left of it where a log tells it: those who watch are told what happens, not what happened long ago.
    #[must_use]
    pub fn as_told_by_a_log(self) -> Option<Self> {
        match self {
            Self::Happened(order, step, _) => Some(Self::Step(order, step)),
            Self::Feed(_) => None,
            Self::Order(_) | Self::Payment(_) | Self::Account(_) | Self::Item(_) | Self::Step(..) => {
                Some(self)
            }
        }
    }

    /// The same, of an event that is told again, for so many times, because its order waits.
    #[must_use]
    pub fn as_told_again(self, times: u32) -> Self {
        match self {
            Self::Happened(order, step, line) => {
                Self::Happened(order, Step { told_again: times, ..step }, line)
            }
            Self::Order(_)
            | Self::Payment(_)
            | Self::Account(_)
            | Self::Item(_)
            | Self::Step(..)
            | Self::Feed(_) => self,
        }
    }
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
    /// The time of it.
    pub at: Timestamp,
    /// Why, in a word of the objects' reasons, if there is one.
    pub reason: Option<String>,
    /// How often its event was told again because the order waited; 0 where it was not. No log knows of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub told_again: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_zero(times: &u32) -> bool {
    *times == 0
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
    /// The time of it.
    pub at: Timestamp,
    /// Whose account, where there is one.
    pub customer: Option<Customer>,
    /// How much money, where the event says it; a top-up tells only the balance after it.
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

/// What `event` writes to the view: the objects it carries; last its line in the feed, with its step in the order's
/// timeline if it is one.
#[must_use]
pub fn writes(event: &Event) -> Vec<ViewWrite> {
    let mut writes = Vec::with_capacity(MAX_WRITES);
    match &event.data {
        EventData::Order(told) => {
            writes.extend(told.order().cloned().map(ViewWrite::Order));
            let began = told.order().filter(|order| began_paying(told.kind(), order));
            writes.extend(began.map(|order| ViewWrite::Step(order.order_id.clone(), paying(order))));
        }
        EventData::Deposit(told) => {
            writes.extend(told.account().cloned().map(ViewWrite::Account));
            writes.extend(told.payment().cloned().map(ViewWrite::Payment));
        }
        EventData::Item(told) => writes.extend(told.item().cloned().map(ViewWrite::Item)),
    }
    writes.push(happened(event));
    writes
}

/// The event's own line, and its step. There is no timeline of an order that was never placed.
fn happened(event: &Event) -> ViewWrite {
    let (customer, amount, reason) = match &event.data {
        EventData::Order(told) => told.order().map_or((None, None, None), |order| {
            (Some(&order.customer), Some(order.amount), order.reason.map(OrderReason::word))
        }),
        EventData::Deposit(DepositEvent::ToppedUp(account)) => (Some(&account.customer), None, None),
        EventData::Deposit(told) => told.payment().map_or((None, None, None), |payment| {
            (Some(&payment.customer), Some(payment.amount), payment.reason.map(PaymentReason::word))
        }),
        EventData::Item(_) => (None, None, None),
    };
    let (kind, at, reason) = (event.kind(), event.time, reason.map(str::to_owned));
    let (id, subject, customer) = (event.id(), event.subject().to_owned(), customer.cloned());
    let line = FeedEntry { id, kind, subject, at, customer, amount, reason: reason.clone() };
    let is_step = !matches!(
        event.data,
        EventData::Order(OrderEvent::CancelNoted(_) | OrderEvent::Disowned(_, _, None))
    );
    match event.order_id().filter(|_| is_step) {
        Some(order_id) => {
            let step =
                Step { source: kind.source(), revision: event.revision, kind, at, reason, told_again: 0 };
            ViewWrite::Happened(order_id.clone(), step, line)
        }
        None => ViewWrite::Feed(line),
    }
}

/// What a batch of writes comes to: each object at its highest revision, each step as often told again as any says and
/// each line once, where they were first named. Applying it is applying all of them; an item that a hundred orders change is written once.
#[must_use]
pub fn coalesce(writes: &[ViewWrite]) -> Vec<&ViewWrite> {
    // Where each is first named, and where at its highest revision.
    let mut named: BTreeMap<Name<'_>, (usize, usize)> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        let (_, highest) = named.entry(Name::of(write)).or_insert((at, at));
        if rank(write) > rank(&writes[*highest]) {
            *highest = at;
        }
    }
    let mut kept: Vec<(usize, usize)> = named.into_values().collect();
    kept.sort_unstable();
    kept.into_iter().map(|(_, highest)| &writes[highest]).collect()
}

/// What a write is about: of two with the same name one takes effect.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Name<'a> {
    Order(&'a str),
    Payment(&'a str),
    Account(&'a str),
    Item(&'a str),
    Step(&'a str, Source, u64),
    Happened(&'a str, Source, u64),
    Feed(&'a str),
}

impl<'a> Name<'a> {
    fn of(write: &'a ViewWrite) -> Self {
        match write {
            ViewWrite::Order(order) => Self::Order(order.order_id.as_str()),
            ViewWrite::Payment(payment) => Self::Payment(payment.order_id.as_str()),
            ViewWrite::Account(account) => Self::Account(account.customer.as_str()),
            ViewWrite::Item(item) => Self::Item(item.item_id.as_str()),
            ViewWrite::Step(order, step) => Self::Step(order.as_str(), step.source, step.revision),
            ViewWrite::Happened(order, step, _) => Self::Happened(order.as_str(), step.source, step.revision),
            ViewWrite::Feed(entry) => Self::Feed(&entry.id),
        }
    }
}

/// Of two writes about the same, the one that ranks higher takes effect, else the first: that of the higher revision, of a
/// step the one that was told again more often.
const fn rank(write: &ViewWrite) -> u64 {
    match write {
        ViewWrite::Order(order) => order.revision,
        ViewWrite::Payment(payment) => payment.revision,
        ViewWrite::Account(account) => account.revision,
        ViewWrite::Item(item) => item.revision,
        ViewWrite::Step(_, step) | ViewWrite::Happened(_, step, _) => step.told_again as u64,
        ViewWrite::Feed(_) => 0,
    }
}

/// Writes of the event that has most: an object, another one or a step it brings along, and what happened.
const MAX_WRITES: usize = 3;

/// The step of an order's intent. `order.paying` is not published once the next event is committed, so every
/// later event of the order brings this step along; a rebuild from the log then shows the same timeline.
fn paying(order: &Order) -> Step {
    Step {
        source: Source::Order,
        revision: 1,
        kind: EventKind::Order(OrderKind::Paying),
        at: order.placed_at,
        reason: None,
        told_again: 0,
    }
}

/// Whether the order's first transition was *paying*, and this is a later one. The others begin
///
/// - as *rejected*, for want of a permit and of somebody to tell. All that still comes is the note of its
///   voided payment, at revision 2; an order that began as paying has ended at revision 2 at the earliest, and
///   is noted later;
/// - as the tombstone of a cancel: *cancelled* from revision 2 on without ever having been paid. An order that
///   is cancelled after *paying* was paid first, or it is *rejected*.
const fn began_paying(kind: OrderKind, order: &Order) -> bool {
    let first = order.revision == 1;
    let note_of_refused = order.revision == 2 && matches!(kind, OrderKind::Noted);
    let buried = matches!(order.status, OrderStatus::Cancelled)
        && matches!(order.payment, PaymentStatus::None | PaymentStatus::Voided);
    !first && !note_of_refused && !buried && !matches!(kind, OrderKind::Paying)
}
