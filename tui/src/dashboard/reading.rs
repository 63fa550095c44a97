//! When the view is read, and what of it: at once when something else is wanted, after a change not too often and only
//! what may have changed, after a failure later and later.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use skstore_domain::ids::Customer;
use skstore_workers::desk::view::{Health, OrderFilter, OrderPage, View, ViewError, Written};
use tokio::time::Instant;

use super::message::{Found, ListFound, Pickers, Query, Snapshot, Start, Wanted};
use super::screens::accounts::state::just_before;
use super::screens::events::state::EVENTS_READ;
use super::screens::orders::state::WINDOW_ROWS;
use super::table::listing::LISTED_ROWS;
use crate::text::names::KNOWN_ITEMS;

/// A view that has not answered within this is lost: many times what the slowest read takes.
pub(super) const READ_WITHIN: Duration = Duration::from_secs(5);
/// How long is waited after the first read that failed. Each further one doubles it.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// How long is waited at most: a person looks at a countdown meanwhile.
const MAX_RETRY: Duration = Duration::from_secs(5);
/// How long items are known by the names that were read, if there are no other items: names hardly ever change.
pub const NAMES_FOR: Duration = Duration::from_secs(10);
/// For how long heartbeats alone are no reason to read what workers say of themselves again. A little less than between
/// two of one worker, so that one read a second keeps step with them, however many workers there are.
const HEALTH_FOR: Duration = Duration::from_millis(900);
/// A heartbeat that was no reason to read is read after this, if no other one came: the last of all workers may have been.
const HEALTH_LATEST: Duration = Duration::from_secs(2);
/// Accounts that forms can pick from: more than one scrolls through; beyond, names can be typed.
const PICKABLE: usize = 1000;
/// Orders of the selected account or item that are shown beside it: as many as the tallest screen has rows.
const ORDERS_BESIDE: usize = 100;

/// What a read has found.
#[derive(Debug)]
pub(super) enum Reading {
    /// All that is wanted, and the view's mark just before.
    Whole(Box<Snapshot>, Option<Written>),
    /// Only what workers say of themselves: nothing else has changed.
    Health(Health),
    /// Nothing has changed but what need not be read yet.
    Nothing,
}

/// The reads of one dashboard. At most one is on its way.
pub(super) struct Reads {
    due: Option<Instant>,
    is_reading: bool,
    last: Instant,
    /// How long to wait after the next failure; absent while reads succeed.
    backoff: Option<Duration>,
    /// How often a view that keeps changing is read.
    every: Duration,
    /// The view's mark when what is on the screen was read, as long as nothing else was wanted.
    shown: Option<Written>,
    /// When it was read what workers say of themselves.
    health_at: Option<Instant>,
    /// When that is read again in any case.
    health_due: Option<Instant>,
    /// When items were read last, and how many there were.
    items: Option<(Instant, u64)>,
}

impl Reads {
    /// The first is due now; one of a view that keeps changing, `every` so often.
    pub(super) const fn new(now: Instant, every: Duration) -> Self {
        Self {
            due: Some(now),
            is_reading: false,
            last: now,
            backoff: None,
            every,
            shown: None,
            health_at: None,
            health_due: None,
            items: None,
        }
    }

    /// Whether a change could make a read due that is not due already.
    pub(super) const fn may_be_due(&self) -> bool {
        self.due.is_none()
    }

    /// Something in the view has changed.
    pub(super) fn changed(&mut self, now: Instant) {
        self.due = self.due.or(Some(now.max(self.last + self.every)));
    }

    /// Something else is to be on the screen.
    pub(super) fn wanted(&mut self, now: Instant) {
        self.shown = None;
        if self.backoff.is_none() {
            self.due = Some(now);
        }
    }

    /// Returns when a read is due and none is on its way.
    pub(super) async fn due(&self) {
        match self.due.into_iter().chain(self.health_due).min() {
            Some(due) if !self.is_reading => tokio::time::sleep_until(due).await,
            Some(_) | None => std::future::pending().await,
        }
    }

    /// A read of what is wanted. Hand what it finds to [`Self::succeeded`] or [`Self::failed`].
    pub(super) fn start(
        &mut self,
        now: Instant,
        view: View,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Reading, ViewError>> + use<> {
        (self.due, self.health_due, self.is_reading, self.last) = (None, None, true, now);
        let known = self.items.filter(|(at, _)| now - *at < NAMES_FOR).map(|(_, count)| count);
        let is_health_known = self.health_at.is_some_and(|at| now - at < HEALTH_FOR);
        let shown = self.shown.clone();
        async move {
            let reading = read(&view, wanted, known, shown, is_health_known);
            tokio::time::timeout(READ_WITHIN, reading).await.unwrap_or_else(|_| Err(late()))
        }
    }

    /// A read has found something; `wanted` is what is wanted by now.
    pub(super) fn succeeded(&mut self, now: Instant, reading: &Reading, wanted: &Wanted) {
        (self.is_reading, self.backoff) = (false, None);
        match reading {
            Reading::Whole(snapshot, written) => {
                self.health_at = Some(now);
                // What is not wanted any more is not shown.
                self.shown = written.clone().filter(|_| snapshot.wanted == *wanted);
                if snapshot.items.is_some() {
                    self.items = Some((now, snapshot.counts.items));
                }
            }
            Reading::Health(_) => self.health_at = Some(now),
            Reading::Nothing => self.health_due = self.health_at.map(|at| at + HEALTH_LATEST),
        }
    }

    /// A read has failed. Returns how long is waited now.
    pub(super) fn failed(&mut self, now: Instant) -> Duration {
        let wait = self.backoff.map_or(RETRY_FIRST, |last| (last * 2).min(MAX_RETRY));
        (self.is_reading, self.backoff, self.due) = (false, Some(wait), Some(now + wait));
        // What comes back may be another view.
        (self.shown, self.health_at) = (None, None);
        wait
    }
}

/// A read that took longer than [`READ_WITHIN`].
pub(super) fn late() -> ViewError {
    ViewError::Lost(format!("no answer within {} s", READ_WITHIN.as_secs()))
}

/// Why the view cannot be read, in a sentence.
pub(super) fn cause(error: ViewError) -> String {
    match error {
        ViewError::Lost(cause) | ViewError::Foreign(cause) => cause,
        ViewError::Empty => ViewError::Empty.to_string(),
    }
}

/// Reads what is wanted, and the items unless they are known, as many as `known`. What is `shown` is not read again if
/// it has not changed: hundreds of orders with each heartbeat would not be cheap.
async fn read(
    view: &View,
    wanted: Wanted,
    known: Option<u64>,
    shown: Option<Written>,
    is_health_known: bool,
) -> Result<Reading, ViewError> {
    let written = view.written().await?;
    if shown.is_some() && written == shown {
        return if is_health_known { Ok(Reading::Nothing) } else { view.health().await.map(Reading::Health) };
    }
    let found = find(view, &wanted.query).await?;
    let detail = match &wanted.detail {
        Some(id) => view.order(id).await?,
        None => None,
    };
    let pickers = match &wanted.pickers {
        Some(typed) => Some(pickers(view, typed).await?),
        None => None,
    };
    // Counted before they are read: one that is listed in between is missed by the count, and is read again.
    let (counts, health) = (view.counts().await?, view.health().await?);
    let last_event = if health.services.is_empty() { view.newest_event_at().await? } else { None };
    let items = if wanted.pickers.is_some() || known != Some(counts.items) {
        Some(view.items(None, KNOWN_ITEMS).await?)
    } else {
        None
    };
    let snapshot = Snapshot { wanted, found, detail, counts, health, last_event, items, pickers };
    Ok(Reading::Whole(Box::new(snapshot), written))
}

/// What a tab needs of the view.
async fn find(view: &View, query: &Query) -> Result<Found, ViewError> {
    match query {
        Query::Nothing => Ok(Found::Nothing),
        Query::Orders(query) => {
            let filter = &query.filter;
            let page = match &query.start {
                Start::Newest => view.orders(filter, None, WINDOW_ROWS).await,
                Start::After(place) => view.orders(filter, Some(place), WINDOW_ROWS).await,
                Start::Before(place) => view.orders_before(filter, Some(place), WINDOW_ROWS).await,
                Start::Oldest => view.orders_before(filter, None, WINDOW_ROWS).await,
            };
            page.map(Found::Orders)
        }
        Query::Accounts(query) => {
            let rows = view.accounts(query.after.as_ref(), LISTED_ROWS).await?;
            let filter = |customer| OrderFilter { customer: Some(customer), ..OrderFilter::default() };
            list_found(view, rows, query.orders_of.clone().map(filter)).await.map(Found::Accounts)
        }
        Query::Items(query) => {
            let rows = view.items(query.after.as_ref(), LISTED_ROWS).await?;
            let filter = |item_id| OrderFilter { item_id: Some(item_id), ..OrderFilter::default() };
            list_found(view, rows, query.orders_of.clone().map(filter)).await.map(Found::Items)
        }
        Query::Events => {
            let (mut entries, _) = view.feed(0, EVENTS_READ).await?;
            entries.reverse();
            Ok(Found::Events(entries))
        }
    }
}

/// The rows of a list, with the newest orders that match if a filter is given.
async fn list_found<T>(
    view: &View,
    rows: Vec<T>,
    filter: Option<OrderFilter>,
) -> Result<ListFound<T>, ViewError> {
    let orders = match filter {
        Some(filter) => view.orders(&filter, None, ORDERS_BESIDE).await?,
        None => OrderPage::default(),
    };
    Ok(ListFound { has_more: rows.len() >= LISTED_ROWS, rows, orders })
}

/// The first accounts, and those from `typed` on if there are more than the first.
async fn pickers(view: &View, typed: &str) -> Result<Pickers, ViewError> {
    let mut accounts = view.accounts(None, PICKABLE).await?;
    let has_more_accounts = accounts.len() >= PICKABLE;
    if has_more_accounts && let Some(before) = just_before(typed) {
        let first: BTreeSet<Customer> = accounts.iter().map(|account| account.customer.clone()).collect();
        let from_typed = view.accounts(Some(&before), PICKABLE).await?;
        accounts.extend(from_typed.into_iter().filter(|account| !first.contains(&account.customer)));
    }
    Ok(Pickers { accounts, has_more_accounts })
}
