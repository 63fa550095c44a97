//! The words for what the system itself names: statuses, reasons, services, events. One word for one thing.

use skstore_domain::answers::ErrorCode;
use skstore_domain::books::BreachKind;
use skstore_domain::breaker::{BreakerMode, BreakerState};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::objects::{DeliveryStatus, OrderReason, OrderStatus, PaymentReason, PaymentStatus};
use skstore_domain::signals::Service;

use super::numbers::ordinal;
use super::{Language, Text};

/// Something that the system names and that has a word in every language.
pub trait Worded {
    /// Its word.
    fn text(&self) -> Text;
}

impl Worded for OrderStatus {
    fn text(&self) -> Text {
        match self {
            Self::Paying => Text::StatusPaying,
            Self::Placed => Text::StatusPlaced,
            Self::Delivering => Text::StatusDelivering,
            Self::Cancelled => Text::StatusCancelled,
            Self::Rejected => Text::StatusRejected,
        }
    }
}

impl Worded for OrderReason {
    fn text(&self) -> Text {
        match self {
            Self::Customer => Text::ReasonCustomer,
            Self::SoldOut => Text::SoldOut,
            Self::Declined => Text::Declined,
            Self::PaymentTimeout => Text::ReasonPaymentTimeout,
            Self::PaymentUnavailable => Text::ReasonPaymentUnavailable,
            Self::Restored => Text::ReasonRestored,
        }
    }
}

impl Worded for PaymentStatus {
    fn text(&self) -> Text {
        match self {
            Self::None => Text::PaymentNone,
            Self::Paid => Text::PaymentPaid,
            Self::Declined => Text::Declined,
            Self::Refunded => Text::PaymentRefunded,
            Self::Voided => Text::PaymentVoided,
        }
    }
}

impl Worded for PaymentReason {
    fn text(&self) -> Text {
        match self {
            Self::InsufficientBalance => Text::ReasonInsufficientBalance,
            Self::OrderCancelled => Text::ReasonOrderCancelled,
            Self::OrderRejected => Text::ReasonOrderRejected,
        }
    }
}

impl Worded for DeliveryStatus {
    fn text(&self) -> Text {
        match self {
            Self::None => Text::DeliveryNone,
            Self::Started => Text::DeliveryStarted,
            Self::Cancelled => Text::DeliveryCancelled,
            Self::SoldOut => Text::SoldOut,
        }
    }
}

impl Worded for BreakerState {
    fn text(&self) -> Text {
        match self {
            Self::Closed => Text::BreakerClosed,
            Self::Open => Text::BreakerOpen,
            Self::HalfOpen => Text::BreakerHalfOpen,
        }
    }
}

impl Worded for BreakerMode {
    fn text(&self) -> Text {
        match self {
            Self::Auto => Text::ModeAuto,
            Self::Open => Text::ModeOpen,
            Self::Closed => Text::ModeClosed,
        }
    }
}

impl Worded for Service {
    fn text(&self) -> Text {
        match self {
            Self::Order => Text::ServiceOrder,
            Self::Deposit => Text::ServiceDeposit,
            Self::Item => Text::ServiceItem,
            Self::MyInfo => Text::ServiceMyInfo,
        }
    }
}

impl Worded for Source {
    fn text(&self) -> Text {
        match self {
            Self::Order => Text::ServiceOrder,
            Self::Deposit => Text::ServiceDeposit,
            Self::Item => Text::ServiceItem,
        }
    }
}

impl Worded for EventKind {
    fn text(&self) -> Text {
        match self {
            Self::Order(kind) => kind.text(),
            Self::Deposit(kind) => kind.text(),
            Self::Item(kind) => kind.text(),
        }
    }
}

impl Worded for OrderKind {
    fn text(&self) -> Text {
        match self {
            Self::Paying => Text::StatusPaying,
            Self::CancelRequested => Text::CancelRequested,
            Self::Placed => Text::StatusPlaced,
            Self::Delivering => Text::StatusDelivering,
            Self::Rejected => Text::StatusRejected,
            Self::Cancelled => Text::StatusCancelled,
            Self::Noted => Text::EventNoted,
            Self::Disowned => Text::EventDisowned,
        }
    }
}

impl Worded for DepositKind {
    fn text(&self) -> Text {
        match self {
            Self::Paid => Text::PaymentPaid,
            Self::Declined => Text::Declined,
            Self::Refunded => Text::PaymentRefunded,
            Self::Voided => Text::PaymentVoided,
            Self::ToppedUp => Text::EventToppedUp,
        }
    }
}

impl Worded for ItemKind {
    fn text(&self) -> Text {
        match self {
            Self::Listed => Text::EventListed,
            Self::Restocked => Text::EventRestocked,
            Self::DeliveryStarted => Text::EventDeliveryStarted,
            Self::DeliveryCancelled => Text::DeliveryCancelled,
            Self::SoldOut => Text::SoldOut,
        }
    }
}

impl Worded for BreachKind {
    fn text(&self) -> Text {
        match self {
            Self::Unbalanced => Text::BreachUnbalanced,
            Self::Overdrawn => Text::BreachOverdrawn,
            Self::StockChanged => Text::BreachStockChanged,
            Self::NegativeStock => Text::BreachNegativeStock,
            Self::StuckPaying => Text::BreachStuckPaying,
            Self::StuckPlaced => Text::BreachStuckPlaced,
            Self::Missing => Text::BreachMissing,
            Self::Unreadable => Text::BreachUnreadable,
        }
    }
}

impl Worded for ErrorCode {
    fn text(&self) -> Text {
        match self {
            Self::Invalid => Text::CodeInvalid,
            Self::NotFound => Text::CodeNotFound,
            Self::Conflict => Text::CodeConflict,
            Self::Declined => Text::CodeDeclined,
            Self::PaymentTimeout => Text::CodePaymentTimeout,
            Self::TryLater => Text::CodeTryLater,
            Self::Cancelled => Text::CodeCancelled,
            Self::Internal => Text::CodeInternal,
        }
    }
}

/// That an event was told again, for the how manieth time.
#[must_use]
pub fn told_again_words(language: Language, times: u32) -> String {
    match language {
        Language::Korean => language.fill(Text::ToldAgain, &[&times]),
        Language::English => language.fill(Text::ToldAgain, &[&ordinal(times)]),
    }
}

/// The word for a reason as the view's timeline carries it; `None` for one that this program does not know.
#[must_use]
pub fn reason_word(word: &str) -> Option<Text> {
    OrderReason::from_word(word)
        .map(|reason| reason.text())
        .or_else(|| PaymentReason::from_word(word).map(|reason| reason.text()))
}
