//! The view in the memory of one process, shared by its threads.
//!
//! Writers apply batches, readers draw pages; both hold one lock, neither for long: what may take long (a
//! filter without an index, the end of a rebuild) is done in pieces and lets others in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use skstore_domain::checkpoint::{Advance, Checkpoint};
use skstore_domain::events::Source;
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
    Checkpoints, Counts, Cursor, Health, OrderDetail, OrderFilter, OrderPage, Rebuilds, Swept, ViewError,
    Written,
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
/// [`View::begin_rebuild`](super::View::begin_rebuild) was called once; reads show what is there.
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
    checkpoints: Checkpoints,
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
            checkpoints: Checkpoints::new(),
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

    pub(super) fn apply(&self, writes: &[ViewWrite]) -> Result<(), ViewError> {
        let writes = coalesce(writes);
        self.write(|state| writes.iter().fold(false, |changed, write| state.put(write) | changed))
    }

    pub(super) fn beat(&self, beat: &Beat) -> Result<(), ViewError> {
        self.hear(|state| state.instances.beat(beat))
    }

    pub(super) fn breaker_changed(&self, change: &BreakerChanged) -> Result<(), ViewError> {
        self.write(|state| state.instances.breaker_changed(change))
    }

    /// While one runs it starts over.
    pub(super) fn begin_rebuild(&self) -> u64 {
        let mut state = self.lock();
        state.epoch += 1;
        state.rebuilding = true;
        state.is_disputed = false;
        state.orders.begin_rebuild();
        u64::from(state.epoch)
    }

    pub(super) fn finish_rebuild(&self, number: u64) -> Result<Swept, ViewError> {
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

    pub(super) fn rebuilds(&self) -> Rebuilds {
        let state = self.read();
        Rebuilds { last: u64::from(state.epoch), is_running: state.rebuilding }
    }

    pub(super) fn advance(&self, advances: &[(Source, Advance)]) -> Result<(), ViewError> {
        self.hear(|state| {
            for (source, by) in advances {
                let next = Checkpoint::advanced(state.checkpoints.get(source), by);
                state.checkpoints.extend(next.map(|next| (*source, next)));
            }
            false
        })
    }

    pub(super) fn checkpoints(&self) -> Checkpoints {
        let state = self.read();
        let begun = state.checkpoints.iter().filter(|(_, checkpoint)| checkpoint.is_begun());
        begun.map(|(source, checkpoint)| (*source, checkpoint.clone())).collect()
    }

    /// A page that has to scan is read in pieces, and may show what was written in between.
    pub(super) fn orders(&self, filter: &OrderFilter, after: Option<&Cursor>, max: usize) -> OrderPage {
        self.page(filter, after, Towards::Older, max)
    }

    pub(super) fn orders_before(
        &self,
        filter: &OrderFilter,
        before: Option<&Cursor>,
        max: usize,
    ) -> OrderPage {
        let mut page = self.page(filter, before, Towards::Newer, max);
        page.rows.reverse();
        page
    }

    /// Rows in the order in which they are walked.
    fn page(&self, filter: &OrderFilter, from: Option<&Cursor>, towards: Towards, max: usize) -> OrderPage {
        let wanted = Wanted::new(filter);
        let mut page = OrderPage { next: from.cloned(), ..OrderPage::default() };
        let mut looked = 0;
        while page.rows.len() < max {
            // An index alone may fill a page of any size; a scan ends.
            let scan_left = SCAN_ORDERS.saturating_sub(looked);
            let max_looked = if scan_left == 0 { LOOK_AT_ONCE } else { scan_left.min(LOOK_AT_ONCE) };
            let max_rows = max - page.rows.len();
            let look = self.read().orders.look(&wanted, page.next.as_ref(), towards, max_rows, max_looked);
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

    pub(super) fn order(&self, id: &OrderId) -> Option<OrderDetail> {
        self.read().orders.detail(id)
    }

    pub(super) fn accounts(&self, after: Option<&Customer>, max: usize) -> Vec<Account> {
        self.read().accounts.page(after, max)
    }

    pub(super) fn items(&self, after: Option<&ItemId>, max: usize) -> Vec<Item> {
        self.read().items.page(after, max)
    }

    /// Kept up with every write, so asking costs nothing.
    pub(super) fn counts(&self) -> Counts {
        self.read().counts()
    }

    pub(super) fn health(&self) -> Health {
        self.read().instances.health()
    }

    pub(super) fn feed(&self, after: u64, max: usize) -> (Vec<FeedEntry>, u64) {
        self.read().feed.since(after, max)
    }

    /// The number counts batches that changed something.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    pub(super) fn written(&self) -> Written {
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
