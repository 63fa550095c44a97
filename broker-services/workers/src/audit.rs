//! The audit: a second opinion on the books, which shares no rule with the services.
//!
//! It reads the stores by their URLs, over connections of its own that cannot write, and the view as any reader
//! does. What it finds:
//!
//! 1. `books`: each store against itself. The log is folded, aggregate by aggregate and in its own order, and
//!    compared with the states that are stored; money and units are added up. One snapshot of a store holds all
//!    of this at any moment, however busy it is, so a difference is a violation.
//! 2. `crossing`: the stores against each other, order by order. What one service has committed the others hear
//!    of later, so a difference is only suspicious: it is looked at again, until it is gone, or the time is up and
//!    nothing has moved and nothing is on its way that could mend it.
//! 3. `mirror`: the view against the stores, likewise.
//!
//! Stores are read in the order of their keys, a page at a time: a million orders take no more memory than a
//! thousand. What grows is one number for each account and item, and the suspicious ids, up to
//! [`MOST_SUSPECTS`].
//!
//! It does not look at timelines and the feed of the view, at what is in queues (the operator sees those), nor at
//! promises about time and faults (P7, P8).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use crate::config::Config;
use crate::view::{View, ViewError};

mod books;
mod crossing;
mod mirror;
mod shapes;
mod suspects;
mod tables;
mod traffic;

/// Suspicious ids that are looked at again. There are that many only where something is very wrong; those beyond
/// are judged by the first look, which a desk at rest bears.
pub const MOST_SUSPECTS: usize = 100_000;
/// Findings that are told one by one; the rest is counted.
pub const MOST_FINDINGS: usize = 10_000;
/// How long what is on its way is waited for: the view's promise, which is the longest of those without a fault.
pub const WAIT: Duration = Duration::from_secs(2);
/// How long an order may take to end after the last fault: P9.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

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
        f.pad(match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
            Self::P5 => "P5",
            Self::P6 => "P6",
            Self::P9 => "P9",
        })
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
}

impl Finding {
    fn new(promise: Promise, of: &'static str, id: &str, message: impl Into<String>) -> Self {
        Self { promise, of, id: id.to_owned(), message: message.into() }
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
    /// Promises that do not hold; at most [`MOST_FINDINGS`] of them were told.
    pub violations: u64,
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

/// What is audited.
#[derive(Debug, Clone)]
pub struct Sources {
    /// URL of Order's store.
    pub order: String,
    /// URL of Deposit's store.
    pub deposit: String,
    /// URL of Item's store.
    pub item: String,
    /// The view; `None` if it cannot be seen from here.
    pub view: Option<View>,
    /// Orders that the view keeps at least; beyond that, ended ones may be missing from it.
    pub keep_orders: usize,
    /// How long what is on its way is waited for.
    pub wait: Duration,
    /// What time it is.
    pub now: Timestamp,
}

impl Sources {
    /// The stores that `config` names.
    #[must_use]
    pub fn of(config: &Config, view: Option<View>, wait: Duration, now: Timestamp) -> Self {
        let url = |service| config.store_url(service).map(ToString::to_string).unwrap_or_default();
        Self {
            order: url(Service::Order),
            deposit: url(Service::Deposit),
            item: url(Service::Item),
            view,
            keep_orders: config.view.keep_orders,
            wait,
            now,
        }
    }
}

/// What is known of messages. It changes while the audit waits, so it is asked for at the end.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Messages that wait, by queue; `None` if nobody can tell.
    pub waiting: Option<BTreeMap<String, usize>>,
    /// Orders that parked messages are about. They need not end: an operator sees them.
    pub parked: BTreeSet<String>,
}

/// Audits `sources`; `told` hears each violation as it is certain. `traffic` says what is in queues or parked.
///
/// # Errors
/// [`AuditError`] when a part cannot be read; what was told before it is true all the same.
pub async fn run(
    sources: &Sources,
    traffic: impl AsyncFn() -> Traffic,
    told: impl FnMut(&Finding),
) -> Result<Report, AuditError> {
    let stores = tables::Stores::open(sources)?;
    let mut ledger = Ledger { report: Report::default(), told };
    let mut suspects = suspects::Suspects::default();
    stores.begin()?;
    books::deposit(&stores.deposit, &mut ledger)?;
    books::item(&stores.item, &mut ledger)?;
    crossing::all(&stores, &mut ledger, &mut suspects)?;
    if let Some(view) = &sources.view {
        // A later look at the stores than the snapshot's: whatever the view has, they have.
        stores.end()?;
        stores.begin()?;
        mirror::all(view, &stores, sources.keep_orders, &mut ledger, &mut suspects).await?;
    } else {
        ledger.note("the view was not looked at");
    }
    stores.end()?;
    suspects::reconcile(sources, &stores, suspects, traffic, &mut ledger).await?;
    Ok(ledger.report)
}

/// Where findings and counts go.
struct Ledger<F> {
    report: Report,
    told: F,
}

impl<F: FnMut(&Finding)> Ledger<F> {
    fn violated(&mut self, finding: &Finding) {
        self.report.violations += 1;
        if self.report.violations <= MOST_FINDINGS as u64 {
            (self.told)(finding);
        }
    }

    fn note(&mut self, note: impl Into<String>) {
        self.report.notes.push(note.into());
    }
}
