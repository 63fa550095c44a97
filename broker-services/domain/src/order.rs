//! An order's states, and what every input does in each of them.
//!
//! Order records its intent (*paying*) before it asks Deposit for the money, and it ends as soon as it is not
//! certain of *paid* or *declined*: presumed abort. Deposit hears of every order that ended without being
//! placed and gives back what it may have taken, or refuses it if it comes later. So it never matters whether
//! a charge was sent, received, answered or lost.
//!
//! [`decide`] is the whole machine. A repeated input gives the recorded answer and changes nothing; an
//! impossible one is an error, which parks its message.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answers::{Answer, ErrorCode};
use crate::charges::{NoAnswer, PaymentOutcome};
use crate::events::{Event, EventData, EventKind};
use crate::ids::{Customer, ItemId, OrderId};
use crate::money::Won;
use crate::objects::{DeliveryStatus, Item, Order, OrderReason, OrderStatus, PaymentStatus};
use crate::time::Timestamp;

/// What Order keeps under an order's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRecord {
    /// An order.
    Order(Order),
    /// A cancel came for an id that nobody had placed. A place that was still on its way will not happen.
    Tombstone(Tombstone),
}

/// The mark of a cancel that came before its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The id that was cancelled.
    pub order_id: OrderId,
    /// When.
    pub at: Timestamp,
    /// Transitions so far: 1.
    pub revision: u64,
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

    /// Since when it waits for its payment, if it does.
    #[must_use]
    pub fn paying_since(&self) -> Option<Timestamp> {
        match self {
            Self::Order(order) if order.status == OrderStatus::Paying => Some(order.placed_at),
            Self::Order(_) | Self::Tombstone(_) => None,
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
    /// What.
    pub item_id: ItemId,
    /// Units.
    pub qty: u32,
    /// The price the caller saw.
    pub unit_price: Option<Won>,
}

/// What Order knows of the item's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote<'a> {
    /// Its name and price.
    Listed(&'a Price),
    /// Other items are listed, this one is not.
    Unknown,
    /// Order has not heard of any item yet.
    NoCatalogue,
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
}

/// What an input does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record after it and the event that tells it; absent if nothing changes.
    pub change: Option<(OrderRecord, Event)>,
    /// What to do once that is committed.
    pub then: Then,
}

/// What to do once a decision is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Tell whoever asked. Boxed: it is larger than all the rest.
    Answer(Box<Reply>),
    /// Ask Deposit for the recorded amount, and answer with its outcome.
    Charge,
    /// Answer with the outcome of the call that is in flight.
    Join,
    /// Nobody waits.
    Nothing,
}

/// What a caller of Order hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done: the order.
    Done(Order),
    /// Refused, with the order if there is one.
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
        /// With `try_later`.
        retry_after: Option<Duration>,
        /// The refused order.
        order: Option<Order>,
    },
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Done(order) => Self::order(order),
            Reply::Refused { code, message, retry_after, order } => {
                let answer = match retry_after {
                    Some(after) => Self::try_later(message, after),
                    None => Self::refuse(code, message),
                };
                match order {
                    Some(order) => answer.with_order(order),
                    None => answer,
                }
            }
        }
    }
}

/// An input that cannot happen unless something is broken elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

/// When it is worth another try while Order has not heard of any item: Item lists them when it starts.
pub const CATALOGUE_RETRY: Duration = Duration::from_secs(1);

/// Decides what `input` does to the order that is `record` now (absent: nothing is known under its id).
///
/// # Errors
/// [`Impossible`] for an input that contradicts the record.
pub fn decide(
    record: Option<&OrderRecord>,
    input: Input<'_>,
    now: Timestamp,
) -> Result<Decision, Impossible> {
    use OrderStatus::{Cancelled, Delivering, Paying, Placed, Rejected};
    match (record, input) {
        (None, Input::Place { request, quote, admission, answerable }) => {
            place_new(request, quote, admission, answerable, now)
        }
        (None, Input::Cancel(order_id)) => Ok(bury(order_id, now)),
        (None, Input::Payment(_) | Input::Released(_) | Input::Delivery(_)) => {
            Err(Impossible("there is no such order".into()))
        }

        (Some(OrderRecord::Tombstone(tombstone)), Input::Place { request, quote, .. }) => {
            Ok(place_buried(tombstone, request, quote, now))
        }
        (Some(OrderRecord::Tombstone(tombstone)), Input::Cancel(_)) => {
            Ok(same(Then::answer(never_placed(&tombstone.order_id))))
        }
        (
            Some(OrderRecord::Tombstone(tombstone)),
            Input::Payment(_) | Input::Released(_) | Input::Delivery(_),
        ) => Err(Impossible(format!("order {} was never placed", tombstone.order_id))),

        (Some(OrderRecord::Order(order)), Input::Place { request, admission, .. }) => {
            if !is_same_request(order, request) {
                return Ok(same(Then::answer(used_for_something_else(order))));
            }
            match (order.status, admission) {
                (Paying, Admission::Join) => Ok(same(Then::Join)),
                (Paying, Admission::Granted) => Ok(same(Then::Charge)),
                (Paying, Admission::Refused { .. }) => {
                    Ok(settle(order, PaymentOutcome::NoAnswer(NoAnswer::NoPermit), now))
                }
                (Placed | Delivering | Cancelled | Rejected, _) => Ok(same(Then::answer(recorded(order)))),
            }
        }
        (Some(OrderRecord::Order(order)), Input::Cancel(_)) => Ok(cancel(order, now)),
        (Some(OrderRecord::Order(order)), Input::Payment(outcome)) => match order.status {
            Paying => Ok(settle(order, outcome, now)),
            Placed | Delivering | Cancelled | Rejected => Ok(same(Then::answer(recorded(order)))),
        },
        (Some(OrderRecord::Order(order)), Input::Released(status)) => released(order, status, now),
        (Some(OrderRecord::Order(order)), Input::Delivery(status)) => delivery(order, status, now),
    }
}

fn place_new(
    request: &PlaceRequest,
    quote: Quote<'_>,
    admission: Admission,
    answerable: bool,
    now: Timestamp,
) -> Result<Decision, Impossible> {
    let (price, amount) = match priced(request, quote) {
        Ok(priced) => priced,
        Err(refusal) => return Ok(same(Then::Answer(refusal))),
    };
    let mut order = new_order(request, price, amount, now);
    match admission {
        Admission::Granted => Ok(change(order, EventKind::OrderPaying, Then::Charge, now)),
        Admission::Join => Err(Impossible(format!(
            "a payment of order {} is in flight, but its intent was never recorded",
            request.order_id
        ))),
        Admission::Refused { retry_after } if answerable => Ok(same(Then::answer(Reply::Refused {
            code: ErrorCode::TryLater,
            message: format!(
                "payments are not being taken just now; nothing was ordered. Send order {} again later",
                request.order_id
            ),
            retry_after: Some(retry_after),
            order: None,
        }))),
        Admission::Refused { .. } => {
            order.status = OrderStatus::Rejected;
            order.reason = Some(OrderReason::PaymentUnavailable);
            Ok(change(order, EventKind::OrderRejected, Then::Nothing, now))
        }
    }
}

/// A cancel for an id that nobody has placed.
fn bury(order_id: &OrderId, now: Timestamp) -> Decision {
    let event = Event {
        kind: EventKind::OrderNoted,
        subject: order_id.as_str().to_owned(),
        revision: 1,
        time: now,
        order_id: Some(order_id.clone()),
        traceparent: None,
        data: EventData { order_id: Some(order_id.clone()), ..EventData::default() },
    };
    let tombstone = Tombstone { order_id: order_id.clone(), at: now, revision: 1 };
    let then = Then::answer(never_placed(order_id));
    Decision { change: Some((OrderRecord::Tombstone(tombstone), event)), then }
}

fn place_buried(tombstone: &Tombstone, request: &PlaceRequest, quote: Quote<'_>, now: Timestamp) -> Decision {
    let (price, amount) = match priced(request, quote) {
        Ok(priced) => priced,
        Err(refusal) => return same(Then::Answer(refusal)),
    };
    let order = Order {
        status: OrderStatus::Cancelled,
        reason: Some(OrderReason::Customer),
        cancel_requested: true,
        revision: tombstone.revision,
        ..new_order(request, price, amount, now)
    };
    answered_change(order, EventKind::OrderCancelled, now)
}

/// The outcome of the charge of an order that is paying.
fn settle(order: &Order, outcome: PaymentOutcome, now: Timestamp) -> Decision {
    let mut next = order.clone();
    let kind = match outcome {
        PaymentOutcome::Paid => {
            next.payment = PaymentStatus::Paid;
            if order.cancel_requested {
                next.status = OrderStatus::Cancelled;
                next.reason = Some(OrderReason::Customer);
                EventKind::OrderCancelled
            } else {
                next.status = OrderStatus::Placed;
                EventKind::OrderPlaced
            }
        }
        PaymentOutcome::Declined => {
            next.payment = PaymentStatus::Declined;
            next.status = OrderStatus::Rejected;
            next.reason = Some(OrderReason::Declined);
            EventKind::OrderRejected
        }
        PaymentOutcome::NoAnswer(why) => {
            next.status = OrderStatus::Rejected;
            next.reason = Some(match why {
                NoAnswer::Timeout | NoAnswer::Expired | NoAnswer::Abandoned => OrderReason::PaymentTimeout,
                NoAnswer::Returned
                | NoAnswer::Nacked
                | NoAnswer::ConnectionLost
                | NoAnswer::Refused
                | NoAnswer::NoPermit => OrderReason::PaymentUnavailable,
            });
            EventKind::OrderRejected
        }
    };
    answered_change(next, kind, now)
}

fn cancel(order: &Order, now: Timestamp) -> Decision {
    let mut next = order.clone();
    next.cancel_requested = true;
    match order.status {
        OrderStatus::Paying if order.cancel_requested => same(Then::answer(Reply::Done(next))),
        OrderStatus::Paying => cancelled_change(next, EventKind::OrderCancelRequested, now),
        OrderStatus::Placed | OrderStatus::Delivering => {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(OrderReason::Customer);
            cancelled_change(next, EventKind::OrderCancelled, now)
        }
        OrderStatus::Cancelled | OrderStatus::Rejected => same(Then::answer(Reply::Done(order.clone()))),
    }
}

/// Deposit released the payment of an order that had ended.
fn released(order: &Order, status: PaymentStatus, now: Timestamp) -> Result<Decision, Impossible> {
    let impossible = || {
        Err(Impossible(format!(
            "the payment of order {} cannot be {status}: the order is {} and its payment {}",
            order.order_id, order.status, order.payment
        )))
    };
    match (order.status, order.payment, status) {
        (OrderStatus::Paying | OrderStatus::Placed | OrderStatus::Delivering, _, _) => impossible(),
        (
            OrderStatus::Cancelled | OrderStatus::Rejected,
            PaymentStatus::Refunded,
            PaymentStatus::Refunded,
        )
        | (OrderStatus::Cancelled | OrderStatus::Rejected, PaymentStatus::Voided, PaymentStatus::Voided) => {
            Ok(same(Then::Nothing))
        }
        (
            OrderStatus::Cancelled | OrderStatus::Rejected,
            PaymentStatus::None | PaymentStatus::Paid,
            PaymentStatus::Refunded,
        )
        | (OrderStatus::Cancelled | OrderStatus::Rejected, PaymentStatus::None, PaymentStatus::Voided) => {
            let next = Order { payment: status, ..order.clone() };
            Ok(change(next, EventKind::OrderNoted, Then::Nothing, now))
        }
        (OrderStatus::Cancelled | OrderStatus::Rejected, _, _) => impossible(),
    }
}

/// Item tells of the delivery. Its news may overtake each other, so an older one changes nothing.
fn delivery(order: &Order, status: DeliveryStatus, now: Timestamp) -> Result<Decision, Impossible> {
    use DeliveryStatus::{Cancelled, None, SoldOut, Started};
    let mut next = Order { delivery: status, ..order.clone() };
    match (order.status, order.delivery, status) {
        (OrderStatus::Placed, None, Started) => {
            next.status = OrderStatus::Delivering;
            Ok(change(next, EventKind::OrderDelivering, Then::Nothing, now))
        }
        (OrderStatus::Placed, None, SoldOut) => {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(OrderReason::SoldOut);
            Ok(change(next, EventKind::OrderCancelled, Then::Nothing, now))
        }
        (OrderStatus::Cancelled | OrderStatus::Rejected, None, Started | Cancelled | SoldOut)
        | (OrderStatus::Cancelled | OrderStatus::Rejected, Started, Cancelled) => {
            Ok(change(next, EventKind::OrderNoted, Then::Nothing, now))
        }
        (
            OrderStatus::Delivering | OrderStatus::Cancelled | OrderStatus::Rejected,
            Started | Cancelled,
            Started,
        )
        | (OrderStatus::Cancelled | OrderStatus::Rejected, Cancelled, Cancelled)
        | (OrderStatus::Cancelled | OrderStatus::Rejected, SoldOut, SoldOut) => Ok(same(Then::Nothing)),
        (
            OrderStatus::Paying
            | OrderStatus::Placed
            | OrderStatus::Delivering
            | OrderStatus::Cancelled
            | OrderStatus::Rejected,
            _,
            _,
        ) => Err(Impossible(format!(
            "the delivery of order {} cannot be {status}: the order is {} and its delivery {}",
            order.order_id, order.status, order.delivery
        ))),
    }
}

fn priced<'a>(request: &PlaceRequest, quote: Quote<'a>) -> Result<(&'a Price, Won), Box<Reply>> {
    let refuse = |code, message, retry_after| {
        Err(Box::new(Reply::Refused { code, message, retry_after, order: None }))
    };
    let price = match quote {
        Quote::Listed(price) => price,
        Quote::Unknown => {
            return refuse(ErrorCode::NotFound, format!("there is no item '{}'", request.item_id), None);
        }
        Quote::NoCatalogue => {
            return refuse(
                ErrorCode::TryLater,
                "no prices are known yet; nothing was ordered".to_owned(),
                Some(CATALOGUE_RETRY),
            );
        }
    };
    if request.unit_price.is_some_and(|seen| seen != price.unit_price) {
        return refuse(
            ErrorCode::Conflict,
            format!("'{}' costs {} now; nothing was ordered", request.item_id, price.unit_price),
            None,
        );
    }
    match price.unit_price.times(request.qty) {
        Some(amount) => Ok((price, amount)),
        None => refuse(ErrorCode::Invalid, "the amount is beyond what an account can hold".to_owned(), None),
    }
}

fn new_order(request: &PlaceRequest, price: &Price, amount: Won, now: Timestamp) -> Order {
    Order {
        order_id: request.order_id.clone(),
        customer: request.customer.clone(),
        item_id: request.item_id.clone(),
        item_name: price.name.clone(),
        qty: request.qty,
        unit_price: price.unit_price,
        amount,
        status: OrderStatus::Paying,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::None,
        delivery: DeliveryStatus::None,
        placed_at: now,
        updated_at: now,
        revision: 0,
    }
}

fn is_same_request(order: &Order, request: &PlaceRequest) -> bool {
    order.item_id == request.item_id
        && order.qty == request.qty
        && order.customer == request.customer
        && request.unit_price.is_none_or(|seen| seen == order.unit_price)
}

/// The answer to a place of `order`, as it stands.
#[must_use]
pub fn recorded(order: &Order) -> Reply {
    let (code, message) = match (order.status, order.reason) {
        (OrderStatus::Paying | OrderStatus::Placed | OrderStatus::Delivering, _) => {
            return Reply::Done(order.clone());
        }
        (OrderStatus::Cancelled, Some(OrderReason::SoldOut)) => {
            (ErrorCode::Cancelled, format!("order {} was cancelled: sold out", order.order_id))
        }
        (OrderStatus::Cancelled, _) => {
            (ErrorCode::Cancelled, format!("order {} was cancelled", order.order_id))
        }
        (OrderStatus::Rejected, Some(OrderReason::Declined)) => (
            ErrorCode::Declined,
            format!("the account of {} does not cover {} won", order.customer, order.amount),
        ),
        (OrderStatus::Rejected, Some(OrderReason::PaymentUnavailable)) => (
            ErrorCode::PaymentTimeout,
            format!(
                "the payment of order {} could not be made; whatever was taken is given back. \
                 To try again, take a new id",
                order.order_id
            ),
        ),
        (OrderStatus::Rejected, _) => (
            ErrorCode::PaymentTimeout,
            format!(
                "the payment of order {} was not answered in time; whatever was taken is given back. \
                 To try again, take a new id",
                order.order_id
            ),
        ),
    };
    Reply::Refused { code, message, retry_after: None, order: Some(order.clone()) }
}

fn never_placed(order_id: &OrderId) -> Reply {
    Reply::Refused {
        code: ErrorCode::NotFound,
        message: format!("there is no order {order_id}; should it still be on its way, it will not happen"),
        retry_after: None,
        order: None,
    }
}

fn used_for_something_else(order: &Order) -> Reply {
    Reply::Refused {
        code: ErrorCode::Conflict,
        message: format!("the id {} was used for another order; take a new one", order.order_id),
        retry_after: None,
        order: None,
    }
}

impl Then {
    fn answer(reply: Reply) -> Self {
        Self::Answer(Box::new(reply))
    }
}

const fn same(then: Then) -> Decision {
    Decision { change: None, then }
}

/// A transition: `order` with the next revision, and the event that tells it.
fn change(mut order: Order, kind: EventKind, then: Then, now: Timestamp) -> Decision {
    order.revision += 1;
    order.updated_at = now;
    let event = Event {
        kind,
        subject: order.order_id.as_str().to_owned(),
        revision: order.revision,
        time: now,
        order_id: Some(order.order_id.clone()),
        traceparent: None,
        data: EventData { order: Some(order.clone()), ..EventData::default() },
    };
    Decision { change: Some((OrderRecord::Order(order), event)), then }
}

/// A transition, answered as a place of that order is.
fn answered_change(order: Order, kind: EventKind, now: Timestamp) -> Decision {
    changed_and_then(order, kind, now, recorded)
}

/// A transition, answered as a cancel of that order is.
fn cancelled_change(order: Order, kind: EventKind, now: Timestamp) -> Decision {
    changed_and_then(order, kind, now, |order| Reply::Done(order.clone()))
}

fn changed_and_then(order: Order, kind: EventKind, now: Timestamp, reply: fn(&Order) -> Reply) -> Decision {
    let mut decision = change(order, kind, Then::Nothing, now);
    if let Some((OrderRecord::Order(order), _)) = &decision.change {
        decision.then = Then::answer(reply(order));
    }
    decision
}

/// An item's name and price, as Order last heard of them: Order takes orders while Item is down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The item.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// Price of a unit.
    pub unit_price: Won,
    /// The item's revision that said so.
    pub revision: u64,
}

/// What `listed` makes of the price that Order knows: a newer one, or nothing new.
#[must_use]
pub fn hear_price(known: Option<&Price>, listed: &Item) -> Option<Price> {
    if known.is_some_and(|price| price.revision >= listed.revision) {
        return None;
    }
    Some(Price {
        item_id: listed.item_id.clone(),
        name: listed.name.clone(),
        unit_price: listed.unit_price,
        revision: listed.revision,
    })
}
