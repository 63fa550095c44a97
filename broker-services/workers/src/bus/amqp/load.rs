//! How much is on its way to a broker, and how much may be: what is handed over beyond it is refused, so that a broker that
//! is slow or away does not fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most messages taken from the queue before confirms get their turn.
pub(super) const MAX_AT_ONCE: usize = 256;

/// How much is on its way.
#[derive(Debug)]
pub(super) struct Load {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    max_messages: usize,
    max_bytes: usize,
}

impl Load {
    /// Nothing yet, and at most that much.
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Arc<Self> {
        let (messages, bytes) = Default::default();
        Arc::new(Self { messages, bytes, max_messages, max_bytes })
    }

    /// Room for a message of that size, if there is some.
    pub(super) fn take(load: &Arc<Self>, bytes: usize) -> Option<Held> {
        let held = Held { load: Arc::clone(load), bytes };
        let messages = load.messages.fetch_add(1, Ordering::Relaxed);
        let total = load.bytes.fetch_add(bytes, Ordering::Relaxed);
        // A single one beyond the bound has to go through nevertheless.
        let fits = messages == 0 || (messages < load.max_messages && total + bytes <= load.max_bytes);
        fits.then_some(held)
    }
}

/// One message's share of the load, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    load: Arc<Load>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.load.messages.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
