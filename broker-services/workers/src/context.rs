//! What every worker is handed: where it works, how, and by which clock.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skstore_domain::books::Books;
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::ids::{Customer, is_unsafe_to_show};
use skstore_domain::latency::AnswerTimes;
use skstore_domain::order::Patience;
use skstore_domain::signals::{PAST_FOR, Past, Service, Wait, remember};
use skstore_domain::time::Timestamp;
use tokio::sync::{Notify, watch};

use crate::bus::{Bus, BusError, Consumer, Delivery};
use crate::catalog::Catalog;
use crate::clock::{Clock, Ids, Stopwatch, whole_ms};
use crate::faults::Faults;
use crate::figures::Figures;
use crate::probe::Probe;

/// How the workers work. The defaults and their reasons are in `config/skstore.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether other processes may work on the same stores.
    pub shares_stores: bool,
    /// How often it is looked then what those have committed.
    pub news_every: Duration,
    /// Messages that one turn of a loop takes at most.
    pub batch: usize,
    /// How long Order waits for the outcome of a charge.
    pub payment_timeout: Duration,
    /// How the breaker decides.
    pub breaker: BreakerSettings,
    /// How often orders are looked for that wait for too long.
    pub sweep_every: Duration,
    /// How long they may wait, for their payment and for Deposit or Item.
    pub patience: Patience,
    /// How long the event of a new order waits for its outcome, which would make it superfluous.
    pub hold_paying: Duration,
    /// Events committed and not confirmed at which Order takes no more orders.
    pub max_unsent_events: u64,
    /// How often a worker says how it does.
    pub beat_every: Duration,
    /// The first wait before something that failed is tried again.
    pub retry_first: Duration,
    /// The longest wait before something that failed again and again is tried again.
    pub max_retry: Duration,
    /// How long a worker may take to finish what it has in hand.
    pub drain: Drain,
    /// Whose account pays for an order that names none.
    pub walk_in: Customer,
    /// What is sold, and the accounts there are, in the beginning.
    pub catalog: Arc<Catalog>,
}

/// How long workers may take to finish what they have in hand. Clones share it.
#[derive(Debug, Clone)]
pub struct Drain(Arc<AtomicU64>);

impl Drain {
    /// So long, to the millisecond.
    #[must_use]
    pub fn of(limit: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(whole_ms(limit))))
    }

    /// Shortens it by what somebody else in the process has used of it, before the workers are told to stop.
    pub fn shorten(&self, used: Duration) {
        let left = self.limit().saturating_sub(used);
        self.0.store(whole_ms(left), Ordering::Relaxed);
    }

    /// How long it is.
    #[must_use]
    pub fn limit(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What a worker of one process is handed.
#[derive(Debug, Clone)]
pub struct Context {
    /// Which worker it is.
    pub service: Service,
    /// Which process of it.
    pub instance: Arc<str>,
    /// Where its messages come from and go to.
    pub bus: Bus,
    /// Tells the time.
    pub clock: Clock,
    /// Mints ids.
    pub ids: Ids,
    /// How it works.
    pub settings: Arc<Settings>,
    /// Where a simulation takes hold.
    pub probe: Probe,
    /// What it tells of itself.
    pub status: Arc<WorkerStatus>,
    /// How it misbehaves on purpose.
    pub faults: Arc<Faults>,
    /// Notified when an operator wants the view built anew.
    pub rebuild: Arc<Notify>,
    /// Turns true when it shall finish what it has in hand and stop.
    pub stop: watch::Receiver<bool>,
}

impl Context {
    /// Waits between tries, as the settings have it.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.settings.retry_first, self.settings.max_retry)
    }

    /// A name for what only this worker has on the bus, another one each time: the broker may take what was declared by an
    /// older one for in use long after its connection is gone.
    #[must_use]
    pub fn own_name(&self) -> String {
        format!("{}.{}", self.instance, self.ids.mint())
    }

    /// Waits until the worker shall stop.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The worker has `deliveries` in hand, until [`Context::turn_ends`].
    pub fn turn_begins(&self, deliveries: &[Delivery]) {
        let figures = self.status.figures();
        figures.turn_since.set(Some(self.clock.now()));
        if !deliveries.is_empty() {
            figures.batches.record(deliveries.len() as u64);
            figures.redelivered.add(deliveries.iter().filter(|delivery| delivery.redelivered).count());
        }
    }

    /// It still has them at `now`, since what it needs for them does not work, and tries once more.
    pub fn turn_goes_on(&self, now: Timestamp) {
        self.status.figures().turn_since.set(Some(now));
    }

    /// It is done with them.
    pub fn turn_ends(&self) {
        self.status.figures().turn_since.set(None);
    }

    /// Takes deliveries, but none while the worker is told not to work. Cancel-safe.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn take(&self, intake: &mut Consumer, max: usize) -> Result<Vec<Delivery>, BusError> {
        loop {
            self.faults.works().await;
            tokio::select! {
                biased;
                () = self.faults.stopped() => {}
                deliveries = intake.receive(max) => return deliveries,
            }
        }
    }
}

/// What a worker tells of itself, and what a process needs to know to see that all is done. Any thread may
/// read it.
#[derive(Debug, Default)]
pub struct WorkerStatus {
    alive_at: AtomicI64,
    handled: AtomicU64,
    in_flight: AtomicU64,
    unsent: AtomicU64,
    beats: AtomicU64,
    all_sent: Notify,
    since: Stopwatch,
    figures: Figures,
    told: Mutex<Told>,
}

/// What a worker tells of itself in more than a number.
#[derive(Debug, Default)]
struct Told {
    is_serving: bool,
    /// What is wrong now, and when it was last seen to be.
    trouble: Option<Past>,
    past: Vec<Past>,
    answers: AnswerTimes,
    books: Option<Books>,
    ignored: Option<Ignored>,
    rebuild: Option<(u8, Vec<Service>)>,
    waits: Vec<Wait>,
}

/// Events of kinds that only another version knows.
#[derive(Debug)]
struct Ignored {
    count: u64,
    first: String,
}

/// No sign of life yet: 1970 is long gone.
const NOT_ALIVE: i64 = 0;

impl WorkerStatus {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it counts for those who watch it for long.
    #[must_use]
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The last sign of life of the worker's thread.
    #[must_use]
    pub fn alive_at(&self) -> Option<Timestamp> {
        Some(self.alive_at.load(Ordering::Relaxed)).filter(|at| *at != NOT_ALIVE).map(Timestamp)
    }

    /// Its thread works.
    pub fn set_alive(&self, now: Timestamp) {
        self.alive_at.store(now.0, Ordering::Relaxed);
    }

    /// Messages handled since the start.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    /// `count` more were handled.
    pub fn add_handled(&self, count: usize) {
        self.handled.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The number of the next heartbeat, from 1.
    pub fn next_beat(&self) -> u64 {
        self.beats.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Messages in hand.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// So many messages are in hand.
    pub fn set_in_flight(&self, count: usize) {
        self.in_flight.store(count as u64, Ordering::Relaxed);
    }

    /// Events committed and not yet confirmed.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Acquire)
    }

    /// So many events are committed and not yet confirmed.
    pub fn set_unsent(&self, count: usize) {
        self.unsent.store(count as u64, Ordering::Release);
        if count == 0 {
            self.all_sent.notify_waiters();
        }
    }

    /// Waits until no event is unsent.
    pub async fn all_sent(&self) {
        loop {
            let sent = self.all_sent.notified();
            if self.unsent() == 0 {
                return;
            }
            sent.await;
        }
    }

    /// Something failed at `at` and is being retried: the worker takes no work until [`WorkerStatus::recovered`].
    pub fn failed(&self, what: String, at: Timestamp) {
        let told = &mut *self.told();
        told.is_serving = false;
        // What was wrong before it is over, or hidden by this.
        if let Some(before) = told.trouble.take().filter(|before| before.what != what) {
            remember(&mut told.past, before);
        }
        told.trouble = Some(Past { at, what });
    }

    /// It works, or works again. What was wrong is history from now on.
    pub fn recovered(&self) {
        let told = &mut *self.told();
        told.is_serving = true;
        if let Some(over) = told.trouble.take() {
            remember(&mut told.past, over);
        }
    }

    /// Whether it takes work, and if it has failed to, why.
    #[must_use]
    pub fn trouble(&self) -> (bool, Option<String>) {
        let told = self.told();
        (told.is_serving, told.trouble.as_ref().map(|trouble| trouble.what.clone()))
    }

    /// What was wrong with it lately and is over, the newest last.
    #[must_use]
    pub fn past(&self, now: Timestamp) -> Vec<Past> {
        let since = now.before(PAST_FOR);
        self.told().past.iter().filter(|entry| entry.at >= since).cloned().collect()
    }

    /// Whether it takes work.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.told().is_serving
    }

    /// A caller was answered, `took` after its message had come.
    pub fn answered(&self, took: Duration, is_refusal: bool) {
        self.figures.answered(took, is_refusal);
        self.told().answers.record(took, is_refusal, self.since.elapsed());
    }

    /// Answers since the start, those among them that said no, and how long half and all but a hundredth of the
    /// last ones took.
    #[must_use]
    pub fn answers(&self) -> (u64, u64, [Option<Duration>; 2]) {
        let (answers, now) = (&self.told().answers, self.since.elapsed());
        (answers.answered(), answers.refused(), [50, 99].map(|percent| answers.percentile(percent, now)))
    }

    /// What the worker's log comes to, or nothing while it cannot be read.
    pub fn set_books(&self, books: Option<Books>) {
        self.told().books = books;
    }

    /// What the worker's log came to when it was last looked at.
    #[must_use]
    pub fn books(&self) -> Option<Books> {
        self.told().books.clone()
    }

    /// An event was left alone because its type is of another version of this system.
    pub fn ignored(&self, of_type: &str) {
        let told = &mut *self.told();
        if let Some(ignored) = &mut told.ignored {
            ignored.count += 1;
            return;
        }
        let first: String = of_type.chars().filter(|c| !is_unsafe_to_show(*c)).collect();
        tracing::warn!(of_type = first, "events of a kind that this version does not know are ignored");
        told.ignored = Some(Ignored { count: 1, first });
    }

    /// A sentence about the events that were left alone, if there were any.
    #[must_use]
    pub fn ignored_words(&self) -> Option<String> {
        self.told().ignored.as_ref().map(|Ignored { count, first }| {
            format!("{count} events of kinds that this version does not know were ignored, '{first}' first: start the newer one")
        })
    }

    /// The orders that wait for somebody for long.
    pub fn set_waits(&self, waits: Vec<Wait>) {
        self.told().waits = waits;
    }

    /// What was set last.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        self.told().waits.clone()
    }

    /// How far a rebuild of the view has come, in percent, and whose logs it has not heard to their end; `None` when
    /// none runs.
    pub fn set_rebuild(&self, rebuild: Option<(u8, Vec<Service>)>) {
        self.told().rebuild = rebuild;
    }

    /// How far a rebuild of the view has come, in percent; `None` when none runs.
    #[must_use]
    pub fn rebuilding(&self) -> Option<u8> {
        self.told().rebuild.as_ref().map(|(percent, _)| *percent)
    }

    /// Whose logs the rebuild that runs has not heard to their end.
    #[must_use]
    pub fn unheard(&self) -> Vec<Service> {
        self.told().rebuild.as_ref().map(|(_, unheard)| unheard.clone()).unwrap_or_default()
    }
}

/// Waits longer after each failure, up to a bound, so that a part that is down is not hammered and one that
/// comes back is soon noticed.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Cell<Duration>,
}

impl Backoff {
    /// Starts with `first`, and never waits longer than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: Cell::new(first) }
    }

    /// Waits, and the next time twice as long.
    pub async fn wait(&self) {
        let wait = self.next.get();
        self.next.set((wait * 2).min(self.longest));
        tokio::time::sleep(wait).await;
    }

    /// All is well again.
    pub fn reset(&self) {
        self.next.set(self.first);
    }
}

/// Counts what is handled from second to second.
#[derive(Debug)]
pub struct Rate {
    since: Stopwatch,
    handled: u64,
}

impl Rate {
    /// A shorter time would make a burst of two look like thousands a second.
    const MIN_MILLIS: u128 = 500;

    /// Starts counting at `handled`.
    #[must_use]
    pub fn new(handled: u64) -> Self {
        Self { since: Stopwatch::start(), handled }
    }

    /// Handled per second since the last call; zero as long as there was too little time to say.
    pub fn per_second(&mut self, handled: u64) -> u64 {
        let millis = self.since.elapsed().as_millis();
        if millis < Self::MIN_MILLIS {
            return 0;
        }
        let count = u128::from(handled.saturating_sub(self.handled));
        *self = Self::new(handled);
        u64::try_from(count * 1000 / millis).unwrap_or(u64::MAX)
    }
}
