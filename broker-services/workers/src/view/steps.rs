//! The order of an order's steps, so that every adapter tells the same history.

use skstore_domain::events::{EventKind, Source};
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
        EventKind::OrderPaying => 0,
        // A first revision that is a note tells of a cancel that came before its order.
        EventKind::OrderNoted if revision <= 1 => 0,
        EventKind::OrderCancelRequested => 1,
        EventKind::DepositPaid | EventKind::DepositDeclined => 2,
        EventKind::OrderPlaced => 3,
        EventKind::ItemDeliveryStarted | EventKind::ItemSoldOut => 4,
        EventKind::OrderDelivering => 5,
        EventKind::OrderRejected | EventKind::OrderCancelled => 6,
        EventKind::DepositRefunded | EventKind::DepositVoided => 7,
        EventKind::ItemDeliveryCancelled => 8,
        EventKind::OrderNoted => 9,
        // Not of any order.
        EventKind::DepositToppedUp | EventKind::ItemListed | EventKind::ItemRestocked => 10,
    }
}
