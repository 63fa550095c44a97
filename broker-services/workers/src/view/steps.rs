//! The order of an order's steps, so that every adapter tells the same history.

use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::myinfo::Step;
use skstore_domain::time::Timestamp;

/// What steps are sorted by: time, then what leads to what, then the service's own count.
pub(super) type StepKey = (Timestamp, u8, u64, Source);

/// A step's place.
pub(super) fn key(step: &Step) -> StepKey {
    place(step.at, step.kind, step.revision, step.source)
}

/// The place of a step with these parts.
pub(super) const fn place(at: Timestamp, kind: EventKind, revision: u64, source: Source) -> StepKey {
    (at, cause_rank(kind, revision), revision, source)
}

/// Where a step stands among steps of the same millisecond: causes before what they bring about.
const fn cause_rank(kind: EventKind, revision: u64) -> u8 {
    match kind {
        EventKind::Order(OrderKind::Paying) => 0,
        // A first revision that is a note tells of a cancel that came before its order.
        EventKind::Order(OrderKind::Noted) if revision <= 1 => 0,
        EventKind::Order(OrderKind::CancelRequested) => 1,
        EventKind::Deposit(DepositKind::Paid | DepositKind::Declined) => 2,
        EventKind::Order(OrderKind::Placed) => 3,
        EventKind::Item(ItemKind::DeliveryStarted | ItemKind::SoldOut) => 4,
        EventKind::Order(OrderKind::Delivering) => 5,
        EventKind::Order(OrderKind::Rejected | OrderKind::Cancelled) => 6,
        EventKind::Deposit(DepositKind::Refunded | DepositKind::Voided) => 7,
        EventKind::Item(ItemKind::DeliveryCancelled) => 8,
        EventKind::Order(OrderKind::Noted) => 9,
        // Not of any order.
        EventKind::Deposit(DepositKind::ToppedUp)
        | EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => 10,
    }
}
