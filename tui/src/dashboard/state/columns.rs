//! The columns of the table of orders, and how the loaded window is sorted by them.

use std::cmp::Ordering;

use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::PaymentStatus;

/// A column by which the window can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
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

impl Column {
    /// All of them, in the order in which they stand.
    pub const ALL: &'static [Self] = &[
        Self::Time,
        Self::Customer,
        Self::Item,
        Self::Amount,
        Self::Status,
        Self::Payment,
        Self::Reason,
        Self::Age,
    ];

    fn compare(self, one: &OrderRow, other: &OrderRow) -> Ordering {
        let (a, b) = (&one.order, &other.order);
        match self {
            Self::Time => a.placed_at.cmp(&b.placed_at),
            Self::Age => b.placed_at.cmp(&a.placed_at),
            Self::Customer => a.customer.cmp(&b.customer),
            Self::Item => (&a.item_name, a.qty).cmp(&(&b.item_name, b.qty)),
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

/// By what the loaded window is sorted. Without a sort it is newest first, as the view hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By which column.
    pub column: Column,
    /// The largest first.
    pub descending: bool,
}

impl Sort {
    /// The places of `rows` in this order; equal ones stay newest first.
    #[must_use]
    pub fn places(self, rows: &[OrderRow]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by(|one, other| {
            let (Some(one), Some(other)) = (rows.get(*one), rows.get(*other)) else { return Ordering::Equal };
            let ordering = self.column.compare(one, other);
            if self.descending { ordering.reverse() } else { ordering }
        });
        places
    }
}

/// The sort that follows: by each column in turn, and after the last none.
#[must_use]
pub fn next_sort(sort: Option<Sort>) -> Option<Sort> {
    let at = sort.and_then(|sort| Column::ALL.iter().position(|column| *column == sort.column));
    let column = Column::ALL.get(at.map_or(0, |at| at + 1))?;
    Some(Sort { column: *column, descending: false })
}

/// The sort after a column was chosen: upwards, then downwards, then none.
#[must_use]
pub fn chosen_sort(sort: Option<Sort>, column: Column) -> Option<Sort> {
    match sort {
        Some(Sort { column: by, descending }) if by == column => {
            (!descending).then_some(Sort { column, descending: true })
        }
        Some(_) | None => Some(Sort { column, descending: false }),
    }
}
