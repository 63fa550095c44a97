//! The view port: what people look at, kept by MyInfo from everyone's events, read by dashboards.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - [`View::apply`] is atomic for its batch and guarded by revisions: repeated, late and reordered writes
//!   change nothing.
//! - A page of orders costs what it shows, not what is stored; a filter without an index says how far it
//!   looked.
//! - A view that lost its contents says [`ViewError::Empty`] to every write until a rebuild has begun.
//! - Between [`View::begin_rebuild`] and [`View::finish_rebuild`] live writes go on, and what is written replaces what
//!   is there at the same revision, which somebody may have altered; at its end, what neither the logs nor live
//!   writes have told is gone, also what stands there at a revision that nobody told.
//! - A rebuild ends only itself: one that another has begun after is not its to sweep.

use std::collections::BTreeSet;
use std::time::Duration;

use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow, Step, ViewWrite};
use skstore_domain::objects::{Account, Item, OrderStatus};
use skstore_domain::signals::{Beat, BreakerChanged};
use skstore_domain::time::Timestamp;

use crate::config::ViewUrl;

pub mod embedded;
mod matching;
pub mod redis;
mod steps;

/// Events that the feed keeps.
pub const FEED_ENTRIES: usize = 10_000;
/// Orders that a filter without an index looks at in one go, newest first.
pub const SCAN_ORDERS: usize = 10_000;
/// Breaker changes kept for each instance.
pub const BREAKER_HISTORY: usize = 100;

/// Steps kept of one order, the latest. The rules allow it about a dozen; only a broken sender has more.
const STEPS_PER_ORDER: usize = 64;

/// Order ids whose payment or steps came before their order. Order goes on taking orders until 100,000 of its
/// events are unsent, so as many may be told of by others first.
const WAITING_ORDERS: usize = 100_000;

/// Forgotten orders that are remembered by id, so that a late repetition does not bring them back: more than
/// the messages a consumer has in hand, which is what a lost connection repeats.
const FORGOTTEN_IDS: usize = 10_000;

/// An instance that says nothing while the others go on for so long is gone: a minute, 60 beats.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// Instances kept, of workers and of breakers each; then the longest silent is forgotten. Far more than run at
/// once; a worker that crashes every second leaves 60 in [`SILENT_FOR`].
const INSTANCES: usize = 256;

/// Why the view does not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ViewError {
    /// It cannot be reached; try again.
    #[error("the view cannot be reached: {0}")]
    Lost(String),
    /// It has lost its contents: rebuild it.
    #[error("the view is empty and has to be rebuilt")]
    Empty,
    /// Somebody else wrote under its keys what it can do nothing with: [`View::clear_foreign`], then rebuild it. The sentence
    /// names the key and the remedy.
    #[error("{0}")]
    Foreign(String),
}

/// How the end of a rebuild went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swept {
    /// The view is what was told since the rebuild began.
    Whole,
    /// It is, but for what had a revision that nobody told: that kept out what the logs have, and is gone now. The rebuild
    /// still runs: begin it again, so that the logs are told once more.
    Disputed,
    /// Another rebuild has begun since, or none runs: nothing was removed on behalf of this one.
    Superseded,
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
    /// Items that `text` means by names that orders do not carry: an order of one of them matches it as well.
    pub text_means: BTreeSet<ItemId>,
}

/// Where a page starts: after this order, in the order newest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The order's `placed_at`.
    pub placed_at: Timestamp,
    /// Its id, where several have the same time.
    pub order_id: OrderId,
}

/// Which way orders are looked at from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    /// To the next page.
    Older,
    /// To the page before.
    Newer,
}

/// Some orders, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders.
    pub rows: Vec<OrderRow>,
    /// Where the next page starts; absent on the last one. Of [`View::orders_before`]: where the page above ends;
    /// absent on the first one.
    pub next: Option<Cursor>,
    /// How many orders were looked at to find them, when no index did it alone.
    pub scanned: Option<usize>,
    /// Members of the index on the way that are no orders: somebody else put them there.
    pub strays: usize,
}

/// An order with all its steps, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub row: OrderRow,
    /// Every step across all services.
    pub timeline: Vec<Step>,
}

/// What a view knows of its rebuilds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilds {
    /// The number of the last that has begun, larger than that of the one before; 0 if none has.
    pub last: u64,
    /// Whether that one goes on.
    pub is_running: bool,
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

/// See [`View::written`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written(String);

/// A view. Clones share it; any thread may use it.
#[derive(Debug, Clone)]
pub enum View {
    /// In this process's memory.
    Embedded(embedded::EmbeddedView),
    /// In Redis.
    Redis(redis::RedisView),
}

impl View {
    /// The view that the settings name. Nothing is connected until it is used.
    ///
    /// # Errors
    /// [`ViewError::Lost`] when there can be none at that URL.
    pub fn open(url: &ViewUrl, keep_orders: usize) -> Result<Self, ViewError> {
        match url {
            ViewUrl::Embedded => Ok(Self::Embedded(embedded::EmbeddedView::new(keep_orders))),
            ViewUrl::Redis(address) => {
                redis::RedisView::at(address, redis::PREFIX, keep_orders).map(Self::Redis)
            }
        }
    }

    /// Applies a batch: all of it or, of what is in it several times, what that comes to.
    ///
    /// # Errors
    /// [`ViewError::Empty`] when the contents were lost, [`ViewError::Lost`] when it cannot be reached.
    pub async fn apply(&self, writes: &[ViewWrite]) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.apply(writes),
            Self::Redis(view) => view.apply(writes).await,
        }
    }

    /// Records a heartbeat. One that is older than the last is ignored.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn beat(&self, beat: &Beat) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.beat(beat),
            Self::Redis(view) => view.beat(beat).await,
        }
    }

    /// Records a breaker's change.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn breaker_changed(&self, change: &BreakerChanged) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.breaker_changed(change),
            Self::Redis(view) => view.breaker_changed(change).await,
        }
    }

    /// Removes what somebody else wrote under the view's keys and it can do nothing with. How many keys there were. Only for
    /// those who were asked to rebuild the view: whose it is nobody knows.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn clear_foreign(&self) -> Result<usize, ViewError> {
        match self {
            Self::Embedded(_) => Ok(0),
            Self::Redis(view) => view.clear_foreign().await,
        }
    }

    /// Starts a rebuild: from now on writes are taken, and it is remembered what they tell. Returns its number, larger than
    /// that of the one before, with which it is finished.
    ///
    /// # Errors
    /// [`ViewError::Lost`], [`ViewError::Foreign`].
    pub async fn begin_rebuild(&self) -> Result<u64, ViewError> {
        match self {
            Self::Embedded(view) => view.begin_rebuild(),
            Self::Redis(view) => view.begin_rebuild().await,
        }
    }

    /// Ends the rebuild `number`: removes what nothing told since its beginning. To be called once every log was told to its
    /// end.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn finish_rebuild(&self, number: u64) -> Result<Swept, ViewError> {
        match self {
            Self::Embedded(view) => view.finish_rebuild(number),
            Self::Redis(view) => view.finish_rebuild(number).await,
        }
    }

    /// Whether the view is being rebuilt.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn rebuilds(&self) -> Result<Rebuilds, ViewError> {
        match self {
            Self::Embedded(view) => view.rebuilds(),
            Self::Redis(view) => view.rebuilds().await,
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
            Self::Redis(view) => view.orders(filter, after, most).await,
        }
    }

    /// The page above: the orders that match and come just before `before` in the order newest first, at most
    /// `most`, also newest first; the oldest of all without `before`. Its `next` is the place before which the
    /// page above it ends.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn orders_before(
        &self,
        filter: &OrderFilter,
        before: Option<&Cursor>,
        most: usize,
    ) -> Result<OrderPage, ViewError> {
        match self {
            Self::Embedded(view) => view.orders_before(filter, before, most),
            Self::Redis(view) => view.orders_before(filter, before, most).await,
        }
    }

    /// One order with its timeline.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        match self {
            Self::Embedded(view) => view.order(id),
            Self::Redis(view) => view.order(id).await,
        }
    }

    /// All accounts, by customer; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn accounts(&self, after: Option<&Customer>, most: usize) -> Result<Vec<Account>, ViewError> {
        match self {
            Self::Embedded(view) => view.accounts(after, most),
            Self::Redis(view) => view.accounts(after, most).await,
        }
    }

    /// All items, by id; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn items(&self, after: Option<&ItemId>, most: usize) -> Result<Vec<Item>, ViewError> {
        match self {
            Self::Embedded(view) => view.items(after, most),
            Self::Redis(view) => view.items(after, most).await,
        }
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn counts(&self) -> Result<Counts, ViewError> {
        match self {
            Self::Embedded(view) => view.counts(),
            Self::Redis(view) => view.counts().await,
        }
    }

    /// When something was last heard of the workers: their newest heartbeat, else, once those are forgotten, the newest
    /// event. `None` if nothing was.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn heard_at(&self) -> Result<Option<Timestamp>, ViewError> {
        let beat = self.health().await?.services.iter().map(|beat| beat.at).max();
        let event = self.newest_event_at().await?;
        Ok(beat.max(event))
    }

    /// When the newest event happened, if any has.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn newest_event_at(&self) -> Result<Option<Timestamp>, ViewError> {
        let (events, _) = self.feed(0, 1).await?;
        Ok(events.last().map(|event| event.at))
    }

    /// Marks what is there, but for heartbeats: while the mark is the same, so is that. Ask for it
    /// before you read. None where nothing is known of it.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn written(&self) -> Result<Option<Written>, ViewError> {
        match self {
            Self::Embedded(view) => Ok(Some(view.written())),
            Self::Redis(view) => view.written().await,
        }
    }

    /// What the workers last said of themselves.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn health(&self) -> Result<Health, ViewError> {
        match self {
            Self::Embedded(view) => view.health(),
            Self::Redis(view) => view.health().await,
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
            Self::Redis(view) => view.feed(after, most).await,
        }
    }

    /// Tells when something has changed. Each call of [`Changes::changed`] waits for the next change after
    /// the last one it told of.
    #[must_use]
    pub fn changes(&self) -> Changes {
        match self {
            Self::Embedded(view) => Changes(view.changes()),
            Self::Redis(view) => Changes(view.changes()),
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
