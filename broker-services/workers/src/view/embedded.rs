//! The view in the memory of one process, shared by its threads.
//!
//! Writers apply batches, readers draw pages; both hold one lock, neither for long: what may take long (a
//! filter without an index, the end of a rebuild) is done in pieces and lets others in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, ViewWrite, coalesce};
use skstore_domain::objects::{Account, Item, OrderStatus};
use skstore_domain::signals::{Beat, BreakerChanged};
use tokio::sync::watch;

use self::epoch::{Epoch, Removed};
use self::feed::Feed;
use self::instances::Instances;
use self::newest::{Newest, Put};
use self::orders::Orders;
use super::bounds::SCAN_ORDERS;
use super::matching::Wanted;
use super::orders::Towards;
use super::{
    Counts, Cursor, Health, OrderDetail, OrderFilter, OrderPage, Rebuilds, Swept, ViewError, Written,
};

mod compact;
mod epoch;
mod feed;
mod indexes;
mod instances;
mod newest;
mod orders;
mod record;
mod search;
mod slab;

/// Orders looked at before the lock is let go: a fraction of a millisecond.
const LOOK_AT_ONCE: usize = 1000;

/// Objects swept before the lock is let go. Removing one costs about ten times as much as looking at it.
const SWEEP_AT_ONCE: usize = 100;

/// The embedded view. Clones share it; any thread may use it.
///
/// It starts without contents: every write is refused with [`ViewError::Empty`] until
/// [`EmbeddedView::begin_rebuild`] was called once; reads show what is there.
///
/// Memory is bounded by `keep_orders`: beyond it the oldest orders that have ended are forgotten with all that
/// belongs to them. Payments and steps may come before their order; those whose order never comes are bounded
/// too, the longest waiting goes first (100,000, while a rebuild runs `keep_orders` if that is more).
#[derive(Clone)]
pub struct EmbeddedView(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    changed: watch::Sender<u64>,
    /// Changes of anything but what workers say of themselves.
    written: AtomicU64,
}

struct State {
    orders: Orders,
    accounts: Newest<Customer, Account>,
    items: Newest<ItemId, Item>,
    /// Sum of all balances. Wide enough for any number of accounts.
    balances: i128,
    feed: Feed,
    instances: Instances,
    /// 0 until the first rebuild has begun.
    epoch: Epoch,
    rebuilding: bool,
    /// Whether the sweep of this rebuild has removed what is to be told again.
    is_disputed: bool,
}

impl EmbeddedView {
    /// An empty view that keeps about `keep_orders` orders.
    #[must_use]
    pub fn new(keep_orders: usize) -> Self {
        let state = State {
            orders: Orders::new(keep_orders),
            accounts: Newest::new(),
            items: Newest::new(),
            balances: 0,
            feed: Feed::default(),
            instances: Instances::default(),
            epoch: 0,
            rebuilding: false,
            is_disputed: false,
        };
        Self(Arc::new(Shared {
            state: RwLock::new(state),
            changed: watch::Sender::new(0),
            written: AtomicU64::new(0),
        }))
    }

    /// A view that takes whatever comes last for the newest: a mistake that a simulation must notice.
    #[cfg(feature = "simulation")]
    #[must_use]
    pub fn without_guards(keep_orders: usize) -> Self {
        let view = Self::new(keep_orders);
        view.lock().orders.is_guarded = false;
        view
    }

    /// See [`View::apply`](super::View::apply).
    ///
    /// # Errors
    /// [`ViewError::Empty`] before the first rebuild has begun.
    pub fn apply(&self, writes: &[ViewWrite]) -> Result<(), ViewError> {
        let writes = coalesce(writes);
        self.write(|state| writes.iter().fold(false, |changed, write| state.put(write) | changed))
    }

    /// See [`View::beat`](super::View::beat).
    ///
    /// # Errors
    /// As [`EmbeddedView::apply`].
    pub fn beat(&self, beat: &Beat) -> Result<(), ViewError> {
        self.hear(|state| state.instances.beat(beat))
    }

    /// See [`View::breaker_changed`](super::View::breaker_changed).
    ///
    /// # Errors
    /// As [`EmbeddedView::apply`].
    pub fn breaker_changed(&self, change: &BreakerChanged) -> Result<(), ViewError> {
        self.write(|state| state.instances.breaker_changed(change))
    }

    /// See [`View::begin_rebuild`](super::View::begin_rebuild). While one runs it starts over.
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn begin_rebuild(&self) -> Result<u64, ViewError> {
        let mut state = self.lock();
        state.epoch += 1;
        state.rebuilding = true;
        state.is_disputed = false;
        state.orders.begin_rebuild();
        Ok(u64::from(state.epoch))
    }

    /// See [`View::finish_rebuild`](super::View::finish_rebuild).
    ///
    /// # Errors
    /// As [`EmbeddedView::apply`].
    pub fn finish_rebuild(&self, number: u64) -> Result<Swept, ViewError> {
        let (mut sweep, mut swept) = (Sweep::default(), Swept::Superseded);
        while !sweep.done {
            self.write(|state| {
                if u64::from(state.epoch) != number || !state.rebuilding {
                    (sweep.done, swept) = (true, Swept::Superseded);
                    return false;
                }
                let removed = state.sweep(&mut sweep);
                swept = if state.rebuilding { Swept::Disputed } else { Swept::Whole };
                removed
            })?;
        }
        Ok(swept)
    }

    /// See [`View::rebuilds`](super::View::rebuilds).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn rebuilds(&self) -> Result<Rebuilds, ViewError> {
        let state = self.read();
        Ok(Rebuilds { last: u64::from(state.epoch), is_running: state.rebuilding })
    }

    /// See [`View::orders`](super::View::orders). A page that has to scan is read in pieces, and may show
    /// what was written in between.
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<&Cursor>,
        most: usize,
    ) -> Result<OrderPage, ViewError> {
        Ok(self.page(filter, after, Towards::Older, most))
    }

    /// See [`View::orders_before`](super::View::orders_before).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn orders_before(
        &self,
        filter: &OrderFilter,
        before: Option<&Cursor>,
        most: usize,
    ) -> Result<OrderPage, ViewError> {
        let mut page = self.page(filter, before, Towards::Newer, most);
        page.rows.reverse();
        Ok(page)
    }

    /// Rows in the order in which they are walked.
    fn page(&self, filter: &OrderFilter, from: Option<&Cursor>, towards: Towards, most: usize) -> OrderPage {
        let wanted = Wanted::new(filter);
        let mut page = OrderPage { next: from.cloned(), ..OrderPage::default() };
        let mut looked = 0;
        while page.rows.len() < most {
            // An index alone may fill a page of any size; a scan ends.
            let scan_left = SCAN_ORDERS.saturating_sub(looked);
            let most_looked = if scan_left == 0 { LOOK_AT_ONCE } else { scan_left.min(LOOK_AT_ONCE) };
            let most_rows = most - page.rows.len();
            let look = self.read().orders.look(&wanted, page.next.as_ref(), towards, most_rows, most_looked);
            page.rows.extend(look.rows);
            looked += look.looked;
            page.next = look.last.filter(|_| look.more);
            if page.next.is_none() || (looked > page.rows.len() && looked >= SCAN_ORDERS) {
                break;
            }
        }
        page.scanned = (looked > page.rows.len()).then_some(looked);
        page
    }

    /// See [`View::order`](super::View::order).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        Ok(self.read().orders.detail(id))
    }

    /// See [`View::accounts`](super::View::accounts).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn accounts(&self, after: Option<&Customer>, most: usize) -> Result<Vec<Account>, ViewError> {
        Ok(self.read().accounts.page(after, most))
    }

    /// See [`View::items`](super::View::items).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn items(&self, after: Option<&ItemId>, most: usize) -> Result<Vec<Item>, ViewError> {
        Ok(self.read().items.page(after, most))
    }

    /// See [`View::counts`](super::View::counts). Kept up with every write, so asking costs nothing.
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn counts(&self) -> Result<Counts, ViewError> {
        Ok(self.read().counts())
    }

    /// See [`View::health`](super::View::health).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn health(&self) -> Result<Health, ViewError> {
        Ok(self.read().instances.health())
    }

    /// See [`View::feed`](super::View::feed).
    ///
    /// # Errors
    /// None; the port's other adapters have some.
    pub fn feed(&self, after: u64, most: usize) -> Result<(Vec<FeedEntry>, u64), ViewError> {
        Ok(self.read().feed.since(after, most))
    }

    /// See [`View::changes`](super::View::changes). The number counts batches that changed something.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// See [`View::written`](super::View::written).
    #[must_use]
    pub fn written(&self) -> Written {
        Written(self.0.written.load(Ordering::Acquire).to_string())
    }

    /// As [`Self::hear`], for all but heartbeats.
    fn write(&self, change: impl FnOnce(&mut State) -> bool) -> Result<(), ViewError> {
        self.hear(|state| {
            let changed = change(state);
            if changed {
                self.0.written.fetch_add(1, Ordering::Release);
            }
            changed
        })
    }

    /// Lets `change` write, and tells the readers if it says that it changed something.
    fn hear(&self, change: impl FnOnce(&mut State) -> bool) -> Result<(), ViewError> {
        let changed = {
            let mut state = self.lock();
            if state.epoch == 0 {
                return Err(ViewError::Empty);
            }
            change(&mut state)
        };
        if changed {
            self.0.changed.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    // Nothing in here panics on what it is handed. Should it ever, the view is at worst stale in one object and
    // a rebuild mends it; refusing every later frame would not.
    fn lock(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for EmbeddedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("EmbeddedView").field(&self.read().counts()).finish()
    }
}

/// How far the end of a rebuild has come.
#[derive(Debug, Default)]
struct Sweep {
    stage: Stage,
    done: bool,
}

#[derive(Debug)]
enum Stage {
    Orders(usize),
    Accounts(Option<Customer>),
    Items(Option<ItemId>),
    Waiting,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Orders(0)
    }
}

impl State {
    /// Applies one write. Whether it changed anything.
    fn put(&mut self, write: &ViewWrite) -> bool {
        let (epoch, rebuilding) = (self.epoch, self.rebuilding);
        match write {
            ViewWrite::Order(order) => self.orders.put_order(order, epoch, rebuilding),
            ViewWrite::Payment(payment) => self.orders.put_payment(payment, epoch, rebuilding),
            ViewWrite::Step(id, step) => self.orders.put_step(id, step, epoch, rebuilding),
            ViewWrite::Happened(id, step, entry) => {
                let is_new_step = self.orders.put_step(id, step, epoch, rebuilding);
                self.feed.push(entry) || is_new_step
            }
            ViewWrite::Account(account) => self.put_account(account),
            ViewWrite::Item(item) => {
                self.items.put(&item.item_id, item, |item| item.revision, epoch, rebuilding) != Put::Kept
            }
            ViewWrite::Feed(entry) => self.feed.push(entry),
        }
    }

    fn put_account(&mut self, account: &Account) -> bool {
        let (epoch, rebuilding) = (self.epoch, self.rebuilding);
        match self.accounts.put(&account.customer, account, |account| account.revision, epoch, rebuilding) {
            Put::Kept => false,
            Put::Taken(old) => {
                let before = old.map_or(0, |old| old.balance.0);
                self.balances += i128::from(account.balance.0) - i128::from(before);
                true
            }
        }
    }

    fn counts(&self) -> Counts {
        let mut orders = [0; OrderStatus::ALL.len()];
        for (count, status) in orders.iter_mut().zip(OrderStatus::ALL) {
            *count = self.orders.indexes.status(*status).len() as u64;
        }
        let limit = if self.balances < 0 { i64::MIN } else { i64::MAX };
        Counts {
            orders,
            accounts: self.accounts.len() as u64,
            items: self.items.len() as u64,
            balances: Won(i64::try_from(self.balances).unwrap_or(limit)),
        }
    }

    /// Removes a piece of what was not told in the current rebuild. Whether there was anything.
    fn sweep(&mut self, sweep: &mut Sweep) -> bool {
        let (removed, next) = match &sweep.stage {
            Stage::Orders(from) => {
                let (removed, next) = self.orders.sweep(*from, SWEEP_AT_ONCE, self.epoch);
                (removed, next.map_or(Stage::Accounts(None), Stage::Orders))
            }
            Stage::Accounts(after) => {
                let balances = &mut self.balances;
                let take = |account: Account| *balances -= i128::from(account.balance.0);
                let (removed, next) = self.accounts.sweep(after.as_ref(), SWEEP_AT_ONCE, self.epoch, take);
                (removed, next.map_or(Stage::Items(None), |last| Stage::Accounts(Some(last))))
            }
            Stage::Items(after) => {
                let (removed, next) = self.items.sweep(after.as_ref(), SWEEP_AT_ONCE, self.epoch, drop);
                (removed, next.map_or(Stage::Waiting, |last| Stage::Items(Some(last))))
            }
            Stage::Waiting => {
                sweep.done = self.orders.trim_waiting(SWEEP_AT_ONCE);
                self.rebuilding = !sweep.done || self.is_disputed;
                (Removed::default(), Stage::Waiting)
            }
        };
        sweep.stage = next;
        self.is_disputed |= removed.disputed;
        removed.any
    }
}
