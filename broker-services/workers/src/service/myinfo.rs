//! MyInfo: keeps the view from everyone's events, and rebuilds it from their logs when it was lost.
//!
//! It has no store of its own. A batch of events becomes a batch of guarded writes; only once the view has
//! them is the batch acked. Several processes share the events; one of them, whose queue of replayed events it is, is in
//! charge of rebuilds.

use std::time::Duration;

use skstore_domain::myinfo::{self, ViewWrite};
use skstore_domain::signals::{Beat, BreakerChanged};
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Delivery, Message, Publisher, Subscription};
use crate::context::Context;
use crate::envelope::{BadPart, Envelope, Events, park, read_events};
use crate::probe::Point;
use crate::service::queue;
use crate::topology;
use crate::view::{View, ViewError};
use rebuild::{Asked, Rebuild};

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
    let mut rebuild = Rebuild::new(&context, publisher.clone(), view.clone());
    if rebuild.take_charge().await? {
        rebuild.start(Asked::ByNobody).await;
    }
    let mut intake = context.bus.consumer(subscriptions).await?;
    context.status.recovered();
    let mut keeper = Keeper { context: context.clone(), publisher, view, is_signal_refused: false };
    let mut pace = Pace::default();
    loop {
        tokio::select! {
            biased;
            () = context.stopped() => return Ok(()),
            () = context.rebuild.notified() => rebuild.ask_for().await,
            next = rebuild.next() => rebuild.act(next?).await?,
            deliveries = pace.take(&context, &mut intake) => {
                let deliveries = deliveries?;
                let (count, started) = (deliveries.len(), Instant::now());
                keeper.keep(deliveries, &mut rebuild).await?;
                pace.wrote(count, started);
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
}

/// Writes live events and signals into the view.
struct Keeper {
    context: Context,
    publisher: Publisher,
    view: View,
    /// Whether the last signal met what somebody else wrote into the view.
    is_signal_refused: bool,
}

impl Keeper {
    /// Applies a batch and acks it, however long the view is away. Where it is found empty, that begins a rebuild.
    async fn keep(&mut self, deliveries: Vec<Delivery>, rebuild: &mut Rebuild) -> Result<(), BusError> {
        let count = deliveries.len();
        self.context.probe.at(Point::Received).await;
        let mut writes = Vec::new();
        let mut done = Vec::with_capacity(count);
        let mut is_lost = false;
        for delivery in deliveries {
            let envelope = Envelope::from(delivery);
            if &*envelope.queue == topology::MYINFO_SIGNALS {
                is_lost |= self.signal(&envelope.message).await;
            } else {
                self.read(&envelope, &mut writes).await;
            }
            // Their bodies are needed no more, and come to megabytes.
            done.push(envelope.unacked);
        }
        if is_lost && rebuild.is_in_charge() {
            rebuild.start(Asked::ByNobody).await;
        }
        self.apply(&writes, rebuild).await?;
        self.context.probe.at(Point::Viewed).await;
        for unacked in done {
            unacked.ack();
        }
        self.context.status.add_handled(count);
        Ok(())
    }

    async fn read(&self, envelope: &Envelope, writes: &mut Vec<ViewWrite>) {
        let bad = match read_events(&envelope.message.body) {
            Err(bad) => vec![BadPart { bad, body: envelope.message.body.clone() }],
            Ok(Events { parts, unknown }) => {
                unknown.iter().for_each(|of_type| self.context.status.ignored(of_type));
                let mut bad = Vec::new();
                for part in parts {
                    match part {
                        Ok(event) => writes.extend(myinfo::writes(&event)),
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
    }

    /// Applies `writes`, however long the view is away or somebody else's values are in the way.
    async fn apply(&self, writes: &[ViewWrite], rebuild: &mut Rebuild) -> Result<(), BusError> {
        let backoff = self.context.backoff();
        loop {
            match self.view.apply(writes).await {
                Ok(()) => {
                    self.context.status.recovered();
                    return Ok(());
                }
                Err(ViewError::Empty) if rebuild.is_in_charge() || rebuild.take_charge().await? => {
                    rebuild.start(Asked::ByNobody).await;
                }
                // Whoever is in charge finds that out as well.
                Err(ViewError::Empty) => backoff.wait().await,
                Err(error @ (ViewError::Lost(_) | ViewError::Foreign(_))) => {
                    tracing::error!(%error, "trying again");
                    self.context.status.failed(error.to_string(), self.context.clock.now());
                    tokio::select! {
                        biased;
                        () = self.context.rebuild.notified() => rebuild.ask_for().await,
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
                Ok(beat) => self.view.beat(&beat).await,
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

/// Says so to those who want to know everything. The view was not found empty.
fn not_kept(message: &Message, error: &dyn std::fmt::Display) -> bool {
    tracing::debug!(%error, key = message.routing_key, "a signal was not kept");
    false
}
