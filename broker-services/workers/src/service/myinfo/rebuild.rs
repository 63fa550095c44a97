//! Builds the view anew from the services' logs, page by page, while live events go on.
//!
//! A page belongs to the question of one rebuild, so that one that was read before it began is never taken for a part of it,
//! and what was written since is never swept on account of one.
//!
//! A service is asked for the next page once the last one is in the view, so there is never more than one page of each on
//! its way, and a service that is down holds up only its own part. Nothing is removed from the view before every log was
//! heard to its end.

use std::collections::BTreeMap;

use skstore_domain::checkpoint::Advance;
use skstore_domain::commands::Replay;
use skstore_domain::events::Source;
use skstore_domain::myinfo::ViewWrite;
use tokio::time::Instant;

use super::pages::{ASK_AGAIN_AFTER, Page, Questions};
use crate::context::{Backoff, Context};
use crate::view::{Swept, View, ViewError};

/// Once a service is asked so often for the same page, the log says that the rebuild waits for it.
const SAY_AFTER_ASKS: u32 = 5;

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
    view: View,
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

impl Rebuild {
    pub(super) fn new(context: &Context, view: View) -> Self {
        Self { context: context.clone(), view, running: None, backoff: context.backoff() }
    }

    /// Has the rebuild that goes on, if there is one, replace whatever is in the view's way. Whether there is one.
    pub(super) fn serves_operator(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        running.asked = Asked::ByOperator;
        true
    }

    /// When the oldest open question was asked; nothing while none is.
    pub(super) fn asked_first_at(&self) -> Option<Instant> {
        let open = self.running.iter().flat_map(|running| running.logs.values()).filter(|log| !log.is_done);
        open.map(|log| log.asked_at).min()
    }

    /// Whose page answers the open question `asked`.
    pub(super) fn asked_by(&self, asked: &str, questions: &Questions) -> Option<Source> {
        let running = self.running.as_ref()?;
        let mut open = running.logs.iter().filter(|(_, log)| !log.is_done).map(|(source, _)| *source);
        open.find(|source| running.question(*source, questions) == asked)
    }

    /// Begins, or begins again, however long the view is away. Where somebody else's values are in its way, it waits until
    /// an operator wants them replaced.
    pub(super) async fn start(&mut self, mut asked: Asked, questions: &Questions) {
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
            self.ask(*source, questions);
        }
    }

    async fn begin(&self, asked: Asked) -> Result<u64, ViewError> {
        if asked == Asked::ByOperator {
            self.view.clear_foreign().await?;
        }
        // First, since from then on what is heard is not removed.
        let restarted: Vec<_> = Source::ALL.iter().map(|source| (*source, Advance::Restarted)).collect();
        match self.view.advance(&restarted).await {
            // There is nothing of which it could be void.
            Ok(()) | Err(ViewError::Empty) => self.view.begin_rebuild().await,
            Err(error) => Err(error),
        }
    }

    /// Asks again for pages that did not come.
    pub(super) fn ask_again(&mut self, questions: &Questions) {
        let Some(running) = &self.running else { return };
        let is_late = |log: &Progress| !log.is_done && log.asked_at + ASK_AGAIN_AFTER <= Instant::now();
        let late: Vec<Source> =
            running.logs.iter().filter(|(_, log)| is_late(log)).map(|(source, _)| *source).collect();
        for source in late {
            self.ask(source, questions);
        }
    }

    fn ask(&mut self, source: Source, questions: &Questions) {
        let Some(running) = &mut self.running else { return };
        let question = running.question(source, questions);
        let Some(log) = running.logs.get_mut(&source) else { return };
        log.asked_at = Instant::now();
        log.asks += 1;
        if log.asks == SAY_AFTER_ASKS {
            tracing::warn!(%source, "the rebuild of the view waits for the next page of this log");
        }
        questions.ask(question, source, Replay { from_seq: log.next, to_seq: None });
    }

    /// Applies a page of `source`, which answers the question that is open there.
    pub(super) async fn take(&mut self, source: Source, page: Page, questions: &Questions) {
        let Some(running) = &self.running else { return };
        let asked = running.asked;
        match self.apply(source, &page).await {
            Ok(()) => self.applied(source, &page, questions).await,
            Err(ViewError::Empty) => self.start(asked, questions).await,
            Err(error @ (ViewError::Lost(_) | ViewError::Foreign(_))) => {
                self.not_applied(error, questions).await;
            }
        }
    }

    async fn apply(&self, source: Source, page: &Page) -> Result<(), ViewError> {
        let told = page.writes.iter().cloned().filter_map(ViewWrite::as_told_by_a_log);
        self.view.apply(&told.collect::<Vec<_>>()).await?;
        let next =
            self.running.iter().find_map(|running| running.logs.get(&source)).map_or(0, |log| log.next);
        let Some(advance) = page.advance(next) else { return Ok(()) };
        self.view.advance(&[(source, advance)]).await
    }

    async fn applied(&mut self, source: Source, page: &Page, questions: &Questions) {
        let Some(running) = &mut self.running else { return };
        self.context.status.recovered();
        self.backoff.reset();
        let log = Progress {
            next: page.last + 1,
            last: page.newest,
            asked_at: Instant::now(),
            asks: 0,
            is_done: !page.goes_on,
        };
        running.logs.insert(source, log);
        let all_heard = running.logs.values().all(|log| log.is_done);
        self.show();
        if !log.is_done {
            self.ask(source, questions);
        }
        if all_heard {
            self.finish(questions).await;
        }
    }

    /// The page is asked for again when its time is up; what was replaced in the middle has to be told from the beginning.
    async fn not_applied(&mut self, error: ViewError, questions: &Questions) {
        let Some(running) = &self.running else { return };
        tracing::error!(%error, "the view cannot be rebuilt");
        self.context.status.failed(error.to_string(), self.context.clock.now());
        if matches!(error, ViewError::Foreign(_)) && running.asked == Asked::ByOperator {
            self.backoff.wait().await;
            self.start(Asked::ByOperator, questions).await;
        }
    }

    /// Removes what nobody told, now that every log was heard.
    async fn finish(&mut self, questions: &Questions) {
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
                self.start(asked, questions).await;
            }
            Ok(Swept::Superseded) => {
                tracing::warn!("another process has begun to rebuild the view; it ends that");
                self.ended();
            }
            Err(error) => {
                tracing::error!(%error, "the rebuild cannot be finished, and begins again");
                self.context.status.failed(error.to_string(), self.context.clock.now());
                self.backoff.wait().await;
                self.start(asked, questions).await;
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
    /// The name of the question for the next page of `source`: any page that was read after the rebuild began answers it.
    fn question(&self, source: Source, questions: &Questions) -> String {
        let next = self.logs.get(&source).map_or(0, |log| log.next);
        questions.name(&self.number.to_string(), source, next)
    }
}
