//! How often one caller may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Callers that are counted one by one; those beyond share one count. Far more than have tokens, and each costs some dozens
/// of bytes.
const MAX_CALLERS: usize = 10_000;
/// What a caller may ask at once who has not asked for so long.
const BURST: Duration = Duration::from_secs(1);

/// Counts by the time at which each caller's requests would be done if they were done at the rate: the generic cell rate
/// algorithm, which needs no timer and one number for each.
#[derive(Debug)]
pub(super) struct Rate<K> {
    /// How long one request takes at the rate.
    each: Duration,
    done_at: Mutex<HashMap<Option<K>, Instant>>,
}

impl<K: Hash + Eq> Rate<K> {
    /// So many requests a second; none for any number.
    pub(super) fn of(per_second: u32) -> Option<Self> {
        let each = Duration::from_secs(1).checked_div(per_second)?;
        Some(Self { each, done_at: Mutex::default() })
    }

    /// Counts a request of `caller`.
    ///
    /// # Errors
    /// How long to wait, if it is one too many. That one is not counted.
    pub(super) fn count(&self, caller: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut done_at = self.done_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caller = Some(caller);
        if done_at.len() >= MAX_CALLERS && !done_at.contains_key(&caller) {
            done_at.retain(|_, at| *at > now);
            if done_at.len() >= MAX_CALLERS {
                caller = None;
            }
        }
        let at = done_at.entry(caller).or_insert(now);
        let then = (*at).max(now) + self.each;
        let early = then.saturating_duration_since(now).saturating_sub(BURST.max(self.each));
        if early > Duration::ZERO {
            return Err(early);
        }
        *at = then;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_has_a_second_s_worth_at_once_and_then_the_rate_and_others_their_own() {
        let rate = Rate::of(10).unwrap();
        let many = |caller: u32| (0..100).filter(|_| rate.count(caller).is_ok()).count();
        assert_eq!(many(1), 10);
        assert_eq!(rate.count(1), Err(Duration::from_millis(100)));
        assert_eq!(many(2), 10, "another caller");
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(many(1), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(many(1), 10);
        assert!(Rate::<u32>::of(0).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn no_number_of_callers_takes_more_memory_and_those_beyond_share_a_count() {
        let rate = Rate::of(1).unwrap();
        let most = u32::try_from(MAX_CALLERS).unwrap();
        assert!((0..most).all(|caller| rate.count(caller).is_ok()));
        assert!(rate.count(most).is_ok() && rate.count(most + 1).is_err());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(rate.count(most + 1).is_ok() && rate.count(most + 2).is_ok(), "the others are forgotten");
        assert!(rate.done_at.lock().unwrap().len() < 10);
    }
}
