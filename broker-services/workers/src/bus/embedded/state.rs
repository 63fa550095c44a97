//! All queues and consumers of one bus, behind its lock. Nothing here blocks, waits or wakes: what is to be
//! done once the lock is released is collected in [`After`].
//!
//! The invariant that loses no wakeup: a consumer has a waker registered only while none of its queues has a
//! message that it may take. Whatever ends that (a message, room, a message that comes back) takes the waker;
//! messages that time alone makes ready are slept for by the consumer itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

#[cfg(feature = "simulation")]
use super::chaos::{Chaos, Fate};
use super::consumer::{Consumer, Source, Take};
use super::journal::Journal;
use super::queue::{ConsumerId, Entry, Now, Popped, Queue, Settles};
use super::router::{QueueId, Router};
use crate::bus::{BusError, Message, PublishOutcome, QueueDepth, Subscription};
use crate::topology::{self, QueueKind, QueueSpec};

/// The header of a dead-lettered message that says why, as RabbitMQ writes it: `expired` or `maxlen`.
const DEATH_REASON: &str = "x-first-death-reason";
/// The header that says from which queue.
const DEATH_QUEUE: &str = "x-first-death-queue";
/// The header that says to which exchange it was published.
const DEATH_EXCHANGE: &str = "x-first-death-exchange";

/// What to do once the lock is released.
#[derive(Default)]
pub(super) struct After {
    wake: Vec<Waker>,
    confirm: Vec<(oneshot::Sender<PublishOutcome>, PublishOutcome)>,
    idle: bool,
}

impl After {
    pub(super) fn run(self, idle: &Notify) {
        for (sender, confirm) in self.confirm {
            // Nobody has to wait for a receipt.
            let _ = sender.send(confirm);
        }
        for waker in self.wake {
            waker.wake();
        }
        if self.idle {
            idle.notify_waiters();
        }
    }

    fn confirm(&mut self, receipt: Option<oneshot::Sender<PublishOutcome>>, confirm: PublishOutcome) {
        if let Some(sender) = receipt {
            self.confirm.push((sender, confirm));
        }
    }

    /// One queue is done with a message.
    fn settle(&mut self, settles: Settles) {
        self.confirm(settles.and_then(Arc::into_inner), PublishOutcome::Confirmed);
    }
}

/// Why a queue gives up on a message.
#[derive(Clone, Copy)]
enum Death {
    Expired,
    MaxLength,
}

impl Death {
    const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
        }
    }
}

/// Everything on one bus.
#[derive(Debug, Default)]
pub(super) struct State {
    router: Router,
    queues: BTreeMap<QueueId, Queue>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    next_id: u64,
    pending: usize,
    closed: bool,
    journal: Option<Journal>,
    #[cfg(feature = "simulation")]
    chaos: Option<Chaos>,
}

impl State {
    /// With the whole topology.
    pub(super) fn new() -> Self {
        let mut state = Self::default();
        for exchange in topology::EXCHANGES {
            state.router.add_exchange(exchange);
        }
        for queue in topology::queues() {
            state.declare(queue);
        }
        state
    }

    /// Keeps parked messages in `journal` from now on, and puts those it has kept into their queue.
    pub(super) fn restore(&mut self, journal: Journal, parked: BTreeMap<u64, Message>) {
        self.journal = Some(journal);
        if let Some(queue) = self.router.queue(topology::DEAD).and_then(|id| self.queues.get_mut(&id)) {
            for (position, message) in parked {
                queue.restore(position, Arc::new(message));
            }
        }
    }

    #[cfg(feature = "simulation")]
    pub(super) fn disturb(&mut self, chaos: Chaos) {
        self.chaos = Some(chaos);
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Adds a queue, or bindings to the one of that name.
    fn declare(&mut self, spec: QueueSpec) -> QueueId {
        let name: Arc<str> = Arc::from(spec.name.as_str());
        let id = self.router.queue(&name).unwrap_or_else(|| QueueId(self.fresh_id()));
        self.router.add_queue(&name, id, &spec);
        self.queues.entry(id).or_insert_with(|| Queue::new(name, spec));
        id
    }

    /// Whether `spec` may be declared and consumed.
    fn check(&self, spec: &QueueSpec) -> Result<(), BusError> {
        self.router.check(spec)?;
        let Some(queue) = self.router.queue(&spec.name).and_then(|id| self.queues.get(&id)) else {
            return Ok(());
        };
        let there = &queue.spec;
        let name = &spec.name;
        if there.kind == QueueKind::Exclusive {
            return Err(BusError::Occupied(format!(
                "queue '{name}' belongs to another consumer alone; consume it there or choose another name"
            )));
        }
        let same = there.kind == spec.kind
            && there.max_messages == spec.max_messages
            && there.overflow == spec.overflow
            && there.ttl == spec.ttl
            && there.dead_letter == spec.dead_letter;
        if same {
            return Ok(());
        }
        Err(BusError::Topology(format!(
            "queue '{name}' is there with other properties than asked for; use the same ones for it everywhere"
        )))
    }

    /// Publishes to every queue it matches, or to none of them.
    pub(super) fn publish(
        &mut self,
        message: Message,
        receipt: Option<oneshot::Sender<PublishOutcome>>,
        after: &mut After,
    ) {
        if self.closed {
            return; // Dropping the receipt says so.
        }
        let route = self.router.route(&message.exchange, &message.routing_key);
        let Some(route) = route.filter(|route| !route.is_empty()) else {
            return after.confirm(receipt, PublishOutcome::Returned);
        };
        let mut now = Now::default();
        for queue in route.iter() {
            self.sweep_queue(*queue, &mut now, after);
            if self.queues.get(queue).is_some_and(Queue::refuses) {
                return after.confirm(receipt, PublishOutcome::Nacked);
            }
        }
        let message = Arc::new(message);
        let settles = receipt.map(Arc::new);
        for queue in route.iter() {
            self.enqueue(*queue, &message, settles.clone(), &mut now, after);
        }
        // The share of this function: the last one if no queue had to keep the message.
        after.settle(settles);
    }

    fn enqueue(
        &mut self,
        id: QueueId,
        message: &Arc<Message>,
        settles: Settles,
        now: &mut Now,
        after: &mut After,
    ) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        if queue.parks {
            return self.park(id, message, settles, after);
        }
        let age = [message.properties.expiration, queue.spec.ttl].into_iter().flatten().min();
        let expires = age.and_then(|age| now.get().checked_add(age));
        let entry = Entry { position: 0, message: Arc::clone(message), settles, redelivered: false, expires };
        #[cfg(feature = "simulation")]
        if let Some(chaos) = &self.chaos {
            let fate = chaos.fate(&entry.message, &queue.name);
            return self.enqueue_by_fate(id, entry, &fate, now, after);
        }
        self.push(id, entry, None, after);
    }

    /// Loses every event that waits in a queue and is told again.
    #[cfg(feature = "simulation")]
    pub(super) fn forget(&mut self, after: &mut After) {
        let ids: Vec<QueueId> = self.queues.keys().copied().collect();
        for id in ids {
            let lost = self.queues.get_mut(&id).map(Queue::take_forgettable).unwrap_or_default();
            lost.into_iter().for_each(|entry| self.settle(id, entry, after));
        }
    }

    #[cfg(feature = "simulation")]
    fn enqueue_by_fate(&mut self, id: QueueId, entry: Entry, fate: &Fate, now: &mut Now, after: &mut After) {
        if fate.dropped {
            return after.settle(entry.settles);
        }
        let mut due = |delay: std::time::Duration| (!delay.is_zero()).then(|| now.get() + delay);
        let copy = fate.duplicate.as_ref().map(|duplicate| {
            let entry = Entry {
                message: Arc::clone(&entry.message),
                settles: None,
                redelivered: duplicate.redelivered,
                ..entry
            };
            (entry, due(duplicate.delay))
        });
        let first_due = due(fate.delay);
        self.push(id, entry, first_due, after);
        if let Some((copy, due)) = copy {
            self.push(id, copy, due, after);
        }
    }

    fn push(&mut self, id: QueueId, entry: Entry, due: Option<Instant>, after: &mut After) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        queue.push(entry, due);
        self.pending += usize::from(queue.counts);
        self.wake_consumers(id, after);
        self.trim(id, after);
    }

    /// Drops the oldest of a queue that does so until it is within its bound.
    fn trim(&mut self, id: QueueId, after: &mut After) {
        while let Some(oldest) = self.queues.get_mut(&id).and_then(Queue::pop_overflowing) {
            self.give_up(id, oldest, Death::MaxLength, after);
        }
    }

    /// Puts a message into the queue where it stays until a person has dealt with it. It is safe once it is on
    /// disk, or at once if it is not to outlive the bus.
    fn park(&mut self, id: QueueId, message: &Arc<Message>, settles: Settles, after: &mut After) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let entry = Entry {
            position: 0,
            message: Arc::clone(message),
            settles: None,
            redelivered: false,
            expires: None,
        };
        let position = queue.push(entry, None);
        match &self.journal {
            Some(journal) => journal.park(position, message, settles),
            None => after.settle(settles),
        }
        self.wake_consumers(id, after);
    }

    fn wake_consumers(&mut self, id: QueueId, after: &mut After) {
        let Some(queue) = self.queues.get(&id) else { return };
        for consumer in &queue.consumers {
            let Some(consumer) = self.consumers.get_mut(consumer) else { continue };
            if consumer.has_room_for(id) {
                after.wake.extend(consumer.waker.take());
            }
        }
    }

    /// One queue is done with a message.
    fn settle(&mut self, id: QueueId, entry: Entry, after: &mut After) {
        if let Some(queue) = self.queues.get(&id) {
            if queue.counts {
                self.pending -= 1;
                after.idle |= self.pending == 0;
            }
            if let Some(journal) = self.journal.as_ref().filter(|_| queue.parks) {
                journal.forget(entry.position);
            }
        }
        after.settle(entry.settles);
    }

    /// A queue is done with a message that nobody consumed: dead-letters it if the queue is set up so, once.
    fn give_up(&mut self, id: QueueId, mut entry: Entry, death: Death, after: &mut After) {
        let Some(queue) = self.queues.get(&id) else { return };
        let died_before = entry.message.properties.headers.contains_key(DEATH_REASON);
        if let Some(exchange) = queue.spec.dead_letter.filter(|_| !died_before) {
            let mut message = Message::clone(&entry.message);
            let headers = &mut message.properties.headers;
            headers.insert(DEATH_REASON.to_owned(), death.word().to_owned());
            headers.insert(DEATH_QUEUE.to_owned(), queue.name.to_string());
            headers.insert(DEATH_EXCHANGE.to_owned(), std::mem::take(&mut message.exchange));
            exchange.clone_into(&mut message.exchange);
            // Dead letters do not expire again.
            message.properties.expiration = None;
            self.dead_letter(message, entry.settles.take(), after);
        }
        self.settle(id, entry, after);
    }

    fn dead_letter(&mut self, message: Message, settles: Settles, after: &mut After) {
        let route = self.router.route(&message.exchange, &message.routing_key);
        let mut now = Now::default();
        let message = Arc::new(message);
        for id in route.iter().flat_map(|route| route.iter()) {
            if self.queues.get(id).is_some_and(Queue::refuses) {
                tracing::error!(
                    exchange = message.exchange,
                    routing_key = message.routing_key,
                    "a dead letter is lost: the queue of dead letters is full; look through it and empty it"
                );
            } else {
                self.enqueue(*id, &message, settles.clone(), &mut now, after);
            }
        }
        after.settle(settles);
    }

    /// Gives up on what has expired, in every queue.
    pub(super) fn sweep(&mut self, after: &mut After) {
        let mut now = Now::default();
        let ids: Vec<_> = self.queues.keys().copied().collect();
        for id in ids {
            self.sweep_queue(id, &mut now, after);
        }
    }

    /// As brokers do, looks at the head only: what has expired behind it goes when it gets there.
    fn sweep_queue(&mut self, id: QueueId, now: &mut Now, after: &mut After) {
        while let Some(entry) = self.queues.get_mut(&id).and_then(|queue| queue.pop_expired(now)) {
            self.give_up(id, entry, Death::Expired, after);
        }
    }

    pub(super) fn add_consumer(
        &mut self,
        subscriptions: Vec<Subscription>,
        after: &mut After,
    ) -> Result<ConsumerId, BusError> {
        if self.closed {
            return Err(closed());
        }
        for subscription in &subscriptions {
            self.check(&subscription.queue)?;
        }
        let id = ConsumerId(self.fresh_id());
        let mut consumer = Consumer::default();
        for Subscription { queue: spec, prefetch } in subscriptions {
            let queue_id = self.declare(spec);
            consumer.sources.push(Source { queue: queue_id, prefetch: prefetch.max(1), held: 0 });
            if let Some(queue) = self.queues.get_mut(&queue_id) {
                queue.consumers.push(id);
            }
            self.sweep_queue(queue_id, &mut Now::default(), after);
        }
        self.consumers.insert(id, consumer);
        Ok(id)
    }

    /// Gives back what it holds, and removes the queues that were its own.
    pub(super) fn remove_consumer(&mut self, id: ConsumerId, after: &mut After) {
        let Some(consumer) = self.consumers.remove(&id) else { return };
        // The newest first: then each goes to the very front.
        for held in consumer.held.into_values().rev() {
            let source = consumer.sources.get(held.source);
            if let Some(queue) = source.and_then(|source| self.queues.get_mut(&source.queue)) {
                queue.unacked -= 1;
                queue.requeue(held.entry);
            }
        }
        for source in consumer.sources {
            let Some(queue) = self.queues.get_mut(&source.queue) else { continue };
            queue.consumers.retain(|other| *other != id);
            if queue.spec.kind == QueueKind::Exclusive {
                self.remove_queue(source.queue, after);
            } else {
                self.trim(source.queue, after);
                self.wake_consumers(source.queue, after);
            }
        }
    }

    fn remove_queue(&mut self, id: QueueId, after: &mut After) {
        let Some(mut queue) = self.queues.remove(&id) else { return };
        self.router.remove_queue(&queue.name, id);
        while let Some(entry) = queue.pop_oldest() {
            after.settle(entry.settles);
        }
    }

    /// Takes what is ready, from each queue in turn, at most `max`; if there is nothing, remembers whom to
    /// wake.
    ///
    /// # Errors
    /// When the bus is closed.
    pub(super) fn take(
        &mut self,
        id: ConsumerId,
        max: usize,
        waker: &Waker,
        after: &mut After,
    ) -> Result<Take, BusError> {
        let mut batch = Vec::new();
        let mut now = Now::default();
        let mut passed = 0;
        while batch.len() < max {
            let Some(consumer) = self.consumers.get_mut(&id) else { return Err(closed()) };
            if passed == consumer.sources.len() {
                break;
            }
            passed += 1;
            let turn = consumer.turn;
            consumer.turn = (turn + 1) % consumer.sources.len();
            let source = &mut consumer.sources[turn];
            let Some(queue) = self.queues.get_mut(&source.queue) else { continue };
            if source.held >= source.prefetch {
                continue;
            }
            match queue.pop(&mut now) {
                None => continue,
                Some(Popped::Expired(entry)) => {
                    let queue = source.queue;
                    self.give_up(queue, entry, Death::Expired, after);
                }
                Some(Popped::Ready(entry)) => {
                    queue.unacked += 1;
                    batch.push(consumer.hold(turn, entry, &queue.name));
                }
            }
            passed = 0;
        }
        if batch.is_empty() {
            return Ok(Take::Nothing { due: self.wait(id, waker) });
        }
        Ok(Take::Batch(batch))
    }

    fn wait(&mut self, id: ConsumerId, waker: &Waker) -> Option<Instant> {
        let consumer = self.consumers.get_mut(&id)?;
        match &mut consumer.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        consumer.with_room().filter_map(|queue| self.queues.get(&queue)?.first_due()).min()
    }

    pub(super) fn ack(&mut self, id: ConsumerId, delivery: u64, after: &mut After) {
        let Some(consumer) = self.consumers.get_mut(&id) else { return };
        let Some(held) = consumer.held.remove(&delivery) else { return };
        let Some(source) = consumer.sources.get_mut(held.source) else { return };
        let was_full = source.held >= source.prefetch;
        source.held -= 1;
        let queue_id = source.queue;
        if let Some(queue) = self.queues.get_mut(&queue_id) {
            queue.unacked -= 1;
            if was_full && !queue.is_empty() {
                after.wake.extend(consumer.waker.take());
            }
        }
        self.settle(queue_id, held.entry, after);
    }

    pub(super) fn depths(&self) -> Vec<QueueDepth> {
        let mut depths: Vec<_> = self
            .queues
            .values()
            .map(|queue| QueueDepth {
                name: Arc::clone(&queue.name),
                ready: queue.len(),
                unacked: Some(queue.unacked),
                consumers: queue.consumers.len(),
            })
            .collect();
        depths.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        depths
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// When time alone next changes what is in some queue.
    pub(super) fn next_change(&self) -> Option<Instant> {
        self.queues.values().filter_map(Queue::next_change).min()
    }

    pub(super) fn dead_letters(&self, max: usize) -> Vec<Arc<Message>> {
        let queue = self.router.queue(topology::DEAD).and_then(|id| self.queues.get(&id));
        queue.map(|queue| queue.peek(max)).unwrap_or_default()
    }

    /// Ends it. What it returns is to be dropped without the lock: that waits for the dead-letter file.
    pub(super) fn close(&mut self, after: &mut After) -> Self {
        for consumer in self.consumers.values_mut() {
            after.wake.extend(consumer.waker.take());
        }
        after.idle = true;
        std::mem::replace(self, Self { closed: true, next_id: self.next_id, ..Self::default() })
    }
}

fn closed() -> BusError {
    BusError::Lost("this process has shut its bus down".to_owned())
}

#[cfg(test)]
impl State {
    /// Checks the books, and the invariant that loses no wakeup.
    pub(super) fn assert_sound(&self) {
        let waiting_for = |consumer: &Consumer| {
            consumer.with_room().filter(|queue| !self.queues[queue].is_ready_empty()).count()
        };
        for (id, consumer) in &self.consumers {
            assert!(
                consumer.waker.is_none() || waiting_for(consumer) == 0,
                "{id:?} sleeps though there is work"
            );
            let held: usize = consumer.sources.iter().map(|source| source.held).sum();
            assert_eq!(held, consumer.held.len(), "{id:?} has miscounted what it holds");
            assert!(consumer.sources.iter().all(|source| source.held <= source.prefetch));
        }
        let mut pending = 0;
        for (id, queue) in &self.queues {
            assert!(queue.is_sorted(), "'{}' is out of order", queue.name);
            let sources = self.consumers.values().flat_map(|consumer| &consumer.sources);
            let held: usize = sources.filter(|source| source.queue == *id).map(|source| source.held).sum();
            assert_eq!(queue.unacked, held, "'{}' has miscounted its unacked", queue.name);
            pending += if queue.counts { queue.len() + queue.unacked } else { 0 };
        }
        assert_eq!(self.pending, pending, "miscounted what is pending");
    }
}
