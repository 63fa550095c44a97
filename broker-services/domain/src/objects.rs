//! The public objects: answers, events and the view all carry these same shapes.
//!
//! Each has a `revision` of its own, which counts its transitions from 1.

use serde::{Deserialize, Serialize};

use crate::ids::{Customer, ItemId, OrderId};
use crate::money::Won;
use crate::time::Timestamp;
use crate::words::words;

/// Largest quantity of one order or restock command for one order; 1 is the smallest.
pub const MAX_QTY: u32 = 1000;

words! {
    /// Where an order stands.
    OrderStatus {
        /// 결제중: accepted for payment, whose outcome is not known yet.
        Paying = "paying",
        /// 주문완료: paid, waiting for its delivery.
        Placed = "placed",
        /// 배송시작: paid and on its way. An end, though it can still be cancelled.
        Delivering = "delivering",
        /// 취소: taken back, by the customer or because the item was sold out.
        Cancelled = "cancelled",
        /// 거절: never came about; what was charged is refunded.
        Rejected = "rejected",
    }
}

impl OrderStatus {
    /// Whether nothing more happens to the order by itself.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Paying | Self::Placed => false,
            Self::Delivering | Self::Cancelled | Self::Rejected => true,
        }
    }
}

words! {
    /// Why an order was cancelled or rejected.
    OrderReason {
        /// The customer asked for it.
        Customer = "customer",
        /// The stock did not suffice.
        SoldOut = "sold_out",
        /// The account did not cover it.
        Declined = "declined",
        /// Deposit did not answer in time.
        PaymentTimeout = "payment_timeout",
        /// Deposit could not be asked, or would not do it.
        PaymentUnavailable = "payment_unavailable",
        /// A store was put back to an older copy of it, in which the order had not ended yet.
        Restored = "restored",
    }
}

words! {
    /// Where an order's payment stands.
    PaymentStatus {
        /// Nothing is known of one.
        None = "none",
        /// The amount was taken from the account.
        Paid = "paid",
        /// The account did not cover it; nothing was taken.
        Declined = "declined",
        /// Taken, and given back.
        Refunded = "refunded",
        /// Released before anything was taken; a charge that still comes is refused.
        Voided = "voided",
    }
}

words! {
    /// Where an order's delivery stands.
    DeliveryStatus {
        /// Nothing is known of one.
        None = "none",
        /// The units are reserved and on their way.
        Started = "started",
        /// The units are back in stock, or were never taken.
        Cancelled = "cancelled",
        /// The stock did not suffice.
        SoldOut = "sold_out",
    }
}

words! {
    /// Why a payment is what it is, where its status does not say it.
    PaymentReason {
        /// The balance was smaller than the amount.
        InsufficientBalance = "insufficient_balance",
        /// The order was cancelled.
        OrderCancelled = "order_cancelled",
        /// The order was rejected.
        OrderRejected = "order_rejected",
    }
}

/// An order as Order tells it. `payment` and `delivery` are what Order knows of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id and idempotency key.
    pub order_id: OrderId,
    /// Whose account pays.
    pub customer: Customer,
    /// What is ordered.
    pub item_id: ItemId,
    /// The item's name when it was ordered.
    pub item_name: String,
    /// Units, 1 to [`MAX_QTY`].
    pub qty: u32,
    /// Price of a unit when it was ordered.
    pub unit_price: Won,
    /// `unit_price × qty`: what is charged, also on a repeat after the price has changed.
    pub amount: Won,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why, when cancelled or rejected.
    pub reason: Option<OrderReason>,
    /// The customer wants it cancelled as soon as its payment is known.
    pub cancel_requested: bool,
    /// What Order knows of the payment.
    pub payment: PaymentStatus,
    /// What Order knows of the delivery.
    pub delivery: DeliveryStatus,
    /// When its intent was recorded.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Transitions so far.
    pub revision: u64,
}

/// What others hold for an order that Order does not know: by what they find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disowned {
    /// Whose account Deposit has charged for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Of which item Item has taken units for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
}

/// A payment as Deposit tells it, one per order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The order it pays.
    pub order_id: OrderId,
    /// Whose account it is taken from.
    pub customer: Customer,
    /// What is, was or would have been taken.
    pub amount: Won,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why, where the status does not say it.
    pub reason: Option<PaymentReason>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Transitions so far.
    pub revision: u64,
}

/// A customer's deposit account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its owner.
    pub customer: Customer,
    /// Never below zero.
    pub balance: Won,
    /// Transitions so far.
    pub revision: u64,
}

/// An item, its price and its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// Its name in English, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Price of a unit.
    pub unit_price: Won,
    /// Units not promised to any order.
    pub stock: u64,
    /// Transitions so far.
    pub revision: u64,
}
