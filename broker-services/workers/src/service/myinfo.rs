//! MyInfo: keeps the view from everyone's events, and rebuilds it from their logs when it was lost.
//!
//! It has no store of its own. A batch of events becomes a batch of guarded writes; only once the view has
//! them is the batch acked. Several processes share the events; one of them, whose queue of replayed events it is, is in
//! charge of rebuilds.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::events::{Event, Source};
use skstore_domain::myinfo::{self, ViewWrite};
use skstore_domain::signals::{Beat, BreakerChanged};
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Delivery, Message, Properties, Publisher, Subscription};
use crate::context::Context;
use crate::envelope::{Bad, Envelope, park, read_events};
use crate::probe::Point;
use crate::service::queue;
use crate::topology;
use crate::view::{View, ViewError};

/// Messages of events in hand: each may carry hundreds.
const EVENT_MESSAGES: usize = 128;
/// How often the view is written at most, unless messages pile up: far within the two seconds in which it has to
/// converge, and what a person takes for *at once*.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// How often it is written at least while writing it takes long: four times a second is still live, and of thousands of
/// orders a second nobody follows one.
const WRITE_EVERY_AT_LEAST: Duration = Duration::from_millis(250);
/// From one writing to the next it takes so many times as long as the first one took: the rest is for those who read.
const WRITING_TIMES: u32 = 5;
/// Heartbeats in hand.
const SIGNAL_MESSAGES: usize = 64;
/// A service that has not sent the next page of its log by then is asked again: it may have been down.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// When those who are not in charge of rebuilds try again to be, at first: a connection that was just lost here may keep
/// the broker thinking of it for a moment.
const TAKE_CHARGE_FIRST: Duration = Duration::from_millis(50);
/// How often they try after that, twice as late each time up to this: each try is a line in the broker's log.
const TAKE_CHARGE_MOST: Duration = Duration::from_secs(5);

/// Runs MyInfo on `view` until told to stop.
///
/// # Errors
/// When the bus is lost: start again.
pub async fn run(context: Context, publisher: Publisher, view: View) -> Result<(), BusError> {
    let subscriptions = vec![
        Subscription { queue: queue(topology::MYINFO_EVENTS), prefetch: EVENT_MESSAGES },
        Subscription { queue: queue(topology::MYINFO_SIGNALS), prefetch: SIGNAL_MESSAGES },
    ];
    let mut rebuild = Rebuild::new(&context, publisher.clone(), view.clone());
    if rebuild.take_charge().await? {
        rebuild.start().await;
    }
    let mut intake = context.bus.consumer(subscriptions).await?;
    context.vitals.recovered();
    let mut keeper = Keeper { context: context.clone(), publisher, view };
    let mut pace = Pace::default();
    loop {
        let is_lost = tokio::select! {
            biased;
            () = context.stopped() => return Ok(()),
            () = context.rebuild.notified() => !rebuild.is_running,
            next = rebuild.next(), if rebuild.has_next() => rebuild.act(next?).await?,
            deliveries = pace.take(&context, &mut intake) => {
                let deliveries = deliveries?;
                let (count, started) = (deliveries.len(), Instant::now());
                let is_lost = keeper.keep(deliveries, &mut rebuild).await?;
                pace.wrote(count, started);
                is_lost
            }
        };
        if is_lost && rebuild.is_in_charge() {
            rebuild.start().await;
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
        let pause = (started.elapsed() * WRITING_TIMES).clamp(WRITE_EVERY, WRITE_EVERY_AT_LEAST);
        self.not_before = (count < EVENT_MESSAGES).then(|| started + pause);
    }
}

/// Writes live events and signals into the view.
struct Keeper {
    context: Context,
    publisher: Publisher,
    view: View,
}

impl Keeper {
    /// Applies a batch and acks it. Returns whether the view was found empty; the batch is applied all the
    /// same, once a rebuild has begun.
    async fn keep(&mut self, deliveries: Vec<Delivery>, rebuild: &mut Rebuild) -> Result<bool, BusError> {
        let count = deliveries.len();
        self.context.probe.at(Point::Received).await;
        let mut writes = Vec::new();
        let mut done = Vec::with_capacity(count);
        let mut was_empty = false;
        for delivery in deliveries {
            let envelope = Envelope::from(delivery);
            if &*envelope.queue == topology::MYINFO_SIGNALS {
                was_empty |= self.signal(&envelope.message).await;
            } else {
                self.read(&envelope, &mut writes).await;
            }
            // Their bodies are needed no more, and come to megabytes.
            done.push(envelope.unacked);
        }
        was_empty |= self.apply(&writes, rebuild).await?;
        self.context.probe.at(Point::Viewed).await;
        for unacked in done {
            unacked.ack();
        }
        self.context.vitals.add_handled(count);
        Ok(was_empty)
    }

    async fn read(&self, envelope: &Envelope, writes: &mut Vec<ViewWrite>) {
        let bad = match read_events(&envelope.message) {
            Err(Bad(reason)) => vec![(envelope.message.body.clone(), reason)],
            Ok(events) => events
                .into_iter()
                .filter_map(|event| match event {
                    Err(part) => Some((part.body, part.bad.0)),
                    Ok(event) => match myinfo::writes(&event) {
                        Ok(of_event) => {
                            writes.extend(of_event);
                            None
                        }
                        Err(error) => Some((event.to_json().into_bytes().into(), error.to_string())),
                    },
                })
                .collect(),
        };
        for (body, reason) in bad {
            let Envelope { message, queue, .. } = envelope;
            park(&self.context, &self.publisher, message, queue, body, &reason).await;
        }
    }

    /// Applies `writes`, however long the view is away. Returns whether it was found empty.
    async fn apply(&self, writes: &[ViewWrite], rebuild: &mut Rebuild) -> Result<bool, BusError> {
        let backoff = self.context.backoff();
        let mut was_empty = false;
        loop {
            match self.view.apply(writes).await {
                Ok(()) => {
                    self.context.vitals.recovered();
                    return Ok(was_empty);
                }
                Err(ViewError::Empty) if rebuild.is_in_charge() || rebuild.take_charge().await? => {
                    was_empty = true;
                    if let Err(error) = self.view.begin_rebuild().await {
                        self.context.vitals.failed(error.to_string(), self.context.clock.now());
                        backoff.wait().await;
                    }
                }
                // Whoever is in charge finds that out as well.
                Err(ViewError::Empty) => backoff.wait().await,
                Err(error @ ViewError::Lost(_)) => {
                    tracing::error!(%error, "trying again");
                    self.context.vitals.failed(error.to_string(), self.context.clock.now());
                    backoff.wait().await;
                }
            }
        }
    }

    /// Signals are transient: one that cannot be read or kept is gone. Returns whether the view was found empty.
    async fn signal(&self, message: &Message) -> bool {
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
        match kept {
            Ok(()) => false,
            Err(ViewError::Empty) => true,
            Err(error @ ViewError::Lost(_)) => not_kept(message, &error),
        }
    }
}

/// Says so to those who want to know everything. The view was not found empty.
fn not_kept(message: &Message, error: &dyn std::fmt::Display) -> bool {
    tracing::debug!(%error, key = message.routing_key, "a signal was not kept");
    false
}

/// Fills an empty view from the services' logs, page by page, while live events go on.
///
/// Each service is asked for the next page once the last one is in the view, so there is never more than one
/// page of each on its way, and a service that is down holds up only its own part.
struct Rebuild {
    context: Context,
    publisher: Publisher,
    view: View,
    /// Whoever has this queue is in charge.
    pages: Option<Consumer>,
    try_again: Instant,
    wait: Duration,
    open: BTreeMap<Source, Progress>,
    is_running: bool,
}

/// What a rebuild is to do next.
enum Next {
    Take(Vec<Delivery>),
    AskAgain,
    TryToTakeCharge,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    next: i64,
    last: i64,
    asked: Instant,
    is_done: bool,
}

impl Rebuild {
    fn new(context: &Context, publisher: Publisher, view: View) -> Self {
        Self {
            context: context.clone(),
            publisher,
            view,
            pages: None,
            try_again: Instant::now(),
            wait: TAKE_CHARGE_FIRST,
            open: BTreeMap::new(),
            is_running: false,
        }
    }

    const fn is_in_charge(&self) -> bool {
        self.pages.is_some()
    }

    /// Takes charge, unless another process has it. Returns whether this one has it now.
    async fn take_charge(&mut self) -> Result<bool, BusError> {
        let subscription = Subscription { queue: topology::rebuild(), prefetch: Source::ALL.len() };
        self.try_again = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(TAKE_CHARGE_MOST);
        match self.context.bus.consumer(vec![subscription]).await {
            Ok(pages) => self.pages = Some(pages),
            Err(BusError::Topology(taken)) => tracing::debug!(taken, "another process rebuilds the view"),
            Err(lost @ BusError::Lost(_)) => return Err(lost),
        }
        Ok(self.is_in_charge())
    }

    const fn has_next(&self) -> bool {
        self.is_running || !self.is_in_charge()
    }

    /// Begins, or begins again.
    async fn start(&mut self) {
        let backoff = self.context.backoff();
        while let Err(error) = self.view.begin_rebuild().await {
            self.context.vitals.failed(error.to_string(), self.context.clock.now());
            backoff.wait().await;
        }
        self.context.vitals.recovered();
        self.is_running = true;
        self.open = Source::ALL
            .iter()
            .map(|source| (*source, Progress { next: 0, last: 0, asked: Instant::now(), is_done: false }))
            .collect();
        self.show();
        for source in Source::ALL {
            self.ask(*source);
        }
    }

    /// Waits for what is to be done next. Cancel-safe: that is not true of doing it, in which a page would get lost.
    async fn next(&mut self) -> Result<Next, BusError> {
        let Some(pages) = &mut self.pages else {
            tokio::time::sleep_until(self.try_again).await;
            return Ok(Next::TryToTakeCharge);
        };
        let oldest = self.open.values().filter(|one| !one.is_done).map(|one| one.asked).min();
        let deadline = oldest.unwrap_or_else(Instant::now) + ASK_AGAIN_AFTER;
        tokio::select! {
            biased;
            pages = pages.receive(1) => Ok(Next::Take(pages?)),
            () = tokio::time::sleep_until(deadline) => Ok(Next::AskAgain),
        }
    }

    /// Takes pages, asks again for those that did not come, or takes charge, if it can. Returns whether there is a reason
    /// to start: the view was lost meanwhile, or nobody else knows whether it is whole.
    async fn act(&mut self, next: Next) -> Result<bool, BusError> {
        let pages = match next {
            Next::Take(pages) => pages,
            Next::AskAgain => {
                self.ask_again();
                return Ok(false);
            }
            Next::TryToTakeCharge => return self.take_charge().await,
        };
        for page in pages {
            if self.take(page).await {
                return Ok(true);
            }
        }
        if self.open.values().all(|one| one.is_done) {
            self.finish().await;
        }
        Ok(false)
    }

    fn ask_again(&mut self) {
        let late = |one: &Progress| !one.is_done && one.asked + ASK_AGAIN_AFTER <= Instant::now();
        let late: Vec<Source> =
            self.open.iter().filter(|(_, one)| late(one)).map(|(source, _)| *source).collect();
        for source in late {
            self.ask(source);
        }
    }

    fn ask(&mut self, source: Source) {
        let Some(progress) = self.open.get_mut(&source) else { return };
        progress.asked = Instant::now();
        self.publisher.send(Message {
            exchange: topology::COMMANDS.to_owned(),
            routing_key: format!("{source}.replay"),
            body: serde_json::json!({ "from_seq": progress.next }).to_string().into_bytes().into(),
            properties: Properties {
                reply_to: Some(topology::MYINFO_REBUILD.to_owned()),
                correlation_id: Some(format!("{source}/{}", progress.next)),
                ..Properties::default()
            },
        });
    }

    /// Applies one page. Returns whether the view was lost meanwhile.
    async fn take(&mut self, page: Delivery) -> bool {
        let asked_for = page.message.properties.correlation_id.clone().unwrap_or_default();
        let answer = serde_json::from_slice::<Answer>(&page.message.body);
        page.unacked.ack();
        let Some((source, progress)) =
            self.open.iter().map(|(source, progress)| (*source, *progress)).find(|(source, progress)| {
                asked_for == format!("{source}/{}", progress.next) && !progress.is_done
            })
        else {
            return false;
        };
        // A refused page is asked for again when its time is up.
        let Some(page) = answer.ok().and_then(|answer| answer.replay) else { return false };
        let mut writes = Vec::new();
        for event in &page.events {
            match Event::from_json(event.get()).and_then(|event| myinfo::writes(&event)) {
                Ok(of_event) => writes.extend(of_event.into_iter().filter_map(ViewWrite::as_told_by_a_log)),
                Err(error) => tracing::error!(%source, %error, "an event of the log cannot be read"),
            }
        }
        if self.view.apply(&writes).await.is_err() {
            return true;
        }
        let next = page.next_seq.unwrap_or(page.last_seq);
        let progress = Progress { next, last: page.last_seq, is_done: page.next_seq.is_none(), ..progress };
        self.open.insert(source, progress);
        self.show();
        if !progress.is_done {
            self.ask(source);
        }
        false
    }

    async fn finish(&mut self) {
        match self.view.finish_rebuild().await {
            Ok(()) => {
                self.is_running = false;
                self.context.vitals.set_rebuilding(None);
                tracing::info!("the view is complete");
            }
            Err(error) => {
                tracing::error!(%error, "the view was lost at the end of its rebuild");
                self.start().await;
            }
        }
    }

    /// Tells how far it has come: the average of the services' parts.
    fn show(&self) {
        let part = |one: &Progress| match one {
            Progress { is_done: true, .. } => 100,
            Progress { last: 0, .. } => 0,
            Progress { next, last, .. } => (next * 100 / last).clamp(0, 99),
        };
        let sum: i64 = self.open.values().map(part).sum();
        let percent = sum / i64::try_from(self.open.len().max(1)).unwrap_or(1);
        self.context.vitals.set_rebuilding(u8::try_from(percent).ok());
    }
}
