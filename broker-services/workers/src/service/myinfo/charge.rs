//! Who sees to it that the view is complete: one MyInfo process, the one that has the queue of replayed pages. It rebuilds the
//! view that was lost, and asks for the events that did not come.

use std::time::Duration;

use skstore_domain::checkpoint::{Advance, LogHead, LogId, Seqs};
use skstore_domain::commands::Replay;
use skstore_domain::events::Source;
use tokio::time::Instant;

use super::gaps::{Found, Gap, Gaps, LOOK_EVERY};
use super::pages::{ASK_AGAIN_AFTER, Page, Questions};
use super::rebuild::{Asked, Rebuild};
use crate::bus::{BusError, Consumer, Delivery, Publisher, Subscription};
use crate::context::Context;
use crate::probe::Bug;
use crate::topology;
use crate::view::{View, ViewError};

/// When those who are not in charge try again to be, at first: a connection that was just lost here may keep the broker
/// thinking of it for a moment.
const TAKE_CHARGE_FIRST: Duration = Duration::from_millis(50);
/// How often they try after that, twice as late each time up to this: each try is a line in the broker's log.
const MAX_TAKE_CHARGE: Duration = Duration::from_secs(5);
/// The view is not rebuilt more often because of logs that are others than before: services of several versions, or with
/// stores that take turns, would have it rebuilt for ever.
const REBUILD_AGAIN_AFTER: Duration = Duration::from_secs(15);
/// What questions for missing entries are asked for.
const GAP: &str = "gap";

/// The charge of one process, if it has it.
pub(super) struct Charge {
    context: Context,
    view: View,
    questions: Questions,
    /// Whoever has this queue is in charge.
    pages: Option<Consumer>,
    try_again: Instant,
    wait: Duration,
    rebuild: Rebuild,
    gaps: Gaps,
    look_at: Instant,
    /// When the view was last rebuilt on account of another log.
    other_log_at: Option<Instant>,
}

/// What is to be done next.
pub(super) enum Next {
    Take(Vec<Delivery>),
    AskAgain,
    Look,
    TryToTakeCharge,
}

impl Charge {
    pub(super) fn new(context: &Context, publisher: Publisher, view: View) -> Self {
        Self {
            questions: Questions::new(context, publisher),
            rebuild: Rebuild::new(context, view.clone()),
            context: context.clone(),
            view,
            pages: None,
            try_again: Instant::now(),
            wait: TAKE_CHARGE_FIRST,
            gaps: Gaps::default(),
            look_at: Instant::now() + LOOK_EVERY,
            other_log_at: None,
        }
    }

    pub(super) const fn is_taken(&self) -> bool {
        self.pages.is_some()
    }

    /// Takes charge, unless another process has it, and sees to a view that is not whole. Returns whether this one has it.
    pub(super) async fn take(&mut self) -> Result<bool, BusError> {
        let subscription = Subscription { queue: topology::rebuild(), prefetch: Source::ALL.len() };
        self.try_again = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(MAX_TAKE_CHARGE);
        match self.context.bus.consumer(vec![subscription]).await {
            Ok(pages) => self.pages = Some(pages),
            Err(BusError::Occupied(taken)) => tracing::debug!(taken, "another process rebuilds the view"),
            Err(error @ (BusError::Lost(_) | BusError::Topology(_))) => return Err(error),
        }
        if self.is_taken() {
            self.assure().await;
        }
        Ok(self.is_taken())
    }

    /// Rebuilds the view unless all of it but for its gaps is there; however long it is away.
    async fn assure(&mut self) {
        let backoff = self.context.backoff();
        loop {
            match self.is_whole().await {
                Ok(true) => return self.context.status.recovered(),
                Ok(false) => return self.rebuild(Asked::ByNobody).await,
                Err(error) => self.context.status.failed(error.to_string(), self.context.clock.now()),
            }
            tokio::select! {
                biased;
                () = self.context.rebuild.notified() => return self.rebuild(Asked::ByOperator).await,
                () = backoff.wait() => {}
            }
        }
    }

    async fn is_whole(&self) -> Result<bool, ViewError> {
        let rebuilds = self.view.rebuilds().await?;
        let known = self.view.checkpoints().await?.len();
        Ok(rebuilds.last > 0 && !rebuilds.is_running && known == Source::ALL.len())
    }

    /// Begins to rebuild the view, or begins again.
    pub(super) async fn rebuild(&mut self, asked: Asked) {
        self.gaps.forget();
        self.rebuild.start(asked, &self.questions).await;
    }

    /// An operator wants a rebuild. Whoever is not in charge leaves it to the one who is; one that goes on serves the wish.
    pub(super) async fn ask_for_rebuild(&mut self) {
        if !self.rebuild.serves_operator() && self.is_taken() {
            self.rebuild(Asked::ByOperator).await;
        }
    }

    /// The same where live events are kept out by what somebody else wrote, and are tried again until they are not: meanwhile
    /// nobody takes the pages of a rebuild that goes on, so it begins again.
    pub(super) async fn begin_again_for_operator(&mut self) {
        if self.is_taken() {
            self.rebuild(Asked::ByOperator).await;
        }
    }

    /// So many events wait that none can be said to be missing.
    pub(super) fn wait_for_backlog(&mut self) {
        self.gaps.wait();
    }

    /// Waits for what is to be done next. Cancel-safe: that is not true of doing it, in which a page would get lost.
    pub(super) async fn next(&mut self) -> Result<Next, BusError> {
        let Some(pages) = &mut self.pages else {
            tokio::time::sleep_until(self.try_again).await;
            return Ok(Next::TryToTakeCharge);
        };
        let (at, due) = match self.rebuild.asked_first_at() {
            Some(asked_at) => (asked_at + ASK_AGAIN_AFTER, Next::AskAgain),
            None => (self.look_at, Next::Look),
        };
        tokio::select! {
            biased;
            pages = pages.receive(1) => Ok(Next::Take(pages?)),
            () = tokio::time::sleep_until(at) => Ok(due),
        }
    }

    /// Takes pages, asks again for those that did not come, looks for gaps, or takes charge, if it can.
    pub(super) async fn act(&mut self, next: Next) -> Result<(), BusError> {
        match next {
            Next::Take(pages) => {
                for page in pages {
                    self.take_page(page).await;
                }
            }
            Next::AskAgain => self.rebuild.ask_again(&self.questions),
            Next::Look => self.look().await,
            Next::TryToTakeCharge => {
                self.take().await?;
            }
        }
        Ok(())
    }

    async fn look(&mut self) {
        self.look_at = Instant::now() + LOOK_EVERY;
        match self.gaps.look(&self.view).await {
            Ok(Found::Gaps(gaps)) => {
                for (source, asked) in gaps {
                    self.ask(source, asked).await;
                }
            }
            Ok(Found::OtherLog(_)) if self.context.probe.has(Bug::IgnoresIncarnations) => {}
            Ok(Found::OtherLog(why)) => self.hear_of_other_log(why).await,
            Err(ViewError::Empty) => self.rebuild(Asked::ByNobody).await,
            // Whoever writes live events tells of it.
            Err(error @ (ViewError::Lost(_) | ViewError::Foreign(_))) => {
                tracing::debug!(%error, "nobody looks for gaps");
            }
        }
    }

    async fn hear_of_other_log(&mut self, why: String) {
        let now = Instant::now();
        if self.other_log_at.is_some_and(|at| now < at + REBUILD_AGAIN_AFTER) {
            return;
        }
        self.other_log_at = Some(now);
        let sentence = format!("{why}; the view is rebuilt");
        tracing::warn!("{sentence}");
        self.context.status.failed(sentence, self.context.clock.now());
        self.rebuild(Asked::ByNobody).await;
    }

    async fn ask(&self, source: Source, asked: Gap) {
        if self.context.probe.has(Bug::TakesGapsForComplete) {
            let known = self.view.checkpoints().await.unwrap_or_default();
            if let Some(LogHead { store, incarnation, .. }) =
                known.get(&source).and_then(|known| known.head.clone())
            {
                let seqs = Seqs::range(asked.from, asked.to);
                let of = LogId { store, incarnation };
                let _ = self.view.advance(&[(source, Advance::Applied { of, seqs })]).await;
            }
            return;
        }
        let name = self.questions.name(GAP, source, asked.from);
        self.questions.ask(name, source, Replay { from_seq: asked.from, to_seq: Some(asked.to) });
    }

    /// Applies a page, if it answers a question that is still open.
    async fn take_page(&mut self, delivery: Delivery) {
        let Delivery { message, unacked, .. } = delivery;
        unacked.ack();
        let name = message.properties.correlation_id.as_deref().unwrap_or_default();
        let status = &self.context.status;
        if let Some(source) = self.rebuild.asked_by(name, &self.questions) {
            if let Some(page) = Page::read(&message, source, i64::MAX, status) {
                self.rebuild.take(source, page, &self.questions).await;
            }
            return;
        }
        let is_answered = |source: &Source, asked: Gap| self.questions.name(GAP, *source, asked.from) == name;
        let open = |source: &Source| {
            Some((*source, self.gaps.open(*source).filter(|asked| is_answered(source, *asked))?))
        };
        let Some((source, asked)) = Source::ALL.iter().find_map(open) else { return };
        let Some(page) = Page::read(&message, source, asked.to, status) else { return };
        if let Err(error) = self.fill(source, asked, &page).await {
            match error {
                ViewError::Empty => self.rebuild(Asked::ByNobody).await,
                // It is asked for again when its time is up.
                ViewError::Lost(_) | ViewError::Foreign(_) => {
                    tracing::error!(%error, "a gap of the view cannot be filled");
                }
            }
        }
    }

    /// Applies what was missing, as if it had just come, and asks for more of it.
    async fn fill(&mut self, source: Source, asked: Gap, page: &Page) -> Result<(), ViewError> {
        self.view.apply(&page.writes).await?;
        if let Some(advance) = page.advance(asked.from) {
            self.view.advance(&[(source, advance)]).await?;
        }
        let known = self.view.checkpoints().await?;
        if let Some(next) = self.gaps.applied(source, page, known.get(&source)) {
            self.ask(source, next).await;
        }
        Ok(())
    }
}
