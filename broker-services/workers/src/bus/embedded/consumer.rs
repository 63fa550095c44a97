//! One consumer: what it takes from, what it holds, and how to wake it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use super::queue::Entry;
use super::router::QueueId;
use crate::bus::Message;

/// A message handed to a consumer.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) message: Arc<Message>,
    pub(super) queue: Arc<str>,
    pub(super) redelivered: bool,
    pub(super) delivery: u64,
}

/// What a consumer finds.
pub(super) enum Take {
    /// At least one.
    Batch(Vec<Taken>),
    /// Nothing yet: wait to be woken, or until a message that is held back is due.
    Nothing { due: Option<Instant> },
}

/// One consumer's books.
#[derive(Debug, Default)]
pub(super) struct Consumer {
    pub(super) sources: Vec<Source>,
    /// Whose turn it is.
    pub(super) turn: usize,
    /// Unacked, by delivery; at most the sum of the prefetches.
    pub(super) held: BTreeMap<u64, Held>,
    next_delivery: u64,
    pub(super) waker: Option<Waker>,
}

/// A queue it takes from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) queue: QueueId,
    pub(super) prefetch: usize,
    pub(super) held: usize,
}

/// A message in its hands.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) source: usize,
    pub(super) entry: Entry,
}

impl Consumer {
    pub(super) fn has_room_for(&self, queue: QueueId) -> bool {
        self.with_room().any(|with_room| with_room == queue)
    }

    /// The queues it may take from, as far as its prefetch goes.
    pub(super) fn with_room(&self) -> impl Iterator<Item = QueueId> {
        self.sources.iter().filter(|source| source.held < source.prefetch).map(|source| source.queue)
    }

    /// Gives it `entry` of the queue whose turn it is.
    pub(super) fn hold(&mut self, turn: usize, entry: Entry, queue: &Arc<str>) -> Taken {
        let delivery = self.next_delivery;
        self.next_delivery += 1;
        let taken = Taken {
            message: Arc::clone(&entry.message),
            queue: Arc::clone(queue),
            redelivered: entry.redelivered,
            delivery,
        };
        self.sources[turn].held += 1;
        self.held.insert(delivery, Held { source: turn, entry });
        taken
    }
}
