//! What always holds of accounts, stocks and orders, stated once for all who check it.
//!
//! - An account changes by exactly what was charged, refunded or topped up; a stock by what was restocked, reserved or
//!   put back. Neither is ever below zero.
//! - What was added = what is there + what is out: all top-ups = all balances + all charges that were not refunded; all
//!   restocks = all stocks + all units on their way.
//! - The revisions of whatever has a log go up by one.
//! - An order does not wait for its payment or its delivery for too long.
//!
//! It knows kinds of events, and no rule of those who write them. Whoever checks reads what is written by themselves,
//! posts it to a [`Ledger`] entry by entry in the order of the log, and words the [`Violation`]s.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::events::{DepositKind, ItemKind};
use crate::time::Timestamp;

/// How long an order may be paying: the payment call takes a second at most, and what is left of it is aborted after
/// some fifteen.
pub const PAID_WITHIN: Duration = Duration::from_secs(30);
/// How long an order may take to end once nothing is broken any more. While Item is down, orders do wait longer, and
/// that is what an operator should see.
pub const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What an entry does to the account or item that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It adds to it: a top-up, a restock.
    Adds,
    /// It takes from it: a charge, the start of a delivery.
    Takes,
    /// It puts back what was taken: a refund, the end of a delivery that had started.
    PutsBack,
    /// A transition that leaves the amount alone: a listing.
    Keeps,
    /// No transition: it is carried along as it is.
    Carries,
}

impl Effect {
    /// On the account in an entry of Deposit's log.
    #[must_use]
    pub const fn on_account(kind: DepositKind) -> Self {
        match kind {
            DepositKind::ToppedUp => Self::Adds,
            DepositKind::Paid => Self::Takes,
            DepositKind::Refunded => Self::PutsBack,
            DepositKind::Declined | DepositKind::Voided => Self::Carries,
        }
    }

    /// On the item in an entry of Item's log; `revision` is the entry's own.
    #[must_use]
    pub const fn on_item(kind: ItemKind, revision: i64) -> Self {
        match kind {
            ItemKind::Listed => Self::Keeps,
            ItemKind::Restocked => Self::Adds,
            ItemKind::DeliveryStarted => Self::Takes,
            // A cancel that overtook its order: nothing had been taken.
            ItemKind::DeliveryCancelled if revision == 1 => Self::Carries,
            ItemKind::DeliveryCancelled => Self::PutsBack,
            ItemKind::SoldOut => Self::Carries,
        }
    }
}

/// An account or an item in an entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// What the entry does to it.
    pub effect: Effect,
    /// By how much, as far as the entry says: a single number where it does.
    pub by: RangeInclusive<i64>,
    /// Its balance or stock after the entry.
    pub now: i64,
    /// Its revision after the entry.
    pub revision: i64,
}

impl Posting {
    /// Checks the revision and, since after a gap nobody can tell what it was, else the change.
    fn may_follow(&self, before: &Book) -> Result<(), Violation> {
        let transitions = i64::from(self.effect != Effect::Carries);
        is_due(before.revision, before.revision.saturating_add(transitions), self.revision)?;
        let change = i128::from(self.now) - i128::from(before.now);
        let is_by = |moved: i128| i64::try_from(moved).is_ok_and(|moved| self.by.contains(&moved));
        let is_right = match self.effect {
            Effect::Adds | Effect::PutsBack => is_by(change),
            Effect::Takes => is_by(-change),
            Effect::Keeps | Effect::Carries => change == 0,
        };
        if is_right { Ok(()) } else { Err(Violation::Amount { before: before.now, now: self.now }) }
    }
}

/// What does not hold; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// An entry is missing, or there twice.
    Revision {
        /// The one before.
        last: i64,
        /// The one that had to come.
        due: i64,
        /// The one that came.
        found: i64,
    },
    /// A balance or stock is below zero.
    Negative {
        /// What it is.
        now: i64,
    },
    /// A balance or stock changed by what the entry does not account for.
    Amount {
        /// What it was.
        before: i64,
        /// What it is.
        now: i64,
    },
}

/// Checks that the revision `found` may follow `last`.
///
/// # Errors
/// [`Violation::Revision`] if it is not the next one.
pub const fn follows(last: i64, found: i64) -> Result<(), Violation> {
    is_due(last, last.saturating_add(1), found)
}

const fn is_due(last: i64, due: i64, found: i64) -> Result<(), Violation> {
    if found == due { Ok(()) } else { Err(Violation::Revision { last, due, found }) }
}

/// Checks a balance or a stock.
///
/// # Errors
/// [`Violation::Negative`] if it is below zero.
pub const fn is_covered(now: i64) -> Result<(), Violation> {
    if now < 0 { Err(Violation::Negative { now }) } else { Ok(()) }
}

/// Whether what began to wait at `since` has waited for longer than `within`.
#[must_use]
pub fn is_stuck(since: Timestamp, within: Duration, now: Timestamp) -> bool {
    now.since(since) > within
}

/// What the log has told of one account or item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Book {
    /// Its balance or stock.
    pub now: i64,
    /// Its revision.
    pub revision: i64,
    /// All its top-ups or restocks.
    pub added: i128,
}

/// Sums over accounts or items, or of a single one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Top-ups, or restocks.
    pub added: i128,
    /// Balances, or stocks.
    pub there: i128,
    /// Charges that were not refunded, or units on their way.
    pub out: i128,
}

impl Totals {
    /// What has to be there.
    #[must_use]
    pub const fn due(&self) -> i128 {
        self.added - self.out
    }

    /// Whether that is there.
    #[must_use]
    pub const fn are_balanced(&self) -> bool {
        self.there == self.due()
    }
}

/// The books of all accounts, or of all items, as far as the log was posted.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// By customer, or by item.
    pub books: BTreeMap<String, Book>,
    /// Of all of them.
    pub totals: Totals,
}

impl Ledger {
    /// Enters what an entry carries of `id`, and returns what does not hold of it.
    pub fn post(&mut self, id: &str, posting: &Posting) -> Vec<Violation> {
        let Posting { effect, by, now, revision } = posting;
        let before = self.books.get(id).copied().unwrap_or_default();
        let mut book = Book { now: *now, revision: *revision, ..before };
        let change = i128::from(*now) - i128::from(before.now);
        let said = |moved: i128| moved.clamp((*by.start()).into(), (*by.end()).into());
        self.totals.there += change;
        match effect {
            Effect::Adds => {
                book.added += change;
                self.totals.added += change;
            }
            Effect::Takes => self.totals.out += said(-change),
            Effect::PutsBack => self.totals.out -= said(change),
            Effect::Keeps | Effect::Carries => {}
        }
        match self.books.get_mut(id) {
            Some(known) => *known = book,
            None => drop(self.books.insert(id.to_owned(), book)),
        }
        [posting.may_follow(&before), is_covered(*now)].into_iter().filter_map(Result::err).collect()
    }
}
