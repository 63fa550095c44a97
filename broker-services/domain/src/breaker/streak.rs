//! Calls without a usable answer, one after the other: what thin traffic is judged by.

use std::time::Duration;

/// How many calls in a row had no usable answer, each of them sent after the one before it in the row had failed.
///
/// Calls that were in flight together fail together, of one hiccup, and count once. A failure that comes longer than the
/// window after the last one begins a new row.
///
/// Counting consecutive failures is Envoy's `consecutive_5xx` and the first breaker of Polly; that they have to follow each
/// other is ours, since one call here carries many charges and many calls are in flight at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Streak {
    calls: u32,
    /// When the last one of them had failed.
    last: Duration,
}

impl Streak {
    /// A call that was sent at `sent` has failed at `now`.
    pub(super) const fn failed(&mut self, sent: Duration, now: Duration, window: Duration) {
        let calls = self.at(now, window);
        if calls == 0 || sent.as_nanos() >= self.last.as_nanos() {
            *self = Self { calls: calls.saturating_add(1), last: now };
        }
    }

    /// A call was answered, or the breaker has begun anew.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// As it was once: so many calls, the last of which had failed at `last`.
    pub(super) const fn of(calls: u32, last: Duration) -> Self {
        Self { calls, last }
    }

    /// How many calls, and when the last of them had failed.
    pub(super) const fn told(&self) -> (u32, Duration) {
        (self.calls, self.last)
    }

    /// Calls in the row, as it is at `now`.
    pub(super) const fn at(&self, now: Duration, window: Duration) -> u32 {
        let age = now.saturating_sub(self.last);
        if age.as_nanos() > window.as_nanos() { 0 } else { self.calls }
    }
}
