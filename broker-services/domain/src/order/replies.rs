//! What callers of Order hear, in its words.

use std::time::Duration;

use crate::answers::{Answer, ErrorCode};
use crate::ids::OrderId;
use crate::objects::{Order, OrderReason, OrderStatus};

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

pub(super) fn never_placed(order_id: &OrderId) -> Reply {
    Reply::Refused {
        code: ErrorCode::NotFound,
        message: format!("there is no order {order_id}; should it still be on its way, it will not happen"),
        retry_after: None,
        order: None,
    }
}

pub(super) fn used_for_something_else(order: &Order) -> Reply {
    Reply::Refused {
        code: ErrorCode::Conflict,
        message: format!("the id {} was used for another order; take a new one", order.order_id),
        retry_after: None,
        order: None,
    }
}
