//! MyInfo: keeps the view from everyone's events, asks their logs for those that did not come, and rebuilds it from them when
//! it was lost.
//!
//! It has no store of its own. A batch of events becomes a batch of guarded writes; only once the view has
//! them is the batch acked. Several processes share the events; one of them, whose queue of replayed pages it is, is in
//! charge of what is missing.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::checkpoint::{Advance, LogId, Seqs};
use skstore_domain::events::{EventKind, Source};
use skstore_domain::myinfo::{self, ViewWrite};
use skstore_domain::signals::{Beat, BreakerChanged};
use skstore_domain::time::Timestamp;
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Delivery, Message, Publisher, Subscription};
use crate::context::Context;
use crate::envelope::{BadPart, Envelope, Events, park, read_events};
use crate::headers::{INCARNATION, SEQS, STORE, TOLD_AGAIN};
use crate::probe::Point;
use crate::service::queue;
use crate::topology;
use crate::view::{View, ViewError};
use charge::Charge;
use clocks::Clocks;
use rebuild::Asked;

mod charge;
mod clocks;
mod gaps;
mod pages;
mod rebuild;

/// Messages of events in hand: each may carry hundreds.
const EVENT_MESSAGES: usize = 128;
/// How often the view is written at most, unless messages pile up: far within the two seconds in which it has to
/// converge, and what a person takes for *at once*.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// How often it is written at least while writing it takes long: four times a second is still live, and of thousands of
/// orders a second nobody follows one.
const MIN_WRITE_EVERY: Duration = Duration::from_millis(250);
/// From one writing to the next it takes so many times as long as the first one took: the rest is for those who read.
const WRITING_TIMES: u32 = 5;
/// Heartbeats in hand.
const SIGNAL_MESSAGES: usize = 64;

/// Runs MyInfo on `view` until told to stop.
///
/// # Errors
/// When the bus is lost: start again.
pub(crate) async fn run(context: Context, publisher: Publisher, view: View) -> Result<(), BusError> {
    let subscriptions = vec![
        Subscription { queue: queue(topology::MYINFO_EVENTS), prefetch: EVENT_MESSAGES },
        Subscription { queue: queue(topology::MYINFO_SIGNALS), prefetch: SIGNAL_MESSAGES },
    ];
    let mut charge = Charge::new(&context, publisher.clone(), view.clone());
    charge.take().await?;
    let mut intake = context.bus.consumer(subscriptions).await?;
    context.status.recovered();
    let clocks = Clocks::default();
    let mut keeper = Keeper { context: context.clone(), publisher, view, clocks, is_signal_refused: false };
    let mut pace = Pace::default();
    loop {
        tokio::select! {
            biased;
            () = context.stopped() => return Ok(()),
            () = context.rebuild.notified() => charge.ask_for_rebuild().await,
            next = charge.next() => charge.act(next?).await?,
            deliveries = pace.take(&context, &mut intake) => {
                let deliveries = deliveries?;
                let (count, started) = (deliveries.len(), Instant::now());
                keeper.keep(deliveries, &mut charge).await?;
                pace.wrote(count, started);
                if pace.is_behind() {
                    charge.wait_for_backlog();
                }
            }
        }
    }
}

/// When the view is written next. Nobody follows more than some ten changes a second, so what comes faster is
/// gathered: most orders then go into the view once, as they are delivered, instead of at each step. The more there is to
/// write the longer it gathers, within its bounds. What comes after a pause is written at once, and a backlog without any.
#[derive(Default)]
struct Pace {
    not_before: Option<Instant>,
}

impl Pace {
    /// Takes what has come, once it is time. Cancel-safe.
    async fn take(&self, context: &Context, intake: &mut Consumer) -> Result<Vec<Delivery>, BusError> {
        if let Some(not_before) = self.not_before {
            tokio::time::sleep_until(not_before).await;
        }
        context.take(intake, EVENT_MESSAGES).await
    }

    /// So many messages were written, beginning at `started` and just now done.
    fn wrote(&mut self, count: usize, started: Instant) {
        let pause = (started.elapsed() * WRITING_TIMES).clamp(WRITE_EVERY, MIN_WRITE_EVERY);
        self.not_before = (count < EVENT_MESSAGES).then(|| started + pause);
    }

    /// Whether more waits than was taken at once.
    const fn is_behind(&self) -> bool {
        self.not_before.is_none()
    }
}

/// Which entries of the logs a batch of messages stands for.
#[derive(Default)]
struct Applied(BTreeMap<(Source, LogId), Seqs>);

impl Applied {
    /// A message of so many events was applied. One that does not say what it stands for is from an older version, or no
    /// message of ours; so is one that stands for more than its events and one before each.
    fn note(&mut self, message: &Message, events: usize) {
        let header = |name| message.properties.headers.get(name);
        let source = EventKind::from_word(&message.routing_key).map(EventKind::source);
        let (Some(source), Some(store), Some(incarnation), Some(seqs)) =
            (source, header(STORE), header(INCARNATION), header(SEQS))
        else {
            return;
        };
        let of = LogId { store: store.clone(), incarnation: incarnation.clone() };
        if let Some(seqs) = seqs.parse::<Seqs>().ok().filter(|seqs| seqs.count() <= 2 * events as u64) {
            self.0.entry((source, of)).or_default().extend(&seqs);
        }
    }

    fn into_advances(self) -> Vec<(Source, Advance)> {
        let advance = |((source, of), seqs)| (source, Advance::Applied { of, seqs });
        self.0.into_iter().map(advance).collect()
    }
}

/// Writes live events and signals into the view.
struct Keeper {
    context: Context,
    publisher: Publisher,
    view: View,
    clocks: Clocks,
    /// Whether the last signal met what somebody else wrote into the view.
    is_signal_refused: bool,
}

impl Keeper {
    /// Applies a batch and acks it, however long the view is away. Where it is found empty, that begins a rebuild.
    async fn keep(&mut self, deliveries: Vec<Delivery>, charge: &mut Charge) -> Result<(), BusError> {
        let count = deliveries.len();
        self.context.turn_begins(&deliveries);
        self.context.probe.at(Point::Received).await;
        let mut writes = Vec::new();
        let mut applied = Applied::default();
        let mut done = Vec::with_capacity(count);
        let mut is_lost = false;
        let mut newest = None;
        for delivery in deliveries {
            let envelope = Envelope::from(delivery);
            if &*envelope.queue == topology::MYINFO_SIGNALS {
                is_lost |= self.signal(&envelope.message).await;
            } else {
                let events = self.read(&envelope, &mut writes, &mut newest).await;
                applied.note(&envelope.message, events);
            }
            // Their bodies are needed no more, and come to megabytes.
            done.push(envelope.unacked);
        }
        if is_lost && charge.is_taken() {
            charge.rebuild(Asked::ByNobody).await;
        }
        self.apply(&writes, applied, charge).await?;
        self.context.probe.at(Point::Viewed).await;
        for unacked in done {
            unacked.ack();
        }
        if let Some(newest) = newest {
            let lag = self.context.clock.now().since(newest);
            self.context.status.figures().view_lag.set(lag);
        }
        self.context.status.add_handled(count);
        self.context.turn_ends();
        Ok(())
    }

    /// How many events there were; `newest` is when the newest of all was decided.
    async fn read(
        &self,
        envelope: &Envelope,
        writes: &mut Vec<ViewWrite>,
        newest: &mut Option<Timestamp>,
    ) -> usize {
        let (mut events, told_again) = (0, times_told_again(&envelope.message));
        let bad = match read_events(&envelope.message.body) {
            Err(bad) => vec![BadPart { bad, body: envelope.message.body.clone() }],
            Ok(Events { parts, unknown }) => {
                unknown.iter().for_each(|of_type| self.context.status.ignored(of_type));
                events = parts.len() + unknown.len();
                let mut bad = Vec::new();
                for part in parts {
                    match part {
                        Ok(event) if told_again == 0 => {
                            *newest = (*newest).max(Some(event.time));
                            writes.extend(myinfo::writes(&event));
                        }
                        Ok(event) => {
                            let told = myinfo::writes(&event).into_iter();
                            writes.extend(told.map(|write| write.as_told_again(told_again)));
                        }
                        Err(part) => bad.push(part),
                    }
                }
                bad
            }
        };
        for BadPart { bad, body } in bad {
            let Envelope { message, queue, .. } = envelope;
            park(&self.context, &self.publisher, message, queue, body, &bad).await;
        }
        events
    }

    /// Applies `writes`, and says which entries of the logs they were, however long the view is away or somebody else's
    /// values are in the way.
    async fn apply(
        &self,
        writes: &[ViewWrite],
        applied: Applied,
        charge: &mut Charge,
    ) -> Result<(), BusError> {
        let backoff = self.context.backoff();
        let applied = applied.into_advances();
        loop {
            self.context.turn_goes_on(self.context.clock.now());
            let mut done = self.view.apply(writes).await;
            if done.is_ok() && !applied.is_empty() {
                done = self.view.advance(&applied).await;
            }
            match done {
                Ok(()) => {
                    self.context.status.recovered();
                    return Ok(());
                }
                Err(ViewError::Empty) if charge.is_taken() => charge.rebuild(Asked::ByNobody).await,
                // It finds that out by itself.
                Err(ViewError::Empty) if charge.take().await? => {}
                // Whoever is in charge finds that out as well.
                Err(ViewError::Empty) => backoff.wait().await,
                Err(error @ (ViewError::Lost(_) | ViewError::Foreign(_))) => {
                    tracing::error!(%error, "trying again");
                    self.context.status.failed(error.to_string(), self.context.clock.now());
                    tokio::select! {
                        biased;
                        () = self.context.rebuild.notified() => charge.begin_again_for_operator().await,
                        () = backoff.wait() => {}
                    }
                }
            }
        }
    }

    /// Signals are transient: one that cannot be read or kept is gone. Returns whether the view was found empty.
    async fn signal(&mut self, message: &Message) -> bool {
        let kept = match &*message.routing_key {
            topology::BEAT_KEY => match serde_json::from_slice::<Beat>(&message.body) {
                Ok(mut beat) => {
                    self.clocks.compare(&mut beat, &self.context.instance, self.context.clock.now());
                    self.view.beat(&beat).await
                }
                Err(error) => return not_kept(message, &error),
            },
            _ => match serde_json::from_slice::<BreakerChanged>(&message.body) {
                Ok(change) => self.view.breaker_changed(&change).await,
                Err(error) => return not_kept(message, &error),
            },
        };
        let was_refused = std::mem::take(&mut self.is_signal_refused);
        match kept {
            Ok(()) if was_refused => self.context.status.recovered(),
            Ok(()) => {}
            Err(ViewError::Empty) => return true,
            Err(error @ ViewError::Lost(_)) => return not_kept(message, &error),
            Err(error @ ViewError::Foreign(_)) => {
                self.is_signal_refused = true;
                self.context.status.failed(error.to_string(), self.context.clock.now());
                return not_kept(message, &error);
            }
        }
        false
    }
}

/// For how many times its events are told again because their orders wait; 0 for all others.
fn times_told_again(message: &Message) -> u32 {
    let header = message.properties.headers.get(TOLD_AGAIN);
    header.and_then(|times| times.parse().ok()).unwrap_or_default()
}

/// Says so to those who want to know everything. The view was not found empty.
fn not_kept(message: &Message, error: &dyn std::fmt::Display) -> bool {
    tracing::debug!(%error, key = message.routing_key, "a signal was not kept");
    false
}
