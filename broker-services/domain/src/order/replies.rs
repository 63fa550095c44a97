//! What callers of Order hear, in its words.

use crate::answers::{Answer, AnswerError, ErrorCode};
use crate::ids::OrderId;
use crate::objects::{Order, OrderReason, OrderStatus};

/// What a caller of Order hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done: the order.
    Done(Order),
    /// Done: there is no such order, and nobody is to hold anything for it.
    Gone,
    /// Refused, with the order if there is one.
    Refused {
        /// Why.
        error: AnswerError,
        /// The refused order.
        order: Option<Order>,
    },
}

impl Reply {
    /// Refused, and there is no order.
    pub(super) const fn refused(error: AnswerError) -> Self {
        Self::Refused { error, order: None }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Done(order) => Self::order(order),
            Reply::Gone => Self { ok: true, ..Self::default() },
            Reply::Refused { error, order } => Self { order, ..error.into() },
        }
    }
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
        (OrderStatus::Cancelled, Some(OrderReason::Restored)) => (
            ErrorCode::Cancelled,
            format!(
                "order {} was cancelled: a store was put back to an older copy of it. To try again, take a new id",
                order.order_id
            ),
        ),
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
    Reply::Refused { error: AnswerError::new(code, message), order: Some(order.clone()) }
}

pub(super) fn never_placed(order_id: &OrderId) -> Reply {
    let message = format!("there is no order {order_id}; should it still be on its way, it will not happen");
    Reply::refused(AnswerError::new(ErrorCode::NotFound, message))
}

pub(super) fn used_for_something_else(order: &Order) -> Reply {
    let message = format!("the id {} was used for another order; take a new one", order.order_id);
    Reply::refused(AnswerError::new(ErrorCode::Conflict, message))
}
