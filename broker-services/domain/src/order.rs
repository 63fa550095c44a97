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

use crate::answers::{AnswerError, ErrorCode};
use crate::charges::{NoAnswer, PaymentOutcome};
use crate::events::{Event, OrderEvent};
use crate::ids::OrderId;
use crate::impossible::Impossible;
use crate::money::Won;
use crate::objects::{DeliveryStatus, Order, OrderReason, OrderStatus, PaymentStatus};
use crate::time::Timestamp;

mod price;
mod replies;
mod rest;
mod settle;
mod terms;
mod transition;

pub use price::{Price, Quote, hear_price};
pub use replies::{Reply, recorded};
use replies::{never_placed, used_for_something_else};
pub use rest::{Awaited, MAX_WAIT, Overdue, Pace, Patience, awaited, overdue, times_told};
pub use terms::{Admission, Decision, Input, OrderRecord, PaymentStep, PlaceRequest, Then, Tombstone};
use transition::{Tell, answered, change, charged, concluded, done, nothing, restored, same};

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
        (None, Input::Settle { settle, .. }) => Ok(settle::disown(None, settle, now)),

        (Some(OrderRecord::Tombstone(tombstone)), Input::Place { request, quote, .. }) => {
            Ok(place_after_tombstone(tombstone, request, quote, now))
        }
        (Some(OrderRecord::Tombstone(tombstone)), Input::Cancel(_)) => {
            Ok(same(Then::answer(never_placed(&tombstone.order_id))))
        }
        (Some(OrderRecord::Tombstone(tombstone)), Input::Settle { settle, .. }) => {
            Ok(settle::disown(Some(tombstone), settle, now))
        }
        // Whoever held something for it has let go of it, as it was told to.
        (Some(OrderRecord::Tombstone(tombstone)), Input::Released(_) | Input::Delivery(_))
            if tombstone.disowned.is_some() =>
        {
            Ok(same(Then::Nothing))
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
                (Paying, Admission::Join) => Ok(same(Then::Pay(PaymentStep::Join(order.order_id.clone())))),
                (Paying, Admission::Granted) => Ok(same(charged(order))),
                (Paying, Admission::Refused { .. }) => {
                    Ok(settled(order, PaymentOutcome::NoAnswer(NoAnswer::NoPermit), now, answered))
                }
                (Placed | Delivering | Cancelled | Rejected, _) => Ok(same(answered(order))),
            }
        }
        (Some(OrderRecord::Order(order)), Input::Cancel(_)) => Ok(cancel(order, now)),
        (Some(OrderRecord::Order(order)), Input::Payment(outcome)) => match order.status {
            Paying => Ok(settled(order, outcome, now, concluded)),
            Placed | Delivering => Ok(settle::charged_again(order, outcome, now)),
            Cancelled | Rejected => Ok(same(concluded(order))),
        },
        (Some(OrderRecord::Order(order)), Input::Released(status)) => released(order, status, now),
        (Some(OrderRecord::Order(order)), Input::Delivery(status)) => delivery(order, status, now),
        (Some(OrderRecord::Order(order)), Input::Settle { settle, admission }) => {
            Ok(settle::order(order, settle, admission, now))
        }
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
        Admission::Granted => Ok(change(order, OrderEvent::Paying, now, charged)),
        Admission::Join => Err(Impossible::NoIntent(request.order_id.clone())),
        Admission::Refused { retry_after } if answerable => {
            let message = format!(
                "payments are not being taken just now; nothing was ordered. Send order {} again later",
                request.order_id
            );
            Ok(same(Then::answer(Reply::refused(AnswerError::try_later(message, retry_after)))))
        }
        Admission::Refused { .. } => {
            order.status = OrderStatus::Rejected;
            order.reason = Some(OrderReason::PaymentUnavailable);
            Ok(change(order, OrderEvent::Rejected, now, nothing))
        }
    }
}

/// A cancel for an id that nobody has placed.
fn record_tombstone(order_id: &OrderId, now: Timestamp) -> Decision {
    let event = Event::new(OrderEvent::CancelNoted(order_id.clone()), 1, now);
    let tombstone = Tombstone { order_id: order_id.clone(), at: now, revision: 1, disowned: None };
    let then = Then::answer(never_placed(order_id));
    Decision { change: Some((OrderRecord::Tombstone(tombstone), event)), again: None, then }
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
        reason: Some(match &tombstone.disowned {
            Some(_) => OrderReason::Restored,
            None => OrderReason::Customer,
        }),
        cancel_requested: tombstone.disowned.is_none(),
        revision: tombstone.revision,
        ..new_order(request, price, amount, now)
    };
    change(order, OrderEvent::Cancelled, now, answered)
}

/// The outcome of the charge of an order that is paying.
fn settled(
    order: &Order,
    outcome: PaymentOutcome,
    now: Timestamp,
    then: impl FnOnce(&Order) -> Then,
) -> Decision {
    use OrderReason::{Customer, Declined, PaymentTimeout, PaymentUnavailable};
    use OrderStatus::{Cancelled, Placed, Rejected};
    let (tell, status, reason, payment): (Tell, _, _, _) = match outcome {
        PaymentOutcome::Paid if order.cancel_requested => {
            (OrderEvent::Cancelled, Cancelled, Some(Customer), PaymentStatus::Paid)
        }
        PaymentOutcome::Paid => (OrderEvent::Placed, Placed, order.reason, PaymentStatus::Paid),
        PaymentOutcome::Declined => (OrderEvent::Rejected, Rejected, Some(Declined), PaymentStatus::Declined),
        PaymentOutcome::NoAnswer(NoAnswer::Timeout | NoAnswer::Expired | NoAnswer::Abandoned) => {
            (OrderEvent::Rejected, Rejected, Some(PaymentTimeout), order.payment)
        }
        PaymentOutcome::NoAnswer(
            NoAnswer::Returned
            | NoAnswer::Nacked
            | NoAnswer::ConnectionLost
            | NoAnswer::Refused
            | NoAnswer::NoPermit,
        ) => (OrderEvent::Rejected, Rejected, Some(PaymentUnavailable), order.payment),
    };
    change(Order { status, reason, payment, ..order.clone() }, tell, now, then)
}

fn cancel(order: &Order, now: Timestamp) -> Decision {
    let mut next = order.clone();
    next.cancel_requested = true;
    match order.status {
        OrderStatus::Paying if order.cancel_requested => same(done(order)),
        OrderStatus::Paying => change(next, OrderEvent::CancelRequested, now, done),
        OrderStatus::Placed | OrderStatus::Delivering => {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(OrderReason::Customer);
            change(next, OrderEvent::Cancelled, now, done)
        }
        OrderStatus::Cancelled | OrderStatus::Rejected => same(done(order)),
    }
}

/// Deposit released the payment of an order that had ended. If this order has not, Order's store was put back to an older
/// copy, which does not know its end: what is released is not taken again.
fn released(order: &Order, status: PaymentStatus, now: Timestamp) -> Result<Decision, Impossible> {
    use OrderStatus::{Cancelled, Delivering, Paying, Placed, Rejected};
    use PaymentStatus::{Declined, None, Paid, Refunded, Voided};
    let mut next = Order { payment: status, ..order.clone() };
    match (order.status, order.payment, status) {
        (_, _, None | Paid | Declined) => {
            let (id, payment, told) = (order.order_id.clone(), order.payment, status);
            Err(Impossible::Payment { order: id, status: order.status, payment, told })
        }
        (Cancelled | Rejected, known, told) if known == told => Ok(same(Then::Nothing)),
        (Cancelled | Rejected, _, Refunded | Voided) => Ok(change(next, OrderEvent::Noted, now, nothing)),
        (Placed | Delivering, _, Refunded | Voided) => {
            Ok(change(restored(next), OrderEvent::Cancelled, now, nothing))
        }
        (Paying, _, Refunded | Voided) => {
            next.status = Rejected;
            next.reason = Some(OrderReason::Restored);
            Ok(change(next, OrderEvent::Rejected, now, nothing))
        }
    }
}

/// Item tells of the delivery. Its news may overtake each other, so an older one changes nothing. One that ends the
/// delivery of a live order comes from a store that was put back to an older copy, or goes to one.
fn delivery(order: &Order, status: DeliveryStatus, now: Timestamp) -> Result<Decision, Impossible> {
    use DeliveryStatus::{Cancelled, None, SoldOut, Started};
    use OrderStatus::{Cancelled as TakenBack, Delivering, Paying, Placed, Rejected};
    let mut next = Order { delivery: status, ..order.clone() };
    match (order.status, order.delivery, status) {
        (_, _, None) => {
            let (id, delivery, told) = (order.order_id.clone(), order.delivery, status);
            Err(Impossible::Delivery { order: id, status: order.status, delivery, told })
        }
        (Placed, _, Started) => {
            next.status = Delivering;
            Ok(change(next, OrderEvent::Delivering, now, nothing))
        }
        (Placed | Delivering, _, SoldOut) => {
            next.status = TakenBack;
            next.reason = Some(OrderReason::SoldOut);
            Ok(change(next, OrderEvent::Cancelled, now, nothing))
        }
        (Placed | Delivering, _, Cancelled) => {
            Ok(change(restored(next), OrderEvent::Cancelled, now, nothing))
        }
        // Order has forgotten that it was placed, and says so once its payment is known.
        (Paying, _, Started | Cancelled | SoldOut)
        | (Delivering, _, Started)
        | (TakenBack | Rejected, Cancelled, Started) => Ok(same(Then::Nothing)),
        (TakenBack | Rejected, known, told) if known == told => Ok(same(Then::Nothing)),
        (TakenBack | Rejected, _, Started | Cancelled | SoldOut) => {
            Ok(change(next, OrderEvent::Noted, now, nothing))
        }
    }
}

fn priced<'a>(request: &PlaceRequest, quote: Quote<'a>) -> Result<(&'a Price, Won), Box<Reply>> {
    let item = &request.item_id;
    let error = match quote {
        Quote::Listed(price) if request.unit_price.is_some_and(|seen| seen != price.unit_price) => {
            let message = format!("'{item}' costs {} now; nothing was ordered", price.unit_price);
            AnswerError::new(ErrorCode::Conflict, message)
        }
        Quote::Listed(price) => match price.unit_price.times(request.qty) {
            Some(amount) => return Ok((price, amount)),
            None => AnswerError::new(ErrorCode::Invalid, "the amount is beyond what an account can hold"),
        },
        Quote::Unknown => AnswerError::new(ErrorCode::NotFound, format!("there is no item '{item}'")),
        Quote::NoCatalogue => {
            AnswerError::try_later("no prices are known yet; nothing was ordered", CATALOGUE_RETRY)
        }
    };
    Err(Box::new(Reply::refused(error)))
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
