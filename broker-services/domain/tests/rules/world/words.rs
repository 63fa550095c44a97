//! What is on its way in a world, what may happen in it, and where it begins.

use skstore_domain::charges::{ChargeResult, NoAnswer};
use skstore_domain::money::Won;

/// A message on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Place,
    Cancel,
    ChargeLow,
    ChargeHigh,
    Reply(ChargeResult),
    /// `order.cancelled` or `order.rejected` to Deposit.
    Release,
    /// `order.placed` to Item.
    Start,
    /// `order.cancelled` to Item.
    Stop,
    Refunded,
    Voided,
    Started,
    Stopped,
    SoldOut,
}

impl Message {
    pub(crate) const ALL: [Self; 17] = [
        Self::Place,
        Self::Cancel,
        Self::ChargeLow,
        Self::ChargeHigh,
        Self::Reply(ChargeResult::Paid),
        Self::Reply(ChargeResult::Declined),
        Self::Reply(ChargeResult::Refused),
        Self::Reply(ChargeResult::Conflict),
        Self::Reply(ChargeResult::Expired),
        Self::Release,
        Self::Start,
        Self::Stop,
        Self::Refunded,
        Self::Voided,
        Self::Started,
        Self::Stopped,
        Self::SoldOut,
    ];

    pub(super) fn slot(self) -> usize {
        Self::ALL.iter().position(|message| *message == self).unwrap_or_default()
    }

    pub(super) const fn is_event(self) -> bool {
        match self {
            Self::Release
            | Self::Start
            | Self::Stop
            | Self::Refunded
            | Self::Voided
            | Self::Started
            | Self::Stopped
            | Self::SoldOut => true,
            Self::Place | Self::Cancel | Self::ChargeLow | Self::ChargeHigh | Self::Reply(_) => false,
        }
    }
}

/// Something that saves effort, and breaks a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// Order forgets its intent when the charge was surely not sent.
    DeleteIntent,
    /// A repeat is charged at the price of the day.
    TodaysPrice,
    /// A repeat without a permit is refused, and the order stays as it is.
    RefuseRepeat,
    /// A refusal that nobody hears is not recorded.
    ForgetRefusal,
    /// A cancel before its order leaves no mark with Order.
    NoOrderTombstone,
    /// A release before its charge leaves no mark with Deposit.
    NoDepositTombstone,
    /// A cancel before its delivery leaves no mark with Item.
    NoItemTombstone,
    /// Nobody looks after orders that stay paying.
    NoSweeper,
    /// An event that was delivered too often is dropped.
    DeliveryLimit,
}

impl Shortcut {
    pub(crate) const ALL: [Self; 9] = [
        Self::DeleteIntent,
        Self::TodaysPrice,
        Self::RefuseRepeat,
        Self::ForgetRefusal,
        Self::NoOrderTombstone,
        Self::NoDepositTombstone,
        Self::NoItemTombstone,
        Self::NoSweeper,
        Self::DeliveryLimit,
    ];
}

/// How often what nobody wants may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// The order worker crashes, or loses its connection with a call in flight.
    pub(crate) crashes: u8,
    /// A message is delivered and stays in its queue.
    pub(crate) repeats: u8,
    /// A place is parked.
    pub(crate) parked: u8,
    /// The price changes.
    pub(crate) prices: u8,
}

/// Where a world begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) places: u8,
    pub(crate) cancels: u8,
    pub(crate) balance: Won,
    pub(crate) stock: u64,
    /// Whether the places have somebody who hears the answer.
    pub(crate) answerable: bool,
    pub(crate) budget: Budget,
    pub(crate) shortcut: Option<Shortcut>,
}

/// A payment call in flight in an order worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call {
    /// The charge was returned: nobody got it.
    pub(super) returned: bool,
    /// Places that wait for its outcome, unacknowledged.
    pub(super) places: u8,
}

/// Whether and how a place may be charged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Sent,
    Returned,
    Joined,
    Refused,
}

/// Something that may happen next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Move {
    Place(Way),
    /// Any other message is delivered, `late` if it is a charge beyond its deadline.
    Deliver {
        message: Message,
        late: bool,
    },
    /// The same, and it stays in its queue.
    Repeat(Message),
    /// Nobody ever gets it.
    Lose(Message),
    /// A call gets its reply.
    Reply {
        call: usize,
        result: ChargeResult,
    },
    /// A call ends without one.
    NoReply {
        call: usize,
        why: NoAnswer,
    },
    /// The connection is lost under a call: its places are delivered again while it goes on.
    Orphan(usize),
    Crash,
    Park,
    Sweep,
    Reprice,
}
