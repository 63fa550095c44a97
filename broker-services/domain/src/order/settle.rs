//! What is done about an order on which the services differ and nobody waits for anybody: one of their stores was put back
//! to an older copy, and what came after it is known to the others alone.
//!
//! Order decides, as always, whether the order lives. One that lives is charged and told again: who has forgotten it does
//! it once more, who has not says so again, and who cannot ends it. Of one that has ended it is told again how. Of one that
//! Order does not know it is said that there is none, and whoever holds something for it lets go; so it is of another order
//! under the id of one that has ended. To settle an order that
//! is in order changes nothing.

use super::replies::Reply;
use super::terms::{Admission, Decision, OrderRecord, PaymentStep, Then, Tombstone};
use super::transition::{change, charged, concluded, done, restored, same};
use crate::answers::AnswerError;
use crate::charges::{NoAnswer, PaymentOutcome};
use crate::commands::Settle;
use crate::events::{Event, OrderEvent, OrderKind};
use crate::objects::{DeliveryStatus, Disowned, Order, OrderReason, OrderStatus, PaymentStatus};
use crate::time::Timestamp;

/// Settles an order that Order knows.
pub(super) fn order(order: &Order, settle: &Settle, admission: Admission, now: Timestamp) -> Decision {
    match (order.status, admission) {
        // The outcome of its charge, or the end of patience with it, is still to come.
        (OrderStatus::Paying, _) => same(done(order)),
        (OrderStatus::Placed | OrderStatus::Delivering, Admission::Join) => {
            same(Then::Pay(PaymentStep::Join(order.order_id.clone())))
        }
        (OrderStatus::Placed | OrderStatus::Delivering, Admission::Granted) => same(charged(order)),
        (OrderStatus::Placed | OrderStatus::Delivering, Admission::Refused { retry_after }) => {
            let message = format!(
                "payments are not being taken just now; nothing was done about order {}. Settle it again later",
                order.order_id
            );
            same(Then::answer(Reply::refused(AnswerError::try_later(message, retry_after))))
        }
        (OrderStatus::Rejected | OrderStatus::Cancelled, _) if is_anothers(order, settle) => {
            let disowned = Disowned { customer: settle.customer.clone(), item_id: settle.item_id.clone() };
            let tell = |order: Order| OrderEvent::Disowned(order.order_id.clone(), disowned, Some(order));
            let next =
                if order.status == OrderStatus::Cancelled { order.clone() } else { restored(order.clone()) };
            change(next, tell, now, done)
        }
        // Item has units for it, so it was placed once: it ends as one that was.
        (OrderStatus::Rejected, _)
            if settle.item_id.is_some() && order.delivery != DeliveryStatus::Cancelled =>
        {
            change(restored(order.clone()), OrderEvent::Cancelled, now, done)
        }
        (OrderStatus::Rejected, _) => Decision { again: Some(OrderKind::Rejected), ..same(done(order)) },
        (OrderStatus::Cancelled, _) => Decision { again: Some(OrderKind::Cancelled), ..same(done(order)) },
    }
}

/// Whether others hold something under the id of `order`, which has ended, for another order: Order had forgotten that one
/// when its id was taken again.
fn is_anothers(order: &Order, settle: &Settle) -> bool {
    let is_untold = !matches!(order.delivery, DeliveryStatus::Cancelled | DeliveryStatus::SoldOut);
    let is_unpaid = !matches!(order.payment, PaymentStatus::Refunded | PaymentStatus::Voided);
    (is_untold && settle.item_id.as_ref().is_some_and(|item| *item != order.item_id))
        || (is_unpaid && settle.customer.as_ref().is_some_and(|customer| *customer != order.customer))
}

/// Says that there is no such order, for whoever holds something for it: once, and then again.
pub(super) fn disown(tombstone: Option<&Tombstone>, settle: &Settle, now: Timestamp) -> Decision {
    let before = tombstone.and_then(|tombstone| tombstone.disowned.as_ref());
    let known = |disowned: Option<&Disowned>| match disowned {
        Some(Disowned { customer, item_id }) => (customer.clone(), item_id.clone()),
        None => (None, None),
    };
    let (customer, item_id) = known(before);
    let disowned = Disowned {
        customer: settle.customer.clone().or(customer),
        item_id: settle.item_id.clone().or(item_id),
    };
    let then = Then::answer(Reply::Gone);
    if before == Some(&disowned) {
        return Decision { change: None, again: Some(OrderKind::Disowned), then };
    }
    let order_id = settle.order_id.clone();
    let revision = tombstone.map_or(0, |tombstone| tombstone.revision) + 1;
    let told = OrderEvent::Disowned(order_id.clone(), disowned.clone(), None);
    let tombstone = Tombstone { order_id, at: now, revision, disowned: Some(disowned) };
    let change = Some((OrderRecord::Tombstone(tombstone), Event::new(told, revision, now)));
    Decision { change, again: None, then }
}

/// Deposit was asked once more for the money of an order that lives.
pub(super) fn charged_again(order: &Order, outcome: PaymentOutcome, now: Timestamp) -> Decision {
    let ended = |reason| Order {
        status: OrderStatus::Cancelled,
        reason: Some(reason),
        // Deposit says what it has recorded once it hears of the end.
        payment: PaymentStatus::None,
        ..order.clone()
    };
    match outcome {
        // Item may have forgotten it, too.
        PaymentOutcome::Paid => Decision { again: Some(OrderKind::Placed), ..same(concluded(order)) },
        PaymentOutcome::Declined => {
            change(ended(OrderReason::Declined), OrderEvent::Cancelled, now, concluded)
        }
        PaymentOutcome::NoAnswer(NoAnswer::Refused) => {
            change(ended(OrderReason::Restored), OrderEvent::Cancelled, now, concluded)
        }
        PaymentOutcome::NoAnswer(
            NoAnswer::Timeout
            | NoAnswer::Returned
            | NoAnswer::Nacked
            | NoAnswer::ConnectionLost
            | NoAnswer::Expired
            | NoAnswer::NoPermit
            | NoAnswer::Abandoned,
        ) => same(concluded(order)),
    }
}
