//! The view port: what people look at, kept by MyInfo from everyone's events, read by dashboards.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - [`View::apply`] is atomic for its batch and guarded by revisions: repeated, late and reordered writes
//!   change nothing.
//! - A page of orders costs what it shows, not what is stored; a filter without an index says how far it
//!   looked.
//! - A view that lost its contents says [`ViewError::Empty`] to every write until a rebuild has begun.
//! - Between [`View::begin_rebuild`] and [`View::finish_rebuild`] live writes go on; at its end, what neither
//!   the logs nor live writes have named is gone.

use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow, Step, ViewWrite};
use skstore_domain::objects::{Account, Item, OrderStatus};
use skstore_domain::signals::{Beat, BreakerChanged};
use skstore_domain::time::Timestamp;

pub mod embedded;

/// Events that the feed keeps.
pub const FEED_ENTRIES: usize = 10_000;
/// Orders that a filter without an index looks at in one go, newest first.
pub const SCAN_ORDERS: usize = 10_000;
/// Breaker changes kept for each instance.
pub const BREAKER_HISTORY: usize = 100;

/// Why the view does not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ViewError {
    /// It cannot be reached; try again.
    #[error("the view cannot be reached: {0}")]
    Lost(String),
    /// It has lost its contents: rebuild it.
    #[error("the view is empty and has to be rebuilt")]
    Empty,
}

/// Which orders. All given parts must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Indexed.
    pub status: Option<OrderStatus>,
    /// Indexed.
    pub customer: Option<Customer>,
    /// Indexed.
    pub item_id: Option<ItemId>,
    /// Indexed: the id starts with this.
    pub id_prefix: Option<String>,
    /// Scanned: the id, customer, item, its name or the reason contains this, in any case.
    pub text: Option<String>,
}

/// Where a page starts: after this order, in the order newest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The order's `placed_at`.
    pub placed_at: Timestamp,
    /// Its id, where several have the same time.
    pub order_id: OrderId,
}

/// Some orders, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders.
    pub rows: Vec<OrderRow>,
    /// Where the next page starts; absent on the last one.
    pub next: Option<Cursor>,
    /// How many orders were looked at to find them, when no index did it alone.
    pub scanned: Option<usize>,
}

/// An order with all its steps, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub row: OrderRow,
    /// Every step across all services.
    pub timeline: Vec<Step>,
}

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Orders by status, in the order of [`OrderStatus::ALL`].
    pub orders: [u64; OrderStatus::ALL.len()],
    /// Accounts.
    pub accounts: u64,
    /// Items.
    pub items: u64,
    /// Sum of all balances.
    pub balances: Won,
}

/// What the workers last said of themselves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// The last heartbeat of each instance, by service and instance.
    pub services: Vec<Beat>,
    /// The last breaker changes of each instance, newest first.
    pub breaker_changes: Vec<BreakerChanged>,
}

/// A view. Clones share it; any thread may use it.
#[derive(Debug, Clone)]
pub enum View {
    /// In this process's memory.
    Embedded(embedded::EmbeddedView),
}

impl View {
    /// Applies a batch.
    ///
    /// # Errors
    /// [`ViewError::Empty`] when the contents were lost, [`ViewError::Lost`] when it cannot be reached.
    pub async fn apply(&self, writes: &[ViewWrite]) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.apply(writes),
        }
    }

    /// Records a heartbeat. One that is older than the last is ignored.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn beat(&self, beat: &Beat) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.beat(beat),
        }
    }

    /// Records a breaker's change.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn breaker_changed(&self, change: &BreakerChanged) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.breaker_changed(change),
        }
    }

    /// Starts a rebuild: from now on writes are taken, and it is remembered what they name.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn begin_rebuild(&self) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.begin_rebuild(),
        }
    }

    /// Ends a rebuild: removes what nothing named since its beginning.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn finish_rebuild(&self) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.finish_rebuild(),
        }
    }

    /// Orders that match, newest first, from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<OrderPage, ViewError> {
        match self {
            Self::Embedded(view) => view.orders(filter, after, most),
        }
    }

    /// One order with its timeline.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        match self {
            Self::Embedded(view) => view.order(id),
        }
    }

    /// All accounts, by customer; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn accounts(&self, after: Option<&Customer>, most: usize) -> Result<Vec<Account>, ViewError> {
        match self {
            Self::Embedded(view) => view.accounts(after, most),
        }
    }

    /// All items, by id; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn items(&self, after: Option<&ItemId>, most: usize) -> Result<Vec<Item>, ViewError> {
        match self {
            Self::Embedded(view) => view.items(after, most),
        }
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn counts(&self) -> Result<Counts, ViewError> {
        match self {
            Self::Embedded(view) => view.counts(),
        }
    }

    /// What the workers last said of themselves.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn health(&self) -> Result<Health, ViewError> {
        match self {
            Self::Embedded(view) => view.health(),
        }
    }

    /// The newest feed entries after the `after`-th since the view began, oldest first, at most `most` (the
    /// newest if there are more), and the number of the last one.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn feed(&self, after: u64, most: usize) -> Result<(Vec<FeedEntry>, u64), ViewError> {
        match self {
            Self::Embedded(view) => view.feed(after, most),
        }
    }

    /// Tells when something has changed. Each call of [`Changes::changed`] waits for the next change after
    /// the last one it told of.
    #[must_use]
    pub fn changes(&self) -> Changes {
        match self {
            Self::Embedded(view) => Changes(view.changes()),
        }
    }
}

/// Pushes changes of a view to a reader.
#[derive(Debug)]
pub struct Changes(tokio::sync::watch::Receiver<u64>);

impl Changes {
    /// Waits for the next change; never returns once the view is gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
