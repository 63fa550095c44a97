//! What looks wrong between parts, to be looked at again.

use std::collections::BTreeSet;

/// Suspicious ids that are looked at again. There are that many only where something is very wrong; those beyond
/// are judged by the first look, which a desk at rest bears.
pub(super) const MAX_SUSPECTS: usize = 100_000;

/// A row of the view, or one that it should have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    Order(String),
    Account(String),
    Item(String),
    /// How many there are of all of these.
    Counts,
}

impl Shown {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Order(id) | Self::Account(id) | Self::Item(id) => id,
            Self::Counts => "counts",
        }
    }

    pub(super) const fn of(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Account(_) => "account",
            Self::Item(_) => "item",
            Self::Counts => "view",
        }
    }
}

/// Ids that look wrong.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    pub(super) orders: BTreeSet<String>,
    pub(super) shown: BTreeSet<Shown>,
    /// Orders, without those that were cancelled before they were placed.
    pub(super) placed: u64,
}

impl Suspects {
    /// Whether there was room for it.
    pub(super) fn add(&mut self, order: &str) -> bool {
        let fits = self.orders.len() < MAX_SUSPECTS;
        if fits {
            self.orders.insert(order.to_owned());
        }
        fits
    }

    /// # Errors
    /// Gives it back if there was no room for it.
    pub(super) fn add_shown(&mut self, shown: Shown) -> Result<(), Shown> {
        if self.shown.len() >= MAX_SUSPECTS {
            return Err(shown);
        }
        self.shown.insert(shown);
        Ok(())
    }
}
