//! The view port: what people look at, kept by MyInfo from everyone's events, read by dashboards.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - [`View::apply`] is atomic for each piece of its batch, and a batch cut short is completed by applying it again. It
//!   is guarded by revisions: repeated, late and reordered writes change nothing.
//! - A page of orders costs what it shows, not what is stored; a filter without an index says how far it
//!   looked.
//! - A view that lost its contents says [`ViewError::Empty`] to every write until a rebuild has begun.
//! - Between [`View::begin_rebuild`] and [`View::finish_rebuild`] live writes go on, and what is written replaces what
//!   is there at the same revision, which somebody may have altered; at its end, what neither the logs nor live
//!   writes have told is gone, also what stands there at a revision that nobody told.
//! - A rebuild ends only itself: one that another has begun after is not its to sweep.
//! - It keeps a checkpoint of each log beside what the log told, and loses both together: what a checkpoint says was applied
//!   is there.

use skstore_domain::checkpoint::Advance;
use skstore_domain::events::Source;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::myinfo::{FeedEntry, ViewWrite};
use skstore_domain::objects::{Account, Item};
use skstore_domain::signals::{Beat, BreakerChanged};
use skstore_domain::time::Timestamp;

use crate::config::ViewUrl;

pub(crate) mod asked;
pub(crate) mod attached;
mod bounds;
pub mod embedded;
mod matching;
mod orders;
pub mod redis;
mod status;
mod steps;

pub use bounds::{BREAKER_HISTORY, FEED_ENTRIES, SCAN_ORDERS};
pub use orders::{Cursor, OrderDetail, OrderFilter, OrderPage};
pub use status::{Checkpoints, Counts, Health, Rebuilds, Swept, ViewError, Written};

/// A view. Clones share it; any thread may use it.
#[derive(Debug, Clone)]
pub enum View {
    /// In this process's memory.
    Embedded(embedded::EmbeddedView),
    /// In Redis.
    Redis(redis::RedisView),
    /// In the memory of the process that has the workers; only read.
    Attached(attached::AttachedView),
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
            Self::Attached(_) => Err(attached::only_read()),
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
            Self::Attached(_) => Err(attached::only_read()),
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
            Self::Attached(_) => Err(attached::only_read()),
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
            Self::Attached(_) => Err(attached::only_read()),
        }
    }

    /// Starts a rebuild: from now on writes are taken, and it is remembered what they tell. Returns its number, larger than
    /// that of the one before, with which it is finished.
    ///
    /// # Errors
    /// [`ViewError::Lost`], [`ViewError::Foreign`].
    pub async fn begin_rebuild(&self) -> Result<u64, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.begin_rebuild()),
            Self::Redis(view) => view.begin_rebuild().await,
            Self::Attached(_) => Err(attached::only_read()),
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
            Self::Attached(_) => Err(attached::only_read()),
        }
    }

    /// Whether the view is being rebuilt.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn rebuilds(&self) -> Result<Rebuilds, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.rebuilds()),
            Self::Redis(view) => view.rebuilds().await,
            Self::Attached(view) => view.rebuilds().await,
        }
    }

    /// Says of the logs that more of them was applied, or told; to be called once it was.
    ///
    /// # Errors
    /// As [`View::apply`].
    pub async fn advance(&self, advances: &[(Source, Advance)]) -> Result<(), ViewError> {
        match self {
            Self::Embedded(view) => view.advance(advances),
            Self::Redis(view) => view.advance(advances).await,
            Self::Attached(_) => Err(attached::only_read()),
        }
    }

    /// How much of each log was applied; nothing of those that no rebuild has heard.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn checkpoints(&self) -> Result<Checkpoints, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.checkpoints()),
            Self::Redis(view) => view.checkpoints().await,
            Self::Attached(view) => view.checkpoints().await,
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
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.orders(filter, after, max)),
            Self::Redis(view) => view.orders(filter, after, max).await,
            Self::Attached(view) => view.orders(filter, after, max).await,
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
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.orders_before(filter, before, max)),
            Self::Redis(view) => view.orders_before(filter, before, max).await,
            Self::Attached(view) => view.orders_before(filter, before, max).await,
        }
    }

    /// One order with its timeline.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.order(id)),
            Self::Redis(view) => view.order(id).await,
            Self::Attached(view) => view.order(id).await,
        }
    }

    /// All accounts, by customer; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn accounts(&self, after: Option<&Customer>, max: usize) -> Result<Vec<Account>, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.accounts(after, max)),
            Self::Redis(view) => view.accounts(after, max).await,
            Self::Attached(view) => view.accounts(after, max).await,
        }
    }

    /// All items, by id; from after `after`, at most `most`.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn items(&self, after: Option<&ItemId>, max: usize) -> Result<Vec<Item>, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.items(after, max)),
            Self::Redis(view) => view.items(after, max).await,
            Self::Attached(view) => view.items(after, max).await,
        }
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn counts(&self) -> Result<Counts, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.counts()),
            Self::Redis(view) => view.counts().await,
            Self::Attached(view) => view.counts().await,
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
            Self::Attached(view) => view.written().await,
        }
    }

    /// What the workers last said of themselves.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn health(&self) -> Result<Health, ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.health()),
            Self::Redis(view) => view.health().await,
            Self::Attached(view) => view.health().await,
        }
    }

    /// The newest feed entries after the `after`-th since the view began, oldest first, at most `most` (the
    /// newest if there are more), and the number of the last one.
    ///
    /// # Errors
    /// [`ViewError::Lost`].
    pub async fn feed(&self, after: u64, max: usize) -> Result<(Vec<FeedEntry>, u64), ViewError> {
        match self {
            Self::Embedded(view) => Ok(view.feed(after, max)),
            Self::Redis(view) => view.feed(after, max).await,
            Self::Attached(view) => view.feed(after, max).await,
        }
    }

    /// Tells when something has changed. Each call of [`Changes::changed`] waits for the next change after
    /// the last one it told of.
    #[must_use]
    pub fn changes(&self) -> Changes {
        match self {
            Self::Embedded(view) => Changes(view.changes()),
            Self::Redis(view) => Changes(view.changes()),
            Self::Attached(view) => Changes(view.changes()),
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
