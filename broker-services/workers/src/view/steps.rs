//! The order of an order's steps, so that every adapter tells the same history: by time, but for what cannot be, where the
//! clocks of those who tell it disagree.

use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::myinfo::Step;
use skstore_domain::objects::OrderReason;
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

/// The steps of one order as people read them: the earliest first, but none before what brought it about.
pub(super) fn in_order(mut left: Vec<Step>) -> Vec<Step> {
    left.sort_by_key(key);
    let mut told = Vec::with_capacity(left.len());
    let is_paired = count(&left, is_answer) == count(&left, is_note);
    while !left.is_empty() {
        // Each answer to an order's end is noted once, and only then does another note follow. Where there are others, of a
        // delivery that had begun, nothing is known of which is which.
        let awaits_answer = is_paired && count(&told, is_answer) <= count(&told, is_note);
        let is_early = |step: &Step| {
            left.iter().any(|other| {
                is_cause(other, step) || (awaits_answer && is_note(step.kind) && is_answer(other.kind))
            })
        };
        // Nothing brings itself about, whatever somebody has written into the view: else the earliest is next.
        let next = left.iter().position(|step| !is_early(step));
        told.push(left.remove(next.unwrap_or(0)));
    }
    told
}

/// Whether `cause` has to be told before `step`.
fn is_cause(cause: &Step, step: &Step) -> bool {
    use EventKind::{Deposit, Item, Order};
    if cause.source == step.source {
        return cause.revision < step.revision;
    }
    match (cause.kind, step.kind) {
        (Order(OrderKind::Paying), Deposit(DepositKind::Paid | DepositKind::Declined))
        | (Deposit(DepositKind::Paid), Order(OrderKind::Placed))
        | (Order(OrderKind::Placed), Item(ItemKind::DeliveryStarted | ItemKind::SoldOut))
        | (Item(ItemKind::DeliveryStarted), Order(OrderKind::Delivering))
        | (
            Order(OrderKind::Cancelled | OrderKind::Rejected),
            Deposit(DepositKind::Refunded | DepositKind::Voided),
        )
        | (Order(OrderKind::Cancelled), Item(ItemKind::DeliveryCancelled)) => true,
        (Deposit(DepositKind::Declined), Order(OrderKind::Rejected)) => {
            has_reason(step, OrderReason::Declined)
        }
        (Item(ItemKind::SoldOut), Order(OrderKind::Cancelled)) => has_reason(step, OrderReason::SoldOut),
        _ => false,
    }
}

fn has_reason(step: &Step, reason: OrderReason) -> bool {
    step.reason.as_deref() == Some(reason.word())
}

fn count(steps: &[Step], is: fn(EventKind) -> bool) -> usize {
    steps.iter().filter(|step| is(step.kind)).count()
}

/// What Order has learnt of an order that had ended.
const fn is_note(kind: EventKind) -> bool {
    matches!(kind, EventKind::Order(OrderKind::Noted))
}

/// What Deposit and Item say of an order that has ended.
const fn is_answer(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Deposit(DepositKind::Refunded | DepositKind::Voided)
            | EventKind::Item(ItemKind::DeliveryCancelled)
    )
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
        // Not of any order that there is.
        EventKind::Order(OrderKind::Disowned)
        | EventKind::Deposit(DepositKind::ToppedUp)
        | EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: EventKind, revision: u64, at: i64) -> Step {
        Step { source: kind.source(), revision, kind, at: Timestamp(at), reason: None, told_again: 0 }
    }

    /// A delivered order that is cancelled, as clocks that agree tell it: a step each ten milliseconds.
    fn history() -> Vec<Step> {
        let kinds = [
            (EventKind::Order(OrderKind::Paying), 1),
            (EventKind::Deposit(DepositKind::Paid), 1),
            (EventKind::Order(OrderKind::Placed), 2),
            (EventKind::Item(ItemKind::DeliveryStarted), 1),
            (EventKind::Order(OrderKind::Delivering), 3),
            (EventKind::Order(OrderKind::Cancelled), 4),
            (EventKind::Deposit(DepositKind::Refunded), 2),
            (EventKind::Order(OrderKind::Noted), 5),
            (EventKind::Item(ItemKind::DeliveryCancelled), 2),
            (EventKind::Order(OrderKind::Noted), 6),
        ];
        (0..).zip(kinds).map(|(n, (kind, revision))| step(kind, revision, 10 * n)).collect()
    }

    type Named = (EventKind, u64);
    const CAUSES: [(Named, Named); 9] = [
        ((EventKind::Order(OrderKind::Paying), 1), (EventKind::Deposit(DepositKind::Paid), 1)),
        ((EventKind::Deposit(DepositKind::Paid), 1), (EventKind::Order(OrderKind::Placed), 2)),
        ((EventKind::Order(OrderKind::Placed), 2), (EventKind::Item(ItemKind::DeliveryStarted), 1)),
        ((EventKind::Item(ItemKind::DeliveryStarted), 1), (EventKind::Order(OrderKind::Delivering), 3)),
        ((EventKind::Order(OrderKind::Delivering), 3), (EventKind::Order(OrderKind::Cancelled), 4)),
        ((EventKind::Order(OrderKind::Cancelled), 4), (EventKind::Deposit(DepositKind::Refunded), 2)),
        ((EventKind::Order(OrderKind::Cancelled), 4), (EventKind::Item(ItemKind::DeliveryCancelled), 2)),
        ((EventKind::Deposit(DepositKind::Refunded), 2), (EventKind::Order(OrderKind::Noted), 6)),
        ((EventKind::Item(ItemKind::DeliveryCancelled), 2), (EventKind::Order(OrderKind::Noted), 6)),
    ];

    #[test]
    fn whatever_the_clocks_say_no_step_stands_before_what_brought_it_about() {
        for (order, deposit, item) in
            [(0, 0, 0), (7_200_000, 0, 0), (0, 2_000, -2_000), (0, -300_000, 5), (-15, 25, 3_600_000)]
        {
            let mut skewed = history();
            for step in &mut skewed {
                step.at.0 += match step.source {
                    Source::Order => order,
                    Source::Deposit => deposit,
                    Source::Item => item,
                };
            }
            let told = in_order(skewed);
            let at = |(kind, revision)| told.iter().position(|s| (s.kind, s.revision) == (kind, revision));
            for (cause, effect) in CAUSES {
                let when = format!("with clocks that are {order}, {deposit} and {item} ms ahead: {told:?}");
                assert!(at(cause) < at(effect), "{cause:?} comes after {effect:?} {when}");
            }
        }
        assert_eq!(in_order(history()), history(), "clocks that agree are believed");
    }

    #[test]
    fn what_nothing_here_brought_about_stands_by_its_time() {
        let late_charge = [
            step(EventKind::Order(OrderKind::Paying), 1, 0),
            step(EventKind::Order(OrderKind::Rejected), 2, 10),
            step(EventKind::Deposit(DepositKind::Paid), 1, 20),
            step(EventKind::Deposit(DepositKind::Refunded), 2, 30),
            step(EventKind::Order(OrderKind::Noted), 3, 40),
        ];
        let begun_meanwhile = [
            step(EventKind::Order(OrderKind::Placed), 2, 0),
            step(EventKind::Order(OrderKind::Cancelled), 3, 10),
            step(EventKind::Item(ItemKind::DeliveryStarted), 1, 12),
            step(EventKind::Order(OrderKind::Noted), 4, 15),
            step(EventKind::Deposit(DepositKind::Refunded), 2, 20),
            step(EventKind::Order(OrderKind::Noted), 5, 22),
        ];
        assert_eq!(in_order(begun_meanwhile.iter().rev().cloned().collect()), begun_meanwhile);
        assert_eq!(in_order(late_charge.iter().rev().cloned().collect()), late_charge);
        assert_eq!(in_order(Vec::new()), Vec::new());
    }
}
