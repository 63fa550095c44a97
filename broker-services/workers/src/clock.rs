//! Time and ids, as they are handed to every loop. The only file that asks the machine for either.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use skstore_domain::time::Timestamp;

/// Tells the time: the machine's, or a simulation's.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Tokio's clock, which a test pauses.
    Paused {
        /// What the wall clock says when tokio's started, in milliseconds since 1970 UTC. Clones share it.
        base_ms: Arc<AtomicI64>,
        /// Tokio's clock when it started.
        started: tokio::time::Instant,
    },
}

impl Clock {
    /// A clock that follows tokio's, for tests that pause it.
    #[must_use]
    pub fn paused_at(base: Timestamp) -> Self {
        Self::Paused { base_ms: Arc::new(AtomicI64::new(base.0)), started: tokio::time::Instant::now() }
    }

    /// Sets a paused clock, and its clones, forward by so many milliseconds, or back.
    pub fn jump(&self, by_ms: i64) {
        if let Self::Paused { base_ms, .. } = self {
            base_ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }

    /// The time of day, for records and people.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let millis = since_epoch.map_or(0, |since| since.as_millis());
                Timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
            }
            Self::Paused { base_ms, started } => {
                Timestamp(base_ms.load(Ordering::Relaxed)).after(started.elapsed())
            }
        }
    }
}

/// `time` in whole milliseconds.
pub(crate) fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Time since a fixed point that never jumps, for the breaker and for measuring.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(tokio::time::Instant);

impl Stopwatch {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Since its start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self::start()
    }
}

/// Mints ids: UUIDv7 by chance, or a simulation's.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> String + Send + Sync>);

impl Ids {
    /// UUIDv7: sorted by time, unique without asking anyone.
    #[must_use]
    pub fn random() -> Self {
        Self(Arc::new(|| uuid::Uuid::now_v7().to_string()))
    }

    /// Ids from `mint`.
    #[must_use]
    pub fn from_fn(mint: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(mint))
    }

    /// A fresh one, 1–64 of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn mint(&self) -> String {
        (self.0)()
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}
