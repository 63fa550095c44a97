//! The bus of one process: the same bytes through the same loops, without a broker.
//!
//! It lives in memory and dies with its process, so *confirmed* is stricter here than on a broker: a
//! [`Receipt`] says [`PublishOutcome::Confirmed`](crate::bus::PublishOutcome::Confirmed) only when every queue that the message went to is done with it:
//! acked by its consumer, expired, or dropped as that queue's topology has it. Until then the publisher's
//! outbox keeps it. The exception is the queue of parked messages, [`DEAD`](crate::topology::DEAD), which has
//! a file of its own ([`EmbeddedBus::with_dead_letters`]): there, written to disk is done.
//!
//! One mutex guards all of it (`state.rs`), held for well under a microsecond per message and never across an
//! await or a system call; wakers and receipts fire after it is released. Any number of threads and runtimes
//! share one bus. Under a paused clock on one thread everything it does is a function of the calls made.
//!
//! Expiry needs no timer: a message past its time is never delivered, and is settled whenever anybody next
//! publishes to its queue, receives from it, or inspects the bus (as health does every second).

#[cfg(feature = "simulation")]
mod chaos;
mod claim;
mod consumer;
mod journal;
mod queue;
mod router;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{Notify, oneshot};
use tokio::time::{Sleep, sleep_until, timeout_at};

use super::{BusError, Delivery, Message, QueueDepth, Receipt, Subscription, Unacked};
use crate::topology;
#[cfg(feature = "simulation")]
pub use chaos::{Chaos, Faults};
use claim::Claims;
pub use claim::EmbeddedClaim;
use consumer::{Take, Taken};
use queue::ConsumerId;
use state::{After, State};

/// The file of a data directory in which parked messages are kept.
pub const DEAD_LETTERS: &str = "dead-letters.jsonl";

/// A bus within this process. Clones are handles of the same bus.
#[derive(Clone)]
pub struct EmbeddedBus {
    shared: Arc<Shared>,
}

impl EmbeddedBus {
    /// A bus with the whole [`crate::topology`] declared. Parked messages last as long as it does.
    #[must_use]
    pub fn new() -> Self {
        Self::from(State::new())
    }

    /// A bus whose parked messages (queue [`DEAD`](crate::topology::DEAD)) are kept in the JSON-lines file at
    /// `path`: on disk before their receipt says so, back in the queue after a restart, gone once acked. A line
    /// that a crash has torn is reported and left out; its publisher was never told that it is safe.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn with_dead_letters(path: &Path) -> Result<Self, BusError> {
        let (journal, parked) = journal::open(path)?;
        let mut state = State::new();
        state.restore(journal, parked);
        Ok(Self::from(state))
    }

    /// A bus that delays, reorders, duplicates and drops as `chaos` has it.
    #[cfg(feature = "simulation")]
    #[must_use]
    pub fn with_chaos(chaos: Chaos) -> Self {
        let mut state = State::new();
        state.disturb(chaos);
        Self::from(state)
    }

    /// Loses, as a broker does whose disk was wiped, every event that waits.
    #[cfg(feature = "simulation")]
    pub fn forget(&self) {
        self.shared.with(|state, after| state.forget(after));
    }

    /// Hands over `message`; the receipt tells what became of it. Never waits.
    pub fn publish(&self, message: Message) -> Receipt {
        let (sender, receiver) = oneshot::channel();
        self.shared.with(|state, after| state.publish(message, Some(sender), after));
        Receipt(receiver)
    }

    /// Hands over `message` and does not want to know.
    pub fn send(&self, message: Message) {
        self.shared.with(|state, after| state.publish(message, None, after));
    }

    pub(super) fn claim(&self, name: &str, owner: &str) -> Result<EmbeddedClaim, BusError> {
        self.shared.claims.take(name, owner)
    }

    /// Consumes all of `queues` as one stream, declaring those that are not there. An exclusive queue is gone
    /// once its consumer is dropped.
    ///
    /// # Errors
    /// [`BusError::Topology`] when a queue is there with other properties, or is bound to an exchange that does not
    /// exist, and [`BusError::Occupied`] when it is another consumer's own: nothing is declared then.
    /// [`BusError::Lost`] after [`close`](Self::close).
    pub fn consume(&self, queues: Vec<Subscription>) -> Result<EmbeddedConsumer, BusError> {
        let id = self.shared.with(|state, after| state.add_consumer(queues, after))?;
        Ok(EmbeddedConsumer { shared: Arc::clone(&self.shared), id })
    }

    /// Every queue and how full it is, sorted by name.
    #[must_use]
    pub fn queue_depths(&self) -> Vec<QueueDepth> {
        self.shared.with(|state, after| {
            state.sweep(after);
            state.depths()
        })
    }

    /// See [`Bus::depths`](super::Bus::depths).
    #[must_use]
    pub fn durable_depths(&self) -> Vec<QueueDepth> {
        let durable = topology::queues();
        let mut depths = self.queue_depths();
        depths.retain(|depth| durable.iter().any(|queue| *queue.name == *depth.name));
        depths
    }

    /// Whoever holds this may take parked messages in hand.
    pub(super) fn turn(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.shared.turn)
    }

    /// How many messages still have to take effect: those in durable queues, ready or unacked, but not the
    /// parked ones and not signals, which never end.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.with(|state, after| {
            state.sweep(after);
            state.pending()
        })
    }

    /// Waits until [`pending`](Self::pending) is zero. A worker may be about to publish more all the same.
    pub async fn wait_idle(&self) {
        loop {
            let notified = self.shared.idle.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let (pending, due) = self.shared.with(|state, after| {
                state.sweep(after);
                (state.pending(), state.next_change())
            });
            match due {
                _ if pending == 0 => return,
                None => notified.await,
                Some(due) => drop(timeout_at(due, notified).await),
            }
        }
    }

    /// The oldest parked messages that nobody has in hand, at most `max`; they stay where they are.
    #[must_use]
    pub fn dead_letters(&self, max: usize) -> Vec<Message> {
        let parked = self.shared.with(|state, _| state.dead_letters(max));
        parked.iter().map(|message| Message::clone(message)).collect()
    }

    /// Ends it, as when a broker goes away: consumers hear [`BusError::Lost`], and open receipts say
    /// [`PublishOutcome::Unknown`](crate::bus::PublishOutcome::Unknown). The dead-letter file is complete when this returns.
    pub fn close(&self) {
        let remains = self.shared.with(State::close);
        drop(remains);
    }

    fn from(state: State) -> Self {
        let shared = Shared {
            state: Mutex::new(state),
            idle: Notify::new(),
            turn: Arc::default(),
            claims: Claims::default(),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Default for EmbeddedBus {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EmbeddedBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedBus")
    }
}

/// What all handles and consumers share.
struct Shared {
    state: Mutex<State>,
    /// Notified when [`EmbeddedBus::pending`] falls to zero.
    idle: Notify,
    /// See [`EmbeddedBus::turn`].
    turn: Arc<tokio::sync::Mutex<()>>,
    claims: Claims,
}

impl Shared {
    /// Runs `act` under the lock, then what it has left to do without it.
    fn with<T>(&self, act: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let mut after = After::default();
        let result = act(&mut self.lock(), &mut after);
        after.run(&self.idle);
        result
    }

    /// A panic under the lock is a defect of this module; the other threads still do better with what there
    /// is than with a panic each.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives from one or more queues of an [`EmbeddedBus`], taking from each in turn. Dropping it, as a crash of
/// its task does, puts what it holds unacked back at the head of its queues, in order.
pub struct EmbeddedConsumer {
    shared: Arc<Shared>,
    id: ConsumerId,
}

impl EmbeddedConsumer {
    /// Waits until something is there, then takes what is ready, at most `max` (and at least one), and does
    /// not wait for more. Cancel-safe: a dropped call has taken nothing.
    ///
    /// # Errors
    /// [`BusError::Lost`] when the bus was closed.
    pub async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        // A consumer whose queue never runs dry would otherwise keep its runtime from every other task.
        tokio::task::coop::consume_budget().await;
        let mut timer = None;
        let batch = poll_fn(|context| self.poll_take(max.max(1), &mut timer, context)).await?;
        Ok(batch.into_iter().map(|taken| self.deliver(taken)).collect())
    }

    fn poll_take(
        &self,
        max: usize,
        timer: &mut Option<Pin<Box<Sleep>>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<Taken>, BusError>> {
        loop {
            let take = self.shared.with(|state, after| state.take(self.id, max, context.waker(), after));
            let due = match take {
                Ok(Take::Batch(batch)) => return Poll::Ready(Ok(batch)),
                Ok(Take::Nothing { due: None }) => return Poll::Pending,
                Ok(Take::Nothing { due: Some(due) }) => due,
                Err(lost) => return Poll::Ready(Err(lost)),
            };
            if timer.as_ref().is_none_or(|timer| timer.deadline() != due) {
                *timer = Some(Box::pin(sleep_until(due)));
            }
            if timer.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_pending()) {
                return Poll::Pending;
            }
            *timer = None;
        }
    }

    fn deliver(&self, taken: Taken) -> Delivery {
        let (shared, consumer, delivery) = (Arc::clone(&self.shared), self.id, taken.delivery);
        let ack = move || shared.with(|state, after| state.ack(consumer, delivery, after));
        Delivery {
            message: Message::clone(&taken.message),
            queue: taken.queue,
            redelivered: taken.redelivered,
            unacked: Unacked::new(ack),
        }
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        self.shared.with(|state, after| state.remove_consumer(self.id, after));
    }
}

impl fmt::Debug for EmbeddedConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedConsumer").field(&self.id).finish()
    }
}
