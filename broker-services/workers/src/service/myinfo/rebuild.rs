//! Builds the view anew from the services' logs, page by page, while live events go on.
//!
//! An answer belongs to one question: each request for a page names the process, the rebuild, the service and the place in
//! its log, the page carries that name, and whatever carries another is dropped. So a page that was read before a rebuild
//! began is never taken for a part of it, and what was written since is never swept on account of one.
//!
//! A service is asked for the next page once the last one is in the view, so there is never more than one page of each on
//! its way, and a service that is down holds up only its own part. Nothing is removed from the view before every log was
//! heard to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::answers::{Answer, ReplayPage};
use skstore_domain::events::{BadEvent, Event, Source};
use skstore_domain::myinfo::{self, ViewWrite};
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Delivery, Message, Properties, Publisher, Subscription};
use crate::context::{Backoff, Context, WorkerStatus};
use crate::topology;
use crate::view::{Swept, View, ViewError};

/// A service that has not sent the next page of its log by then is asked again: it may have been down.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Once it is asked so often for the same page, the log says that the rebuild waits for it.
const SAY_AFTER_ASKS: u32 = 5;
/// When those who are not in charge of rebuilds try again to be, at first: a connection that was just lost here may keep
/// the broker thinking of it for a moment.
const TAKE_CHARGE_FIRST: Duration = Duration::from_millis(50);
/// How often they try after that, twice as late each time up to this: each try is a line in the broker's log.
const MAX_TAKE_CHARGE: Duration = Duration::from_secs(5);

/// Who wants a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The view was lost, or nobody knows whether it is whole. What somebody else wrote under its keys is left alone.
    ByNobody,
    /// An operator, who wants whatever is in the view's way replaced.
    ByOperator,
}

/// The rebuilds of one process, one at a time.
pub(super) struct Rebuild {
    context: Context,
    publisher: Publisher,
    view: View,
    /// Whoever has this queue is in charge.
    pages: Option<Consumer>,
    try_again: Instant,
    wait: Duration,
    /// What the questions of this process begin with: another one may have asked before.
    asker: String,
    running: Option<Running>,
    backoff: Backoff,
}

/// A rebuild that goes on.
struct Running {
    /// The view's number for it.
    number: u64,
    asked: Asked,
    logs: BTreeMap<Source, Progress>,
}

/// How far one log was heard.
#[derive(Debug, Clone, Copy)]
struct Progress {
    next: i64,
    last: i64,
    asked_at: Instant,
    asks: u32,
    is_done: bool,
}

/// What is to be done next.
pub(super) enum Next {
    Take(Vec<Delivery>),
    AskAgain,
    TryToTakeCharge,
}

impl Rebuild {
    pub(super) fn new(context: &Context, publisher: Publisher, view: View) -> Self {
        Self {
            context: context.clone(),
            publisher,
            view,
            pages: None,
            try_again: Instant::now(),
            wait: TAKE_CHARGE_FIRST,
            asker: context.ids.mint(),
            running: None,
            backoff: context.backoff(),
        }
    }

    pub(super) const fn is_in_charge(&self) -> bool {
        self.pages.is_some()
    }

    /// Takes charge, unless another process has it. Returns whether this one has it now.
    pub(super) async fn take_charge(&mut self) -> Result<bool, BusError> {
        let subscription = Subscription { queue: topology::rebuild(), prefetch: Source::ALL.len() };
        self.try_again = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(MAX_TAKE_CHARGE);
        match self.context.bus.consumer(vec![subscription]).await {
            Ok(pages) => self.pages = Some(pages),
            Err(BusError::Occupied(taken)) => tracing::debug!(taken, "another process rebuilds the view"),
            Err(error @ (BusError::Lost(_) | BusError::Topology(_))) => return Err(error),
        }
        Ok(self.is_in_charge())
    }

    /// An operator wants a rebuild. Whoever is not in charge leaves it to the one who is; one that goes on serves the wish.
    pub(super) async fn ask_for(&mut self) {
        if let Some(running) = &mut self.running {
            running.asked = Asked::ByOperator;
        } else if self.is_in_charge() {
            self.start(Asked::ByOperator).await;
        }
    }

    /// Begins, or begins again, however long the view is away. Where somebody else's values are in its way, it waits until
    /// an operator wants them replaced.
    pub(super) async fn start(&mut self, mut asked: Asked) {
        if let Some(running) = self.running.take() {
            tracing::warn!(heard = ?running.logs, "a rebuild is given up before its end; nothing was removed");
        }
        let backoff = self.context.backoff();
        let number = loop {
            match self.begin(asked).await {
                Ok(number) => break number,
                Err(error) => self.context.status.failed(error.to_string(), self.context.clock.now()),
            }
            tokio::select! {
                biased;
                () = self.context.rebuild.notified() => asked = Asked::ByOperator,
                () = backoff.wait() => {}
            }
        };
        let unheard = || Progress { next: 0, last: 0, asked_at: Instant::now(), asks: 0, is_done: false };
        let logs = Source::ALL.iter().map(|source| (*source, unheard())).collect();
        self.running = Some(Running { number, asked, logs });
        // In this order: whoever waits for a whole view must not see a worker at work that rebuilds nothing.
        self.show();
        self.context.status.recovered();
        for source in Source::ALL {
            self.ask(*source);
        }
    }

    async fn begin(&self, asked: Asked) -> Result<u64, ViewError> {
        if asked == Asked::ByOperator {
            self.view.clear_foreign().await?;
        }
        self.view.begin_rebuild().await
    }

    /// Waits for what is to be done next. Cancel-safe: that is not true of doing it, in which a page would get lost.
    pub(super) async fn next(&mut self) -> Result<Next, BusError> {
        let Some(pages) = &mut self.pages else {
            tokio::time::sleep_until(self.try_again).await;
            return Ok(Next::TryToTakeCharge);
        };
        let open = self.running.iter().flat_map(|running| running.logs.values()).filter(|log| !log.is_done);
        let Some(oldest) = open.map(|log| log.asked_at).min() else {
            return Ok(Next::Take(pages.receive(1).await?));
        };
        tokio::select! {
            biased;
            pages = pages.receive(1) => Ok(Next::Take(pages?)),
            () = tokio::time::sleep_until(oldest + ASK_AGAIN_AFTER) => Ok(Next::AskAgain),
        }
    }

    /// Takes pages, asks again for those that did not come, or takes charge, if it can; nobody else knows then whether the
    /// view is whole.
    pub(super) async fn act(&mut self, next: Next) -> Result<(), BusError> {
        match next {
            Next::Take(pages) => {
                for page in pages {
                    self.take(page).await;
                }
            }
            Next::AskAgain => self.ask_again(),
            Next::TryToTakeCharge => {
                if self.take_charge().await? {
                    self.start(Asked::ByNobody).await;
                }
            }
        }
        Ok(())
    }

    fn ask_again(&mut self) {
        let Some(running) = &self.running else { return };
        let is_late = |log: &Progress| !log.is_done && log.asked_at + ASK_AGAIN_AFTER <= Instant::now();
        let late: Vec<Source> =
            running.logs.iter().filter(|(_, log)| is_late(log)).map(|(source, _)| *source).collect();
        for source in late {
            self.ask(source);
        }
    }

    fn ask(&mut self, source: Source) {
        let Some(running) = &mut self.running else { return };
        let question = running.question(&self.asker, source);
        let Some(log) = running.logs.get_mut(&source) else { return };
        log.asked_at = Instant::now();
        log.asks += 1;
        if log.asks == SAY_AFTER_ASKS {
            tracing::warn!(%source, "the rebuild of the view waits for the next page of this log");
        }
        self.publisher.send(Message {
            exchange: topology::COMMANDS.to_owned(),
            routing_key: format!("{source}.replay"),
            body: serde_json::json!({ "from_seq": log.next }).to_string().into_bytes().into(),
            properties: Properties {
                reply_to: Some(topology::MYINFO_REBUILD.to_owned()),
                correlation_id: Some(question),
                ..Properties::default()
            },
        });
    }

    /// Applies one page, if it answers a question of this rebuild that is still open.
    async fn take(&mut self, delivery: Delivery) {
        let Delivery { message, unacked, .. } = delivery;
        unacked.ack();
        let Some(running) = &self.running else { return };
        let asked = message.properties.correlation_id.as_deref().unwrap_or_default();
        let Some(source) = running.asked_by(&self.asker, asked) else { return };
        // A refused page is asked for again when its time is up.
        let answer = serde_json::from_slice::<Answer>(&message.body).ok();
        let Some(page) = answer.and_then(|answer| answer.replay) else { return };
        match self.view.apply(&writes(source, &page, &self.context.status)).await {
            Ok(()) => self.applied(source, &page).await,
            Err(ViewError::Empty) => self.start(running.asked).await,
            Err(error @ (ViewError::Lost(_) | ViewError::Foreign(_))) => self.not_applied(error).await,
        }
    }

    async fn applied(&mut self, source: Source, page: &ReplayPage) {
        let Some(running) = &mut self.running else { return };
        self.context.status.recovered();
        self.backoff.reset();
        let log = Progress {
            next: page.next_seq.unwrap_or(page.last_seq),
            last: page.last_seq,
            asked_at: Instant::now(),
            asks: 0,
            is_done: page.next_seq.is_none(),
        };
        running.logs.insert(source, log);
        let all_heard = running.logs.values().all(|log| log.is_done);
        self.show();
        if !log.is_done {
            self.ask(source);
        }
        if all_heard {
            self.finish().await;
        }
    }

    /// The page is asked for again when its time is up; what was replaced in the middle has to be told from the beginning.
    async fn not_applied(&mut self, error: ViewError) {
        let Some(running) = &self.running else { return };
        tracing::error!(%error, "the view cannot be rebuilt");
        self.context.status.failed(error.to_string(), self.context.clock.now());
        if matches!(error, ViewError::Foreign(_)) && running.asked == Asked::ByOperator {
            self.backoff.wait().await;
            self.start(Asked::ByOperator).await;
        }
    }

    /// Removes what nobody told, now that every log was heard.
    async fn finish(&mut self) {
        let Some(Running { number, asked, .. }) = &self.running else { return };
        let (number, asked) = (*number, *asked);
        let swept = loop {
            match self.view.finish_rebuild(number).await {
                Err(error @ ViewError::Lost(_)) => {
                    tracing::error!(%error, "the rebuild cannot be finished yet");
                    self.context.status.failed(error.to_string(), self.context.clock.now());
                    self.backoff.wait().await;
                }
                ended => break ended,
            }
        };
        match swept {
            Ok(Swept::Whole) => {
                self.ended();
                tracing::info!("the view is complete");
            }
            Ok(Swept::Disputed) => {
                tracing::warn!("the view had revisions that no log knows; the logs are told once more");
                self.running = None;
                self.backoff.wait().await;
                self.start(asked).await;
            }
            Ok(Swept::Superseded) => {
                tracing::warn!("another process has begun to rebuild the view; it ends that");
                self.ended();
            }
            Err(error) => {
                tracing::error!(%error, "the rebuild cannot be finished, and begins again");
                self.context.status.failed(error.to_string(), self.context.clock.now());
                self.backoff.wait().await;
                self.start(asked).await;
            }
        }
    }

    fn ended(&mut self) {
        self.running = None;
        self.context.status.recovered();
        self.context.status.set_rebuild(None);
    }

    /// Tells how far it has come: the average of the services' parts, and whose log was not heard to its end.
    fn show(&self) {
        let Some(running) = &self.running else { return };
        let part = |log: &Progress| match log {
            Progress { is_done: true, .. } => 100,
            Progress { last: 0, .. } => 0,
            Progress { next, last, .. } => (next * 100 / last).clamp(0, 99),
        };
        let sum: i64 = running.logs.values().map(part).sum();
        let percent = sum / i64::try_from(running.logs.len().max(1)).unwrap_or(1);
        let unheard = running.logs.iter().filter(|(_, log)| !log.is_done);
        let unheard = unheard.map(|(source, _)| (*source).into()).collect();
        self.context.status.set_rebuild(u8::try_from(percent).ok().map(|percent| (percent, unheard)));
    }
}

impl Running {
    /// The name of the question for the next page of `source`. Asking again asks the same: any page that was read after the
    /// rebuild began answers it.
    fn question(&self, asker: &str, source: Source) -> String {
        let next = self.logs.get(&source).map_or(0, |log| log.next);
        format!("{asker}/{}/{source}/{next}", self.number)
    }

    /// Whose page answers the open question `asked`.
    fn asked_by(&self, asker: &str, asked: &str) -> Option<Source> {
        let open = self.logs.iter().filter(|(_, log)| !log.is_done).map(|(source, _)| *source);
        open.into_iter().find(|source| self.question(asker, *source) == asked)
    }
}

fn writes(source: Source, page: &ReplayPage, status: &WorkerStatus) -> Vec<ViewWrite> {
    let mut writes = Vec::new();
    for event in &page.events {
        match Event::from_json(event.get()) {
            Ok(event) => {
                writes.extend(myinfo::writes(&event).into_iter().filter_map(ViewWrite::as_told_by_a_log));
            }
            Err(BadEvent::UnknownType(kind)) => status.ignored(&kind),
            Err(error) => tracing::error!(%source, %error, "an event of the log cannot be read"),
        }
    }
    writes
}
