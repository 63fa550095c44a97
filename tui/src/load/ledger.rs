//! Where each order of a run stands: a byte for each, so that ten million may be remembered.

use std::time::Duration;

use skstore_domain::objects::{Order, OrderStatus};
use skstore_domain::time::Timestamp;

/// How much earlier than the first answered order one of the same run may have been placed: many times what is on its way
/// at once, and what the clocks of several workers may differ by.
const EARLIER: Duration = Duration::from_secs(60);

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It was never sent.
    Unsent,
    /// It was sent, and nobody has said what became of it.
    Unknown,
    /// It was accepted; its end is to come.
    Accepted,
    /// It was cancelled; that is to be seen.
    TakenBack,
    /// There is no such order.
    NotPlaced,
    /// It is on its way to the customer.
    Delivering,
    /// It was cancelled, by the customer or since it was sold out.
    Cancelled,
    /// It never came about.
    Rejected,
}

impl Stand {
    /// Whether it is still to be seen what becomes of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Accepted | Self::TakenBack)
    }

    /// Where an order stands whose status is an end.
    #[must_use]
    pub const fn ended(status: OrderStatus) -> Option<Self> {
        match status {
            OrderStatus::Paying | OrderStatus::Placed => None,
            OrderStatus::Delivering => Some(Self::Delivering),
            OrderStatus::Cancelled => Some(Self::Cancelled),
            OrderStatus::Rejected => Some(Self::Rejected),
        }
    }
}

/// What became of the orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Became {
    /// Delivering.
    pub delivering: u64,
    /// Cancelled.
    pub cancelled: u64,
    /// Rejected.
    pub rejected: u64,
    /// There is no such order.
    pub not_placed: u64,
    /// Not ended yet, or not known.
    pub open: u64,
}

/// The orders of a run by their numbers, from 1.
#[derive(Debug, Default)]
pub struct Ledger {
    stands: Vec<Stand>,
    open: u64,
    /// When the first of them was placed, by the clock of whoever took it.
    first_placed_at: Option<Timestamp>,
}

impl Ledger {
    /// Where order `number` stands.
    #[must_use]
    pub fn stand(&self, number: u64) -> Stand {
        self.stands.get(place(number)).copied().unwrap_or(Stand::Unsent)
    }

    /// Order `number` stands there now.
    pub fn set(&mut self, number: u64, stand: Stand) {
        let at = place(number);
        if at >= self.stands.len() {
            self.stands.resize(at + 1, Stand::Unsent);
        }
        let was = std::mem::replace(&mut self.stands[at], stand);
        self.open = self.open + u64::from(stand.is_open()) - u64::from(was.is_open());
    }

    /// An order of the run was told of.
    pub fn heard(&mut self, order: &Order) {
        let first = self.first_placed_at.unwrap_or(order.placed_at);
        self.first_placed_at = Some(first.min(order.placed_at));
    }

    /// Takes what the view shows of order `number` for its end, if it is one. Of one that was cancelled, only that is.
    pub fn seen(&mut self, number: u64, status: OrderStatus) {
        let stand = self.stand(number);
        let Some(ended) = Stand::ended(status) else { return };
        if stand.is_open() && (stand != Stand::TakenBack || ended == Stand::Cancelled) {
            self.set(number, ended);
        }
    }

    /// How many are open.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.open
    }

    /// The numbers of those that are open, from after `after`.
    pub fn open_after(&self, after: u64) -> impl Iterator<Item = u64> {
        let from = usize::try_from(after).unwrap_or(usize::MAX);
        let stands = self.stands.iter().zip(1_u64..).skip(from);
        stands.filter(|(stand, _)| stand.is_open()).map(|(_, number)| number)
    }

    /// Whether an order of the run may have been placed at `at`, as far as that is known.
    #[must_use]
    pub fn may_be_from(&self, at: Timestamp) -> bool {
        self.first_placed_at.is_none_or(|first| at >= first.before(EARLIER))
    }

    /// What became of them.
    #[must_use]
    pub fn became(&self) -> Became {
        let mut became = Became::default();
        for stand in &self.stands {
            match stand {
                Stand::Unsent => {}
                Stand::Unknown | Stand::Accepted | Stand::TakenBack => became.open += 1,
                Stand::NotPlaced => became.not_placed += 1,
                Stand::Delivering => became.delivering += 1,
                Stand::Cancelled => became.cancelled += 1,
                Stand::Rejected => became.rejected += 1,
            }
        }
        became
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_ends_once_and_where_it_was_told_to() {
        let mut ledger = Ledger::default();
        for (number, stand) in
            [(1, Stand::Accepted), (2, Stand::TakenBack), (4, Stand::Unknown), (5, Stand::NotPlaced)]
        {
            ledger.set(number, stand);
        }
        assert_eq!((ledger.open(), ledger.stand(3)), (3, Stand::Unsent));
        for number in 1..=5 {
            ledger.seen(number, OrderStatus::Placed);
        }
        assert_eq!(ledger.open(), 3, "placed is no end");
        for number in 1..=5 {
            ledger.seen(number, OrderStatus::Delivering);
        }
        assert_eq!(
            ledger.open_after(0).collect::<Vec<_>>(),
            [2],
            "a cancelled order is not done when it is delivering"
        );
        assert_eq!(ledger.open_after(2).count(), 0);
        ledger.seen(2, OrderStatus::Cancelled);
        ledger.seen(1, OrderStatus::Cancelled);
        let became = Became { delivering: 2, cancelled: 1, not_placed: 1, ..Became::default() };
        assert_eq!((ledger.became(), ledger.open()), (became, 0));
    }

    #[test]
    fn a_million_orders_are_a_million_bytes() {
        assert_eq!(std::mem::size_of::<Stand>(), 1);
    }
}
