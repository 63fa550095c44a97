//! The relay: publishes committed events, and marks them as sent once the bus has confirmed them.
//!
//! An event is picked because it is *unsent*, never because it comes after another one: the order of numbers
//! is not the order of commits. The batch loop hands over what it has just committed, so that nothing has to
//! be read again; what a crash left behind, and what other processes on the same store have committed, is found
//! there. One of them relays for all: the one that has the lease. An event that is sent twice does no harm.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use skstore_domain::checkpoint::{LogId, Seqs};
use skstore_domain::events::EventKind;
use skstore_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bus::{Message, Properties, PublishOutcome, Publisher, Tracked};
use crate::context::{Backoff, Context};
use crate::envelope::{EVENT_BATCH_TYPE, EVENT_TYPE};
use crate::headers::{INCARNATION, SEQS, STORE, TOLD_AGAIN};
use crate::probe::{Bug, Point};
use crate::store::{Store, StoredEvent};
use crate::topology;
use lease::{Duty, Lease};

mod lease;

/// Unsent events read from the store at once.
const LOOK_ENTRIES: usize = 1_000;
/// How often the relay looks for what other processes on its store have committed: no person sees that delay, and
/// a look that finds nothing takes some microseconds.
pub(crate) const NEWS_EVERY: Duration = Duration::from_millis(10);
/// When events that the bus did not take are sent again: soon, but not in a loop.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The loop's end of the relay: where committed events are handed over.
#[derive(Debug, Clone)]
pub(crate) struct RelayHandle {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    handed_over: RefCell<Vec<StoredEvent>>,
    /// Numbers of all events known to be unsent, and since when. Bounded by the unsent events at which Order takes no more
    /// orders, plus what the orders that were taken before still cause.
    unsent: RefCell<BTreeMap<i64, Timestamp>>,
    look_again: std::cell::Cell<bool>,
    /// Whether this process relays; if not, whoever does finds the events in the store.
    is_relaying: std::cell::Cell<bool>,
    work: Notify,
    store: Store,
    context: Context,
}

impl RelayHandle {
    /// Takes events that were just committed.
    pub(crate) fn hand_over(&self, events: Vec<StoredEvent>) {
        if events.is_empty() || !self.shared.is_relaying.get() {
            return;
        }
        self.shared.take(events);
        self.shared.work.notify_one();
    }

    /// There may be unsent events that nobody handed over.
    pub(crate) fn look_again(&self) {
        self.shared.look_again.set(true);
        self.shared.work.notify_one();
    }

    /// Waits until everything that this process has to publish is confirmed.
    pub(crate) async fn all_sent(&self) {
        if self.shared.is_relaying.get() {
            self.shared.context.status.all_sent().await;
        }
    }

    /// Lets another process on the same store relay at once. Only when the relay does not run any more.
    pub(crate) async fn give_up(&self) {
        let Shared { store, context, .. } = &*self.shared;
        if context.settings.shares_stores
            && let Err(error) = store.give_up_lease(&context.instance).await
        {
            // It ends by itself a moment later.
            tracing::debug!(%error, "the right to relay events was not given up");
        }
    }
}

impl Shared {
    /// Counts them as unsent before anything else happens, so that nobody takes the system for idle.
    fn take(&self, events: Vec<StoredEvent>) {
        let mut unsent = self.unsent.borrow_mut();
        let mut handed_over = self.handed_over.borrow_mut();
        let now = self.context.clock.now();
        handed_over.extend(events.into_iter().filter(|event| match unsent.entry(event.seq) {
            Entry::Vacant(entry) => {
                entry.insert(now);
                true
            }
            Entry::Occupied(_) => false,
        }));
        self.tell_unsent(&unsent);
    }

    fn tell_unsent(&self, unsent: &BTreeMap<i64, Timestamp>) {
        let status = &self.context.status;
        status.set_unsent(unsent.len());
        status.figures().oldest_unsent.set(unsent.first_key_value().map(|(_, since)| *since));
    }

    fn is_known(&self, seq: i64) -> bool {
        self.unsent.borrow().contains_key(&seq)
    }

    fn forget(&self, seqs: &[i64]) {
        let mut unsent = self.unsent.borrow_mut();
        for seq in seqs {
            unsent.remove(seq);
        }
        if self.is_relaying.get() {
            self.tell_unsent(&unsent);
        }
    }

    /// Leaves all of them to another process.
    fn forget_all(&self) {
        self.handed_over.borrow_mut().clear();
        self.unsent.borrow_mut().clear();
        self.context.status.figures().oldest_unsent.set(None);
    }
}

/// An event to be published.
#[derive(Debug)]
struct Ready {
    stored: StoredEvent,
    /// The entry that it makes superfluous: who has this one misses nothing.
    supersedes: Option<i64>,
}

impl From<StoredEvent> for Ready {
    fn from(stored: StoredEvent) -> Self {
        Self { stored, supersedes: None }
    }
}

/// Publishes what its [`RelayHandle`] takes. Run it beside the loop, on the same thread.
pub(crate) struct Relay {
    shared: Rc<Shared>,
    store: Store,
    lease: Lease,
    publisher: Publisher,
    ready: Vec<Ready>,
    held: Held,
    in_flight: FuturesUnordered<Tracked<Vec<Ready>>>,
    /// Confirmed or superfluous, and not marked yet.
    settled: Vec<i64>,
    refused: Vec<Ready>,
    retry_at: Option<Instant>,
    backoff: Backoff,
}

impl Relay {
    /// A relay for `store`, and the handle by which events reach it.
    pub(crate) fn new(context: &Context, store: Store, publisher: Publisher) -> (RelayHandle, Self) {
        let shared = Rc::new(Shared {
            handed_over: RefCell::default(),
            unsent: RefCell::default(),
            look_again: std::cell::Cell::new(!context.probe.has(Bug::NoRelayAfterRestart)),
            // Where there is a lease, what is committed before we have it waits in the store.
            is_relaying: std::cell::Cell::new(!context.settings.shares_stores),
            work: Notify::new(),
            store: store.clone(),
            context: context.clone(),
        });
        let relay = Self {
            shared: Rc::clone(&shared),
            lease: Lease::new(context, store.clone()),
            store,
            publisher,
            ready: Vec::new(),
            held: Held::new(context.settings.hold_paying),
            in_flight: FuturesUnordered::new(),
            settled: Vec::new(),
            refused: Vec::new(),
            retry_at: None,
            backoff: context.backoff(),
        };
        (RelayHandle { shared }, relay)
    }

    /// Works for ever.
    pub(crate) async fn run(mut self) {
        loop {
            self.do_duty().await;
            if self.shared.is_relaying.get() {
                if self.shared.look_again.take() {
                    self.look().await;
                }
                self.sort_out();
                self.publish().await;
            }
            self.mark().await;
            self.wait().await;
        }
    }

    /// Begins, goes on or ends relaying, as the lease has it.
    async fn do_duty(&mut self) {
        let shared = Rc::clone(&self.shared);
        let context = &shared.context;
        match self.lease.keep(Instant::now()).await {
            Duty::Relay => {}
            Duty::Look => {
                let bug =
                    if shared.is_relaying.get() { Bug::RelayOnlyItsOwn } else { Bug::NoRelayAfterRestart };
                shared.is_relaying.set(true);
                if !context.probe.has(bug) {
                    shared.look_again.set(true);
                }
            }
            Duty::StandBy => {
                if shared.is_relaying.replace(false) {
                    self.stand_back();
                }
                // Order takes no more orders when too many wait, whoever publishes them.
                if let Ok(count) = self.store.unsent_count().await {
                    context.status.set_unsent(usize::try_from(count).unwrap_or(usize::MAX));
                }
            }
        }
    }

    /// Leaves everything to the process that has the lease now. What is on its way already is marked when it is
    /// confirmed.
    fn stand_back(&mut self) {
        self.shared.forget_all();
        self.ready.clear();
        self.refused.clear();
        self.retry_at = None;
        self.held = Held::new(self.held.hold);
    }

    /// Finds unsent events that nobody has handed over.
    async fn look(&mut self) {
        let mut after = 0;
        loop {
            match self.store.unsent(after, |seq| self.shared.is_known(seq), LOOK_ENTRIES).await {
                Ok(events) => {
                    let last = events.last().map(|event| event.seq);
                    self.shared.take(events);
                    let Some(last) = last else { return };
                    after = last;
                }
                Err(error) => {
                    tracing::error!(%error, "the relay cannot read its store; trying again");
                    self.shared.look_again.set(true);
                    self.backoff.wait().await;
                    return;
                }
            }
        }
    }

    /// Decides of each new event whether it is published now, later, or not at all.
    fn sort_out(&mut self) {
        let now = Instant::now();
        for event in self.shared.handed_over.take() {
            if event.event.kind.is_superseded_by_next() {
                self.held.hold(event, now);
            } else {
                let supersedes = self.held.supersede(&event);
                self.settled.extend(supersedes);
                self.ready.push(Ready { stored: event, supersedes });
            }
        }
        self.ready.extend(self.held.due(now).into_iter().map(Ready::from));
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.ready.append(&mut self.refused);
        }
    }

    /// Publishes what is ready: one message for each routing key, and for each number of times that its events are told again;
    /// or several where it would become too large.
    async fn publish(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        // Where it cannot be read, they go out without: what they stand for is then asked for. Anew each time, since others may
        // have opened the store meanwhile.
        let log = self.store.identity().await.ok().flatten();
        let mut by_kind: BTreeMap<(EventKind, u32), Vec<Ready>> = BTreeMap::new();
        for event in self.ready.drain(..) {
            by_kind.entry((event.stored.event.kind, event.stored.told_again)).or_default().push(event);
        }
        for ((kind, told_again), events) in by_kind {
            for events in split(events) {
                if told_again > 0 {
                    self.shared.context.status.figures().told_again.add(events.len());
                }
                let receipt = self.publisher.publish(message(kind, told_again, &events, log.as_ref()));
                if self.shared.context.probe.has(Bug::SentBeforeConfirm) {
                    self.settled.extend(seqs(&events));
                }
                self.in_flight.push(Tracked::new(receipt, events));
            }
        }
        self.shared.context.probe.at(Point::Published).await;
    }

    /// Marks what is confirmed.
    async fn mark(&mut self) {
        if self.settled.is_empty() {
            return;
        }
        self.shared.context.probe.at(Point::Confirmed).await;
        match self.store.mark_sent(&self.settled).await {
            Ok(()) => {
                self.shared.forget(&self.settled);
                self.settled.clear();
                self.backoff.reset();
            }
            Err(error) => {
                tracing::error!(%error, "the relay cannot mark events as sent; trying again");
                self.backoff.wait().await;
            }
        }
    }

    /// Waits for something to do, and gathers all confirms that are there.
    async fn wait(&mut self) {
        let has_work = (self.shared.look_again.get() && self.shared.is_relaying.get())
            || !self.shared.handed_over.borrow().is_empty()
            || !self.settled.is_empty();
        if has_work {
            return;
        }
        let next = [self.held.next_due(), self.retry_at, self.lease.due()].into_iter().flatten().min();
        tokio::select! {
            biased;
            Some(landed) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                self.land(landed);
                while let Some(Some(landed)) = self.in_flight.next().now_or_never() {
                    self.land(landed);
                }
            }
            () = self.shared.work.notified() => {}
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
    }

    fn land(&mut self, (confirm, events): (PublishOutcome, Vec<Ready>)) {
        match confirm {
            PublishOutcome::Confirmed => self.settled.extend(seqs(&events)),
            // Whoever relays now finds them in the store.
            PublishOutcome::Returned | PublishOutcome::Nacked | PublishOutcome::Unknown
                if !self.shared.is_relaying.get() => {}
            PublishOutcome::Returned | PublishOutcome::Nacked | PublishOutcome::Unknown => {
                tracing::warn!(?confirm, count = events.len(), "events were not taken; sending them again");
                self.refused.extend(events);
                self.retry_at.get_or_insert_with(|| Instant::now() + RETRY_AFTER);
            }
        }
    }
}

/// Events that the next one of their aggregate makes superfluous, until it comes or their time is up.
#[derive(Debug)]
struct Held {
    hold: Duration,
    by_aggregate: BTreeMap<String, StoredEvent>,
    queue: VecDeque<(Instant, String)>,
}

impl Held {
    const fn new(hold: Duration) -> Self {
        Self { hold, by_aggregate: BTreeMap::new(), queue: VecDeque::new() }
    }

    fn hold(&mut self, event: StoredEvent, now: Instant) {
        let id = event.event.aggregate_id.clone();
        self.queue.push_back((now + self.hold, id.clone()));
        self.by_aggregate.insert(id, event);
    }

    /// The number of the held event that `event` makes superfluous.
    fn supersede(&mut self, event: &StoredEvent) -> Option<i64> {
        if event.event.aggregate_kind != "order" || self.by_aggregate.is_empty() {
            return None;
        }
        self.by_aggregate.remove(&event.event.aggregate_id).map(|held| held.seq)
    }

    fn next_due(&mut self) -> Option<Instant> {
        while let Some((due, id)) = self.queue.front() {
            if self.by_aggregate.contains_key(id) {
                return Some(*due);
            }
            self.queue.pop_front();
        }
        None
    }

    fn due(&mut self, now: Instant) -> Vec<StoredEvent> {
        let mut due = Vec::new();
        while self.next_due().is_some_and(|at| at <= now) {
            if let Some((_, id)) = self.queue.pop_front() {
                due.extend(self.by_aggregate.remove(&id));
            }
        }
        due
    }
}

fn seqs(events: &[Ready]) -> impl Iterator<Item = i64> {
    events.iter().map(|event| event.stored.seq)
}

/// Splits events into messages of at most [`topology::MAX_EVENTS_BYTES`]; an event that is larger travels alone.
fn split(events: Vec<Ready>) -> Vec<Vec<Ready>> {
    let mut messages = Vec::new();
    let mut message = Vec::new();
    let mut bytes = 0;
    for event in events {
        let size = event.stored.event.body.len() + 1;
        if bytes + size > topology::MAX_EVENTS_BYTES && !message.is_empty() {
            messages.push(std::mem::take(&mut message));
            bytes = 0;
        }
        bytes += size;
        message.push(event);
    }
    messages.push(message);
    messages
}

/// A lone event as it is; several as a JSON array, without reading them again. Beside them, of which entries of `log` who has
/// them misses nothing, and for how many times they are told again.
fn message(kind: EventKind, told_again: u32, events: &[Ready], log: Option<&LogId>) -> Message {
    let (body, content_type, message_id) = match events {
        [Ready { stored: StoredEvent { event, .. }, .. }] => {
            (event.body.clone().into_bytes(), EVENT_TYPE, Some(event.id.clone()))
        }
        several => {
            let bodies = || several.iter().map(|event| event.stored.event.body.as_bytes());
            let mut body = Vec::with_capacity(bodies().map(|one| one.len() + 1).sum::<usize>() + 1);
            for (at, one) in bodies().enumerate() {
                body.push(if at == 0 { b'[' } else { b',' });
                body.extend_from_slice(one);
            }
            body.push(b']');
            (body, EVENT_BATCH_TYPE, None)
        }
    };
    let mut headers = log.map_or_else(BTreeMap::new, |LogId { store, incarnation }| {
        let superseded = events.iter().filter_map(|event| event.supersedes);
        let stands_for: Seqs = seqs(events).chain(superseded).collect();
        let headers =
            [(STORE, store.clone()), (INCARNATION, incarnation.clone()), (SEQS, stands_for.to_string())];
        headers.map(|(name, value)| (name.to_owned(), value)).into()
    });
    if told_again > 0 {
        headers.insert(TOLD_AGAIN.to_owned(), told_again.to_string());
    }
    Message {
        exchange: topology::EVENTS.to_owned(),
        routing_key: kind.word().to_owned(),
        body: body.into(),
        properties: Properties {
            message_id,
            content_type: Some(content_type.to_owned()),
            headers,
            ..Properties::default()
        },
    }
}
