//! How a worker misbehaves on purpose: what it was told, until when, and what that does to its work.

use std::sync::{Mutex, PoisonError};

use skstore_domain::faults::{Fault, Losses};
use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant, sleep, sleep_until};

/// The fault of one worker. It is in memory alone: a worker that is started again has the one of its settings.
#[derive(Debug)]
pub struct Faults {
    now: watch::Sender<Injected>,
    are_allowed: bool,
    losses: Mutex<Losses>,
    crash: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Injected {
    fault: Fault,
    /// When it heals by itself; one from the start does not.
    until: Option<Instant>,
}

impl Faults {
    /// A worker that has `fault` from its start, until somebody heals it; `are_allowed`: others may be injected.
    #[must_use]
    pub fn new(fault: Fault, are_allowed: bool) -> Self {
        Self {
            now: watch::channel(Injected { fault, until: None }).0,
            are_allowed,
            losses: Mutex::default(),
            crash: Notify::new(),
        }
    }

    /// Whether faults may be injected.
    #[must_use]
    pub const fn are_allowed(&self) -> bool {
        self.are_allowed
    }

    /// What it has now.
    #[must_use]
    pub fn now(&self) -> Fault {
        self.now.borrow().fault
    }

    /// After how long that heals by itself.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.now.borrow().until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Has it misbehave for at most `lasts`; [`Fault::None`] heals it.
    pub fn set(&self, fault: Fault, lasts: Duration) {
        let until = (fault != Fault::None).then(|| Instant::now() + lasts);
        self.now.send_replace(Injected { fault, until });
    }

    /// Ends each fault in its time.
    pub async fn heal_in_time(&self) {
        let mut changes = self.now.subscribe();
        loop {
            let injected = *changes.borrow_and_update();
            let over = async {
                match injected.until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // The sender is this very one.
                _ = changes.changed() => {}
                () = over => {
                    tracing::info!(fault = %injected.fault, "the fault is over, as its time is");
                    self.now.send_if_modified(|now| {
                        let is_it = *now == injected;
                        if is_it {
                            *now = Injected { fault: Fault::None, until: None };
                        }
                        is_it
                    });
                }
            }
        }
    }

    /// Waits while the worker is told to take no work. Cancel-safe.
    pub async fn works(&self) {
        self.until(|fault| fault != Fault::Stopped).await;
    }

    /// Waits until the worker is told to take no work. Cancel-safe.
    pub async fn stopped(&self) {
        self.until(|fault| fault == Fault::Stopped).await;
    }

    /// Takes its time, if the worker is told to be slow; no longer than it is.
    pub async fn inject_latency(&self) {
        let fault = self.now();
        if let Fault::Slow { ms } = fault {
            tokio::select! {
                biased;
                () = self.until(|now| now != fault) => {}
                () = sleep(Duration::from_millis(ms)) => {}
            }
        }
    }

    /// Whether nobody shall hear the next answer or reply.
    pub fn loses_reply(&self) -> bool {
        match self.now() {
            fault @ Fault::LostReplies { .. } => {
                self.losses.lock().unwrap_or_else(PoisonError::into_inner).next(fault)
            }
            Fault::None | Fault::Slow { .. } | Fault::Stopped => false,
        }
    }

    /// Has [`Faults::crashed`] return.
    pub fn crash(&self) {
        self.crash.notify_one();
    }

    /// Returns when the worker shall die in the midst of what it does.
    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    async fn until(&self, is_so: impl Fn(Fault) -> bool) {
        // The sender is this very one.
        let _ = self.now.subscribe().wait_for(|injected| is_so(injected.fault)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Fault = Fault::Slow { ms: 60_000 };

    #[tokio::test(start_paused = true)]
    async fn a_fault_is_over_in_its_time_and_one_from_the_start_stays_until_it_is_healed() {
        let faults = Faults::new(Fault::Stopped, true);
        let test = async {
            sleep(Duration::from_secs(1_000_000)).await;
            assert_eq!((faults.now(), faults.left()), (Fault::Stopped, None));
            faults.set(SLOW, Duration::from_secs(10));
            sleep(Duration::from_secs(9)).await;
            assert_eq!((faults.now(), faults.left()), (SLOW, Some(Duration::from_secs(1))));
            faults.set(Fault::SILENT, Duration::from_secs(10));
            sleep(Duration::from_secs(9)).await;
            assert_eq!(faults.now(), Fault::SILENT, "the end of the fault before is not that of this one");
            faults.crashed_or(Duration::from_secs(2)).await;
            assert_eq!((faults.now(), faults.left()), (Fault::None, None));
        };
        tokio::select! {
            () = faults.heal_in_time() => {}
            () = test => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_is_so_no_longer_than_the_fault() {
        let faults = Faults::new(Fault::None, true);
        faults.set(SLOW, Duration::from_secs(3));
        let begun = Instant::now();
        tokio::select! {
            () = faults.heal_in_time() => {}
            () = faults.inject_latency() => {}
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    }

    impl Faults {
        async fn crashed_or(&self, within: Duration) {
            assert!(tokio::time::timeout(within, self.crashed()).await.is_err(), "nobody wished a crash");
        }
    }
}
