//! Inputs that contradict what is recorded: something is broken elsewhere, and their message is parked for a person.

use crate::ids::{Customer, ItemId, OrderId};
use crate::money::Won;
use crate::objects::{DeliveryStatus, OrderStatus, PaymentStatus};

/// An input that cannot happen unless something is broken elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Something became of an order that nobody knows.
    #[error("there is no such order")]
    NoOrder,
    /// Something became of an order whose cancel came first.
    #[error("order {0} was never placed")]
    NeverPlaced(OrderId),
    /// A payment of an order is under way that has never been accepted.
    #[error("a payment of order {0} is in flight, but its intent was never recorded")]
    NoIntent(OrderId),
    /// Deposit tells of a payment what does not fit the order.
    #[error("the payment of order {order} cannot be {told}: the order is {status} and its payment {payment}")]
    Payment {
        /// The order.
        order: OrderId,
        /// How it is.
        status: OrderStatus,
        /// How its payment is.
        payment: PaymentStatus,
        /// What was told of it.
        told: PaymentStatus,
    },
    /// Item tells of a delivery what does not fit the order.
    #[error(
        "the delivery of order {order} cannot be {told}: the order is {status} and its delivery {delivery}"
    )]
    Delivery {
        /// The order.
        order: OrderId,
        /// How it is.
        status: OrderStatus,
        /// How its delivery is.
        delivery: DeliveryStatus,
        /// What was told of it.
        told: DeliveryStatus,
    },
    /// A charge that would give money.
    #[error("a charge of {amount} won for order {order}")]
    NegativeCharge {
        /// For which.
        order: OrderId,
        /// The amount, in won.
        amount: Won,
    },
    /// A refund beyond what an account can hold: it held more before.
    #[error("the refund of {amount} won for order {order} does not fit into the account of {customer}")]
    RefundTooLarge {
        /// Of which.
        order: OrderId,
        /// The amount, in won.
        amount: Won,
        /// The account's owner.
        customer: Customer,
    },
    /// The account at hand is not the payment's.
    #[error("the payment is on the account of {expected}, not of {found}")]
    OtherAccount {
        /// Whose it is on.
        expected: Customer,
        /// Whose was at hand.
        found: Customer,
    },
    /// A refund to an account that is not at hand: whoever asks for it names another customer.
    #[error("order {order} was paid by {customer}, whom the message about it does not name")]
    NoAccount {
        /// Of which.
        order: OrderId,
        /// Whose account it was taken from.
        customer: Customer,
    },
    /// A stored payment or delivery without a status, which nobody writes.
    #[error("the stored {what} of order {order} has no status")]
    NoStatus {
        /// The payment, or the delivery.
        what: &'static str,
        /// Of which.
        order: OrderId,
    },
    /// A cancel that names another item than its delivery took from.
    #[error("the delivery of order {0} took from another item")]
    OtherItem(OrderId),
    /// Units that do not fit into the stock they came from.
    #[error("the stock of item '{0}' does not hold its own units")]
    StockOverflow(ItemId),
}
