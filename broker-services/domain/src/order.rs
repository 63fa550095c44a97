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

use crate::answers::ErrorCode;
use crate::charges::{Charge, NoAnswer, PaymentOutcome};
use crate::events::{Event, OrderEvent};
use crate::ids::OrderId;
use crate::impossible::Impossible;
use crate::money::Won;
use crate::objects::{DeliveryStatus, Order, OrderReason, OrderStatus, PaymentStatus};
use crate::time::Timestamp;

mod price;
mod replies;
mod terms;

pub use price::{Price, Quote, hear_price};
pub use replies::{Reply, recorded};
use replies::{never_placed, used_for_something_else};
pub use terms::{Admission, Decision, Input, OrderRecord, PaymentStep, PlaceRequest, Then, Tombstone};

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
        (None, Input::Cancel(order_id)) => Ok(record_tombstone(order_id, now)),
        (None, Input::Payment(_) | Input::Released(_) | Input::Delivery(_)) => Err(Impossible::NoOrder),

        (Some(OrderRecord::Tombstone(tombstone)), Input::Place { request, quote, .. }) => {
            Ok(place_after_tombstone(tombstone, request, quote, now))
        }
        (Some(OrderRecord::Tombstone(tombstone)), Input::Cancel(_)) => {
            Ok(same(Then::answer(never_placed(&tombstone.order_id))))
        }
        (
            Some(OrderRecord::Tombstone(tombstone)),
            Input::Payment(_) | Input::Released(_) | Input::Delivery(_),
        ) => Err(Impossible::NeverPlaced(tombstone.order_id.clone())),

        (Some(OrderRecord::Order(order)), Input::Place { request, admission, .. }) => {
            if !is_same_request(order, request) {
                return Ok(same(Then::answer(used_for_something_else(order))));
            }
            match (order.status, admission) {
                (Paying, Admission::Join) => Ok(same(PaymentStep::Join(order.order_id.clone()).into())),
                (Paying, Admission::Granted) => Ok(same(PaymentStep::Charge(charge_for(order)).into())),
                (Paying, Admission::Refused { .. }) => {
                    let (next, tell) = settled(order, PaymentOutcome::NoAnswer(NoAnswer::NoPermit));
                    Ok(answered_change(next, tell, now))
                }
                (Placed | Delivering | Cancelled | Rejected, _) => Ok(same(Then::answer(recorded(order)))),
            }
        }
        (Some(OrderRecord::Order(order)), Input::Cancel(_)) => Ok(cancel(order, now)),
        (Some(OrderRecord::Order(order)), Input::Payment(outcome)) => match order.status {
            Paying => {
                let (next, tell) = settled(order, outcome);
                Ok(changed_and_then(next, tell, now, concluded))
            }
            Placed | Delivering | Cancelled | Rejected => Ok(same(concluded(order))),
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
        Admission::Granted => {
            let charge = PaymentStep::Charge(charge_for(&order));
            Ok(change(order, OrderEvent::Paying, charge.into(), now))
        }
        Admission::Join => Err(Impossible::NoIntent(request.order_id.clone())),
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
            Ok(change(order, OrderEvent::Rejected, Then::Nothing, now))
        }
    }
}

/// A cancel for an id that nobody has placed.
fn record_tombstone(order_id: &OrderId, now: Timestamp) -> Decision {
    let event = Event::new(OrderEvent::CancelNoted(order_id.clone()), 1, now);
    let tombstone = Tombstone { order_id: order_id.clone(), at: now, revision: 1 };
    let then = Then::answer(never_placed(order_id));
    Decision { change: Some((OrderRecord::Tombstone(tombstone), event)), then }
}

fn place_after_tombstone(
    tombstone: &Tombstone,
    request: &PlaceRequest,
    quote: Quote<'_>,
    now: Timestamp,
) -> Decision {
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
    answered_change(order, OrderEvent::Cancelled, now)
}

/// The charge of a recorded order: the amount it was accepted with, whatever the price is now.
fn charge_for(order: &Order) -> Charge {
    Charge { order_id: order.order_id.clone(), customer: order.customer.clone(), amount: order.amount }
}

/// An order that is paying after the outcome of its charge, and what tells of that.
fn settled(order: &Order, outcome: PaymentOutcome) -> (Order, Tell) {
    let mut next = order.clone();
    let tell: Tell = match outcome {
        PaymentOutcome::Paid => {
            next.payment = PaymentStatus::Paid;
            if order.cancel_requested {
                next.status = OrderStatus::Cancelled;
                next.reason = Some(OrderReason::Customer);
                OrderEvent::Cancelled
            } else {
                next.status = OrderStatus::Placed;
                OrderEvent::Placed
            }
        }
        PaymentOutcome::Declined => {
            next.payment = PaymentStatus::Declined;
            next.status = OrderStatus::Rejected;
            next.reason = Some(OrderReason::Declined);
            OrderEvent::Rejected
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
            OrderEvent::Rejected
        }
    };
    (next, tell)
}

fn cancel(order: &Order, now: Timestamp) -> Decision {
    let mut next = order.clone();
    next.cancel_requested = true;
    match order.status {
        OrderStatus::Paying if order.cancel_requested => same(Then::answer(Reply::Done(next))),
        OrderStatus::Paying => cancelled_change(next, OrderEvent::CancelRequested, now),
        OrderStatus::Placed | OrderStatus::Delivering => {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(OrderReason::Customer);
            cancelled_change(next, OrderEvent::Cancelled, now)
        }
        OrderStatus::Cancelled | OrderStatus::Rejected => same(Then::answer(Reply::Done(order.clone()))),
    }
}

/// Deposit released the payment of an order that had ended.
fn released(order: &Order, status: PaymentStatus, now: Timestamp) -> Result<Decision, Impossible> {
    let impossible = || Err(Impossible::payment(order, status));
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
            Ok(change(next, OrderEvent::Noted, Then::Nothing, now))
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
            Ok(change(next, OrderEvent::Delivering, Then::Nothing, now))
        }
        (OrderStatus::Placed, None, SoldOut) => {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(OrderReason::SoldOut);
            Ok(change(next, OrderEvent::Cancelled, Then::Nothing, now))
        }
        (OrderStatus::Cancelled | OrderStatus::Rejected, None, Started | Cancelled | SoldOut)
        | (OrderStatus::Cancelled | OrderStatus::Rejected, Started, Cancelled) => {
            Ok(change(next, OrderEvent::Noted, Then::Nothing, now))
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
        ) => Err(Impossible::delivery(order, status)),
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
    order.item_id.is_named_by(&request.item_id)
        && order.qty == request.qty
        && order.customer.is_named_by(&request.customer)
        && request.unit_price.is_none_or(|seen| seen == order.unit_price)
}

const fn same(then: Then) -> Decision {
    Decision { change: None, then }
}

/// Which event tells of an order's transition.
type Tell = fn(Order) -> OrderEvent;

/// A transition: `order` with the next revision, and the event that tells it.
fn change(mut order: Order, tell: Tell, then: Then, now: Timestamp) -> Decision {
    order.revision += 1;
    order.updated_at = now;
    let event = Event::new(tell(order.clone()), order.revision, now);
    Decision { change: Some((OrderRecord::Order(order), event)), then }
}

/// A transition, answered as a place of that order is.
fn answered_change(order: Order, tell: Tell, now: Timestamp) -> Decision {
    changed_and_then(order, tell, now, |order| Then::answer(recorded(order)))
}

/// A transition, answered as a cancel of that order is.
fn cancelled_change(order: Order, tell: Tell, now: Timestamp) -> Decision {
    changed_and_then(order, tell, now, |order| Then::answer(Reply::Done(order.clone())))
}

/// Everyone who waits for the payment of `order` hears what a place of it is answered.
fn concluded(order: &Order) -> Then {
    PaymentStep::Conclude(order.order_id.clone(), Box::new(recorded(order))).into()
}

fn changed_and_then(order: Order, tell: Tell, now: Timestamp, then: fn(&Order) -> Then) -> Decision {
    let mut decision = change(order, tell, Then::Nothing, now);
    if let Some((OrderRecord::Order(order), _)) = &decision.change {
        decision.then = then(order);
    }
    decision
}
