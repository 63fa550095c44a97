//! What an audit comes to: the promises that do not hold, what was looked at, or why nothing is known.

use serde::Serialize;

use crate::view::ViewError;

/// Findings that are told one by one; the rest is counted.
pub const MAX_FINDINGS: usize = 10_000;

/// A promise of the desk, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Promise {
    /// No unpaid order.
    P1,
    /// Money is conserved.
    P2,
    /// One refund.
    P3,
    /// Stock is never negative, and each unit goes to at most one live order.
    P4,
    /// Nothing is lost.
    P5,
    /// The view converges.
    P6,
    /// Every order ends.
    P9,
}

impl std::fmt::Display for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// A promise that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The promise that is broken.
    pub promise: Promise,
    /// What the id is of: `order`, `payment`, `delivery`, `account`, `item`, `topup`, `restock` or `view`.
    pub of: &'static str,
    /// For which one.
    pub id: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Whether a store explains it that was put back to an older copy: nothing is broken, but it has to be reconciled.
    pub is_forgotten: bool,
}

impl Finding {
    pub(super) fn new(promise: Promise, of: &'static str, id: &str, message: impl Into<String>) -> Self {
        Self { promise, of, id: id.to_owned(), message: message.into(), is_forgotten: false }
    }
}

/// What was looked at, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Orders, with those that were cancelled before they were placed.
    pub orders: u64,
    /// Payments.
    pub payments: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Accounts.
    pub accounts: u64,
    /// Items.
    pub items: u64,
    /// Entries of the three logs.
    pub events: u64,
    /// Rows of the view that were compared.
    pub shown: u64,
    /// Promises that do not hold; at most [`MAX_FINDINGS`] of all findings were told.
    pub violations: u64,
    /// Differences between the services that a store explains which was put back to an older copy; told like violations.
    pub forgotten: u64,
    /// Which stores those are, and since when.
    pub restored: Vec<String>,
    /// What cannot be judged yet, and why: something is on its way that may mend it.
    pub undecided: Vec<String>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// A part cannot be read. Nothing is known about the promises then.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A store cannot be opened or read.
    #[error("the store {store} cannot be read: {cause}")]
    Store {
        /// Its URL, without credentials.
        store: String,
        /// What is wrong, or what to do.
        cause: String,
    },
    /// The view cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// Where findings and counts go.
pub(super) struct Findings<'a> {
    pub(super) report: Report,
    pub(super) told: &'a mut dyn FnMut(&Finding),
}

impl Findings<'_> {
    pub(super) fn violated(&mut self, finding: &Finding) {
        self.report.violations += 1;
        self.tell(finding);
    }

    /// What is as it is because a store was put back to an older copy.
    pub(super) fn forgotten(&mut self, finding: &Finding) {
        self.report.forgotten += 1;
        self.tell(&Finding { is_forgotten: true, ..finding.clone() });
    }

    fn tell(&mut self, finding: &Finding) {
        if self.report.violations + self.report.forgotten <= MAX_FINDINGS as u64 {
            (self.told)(finding);
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.report.notes.push(note.into());
    }
}
