//! What a broker and its network may do to messages, by a seed: late, out of order, twice, or not at all.
//!
//! Only for simulations. One [`Chaos`] belongs to one bus; the same seed and the same calls on that bus have
//! the same effects.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::bus::Message;
use crate::topology::{DEFAULT, DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS, ORDER_EVENTS, PAYMENTS, REPLIES};

/// How often what goes wrong: each rate from 0.0 (never) to 1.0 (always), drawn anew for every message and
/// queue it goes to. The default is nothing.
///
/// The queue of parked messages is left alone: a broker keeps what it has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Held back for up to `max_delay`, and so overtaken by others.
    pub delay: f64,
    /// The longest delay.
    pub max_delay: Duration,
    /// Delivered a second time, up to `max_delay` later, half of those flagged as redelivered.
    pub duplicate: f64,
    /// Lost where a broker may lose a message: answers and charges, which wait in memory.
    pub drop: f64,
    /// Lost after its confirm, by a broker that does not keep its promise: an event.
    pub forget: f64,
}

/// The queues whose events are told again until they have had their effect, or are asked for.
const TOLD_AGAIN: [&str; 4] = [ORDER_EVENTS, DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS];

/// A seeded source of faults. Clones are handles of the same one, to switch it while the bus runs.
#[derive(Debug, Clone)]
pub struct Chaos(Arc<Mutex<Dice>>);

#[derive(Debug)]
struct Dice {
    faults: Faults,
    random: fastrand::Rng,
}

/// What happens to one message in one queue.
pub(super) struct Fate {
    pub(super) dropped: bool,
    /// Zero: none.
    pub(super) delay: Duration,
    pub(super) duplicate: Option<Duplicate>,
}

/// A second delivery.
pub(super) struct Duplicate {
    pub(super) delay: Duration,
    pub(super) redelivered: bool,
}

impl Chaos {
    /// Faults drawn from `seed`.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(Dice { faults, random: fastrand::Rng::with_seed(seed) })))
    }

    /// Other faults from now on.
    pub fn set(&self, faults: Faults) {
        self.dice().faults = faults;
    }

    /// No more faults. What is held back arrives when it is due, at most a `max_delay` later.
    pub fn heal(&self) {
        self.set(Faults::default());
    }

    pub(super) fn fate(&self, message: &Message, queue: &str) -> Fate {
        let mut dice = self.dice();
        let faults = dice.faults;
        let may_be_lost = [REPLIES, DEFAULT, PAYMENTS].contains(&message.exchange.as_str());
        let dropped = (may_be_lost && dice.falls(faults.drop))
            || (may_be_forgotten(queue) && dice.falls(faults.forget));
        let delay = if dice.falls(faults.delay) { dice.up_to(faults.max_delay) } else { Duration::ZERO };
        let duplicate = dice
            .falls(faults.duplicate)
            .then(|| Duplicate { delay: dice.up_to(faults.max_delay), redelivered: dice.random.bool() });
        Fate { dropped, delay, duplicate }
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what is lost there is told again, or asked for.
pub(super) fn may_be_forgotten(queue: &str) -> bool {
    TOLD_AGAIN.contains(&queue)
}

impl Dice {
    /// A rate of zero does not even draw.
    fn falls(&mut self, rate: f64) -> bool {
        rate > 0.0 && self.random.f64() < rate
    }

    fn up_to(&mut self, max: Duration) -> Duration {
        max.mul_f64(self.random.f64())
    }
}
