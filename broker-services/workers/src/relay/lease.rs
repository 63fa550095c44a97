//! Which of several processes relays the events of a store that they share: the one that has the lease.
//!
//! It prolongs the lease long before its end; the others stand by, and one of them takes over when it has ended.
//! Whoever could not prolong it publishes nothing more, so two relays believe to have it at most for the moment of one
//! publish. What both have published then comes twice, which does no harm.

use std::time::Duration;

use skstore_domain::time::Timestamp;
use tokio::time::Instant;

use crate::context::Context;
use crate::store::{LEASE_LASTS, Store, StoreError};

/// How often it is prolonged: two may fail, or wait for another's write, before it is lost.
const PROLONG_EVERY: Duration = Duration::from_millis(500);
/// How often those who stand by look whether it has ended: a read, which holds up nobody. With [`LEASE_LASTS`] and the time to
/// publish, one of them takes over within the two seconds of the promise.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The right to relay, as this process sees it. Call [`Lease::keep`] before each round of work.
#[derive(Debug)]
pub(super) struct Lease {
    context: Context,
    store: Store,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody else can have the store: there is no lease.
    Alone,
    /// Somebody else has it, or nobody yet.
    Standby { look_at: Instant },
    /// It is ours, unless it is prolonged no more.
    Held { until: Timestamp, prolong_at: Instant, news_at: Instant },
}

/// What there is to do for a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Publish what is handed over.
    Relay,
    /// Find what others have committed, and publish all of it.
    Look,
    /// Publish nothing: somebody else does.
    StandBy,
}

impl Lease {
    /// Not held yet.
    pub(super) fn new(context: &Context, store: Store) -> Self {
        let state = if context.settings.shares_stores {
            State::Standby { look_at: Instant::now() }
        } else {
            State::Alone
        };
        Self { context: context.clone(), store, state }
    }

    /// Takes, prolongs or loses it, if it is time for that.
    pub(super) async fn keep(&mut self, now: Instant) -> Duty {
        match self.state {
            State::Alone => Duty::Relay,
            State::Standby { look_at } if now < look_at => Duty::StandBy,
            State::Standby { .. } => {
                self.state = State::Standby { look_at: now + LOOK_EVERY };
                if self.take(now).await { Duty::Look } else { Duty::StandBy }
            }
            State::Held { until, prolong_at, news_at } => {
                // A process that stood still may find it ended before it was time to prolong it.
                if (now >= prolong_at || until <= self.context.clock.now()) && !self.prolong(now, until).await
                {
                    return Duty::StandBy;
                }
                if now < news_at {
                    return Duty::Relay;
                }
                self.look_again_at(now + self.context.settings.news_every);
                match self.store.changed_externally().await {
                    Ok(false) => Duty::Relay,
                    // A look that fails says so.
                    Ok(true) | Err(_) => Duty::Look,
                }
            }
        }
    }

    /// When [`Lease::keep`] is due, whatever else there is to do.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Alone => None,
            State::Standby { look_at } => Some(look_at),
            State::Held { prolong_at, news_at, .. } => Some(prolong_at.min(news_at)),
        }
    }

    async fn take(&mut self, now: Instant) -> bool {
        match self.ask().await {
            Ok(Some(until)) => {
                self.state = State::Held { until, prolong_at: now + PROLONG_EVERY, news_at: now };
                tracing::info!("relaying the events of this store");
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::error!(%error, "cannot see who relays the events of this store; trying again");
                false
            }
        }
    }

    /// Whether it is still ours.
    async fn prolong(&mut self, now: Instant, until: Timestamp) -> bool {
        let until = match self.ask().await {
            Ok(Some(until)) => until,
            Err(error) if self.context.clock.now() < until => {
                tracing::warn!(%error, "cannot prolong the right to relay events; trying again");
                until
            }
            Ok(None) | Err(_) => {
                tracing::warn!("another process relays the events of this store now");
                self.state = State::Standby { look_at: now + LOOK_EVERY };
                return false;
            }
        };
        if let State::Held { until: ends, prolong_at, .. } = &mut self.state {
            (*ends, *prolong_at) = (until, now + PROLONG_EVERY);
        }
        true
    }

    fn look_again_at(&mut self, at: Instant) {
        if let State::Held { news_at, .. } = &mut self.state {
            *news_at = at;
        }
    }

    /// Until when it is ours, if it is.
    async fn ask(&self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.context.clock.now();
        let is_ours = self.store.take_lease(&self.context.instance, now, LEASE_LASTS).await?;
        Ok(is_ours.then(|| now.after(LEASE_LASTS)))
    }
}
