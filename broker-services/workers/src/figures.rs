//! What a worker counts from its start on, for those who watch it over weeks: a few atomic additions a message.
//!
//! Nothing here is computed until somebody asks: rates and shares are for the one who has two readings.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::time::Timestamp;

use crate::clock::whole_ms;

/// How long answers take, in microseconds: from what an idle desk needs up to the longest that a caller waits.
const ANSWER_US: &[u64] = &[
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];
/// How long requests take at the gateway, likewise.
const REQUEST_US: &[u64] = ANSWER_US;
/// How many messages a turn of a loop takes: one where it is idle, `batch.max_messages` where it is behind.
const BATCH_MESSAGES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/// How often something had which size.
#[derive(Debug)]
pub struct Histogram {
    /// The largest size of each bucket but the last, which has no bound.
    bounds: &'static [u64],
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default).take(bounds.len() + 1).collect();
        Self { bounds, counts, sum: AtomicU64::default() }
    }

    /// Something had this size.
    pub fn record(&self, size: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < size);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// The sum of all sizes, and each bucket with the largest size in it, if it has one, and its count.
    pub fn read(&self) -> (u64, Vec<(Option<u64>, u64)>) {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        (self.sum.load(Ordering::Relaxed), bounds.zip(counts).collect())
    }
}

/// What the gateway has answered.
#[derive(Debug)]
pub struct Requests {
    /// How long each took until its answer began, in microseconds, by the hundreds of its status: 2xx to 5xx.
    took_us: [Histogram; 4],
}

impl Default for Requests {
    fn default() -> Self {
        Self { took_us: std::array::from_fn(|_| Histogram::new(REQUEST_US)) }
    }
}

impl Requests {
    /// What the statuses of each begin with.
    pub const HUNDREDS: [u16; 4] = [2, 3, 4, 5];

    /// One was answered with `status`.
    pub fn answered(&self, status: u16, took: Duration) {
        let at = Self::HUNDREDS.iter().position(|hundreds| *hundreds == status / 100);
        if let Some(times) = at.and_then(|at| self.took_us.get(at)) {
            times.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Of those that were answered, by the hundreds of their status.
    pub fn by_hundreds(&self) -> impl Iterator<Item = (u16, &Histogram)> {
        Self::HUNDREDS.into_iter().zip(&self.took_us)
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// So many more.
    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A moment, or none.
#[derive(Debug, Default)]
pub struct Moment(AtomicI64);

impl Moment {
    /// 1970 is long gone.
    const NONE: i64 = 0;

    /// It is this one now.
    pub fn set(&self, at: Option<Timestamp>) {
        self.0.store(at.map_or(Self::NONE, |at| at.0), Ordering::Relaxed);
    }

    /// Which one it is.
    pub fn read(&self) -> Option<Timestamp> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at != Self::NONE).map(Timestamp)
    }
}

/// A time that something takes, to the millisecond; none before it was measured.
#[derive(Debug, Default)]
pub struct Lag(AtomicU64);

impl Lag {
    /// It is so much now.
    pub fn set(&self, lag: Duration) {
        // One more, so that 0 is none.
        self.0.store(whole_ms(lag).saturating_add(1), Ordering::Relaxed);
    }

    /// How much it was last.
    pub fn read(&self) -> Option<Duration> {
        self.0.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_millis)
    }
}

/// The figures of one worker.
#[derive(Debug)]
pub struct Figures {
    /// How long callers waited who were told yes, in microseconds.
    pub accepted_us: Histogram,
    /// How long callers waited who were told no.
    pub refused_us: Histogram,
    /// Messages that a turn took.
    pub batches: Histogram,
    /// Messages that had been delivered before.
    pub redelivered: Counter,
    /// Messages, or parts of them, that were parked.
    pub parked: Counter,
    /// Events that were published again because somebody had not answered.
    pub told_again: Counter,
    /// Since when the turn has lasted that is under way.
    pub turn_since: Moment,
    /// When the oldest event was taken that is committed and not confirmed.
    pub oldest_unsent: Moment,
    /// By how much the view was behind what was written into it last.
    pub view_lag: Lag,
    breaker: Mutex<Breaker>,
}

/// What is known of the breaker.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    /// As it was when it last told of itself.
    pub told: Option<BreakerSnapshot>,
    /// How often it has gone to each state, in the order of [`BreakerState::ALL`].
    pub changes: [u64; BreakerState::ALL.len()],
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            accepted_us: Histogram::new(ANSWER_US),
            refused_us: Histogram::new(ANSWER_US),
            batches: Histogram::new(BATCH_MESSAGES),
            redelivered: Counter::default(),
            parked: Counter::default(),
            told_again: Counter::default(),
            turn_since: Moment::default(),
            oldest_unsent: Moment::default(),
            view_lag: Lag::default(),
            breaker: Mutex::default(),
        }
    }
}

impl Figures {
    /// A caller was answered.
    pub fn answered(&self, took: Duration, is_refusal: bool) {
        let times = if is_refusal { &self.refused_us } else { &self.accepted_us };
        times.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// The breaker as it is.
    pub fn breaker_is(&self, told: &BreakerSnapshot) {
        self.breakers().told = Some(told.clone());
    }

    /// The breaker has changed its state.
    pub fn breaker_went(&self, to: BreakerState) {
        let mut breaker = self.breakers();
        if let Some(at) = BreakerState::ALL.iter().position(|state| *state == to)
            && let Some(times) = breaker.changes.get_mut(at)
        {
            *times += 1;
        }
    }

    /// What is known of it.
    pub fn breaker(&self) -> Breaker {
        self.breakers().clone()
    }

    fn breakers(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
