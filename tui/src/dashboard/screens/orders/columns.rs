//! The columns of the table of orders.

use std::cmp::Ordering;

use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::PaymentStatus;

use crate::dashboard::table::sort::{Column, Sort};
use crate::text::names::Names;

/// A column of the table of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderColumn {
    /// When it was placed.
    Time,
    /// Whose account pays.
    Customer,
    /// What is ordered.
    Item,
    /// What is charged.
    Amount,
    /// Where it stands.
    Status,
    /// Where its payment stands.
    Payment,
    /// Why, when cancelled or rejected.
    Reason,
    /// How long ago it was placed.
    Age,
}

impl Column for OrderColumn {
    const ALL: &'static [Self] = &[
        Self::Time,
        Self::Customer,
        Self::Item,
        Self::Amount,
        Self::Status,
        Self::Payment,
        Self::Reason,
        Self::Age,
    ];
    const BY_ITSELF: Sort<Self> = Sort { column: Self::Time, descending: true };
}

impl OrderColumn {
    /// Which of two orders comes first by this column, with items called by `names`.
    #[must_use]
    pub fn compare(self, one: &OrderRow, other: &OrderRow, names: Names<'_>) -> Ordering {
        let (a, b) = (&one.order, &other.order);
        match self {
            Self::Time => a.placed_at.cmp(&b.placed_at),
            Self::Age => b.placed_at.cmp(&a.placed_at),
            Self::Customer => a.customer.cmp(&b.customer),
            Self::Item => (names.of_order(a), a.qty).cmp(&(names.of_order(b), b.qty)),
            Self::Amount => a.amount.cmp(&b.amount),
            Self::Status => a.status.cmp(&b.status),
            Self::Payment => payment_of(one).cmp(&payment_of(other)),
            Self::Reason => a.reason.cmp(&b.reason),
        }
    }
}

/// Where the payment stands: as Deposit tells it, and until that was heard as Order does.
#[must_use]
pub fn payment_of(row: &OrderRow) -> PaymentStatus {
    row.payment.as_ref().map_or(row.order.payment, |payment| payment.status)
}
