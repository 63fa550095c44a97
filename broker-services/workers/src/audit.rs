//! The audit: a second opinion on the books, which shares no rule and no parser with the services. What has to hold of
//! money and units is stated in the domain's [`ledger`](skstore_domain::ledger).
//!
//! It reads the stores by their URLs, over connections of its own that cannot write, and the view as any reader
//! does. What it finds:
//!
//! 1. `books`: each store against itself. The log is folded, aggregate by aggregate and in its own order, and
//!    compared with the states that are stored; money and units are added up. One snapshot of a store holds all
//!    of this at any moment, however busy it is, so a difference is a violation.
//! 2. `history` and `crossing`: order by order, each log against its state, and the stores against each other. What
//!    one service has committed the others hear of later, so a difference between stores is only suspicious:
//!    `verdict` looks at it again, until it is gone, or the time is up and nothing has moved and nothing is on its
//!    way that could mend it. A store that was put back to an older copy (`restored`) explains what it has forgotten;
//!    `remedies` says what would settle it.
//! 3. `mirror`: the view against the stores, likewise.
//!
//! Stores are read in the order of their keys, a page at a time: a million orders take no more memory than a
//! thousand. What grows is one number for each account and item, and the suspicious ids, within a bound.
//!
//! It does not look at timelines and the feed of the view, at what is in queues (the operator sees those), nor at
//! promises about time and faults (P7, P8).

use std::time::Duration;

mod books;
mod crossing;
mod history;
mod mirror;
mod remedies;
mod report;
mod restored;
mod shapes;
mod sources;
mod suspects;
mod tables;
mod traffic;
mod verdict;

pub use remedies::{Remedy, Unsettled};
use report::Findings;
pub use report::{AuditError, Finding, MAX_FINDINGS, Promise, Report};
pub use sources::Sources;
use tables::Stores;
pub use traffic::Traffic;
use verdict::Differing;

/// How long what is on its way is waited for: the view's promise, which is the longest of those without a fault.
pub const WAIT: Duration = Duration::from_secs(2);

/// Finds what keeps the stores from being read, before anybody has made one where it is missing.
///
/// # Errors
/// [`AuditError::Store`] names it.
pub fn check(sources: &Sources) -> Result<(), AuditError> {
    Stores::open(sources).map(|_| ())
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
    let stores = Stores::open(sources)?;
    Ok(examine(sources, &stores, traffic, told).await?.0)
}

/// Audits `sources`, and says what would settle each order on which the services differ.
///
/// # Errors
/// As [`run`].
pub async fn unsettled(
    sources: &Sources,
    traffic: impl AsyncFn() -> Traffic,
) -> Result<(Report, Vec<Unsettled>), AuditError> {
    let stores = Stores::open(sources)?;
    let (report, differing) = examine(sources, &stores, traffic, |_| {}).await?;
    Ok((report, remedies::all(&stores, differing)?))
}

async fn examine(
    sources: &Sources,
    stores: &Stores,
    traffic: impl AsyncFn() -> Traffic,
    mut told: impl FnMut(&Finding),
) -> Result<(Report, Vec<Differing>), AuditError> {
    let mut findings = Findings { report: Report::default(), told: &mut told };
    let mut suspects = suspects::Suspects::default();
    stores.begin()?;
    books::deposit(&stores.deposit, &mut findings)?;
    books::item(&stores.item, &mut findings)?;
    crossing::all(stores, &mut findings, &mut suspects)?;
    if let Some(view) = &sources.view {
        // A later look at the stores than the snapshot's: whatever the view has, they have.
        stores.end()?;
        stores.begin()?;
        mirror::all(view, stores, sources.keep_orders, &mut findings, &mut suspects).await?;
    } else {
        findings.note("the view was not looked at");
    }
    stores.end()?;
    let differing = verdict::all(sources, stores, suspects, traffic, &mut findings).await?;
    Ok((findings.report, differing))
}
