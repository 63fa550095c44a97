//! Keeps the [`books`](skstore_domain::books) of this process's services.
//!
//! It reads their event logs on a thread of its own, over connections of its own, so that no loop ever waits for it,
//! and takes at most [`SHARE_PERCENT`] of a core, however long the logs are: under load it falls behind, says how
//! far, and catches up. Each process reads the whole log of each store it works on, whoever else does.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use skstore_domain::books::{LiveBooks, Then};
use skstore_domain::events::Source;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Stopwatch};
use crate::config::StoreUrl;
use crate::context::WorkerStatus;
use crate::store::{Store, StoreError};

/// Of one core. A thousand events take some two milliseconds to read.
pub(crate) const SHARE_PERCENT: u32 = 10;
/// How often the logs are looked at once they have been read: as often as a heartbeat tells of it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Entries read at once: half a millisecond, so that a process that stops need not wait.
const PAGE_ENTRIES: usize = 256;
/// Bytes read at once, at most.
const PAGE_BYTES: usize = 512 * 1024;

/// The log of one service.
pub(crate) struct Log {
    /// The service whose log it is.
    pub(crate) source: Source,
    /// The store that it is in.
    pub(crate) store_url: StoreUrl,
    /// Where it is told what it comes to.
    pub(crate) status: Arc<WorkerStatus>,
}

/// Reads `logs` until `stop` turns true. It writes nothing, so nobody has to wait for its end.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(logs: Vec<Log>, clock: Clock, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let read = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "nobody keeps the books"),
        };
        runtime.block_on(async {
            // Stores stay on the thread on which they are opened.
            let reading = read_all(logs.into_iter().map(Reader::new).collect(), &clock);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => {}
                () = reading => {}
            }
        });
    };
    std::thread::Builder::new().name("skstore-books".to_owned()).spawn(read).map(drop)
}

/// Reads a page of each log in turn, and rests in between; never ends by itself.
async fn read_all(mut readers: Vec<Reader>, clock: &Clock) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let mut has_more = true;
        while has_more {
            has_more = false;
            for reader in &mut readers {
                let started = Stopwatch::start();
                has_more |= reader.read_page(clock).await;
                tokio::time::sleep(started.elapsed() * (100 / SHARE_PERCENT - 1)).await;
            }
        }
    }
}

struct Reader {
    log: Log,
    /// None until it can be opened.
    store: Option<Store>,
    books: LiveBooks,
    next: i64,
}

impl Reader {
    fn new(log: Log) -> Self {
        let books = LiveBooks::of(log.source);
        Self { log, store: None, books, next: 0 }
    }

    /// Reads a page and tells what the log comes to. Whether there is more to read.
    async fn read_page(&mut self, clock: &Clock) -> bool {
        match self.try_to_read(clock).await {
            Ok(has_more) => has_more,
            Err(error) => {
                // The service itself complains of its store; here it only shows that nobody looks.
                tracing::debug!(source = %self.log.source, %error, "the log cannot be read");
                self.store = None;
                self.log.status.set_books(None);
                false
            }
        }
    }

    async fn try_to_read(&mut self, clock: &Clock) -> Result<bool, StoreError> {
        let store = match &self.store {
            Some(store) => store,
            None => self.store.insert(Store::open_to_read(&self.log.store_url).await?),
        };
        let page = store.log(self.next..=i64::MAX, PAGE_ENTRIES, PAGE_BYTES).await?;
        for event in &page.bodies {
            match self.books.enter(event) {
                Then::GoOn => {}
                Then::StartOver => {
                    self.next = 0;
                    return Ok(true);
                }
            }
        }
        self.next = page.next_seq.unwrap_or(page.last_seq + 1);
        self.log.status.set_books(Some(self.books.books(clock.now(), self.next - 1, page.last_seq)));
        Ok(page.next_seq.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use skstore_domain::books::{BreachKind, Sums};
    use skstore_domain::deposit::{ToppedUp, top_up};
    use skstore_domain::events::DepositEvent;
    use skstore_domain::ids::Customer;
    use skstore_domain::money::Won;
    use skstore_domain::objects::Account;
    use skstore_domain::time::Timestamp;

    use super::*;
    use crate::store::{Changes, NewEvent};

    /// Tops kim up by one won after the other, as another process would, and calls the last balance `told`.
    async fn top_up_by(store: &Store, account: &mut Option<Account>, times: u64, told: Option<i64>) {
        let kim = Customer::new("kim").unwrap();
        let mut changes = Changes::default();
        for n in 0..times {
            let done = top_up(None, account.as_ref(), "t", &kim, Won(1), Timestamp(1)).unwrap();
            let ToppedUp::Done(done) = done else { panic!("{done:?}") };
            let (record, mut event) = *done;
            let balance = told.filter(|_| n + 1 == times).map_or(record.account.balance, Won);
            let told = Account { balance, ..record.account };
            event.data = DepositEvent::ToppedUp(told.clone()).into();
            *account = Some(told);
            changes.events.push(NewEvent::from(&event));
        }
        store.transact(&BTreeSet::new(), |_| (changes.clone(), ())).await.unwrap();
    }

    #[tokio::test]
    async fn the_whole_log_is_read_page_by_page_and_what_is_new_is_entered_later() {
        let dir = tempfile::tempdir().unwrap();
        let store_url = StoreUrl::Sqlite(dir.path().join("deposit.db"));
        let store = Store::open_at(&store_url).await.unwrap();
        let status = Arc::new(WorkerStatus::default());
        let log = Log { source: Source::Deposit, store_url, status: Arc::clone(&status) };
        let mut reader = Reader::new(log);
        let mut account = None;
        let entries = PAGE_ENTRIES as u64 * 2 + 1;
        top_up_by(&store, &mut account, entries, None).await;

        let mut pages = 1;
        while reader.read_page(&Clock::System).await {
            pages += 1;
            let books = status.books().unwrap();
            assert!(books.read < books.last, "it says how far it is: {books:?}");
        }
        assert_eq!(pages, 3);
        let sum = |won: i64| Sums::Money { topped_up: Won(won), balances: Won(won), charged: Won(0) };
        let first = i64::try_from(entries).unwrap();
        let books = status.books().unwrap();
        assert_eq!((books.sums, books.breach, books.read), (sum(first), None, books.last));

        top_up_by(&store, &mut account, 1, None).await;
        assert!(!reader.read_page(&Clock::System).await);
        assert_eq!(status.books().unwrap().sums, sum(first + 1));

        top_up_by(&store, &mut account, 1, Some(-1)).await;
        assert!(!reader.read_page(&Clock::System).await);
        let breach = status.books().unwrap().breach.expect("a balance below zero");
        assert_eq!((breach.kind, breach.id.as_str()), (BreachKind::Overdrawn, "kim"));
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_opened_has_no_books() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let status = Arc::new(WorkerStatus::default());
        let store_url = StoreUrl::Sqlite(file.join("order.db"));
        let mut reader = Reader::new(Log { source: Source::Order, store_url, status: Arc::clone(&status) });
        assert!(!reader.read_page(&Clock::System).await);
        assert_eq!(status.books(), None);
    }
}
