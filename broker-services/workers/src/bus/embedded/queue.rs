//! One queue: what is in it, in which order, and for how long.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

#[cfg(feature = "simulation")]
use super::chaos::may_be_forgotten;
use crate::bus::{Message, PublishOutcome};
use crate::topology::{DEAD, MYINFO_SIGNALS, Overflow, QueueKind, QueueSpec};

/// A consumer within one bus. Never used twice, so that late acks of a dead one find nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConsumerId(pub(super) u64);

/// A publisher's receipt, shared by every queue that still has the message. Whoever gives back the last share
/// sends it; losing it tells the publisher [`PublishOutcome::Unknown`].
pub(super) type Settles = Option<Arc<oneshot::Sender<PublishOutcome>>>;

/// A message in a queue.
#[derive(Debug)]
pub(super) struct Entry {
    /// Ascending in the order of delivery, never used twice in a queue.
    pub(super) position: u64,
    pub(super) message: Arc<Message>,
    pub(super) settles: Settles,
    pub(super) redelivered: bool,
    pub(super) expires: Option<Instant>,
}

/// What [`Queue::pop`] found at the head.
pub(super) enum Popped {
    Ready(Entry),
    Expired(Entry),
}

/// The time, asked for at most once in an operation, and not at all by messages that never expire.
#[derive(Default)]
pub(super) struct Now(Option<Instant>);

impl Now {
    pub(super) fn get(&mut self) -> Instant {
        *self.0.get_or_insert_with(Instant::now)
    }
}

/// A queue and its bookkeeping.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Arc<str>,
    pub(super) spec: QueueSpec,
    /// Whether [`super::EmbeddedBus::pending`] counts it.
    pub(super) counts: bool,
    /// Whether it is where parked messages stay: safe once journalled, and for good.
    pub(super) parks: bool,
    pub(super) consumers: Vec<ConsumerId>,
    pub(super) unacked: usize,
    /// Sorted by position.
    ready: VecDeque<Entry>,
    /// Those a simulation holds back, by when they are due.
    delayed: BTreeMap<(Instant, u64), Entry>,
    next_position: u64,
}

impl Queue {
    pub(super) fn new(name: Arc<str>, spec: QueueSpec) -> Self {
        Self {
            counts: spec.kind != QueueKind::Exclusive && spec.name != DEAD && spec.name != MYINFO_SIGNALS,
            parks: spec.name == DEAD,
            name,
            spec,
            consumers: Vec::new(),
            unacked: 0,
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            next_position: 0,
        }
    }

    /// Messages that wait, those held back included: the broker has them, and its limit counts them.
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.delayed.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.delayed.is_empty()
    }

    pub(super) fn refuses(&self) -> bool {
        self.spec.overflow == Overflow::RejectPublish && self.len() >= self.spec.max_messages
    }

    /// Takes a position at the end of the queue.
    fn position(&mut self) -> u64 {
        let position = self.next_position;
        self.next_position += 1;
        position
    }

    /// Appends a message, or holds it back until `due`; its position is the one returned.
    pub(super) fn push(&mut self, mut entry: Entry, due: Option<Instant>) -> u64 {
        let position = self.position();
        entry.position = position;
        match due {
            None => self.ready.push_back(entry),
            Some(due) => drop(self.delayed.insert((due, position), entry)),
        }
        position
    }

    /// Appends a message that an earlier process left behind, at the position it had.
    pub(super) fn restore(&mut self, position: u64, message: Arc<Message>) {
        self.next_position = self.next_position.max(position + 1);
        self.ready.push_back(Entry { position, message, settles: None, redelivered: true, expires: None });
    }

    /// Appends those held back whose time has come.
    fn ripen(&mut self, now: &mut Now) {
        while let Some(first) = self.delayed.first_entry() {
            if first.key().0 > now.get() {
                break;
            }
            let mut entry = first.remove();
            entry.position = self.position();
            self.ready.push_back(entry);
        }
    }

    pub(super) fn pop(&mut self, now: &mut Now) -> Option<Popped> {
        self.ripen(now);
        let entry = self.ready.pop_front()?;
        match entry.expires {
            Some(expires) if expires <= now.get() => Some(Popped::Expired(entry)),
            _ => Some(Popped::Ready(entry)),
        }
    }

    pub(super) fn pop_expired(&mut self, now: &mut Now) -> Option<Entry> {
        self.ripen(now);
        let expires = self.ready.front()?.expires?;
        if expires <= now.get() { self.ready.pop_front() } else { None }
    }

    /// Takes out, ready or held back, what a simulated broker may forget.
    #[cfg(feature = "simulation")]
    pub(super) fn take_forgettable(&mut self) -> Vec<Entry> {
        if !may_be_forgotten(&self.name) {
            return Vec::new();
        }
        let (ready, delayed) = (std::mem::take(&mut self.ready), std::mem::take(&mut self.delayed));
        ready.into_iter().chain(delayed.into_values()).collect()
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Entry> {
        self.ready.pop_front().or_else(|| self.delayed.pop_first().map(|(_, entry)| entry))
    }

    /// The oldest, if it holds more than it may and drops its oldest then.
    pub(super) fn pop_overflowing(&mut self) -> Option<Entry> {
        let overflows = self.spec.overflow == Overflow::DropHead && self.len() > self.spec.max_messages;
        if overflows { self.pop_oldest() } else { None }
    }

    /// Puts one back where it was.
    pub(super) fn requeue(&mut self, mut entry: Entry) {
        entry.redelivered = true;
        if self.ready.front().is_none_or(|first| entry.position < first.position) {
            self.ready.push_front(entry);
        } else {
            let place = self.ready.partition_point(|other| other.position < entry.position);
            self.ready.insert(place, entry);
        }
    }

    /// When the next message held back is due.
    pub(super) fn first_due(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    /// When time alone next changes what is in it.
    pub(super) fn next_change(&self) -> Option<Instant> {
        let expires = self.ready.front().and_then(|first| first.expires);
        [self.first_due(), expires].into_iter().flatten().min()
    }

    pub(super) fn peek(&self, max: usize) -> Vec<Arc<Message>> {
        self.ready.iter().take(max).map(|entry| Arc::clone(&entry.message)).collect()
    }

    #[cfg(test)]
    pub(super) fn is_ready_empty(&self) -> bool {
        self.ready.is_empty()
    }

    #[cfg(test)]
    pub(super) fn is_sorted(&self) -> bool {
        self.ready.iter().is_sorted_by(|one, next| one.position < next.position)
    }
}
