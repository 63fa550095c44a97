//! What an order still waits for, and what brings it on. A confirmed message may be lost all the same: its queue is
//! purged, its broker forgets, somebody else takes it. So whoever owes an order something is told again what has
//! happened, from the log, until the order is at rest; a repeated event changes nothing but makes its reader say again
//! what it has recorded.

use std::collections::BTreeSet;
use std::time::Duration;

use super::OrderRecord;
use crate::events::OrderKind;
use crate::ids::OrderId;
use crate::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
use crate::time::Timestamp;
use crate::words::words;

/// The longest time between two times that an order is told again: with what its answer takes, a third of the minute
/// within which every order ends.
pub const MAX_WAIT: Duration = Duration::from_secs(20);
/// Orders that are told again at once while nobody answers: enough to notice that somebody does.
const MIN_AT_ONCE: usize = 16;
/// Orders that are told again at once at most: a commit of a tenth of a second.
const MAX_AT_ONCE: usize = 4096;

words! {
    /// What an order waits for.
    Awaited {
        /// The outcome of its charge.
        Payment = "payment",
        /// Its delivery, or that it is sold out.
        Delivery = "delivery",
        /// That its payment is released, and its delivery cancelled if Item has heard of it.
        Release = "release",
    }
}

/// What `order` waits for; `None` if it is at rest.
#[must_use]
pub const fn awaited(order: &Order) -> Option<Awaited> {
    let is_paid = matches!(order.payment, PaymentStatus::None | PaymentStatus::Paid);
    let is_delivered = matches!(order.delivery, DeliveryStatus::None | DeliveryStatus::Started);
    match order.status {
        OrderStatus::Paying => Some(Awaited::Payment),
        OrderStatus::Placed => Some(Awaited::Delivery),
        OrderStatus::Delivering => None,
        OrderStatus::Cancelled if is_paid || is_delivered => Some(Awaited::Release),
        // Item does not hear of orders that were never placed.
        OrderStatus::Rejected if is_paid => Some(Awaited::Release),
        OrderStatus::Cancelled | OrderStatus::Rejected => None,
    }
}

impl OrderRecord {
    /// Since when somebody has to look after it if nothing happens; `None` if it is at rest.
    ///
    /// The time of an order that is placed is the one at which it was accepted, as while it was paying: the index by
    /// which the store finds it is not written again.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        let Self::Order(order) = self else { return None };
        Some(match awaited(order)? {
            Awaited::Payment | Awaited::Delivery => order.placed_at,
            Awaited::Release => order.updated_at,
        })
    }
}

/// How long Order is patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// With a charge.
    pub abort_after: Duration,
    /// With those who owe an order something, the first time. Each further time is twice as long, up to [`MAX_WAIT`].
    pub tell_again_after: Duration,
}

/// What is to be done about an order that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// Its payment is given up.
    GiveUp,
    /// What has happened is told again.
    TellAgain {
        /// The newest event of this kind.
        kind: OrderKind,
        /// For how many times, by how long it waits.
        times: u32,
        /// It is looked after again when [`OrderRecord::waiting_since`] would have to be this for it to be overdue.
        look: Timestamp,
    },
    /// Nothing yet, or it is at rest.
    Nothing,
}

/// What is to be done `now` about an order that was found to wait.
#[must_use]
pub fn overdue(record: Option<&OrderRecord>, now: Timestamp, patience: Patience) -> Overdue {
    let Some(OrderRecord::Order(order)) = record else { return Overdue::Nothing };
    // A clock that was set back makes a wait negative: it begins anew, and does not last until the clock has caught up.
    let kind = match (awaited(order), order.status) {
        (None, _) => return Overdue::Nothing,
        (Some(Awaited::Payment), _) if now < order.placed_at => return Overdue::GiveUp,
        (Some(Awaited::Payment), _) if now.since(order.placed_at) >= patience.abort_after => {
            return Overdue::GiveUp;
        }
        (Some(Awaited::Payment), _) => return Overdue::Nothing,
        (Some(Awaited::Delivery), _) => OrderKind::Placed,
        (Some(Awaited::Release), OrderStatus::Rejected) => OrderKind::Rejected,
        (Some(Awaited::Release), _) => OrderKind::Cancelled,
    };
    // Told again each time it has waited twice as long: nothing has to be counted.
    let waited = now.since(order.updated_at);
    let wait = waited.clamp(patience.tell_again_after.min(MAX_WAIT), MAX_WAIT);
    let look = now.after(wait).before(patience.tell_again_after);
    // By a clock that was set back it may have waited for less than it has.
    Overdue::TellAgain { kind, times: times_told(waited, patience).max(1), look }
}

/// How often an order was told again that has waited for so long.
#[must_use]
pub fn times_told(waited: Duration, patience: Patience) -> u32 {
    let (mut at, mut times) = (patience.tell_again_after.max(Duration::from_millis(1)), 0_u32);
    while at < MAX_WAIT && at <= waited {
        (at, times) = (at * 2, times + 1);
    }
    // From here on each time is as long as the one before.
    let rest = waited.checked_sub(at).map_or(0, |rest| rest.as_secs() / MAX_WAIT.as_secs() + 1);
    times.saturating_add(u32::try_from(rest).unwrap_or(u32::MAX))
}

/// How many orders are told again at once: few while nobody answers, and twice as many each time that most of them
/// were answered, so that a service that is down does not find a queue full of repetitions.
#[derive(Debug, Clone)]
pub struct Pace {
    at_once: usize,
    told: usize,
    unanswered: BTreeSet<OrderId>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { at_once: MIN_AT_ONCE, told: 0, unanswered: BTreeSet::new() }
    }
}

impl Pace {
    /// How many are told again now, by what came of those before.
    pub fn at_once(&mut self) -> usize {
        if self.told > 0 {
            let is_answered = self.unanswered.len() * 2 <= self.told;
            let next = if is_answered { self.at_once * 2 } else { self.at_once / 2 };
            self.at_once = next.clamp(MIN_AT_ONCE, MAX_AT_ONCE);
        }
        self.at_once
    }

    /// These are told again.
    pub fn told(&mut self, orders: impl IntoIterator<Item = OrderId>) {
        self.unanswered = orders.into_iter().collect();
        self.told = self.unanswered.len();
    }

    /// Something was heard of this one.
    pub fn heard_of(&mut self, order: &OrderId) {
        self.unanswered.remove(order);
    }
}
