//! The kinds of events, by the service that tells them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::by_service::words_by_service;
use crate::words::words;

words! {
    /// What Order tells.
    OrderKind {
        /// An order was accepted for payment.
        Paying = "order.paying",
        /// Its customer wants it cancelled as soon as its payment is known.
        CancelRequested = "order.cancel_requested",
        /// It is paid.
        Placed = "order.placed",
        /// It is on its way.
        Delivering = "order.delivering",
        /// It never came about.
        Rejected = "order.rejected",
        /// It was taken back.
        Cancelled = "order.cancelled",
        /// Order has learnt of a refund or a delivery of an order that had ended; or of a cancel that came
        /// before its order.
        Noted = "order.noted",
        /// Order does not know it, and nobody is to hold anything for it: a store was put back to an older copy.
        Disowned = "order.disowned",
    }
}

words! {
    /// What Deposit tells.
    DepositKind {
        /// The amount was taken.
        Paid = "deposit.paid",
        /// The account did not cover it.
        Declined = "deposit.declined",
        /// The amount was given back.
        Refunded = "deposit.refunded",
        /// Nothing was taken, and nothing will be.
        Voided = "deposit.voided",
        /// An account was topped up.
        ToppedUp = "deposit.topped_up",
    }
}

words! {
    /// What Item tells.
    ItemKind {
        /// An item's name or price is new.
        Listed = "item.listed",
        /// An item's stock was filled up.
        Restocked = "item.restocked",
        /// Units were reserved and are on their way.
        DeliveryStarted = "item.delivery_started",
        /// Units are back in stock, or will not be taken.
        DeliveryCancelled = "item.delivery_cancelled",
        /// The stock did not suffice.
        SoldOut = "item.sold_out",
    }
}

words_by_service! {
    /// The kind of any event. Its word is its routing key on `skstore.events`, and what stands for it in JSON; its
    /// CloudEvents type is that with `skstore.` in front.
    #[derive(Serialize, Deserialize)]
    #[serde(into = "&'static str", try_from = "Cow<'_, str>")]
    EventKind(OrderKind, DepositKind, ItemKind)
}

impl EventKind {
    /// The kind of aggregate whose transition it tells: the `kind` column of the stores.
    #[must_use]
    pub const fn aggregate_kind(self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Deposit(DepositKind::ToppedUp) => "account",
            Self::Deposit(_) => "payment",
            Self::Item(ItemKind::Listed | ItemKind::Restocked) => "item",
            Self::Item(ItemKind::DeliveryStarted | ItemKind::DeliveryCancelled | ItemKind::SoldOut) => {
                "delivery"
            }
        }
    }

    /// Whether the next event of the same aggregate says all that this one says, so that it need not be
    /// published once that one is committed.
    #[must_use]
    pub const fn is_superseded_by_next(self) -> bool {
        matches!(self, Self::Order(OrderKind::Paying))
    }
}

impl From<EventKind> for &'static str {
    fn from(kind: EventKind) -> Self {
        kind.word()
    }
}

impl TryFrom<Cow<'_, str>> for EventKind {
    type Error = UnknownKind;

    fn try_from(word: Cow<'_, str>) -> Result<Self, UnknownKind> {
        Self::from_word(&word).ok_or_else(|| UnknownKind(word.chars().take(MAX_SHOWN_CHARS).collect()))
    }
}

/// Longest foreign word that an error shows, in characters.
pub(super) const MAX_SHOWN_CHARS: usize = 100;

/// A word that stands for no kind of event in this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown event '{0}'")]
pub struct UnknownKind(String);
