//! What a caller hears: one shape for every command.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::checkpoint::{LogHead, LogId};
use crate::ids::{ItemId, OrderId};
use crate::json;
use crate::objects::{Account, Item, Order, Payment, PaymentStatus};
use crate::words::words;

words! {
    /// Why a command was refused, for programs; the message beside it is for people.
    ErrorCode {
        /// The command itself is wrong. Sending it again will not help.
        Invalid = "invalid",
        /// There is no such order, item or account.
        NotFound = "not_found",
        /// The id was used for something else, or the price is another one.
        Conflict = "conflict",
        /// The account does not cover it.
        Declined = "declined",
        /// Deposit did not answer in time; the order is rejected and its charge, if any, given back.
        PaymentTimeout = "payment_timeout",
        /// Nothing happened. Send the same id again after `retry_after_ms`.
        TryLater = "try_later",
        /// The order was cancelled before it was placed.
        Cancelled = "cancelled",
        /// A mistake of ours; the message is parked.
        Internal = "internal",
    }
}

/// An answer to a command. On success one of the objects is there; a refused order that exists comes along.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Whether what was asked for is done. On a place: accepted and paid.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AnswerError>,
    /// Answers `order.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Answers `deposit.query` by order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentAnswer>,
    /// Answers `deposit.topup` and `deposit.query` by customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Answers `item.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Answers `item.catalog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<CatalogPage>,
    /// Answers `*.replay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayPage>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened, to what, what to do.
    pub message: String,
    /// With `try_later`: when it is worth it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What Deposit says of an order's payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PaymentAnswer {
    /// There is one.
    Known(Payment),
    /// It has never heard of that order.
    Unknown {
        /// The order asked for.
        order_id: OrderId,
        /// Always `none`.
        status: PaymentStatus,
    },
}

impl PaymentAnswer {
    /// Deposit has never heard of `order_id`.
    #[must_use]
    pub const fn none(order_id: OrderId) -> Self {
        Self::Unknown { order_id, status: PaymentStatus::None }
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> PaymentStatus {
        match self {
            Self::Known(payment) => payment.status,
            Self::Unknown { status, .. } => *status,
        }
    }
}

/// A part of what is listed, by id. Ask again after `next` until that is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPage {
    /// Items as they are.
    pub items: Vec<Item>,
    /// The last of them, if there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ItemId>,
    /// Which log it is that lists them. Not from versions that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogId>,
}

/// A part of a service's event log, oldest first. Ask again from `next_seq` until that is absent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayPage {
    /// The events as they were published.
    pub events: Vec<Box<RawValue>>,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_seq: Option<i64>,
    /// The log's newest entry when the page was made, to show progress by.
    pub last_seq: i64,
    /// Which log it is. Not from versions that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogHead>,
}

impl AnswerError {
    /// A refusal with `code` and a message for people.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// Nothing happened; it is worth another try after `retry_after`.
    #[must_use]
    pub fn try_later(message: impl Into<String>, retry_after: Duration) -> Self {
        let retry_after_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        Self { retry_after_ms: Some(retry_after_ms), ..Self::new(ErrorCode::TryLater, message) }
    }
}

impl From<AnswerError> for Answer {
    fn from(error: AnswerError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

macro_rules! done_with {
    ($($object:ident: $type:ty),+ $(,)?) => {$(
        /// Done, with what was asked for.
        #[must_use]
        pub fn $object($object: $type) -> Self {
            Self { ok: true, $object: Some($object), ..Self::default() }
        }
    )+};
}

impl Answer {
    done_with! {
        order: Order,
        payment: PaymentAnswer,
        account: Account,
        item: Item,
        catalog: CatalogPage,
        replay: ReplayPage,
    }

    /// Whether it tells a page of many things, which programs ask for and no person waits for.
    #[must_use]
    pub const fn is_page(&self) -> bool {
        self.catalog.is_some() || self.replay.is_some()
    }

    /// Refuses with `code` and a message for people.
    #[must_use]
    pub fn refuse(code: ErrorCode, message: impl Into<String>) -> Self {
        AnswerError::new(code, message).into()
    }

    /// Refuses as [`AnswerError::try_later`].
    #[must_use]
    pub fn try_later(message: impl Into<String>, retry_after: Duration) -> Self {
        AnswerError::try_later(message, retry_after).into()
    }

    /// The error's code, if it is a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.error.as_ref().map(|error| error.code)
    }

    /// As JSON bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::bytes(self)
    }
}
