//! The connections there are, and which of them makes room when there are too many: the one that has kept us waiting for
//! longest. So no number of clients that are slow, or idle, or pretend to be, keeps out one that is not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// Connections at once: three times the 255 callers that the desk is measured with, and fewer than the 1,024 files that a
/// process may have where nobody says otherwise.
pub(super) const MAX_CONNECTIONS: usize = 768;
/// How long is waited, where all are being served, until it is looked again which keeps us waiting.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// All of them.
#[derive(Debug)]
pub(super) struct Connections {
    room: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// Those that wait for their clients, in the order in which they have begun to.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_number: BTreeMap<u64, Arc<Notify>>,
}

impl Waiting {
    fn add(&mut self, cut: &Arc<Notify>) -> u64 {
        self.next += 1;
        self.by_number.insert(self.next, Arc::clone(cut));
        self.next
    }
}

impl Connections {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { room: Arc::new(Semaphore::new(MAX_CONNECTIONS)), waiting: Mutex::default() })
    }

    /// Room for one more. Returns once there is.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        loop {
            if self.room.available_permits() == 0 {
                self.cut_longest_waiting();
            }
            let room = Arc::clone(&self.room).acquire_owned();
            // It is never closed.
            if let Ok(Ok(permit)) = timeout(LOOK_AGAIN, room).await {
                return permit;
            }
        }
    }

    /// Ends the one that has kept us waiting for longest, if any does.
    pub(super) fn cut_longest_waiting(&self) {
        if let Some((_, cut)) = self.waiting().by_number.pop_first() {
            cut.notify_one();
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them, as its requests see it.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: IpAddr,
    all: Arc<Connections>,
    cut: Arc<Notify>,
    turn: Mutex<Turn>,
    stopped: watch::Receiver<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Something of the client is waited for: a head, a body, or that it reads.
    Client(u64),
    /// The client waits for us.
    Ours,
    /// The client is told something again and again, to the end of the connection.
    Stream,
}

impl Connection {
    pub(super) fn new(peer: IpAddr, all: &Arc<Connections>, stopped: watch::Receiver<bool>) -> Self {
        let cut = Arc::new(Notify::new());
        let turn = Mutex::new(Turn::Client(all.waiting().add(&cut)));
        Self(Arc::new(Inner { peer, all: Arc::clone(all), cut, turn, stopped }))
    }

    pub(super) fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// The client has to do something, from now on.
    pub(super) fn waits_for_client(&self) {
        let mut turn = self.turn();
        if *turn != Turn::Stream {
            let mut waiting = self.0.all.waiting();
            if let Turn::Client(number) = *turn {
                waiting.by_number.remove(&number);
            }
            *turn = Turn::Client(waiting.add(&self.0.cut));
        }
    }

    /// The client has done what it had to.
    pub(super) fn is_served(&self) {
        self.leave(Turn::Ours);
    }

    /// It lasts for as long as there is something to tell.
    pub(super) fn streams(&self) {
        self.leave(Turn::Stream);
    }

    pub(super) fn is_streaming(&self) -> bool {
        *self.turn() == Turn::Stream
    }

    /// Returns when it has to make room.
    pub(super) async fn cut(&self) {
        self.0.cut.notified().await;
    }

    /// Returns when the gateway is to stop.
    pub(super) async fn stopped(&self) {
        // An error means that the gateway is gone.
        let _ = self.0.stopped.clone().wait_for(|is_over| *is_over).await;
    }

    fn leave(&self, to: Turn) {
        let mut turn = self.turn();
        if let Turn::Client(number) = *turn {
            self.0.all.waiting().by_number.remove(&number);
        }
        *turn = to;
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let turn = *self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Turn::Client(number) = turn {
            self.all.waiting().by_number.remove(&number);
        }
    }
}
