//! What a transition of an order is made of: the order after it, the event that tells it, and what is done then.

use super::replies::{Reply, recorded};
use super::terms::{Decision, OrderRecord, PaymentStep, Then};
use crate::events::{Event, OrderEvent};
use crate::objects::{Order, OrderReason, OrderStatus};
use crate::time::Timestamp;

pub(super) const fn same(then: Then) -> Decision {
    Decision { change: None, again: None, then }
}

/// Which event tells of an order's transition.
pub(super) type Tell = fn(Order) -> OrderEvent;

/// A transition: `order` with the next revision, the event that tells it, and what is done then.
pub(super) fn change(
    mut order: Order,
    tell: impl FnOnce(Order) -> OrderEvent,
    now: Timestamp,
    then: impl FnOnce(&Order) -> Then,
) -> Decision {
    order.revision += 1;
    order.updated_at = now;
    let event = Event::new(tell(order.clone()), order.revision, now);
    let then = then(&order);
    Decision { change: Some((OrderRecord::Order(order), event)), again: None, then }
}

pub(super) fn nothing(_: &Order) -> Then {
    Then::Nothing
}

/// The caller hears what a place of `order` is answered.
pub(super) fn answered(order: &Order) -> Then {
    Then::answer(recorded(order))
}

/// The caller hears how `order` is.
pub(super) fn done(order: &Order) -> Then {
    Then::answer(Reply::Done(order.clone()))
}

/// Everyone who waits for the payment of `order` hears what a place of it is answered.
pub(super) fn concluded(order: &Order) -> Then {
    Then::Pay(PaymentStep::Conclude(order.order_id.clone(), Box::new(recorded(order))))
}

pub(super) fn charged(order: &Order) -> Then {
    Then::Pay(PaymentStep::Charge(order.into()))
}

/// An order that others have ended: a store was put back to an older copy.
pub(super) const fn restored(mut order: Order) -> Order {
    order.status = OrderStatus::Cancelled;
    order.reason = Some(OrderReason::Restored);
    order
}
