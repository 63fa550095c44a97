//! When a connection that was lost is made again: not for every message that comes meanwhile.

use std::time::Duration;

use tokio::time::Instant;

/// How long nothing is sent after connecting has failed, at first and at most: messages are lost at once
/// meanwhile, and whoever sent them decides.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const MAX_RETRY: Duration = Duration::from_secs(2);

/// When to try again.
#[derive(Debug, Default)]
pub(super) struct Retry {
    not_before: Option<Instant>,
    wait: Duration,
}

impl Retry {
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    pub(super) fn is_due(&self) -> bool {
        self.not_before.is_none_or(|at| at <= Instant::now())
    }

    pub(super) fn failed(&mut self) {
        self.wait = (self.wait * 2).clamp(RETRY_FIRST, MAX_RETRY);
        self.not_before = Some(Instant::now() + self.wait);
    }
}
