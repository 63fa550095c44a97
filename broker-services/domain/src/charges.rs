//! The payment call: a batch of charges from Order, a batch of outcomes from Deposit. Each succeeds or fails
//! alone.

use serde::{Deserialize, Serialize};

use crate::ids::{Customer, OrderId};
use crate::money::Won;
use crate::objects::Order;
use crate::time::Timestamp;
use crate::words::words;

/// Charges that one message carries at most.
pub const MAX_CHARGES_PER_CALL: usize = 256;

/// One order's amount, to be taken from its customer's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The order it pays: the charge's idempotency key.
    pub order_id: OrderId,
    /// Whose account pays.
    pub customer: Customer,
    /// What is taken.
    pub amount: Won,
}

impl From<&Order> for Charge {
    /// The charge of a recorded order: the amount it was accepted with, whatever the price is now.
    fn from(order: &Order) -> Self {
        Self { order_id: order.order_id.clone(), customer: order.customer.clone(), amount: order.amount }
    }
}

/// What Order sends to `skstore.payments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeCall {
    /// When Order stops waiting, by its own clock: for people, and for versions of Deposit that went by it. What counts is how
    /// long the message lives, which no two clocks have to agree on.
    pub deadline: Timestamp,
    /// At most [`MAX_CHARGES_PER_CALL`].
    pub charges: Vec<Charge>,
}

words! {
    /// What became of a charge at Deposit.
    ChargeResult {
        /// Taken: now, or at an earlier attempt.
        Paid = "paid",
        /// The account does not cover it.
        Declined = "declined",
        /// The order has been released already; nothing was taken.
        Refused = "refused",
        /// The id was charged with another amount or account before.
        Conflict = "conflict",
        /// It was not decided within its message's life and there was no record of it; nothing was taken.
        Expired = "expired",
    }
}

/// What became of one charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeOutcome {
    /// The order.
    pub order_id: OrderId,
    /// What became of it.
    pub result: ChargeResult,
}

/// What Deposit answers to a [`ChargeCall`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeReply {
    /// One for each charge of the call, in its order.
    pub outcomes: Vec<ChargeOutcome>,
}

/// What Order makes of a charge, whatever happened to it on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentOutcome {
    /// Exactly one charge exists.
    Paid,
    /// None exists, and none will.
    Declined,
    /// Nobody can say whether one exists; it will be given back if it does.
    NoAnswer(NoAnswer),
}

words! {
    /// Why there is no usable answer to a charge.
    NoAnswer {
        /// None came in time.
        Timeout = "timeout",
        /// The broker returned the call: no queue for it.
        Returned = "returned",
        /// The broker refused the call.
        Nacked = "nacked",
        /// The connection was lost with the call in flight.
        ConnectionLost = "connection_lost",
        /// Deposit would not take it: released before, or charged otherwise.
        Refused = "refused",
        /// Deposit got it too late.
        Expired = "expired",
        /// A repeat that the breaker or the bulkhead did not let through.
        NoPermit = "no_permit",
        /// The order was still paying long after its call must have ended.
        Abandoned = "abandoned",
    }
}

impl From<ChargeResult> for PaymentOutcome {
    fn from(result: ChargeResult) -> Self {
        match result {
            ChargeResult::Paid => Self::Paid,
            ChargeResult::Declined => Self::Declined,
            ChargeResult::Refused | ChargeResult::Conflict => Self::NoAnswer(NoAnswer::Refused),
            ChargeResult::Expired => Self::NoAnswer(NoAnswer::Expired),
        }
    }
}
