//! Sees to it that everything that is declared is there, also later on.
//!
//! Exchanges, queues and bindings can be deleted under a running system, and whoever declares them anew first hides
//! that they were. So whoever connects looks before it declares, and a process with workers looks again every half
//! minute, and at once when answers fail to come. What was missing is put back, also for the exclusive queues of this
//! process, which nobody else can bind; and it is told, in the log and in what the workers say of themselves.
//!
//! Any number of processes may do so at once: to declare what is there changes nothing. Messages that found no way
//! meanwhile are lost, or were returned to their sender.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::{Channel, Connection};
use skstore_domain::signals::{PAST_FOR, Past, remember};
use skstore_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::declare::{self, Part};
use super::inspection::{self, Shown};
use super::management::{Management, Unseen};
use super::request::{leave, reopened};
use crate::bus::{BusError, Noticed};
use crate::clock::Clock;
use crate::topology::{EXCHANGES, QueueSpec, queues};

/// How long nothing is looked at after a look: calls fail in hundreds, for one and the same reason.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
/// How long a refusal counts as what is now: whatever was refused is tried again sooner, in a worker's every heartbeat at
/// the latest.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// How long all questions to the management API may take together while somebody waits to consume.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    state: Mutex<State>,
    /// One look at a time.
    turn: tokio::sync::Mutex<()>,
    /// Something may be missing, and nobody has looked since.
    is_suspected: AtomicBool,
    /// The management API did not answer the last time.
    is_unseen: AtomicBool,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Who looks after it, if this process does.
    management: Option<Result<Management, Unseen>>,
    has_looked: bool,
    /// Exclusive queues that this process consumes.
    own: Vec<QueueSpec>,
    /// What this user may not declare, as it was told last.
    only_seen: Vec<String>,
    warnings: Vec<String>,
    /// What was refused last, and when.
    refused: Option<Past>,
    past: Vec<Past>,
}

impl Upkeep {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this process looks after everything, also through the management API where it may be asked.
    pub(super) fn take_charge(&self, management: Result<Management, Unseen>) {
        self.state().management = Some(management);
        // Before anything is consumed.
        self.is_suspected.store(true, Ordering::Release);
    }

    /// Waits until it is time to look: for `every`, or until something may be missing.
    pub(super) async fn due(&self, every: Duration) {
        tokio::select! {
            () = self.wake.notified() => {}
            () = sleep(every) => self.is_unseen.store(false, Ordering::Release),
        }
    }

    /// Declares on a new connection what is not there, and finds out whether what is there is as it must be.
    /// Bindings of what is there are left to those who look after them: they tell when one is missing. Returns whether
    /// some of it may not be declared by this user, only looked at.
    ///
    /// # Errors
    /// [`BusError::Topology`] names what is there with other properties, or is not there and may not be declared, and the
    /// remedy.
    pub(super) async fn restore(&self, connection: &Connection, is_first: bool) -> Result<bool, BusError> {
        let mut seen = inspection::look(connection).await?;
        if is_first && seen.is_in_use && !seen.missing.is_empty() {
            // Those who started together with this process may have declared it while this looked.
            seen = inspection::look(connection).await?;
        }
        let only_seen = declare::topology(connection, &seen.missing).await?;
        let only_look = !only_seen.is_empty();
        self.tell_only_seen(only_seen);
        self.is_suspected.store(true, Ordering::Release);
        // Where nobody is at work yet, nothing has been deleted.
        if !is_first || seen.is_in_use {
            self.tell(&seen.missing);
        }
        Ok(only_look)
    }

    /// Says once, not at every connection, what is taken as it is found.
    fn tell_only_seen(&self, only_seen: Vec<String>) {
        let mut state = self.state();
        if state.only_seen != only_seen && !only_seen.is_empty() {
            tracing::warn!(
                "this user may not declare everything on the message broker; taken as found there: {}",
                only_seen.join(", ")
            );
        }
        state.only_seen = only_seen;
    }

    /// Something may be missing.
    pub(super) fn suspect(&self) {
        self.is_suspected.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Looks at everything on the connection that is `standing`, puts back what is missing, and tells.
    pub(super) async fn look(&self, standing: impl Future<Output = Result<Arc<Connection>, BusError>>) {
        let _turn = self.turn.lock().await;
        if let Err(error) = self.put_right(standing).await {
            tracing::debug!(%error, "cannot look after what is declared");
        }
    }

    /// Waits until whoever looks has looked; looks if something may be missing and this process looks after it.
    pub(super) async fn settled(&self, standing: impl Future<Output = Result<Arc<Connection>, BusError>>) {
        let _turn = self.turn.lock().await;
        let is_mine = self.state().management.is_some();
        if is_mine && self.is_suspected.load(Ordering::Acquire) {
            // Whatever is wrong with the connection, whoever waits for this meets it next.
            // Boxed: it is large, rare, and part of every call that opens a consumer.
            let _ = Box::pin(self.put_right(standing)).await;
        }
    }

    /// Queues that only this process can bind.
    pub(super) fn adopt(&self, own: &[QueueSpec]) {
        self.state().own.extend_from_slice(own);
    }

    /// These are gone.
    pub(super) fn release(&self, own: &[QueueSpec]) {
        self.state().own.retain(|queue| own.iter().all(|gone| gone.name != queue.name));
    }

    pub(super) fn noticed(&self, blocked: Option<String>, now: Timestamp) -> Noticed {
        let mut state = self.state();
        let (since, refused_since) = (now.before(PAST_FOR), now.before(REFUSED_FOR));
        if let Some(over) = state.refused.take_if(|refused| refused.at < refused_since) {
            remember(&mut state.past, over);
        }
        let refused = state.refused.as_ref().map(|refused| refused.what.clone());
        let past = state.past.iter().filter(|entry| entry.at >= since).cloned().collect();
        Noticed { blocked, refused, warnings: state.warnings.clone(), past }
    }

    async fn put_right(
        &self,
        standing: impl Future<Output = Result<Arc<Connection>, BusError>>,
    ) -> Result<(), BusError> {
        self.is_suspected.store(false, Ordering::Release);
        let connection = standing.await?;
        let inspection::Seen { mut missing, is_in_use, .. } = inspection::look(&connection).await?;
        let (own, management, is_first) = {
            let mut state = self.state();
            let has_looked = std::mem::replace(&mut state.has_looked, true);
            (state.own.clone(), state.management.clone(), !has_looked)
        };
        let mut shown = self.ask(management.as_ref(), &own).await;
        if is_first && is_in_use && shown.as_ref().is_some_and(|shown| !shown.missing.is_empty()) {
            shown = self.ask(management.as_ref(), &own).await;
        }
        let mut warnings = Vec::new();
        let sees_bindings = shown.is_some();
        if let Some(Shown { missing: unbound, overruled }) = shown {
            missing.extend(unbound.into_iter().filter(|part| matches!(part, Part::Binding { .. })));
            warnings.extend(overruled.iter().map(ToString::to_string));
        }
        // A binding that cannot be seen is made again: that changes nothing where it is.
        if !missing.is_empty() || !sees_bindings {
            let refused = put_back(&connection, &own).await?;
            if !refused.is_empty() {
                missing = self.still_missing(&connection, missing, &mut warnings).await?;
            }
        }
        if !is_first || is_in_use {
            self.tell(&missing);
        }
        self.warn(warnings);
        Ok(())
    }

    /// What the management API shows, if it may be asked and answers.
    async fn ask(&self, management: Option<&Result<Management, Unseen>>, own: &[QueueSpec]) -> Option<Shown> {
        let management = match management? {
            Ok(management) if !self.is_unseen.load(Ordering::Acquire) => management,
            Ok(_) | Err(_) => return None,
        };
        let asked = timeout(SHOWN_WITHIN, inspection::shown(management, own)).await;
        match asked {
            Ok(Ok(shown)) => return Some(shown),
            Ok(Err(unseen)) => tracing::debug!(%unseen, "bindings and policies cannot be seen"),
            Err(_) => tracing::debug!("the management API takes too long"),
        }
        self.is_unseen.store(true, Ordering::Release);
        None
    }

    /// Splits what was missing: what is still missing is warned of, the rest is returned.
    async fn still_missing(
        &self,
        connection: &Connection,
        missing: Vec<Part>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Part>, BusError> {
        let still = inspection::look(connection).await?.missing;
        let (absent, back): (Vec<Part>, Vec<Part>) =
            missing.into_iter().partition(|part| still.contains(part));
        warnings.extend(absent.iter().map(|part| {
            format!("{part} is missing on the broker, and this user may not declare it: let one who may start a worker")
        }));
        Ok(back)
    }

    /// The broker has refused something that was published; `what` says what to do.
    pub(super) fn refuses(&self, what: String) {
        self.state().refused = Some(Past { at: Clock::System.now(), what });
    }

    /// Something was wrong until now.
    pub(super) fn is_over(&self, what: String) {
        remember(&mut self.state().past, Past { at: Clock::System.now(), what });
    }

    /// Tells what was missing and is back.
    fn tell(&self, missing: &[Part]) {
        let Some(what) = sentence(missing) else { return };
        for part in missing {
            tracing::warn!(%part, "was missing on the broker and was put back");
        }
        self.is_over(what);
    }

    /// Tells what has to be put right by a person, once it is new.
    fn warn(&self, warnings: Vec<String>) {
        let mut state = self.state();
        for warning in warnings.iter().filter(|warning| !state.warnings.contains(warning)) {
            tracing::warn!(warning, "somebody has to put this right");
        }
        state.warnings = warnings;
    }
}

/// One sentence about all that was missing.
fn sentence(missing: &[Part]) -> Option<String> {
    let (first, others) = missing.split_first()?;
    Some(match (first, others.len()) {
        (Part::Binding { .. }, 0) => format!("{first} was missing and was made again"),
        (_, 0) => format!("{first} was missing and was declared again"),
        (_, more) => format!("{first} and {more} more were missing and were declared again"),
    })
}

/// Declares and binds everything. Returns what was refused.
async fn put_back(connection: &Connection, own: &[QueueSpec]) -> Result<Vec<String>, BusError> {
    let (mut channel, mut refused) = (None::<Channel>, Vec::new());
    for spec in EXCHANGES {
        let open = reopened(connection, channel.take()).await?;
        let declared = declare::exchange(&open, spec).await;
        channel = after(open, declared, &mut refused)?;
    }
    for spec in queues() {
        let open = reopened(connection, channel.take()).await?;
        let declared = declare::queue(&open, &spec).await;
        channel = after(open, declared, &mut refused)?;
    }
    for spec in own {
        let open = reopened(connection, channel.take()).await?;
        // One that is gone by now has ended its consumer, who makes another.
        channel = declare::bind(&open, spec).await.is_ok().then_some(open);
    }
    if let Some(channel) = channel {
        let _ = leave(&channel).await;
    }
    Ok(refused)
}

/// The channel, unless a refusal has ended it.
fn after(
    channel: Channel,
    declared: Result<(), BusError>,
    refused: &mut Vec<String>,
) -> Result<Option<Channel>, BusError> {
    match declared {
        Ok(()) => Ok(Some(channel)),
        Err(BusError::Topology(sentence) | BusError::Occupied(sentence)) => {
            refused.push(sentence);
            Ok(None)
        }
        // A refused binding ends the channel alone; a lost connection shows with the next channel.
        Err(BusError::Lost(why)) => {
            refused.push(why);
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missing_is_told_in_one_sentence() {
        let exchange = Part::Exchange("skstore.replies".into());
        let binding = Part::Binding {
            queue: "order.events".into(),
            exchange: "skstore.events".into(),
            key: "item.sold_out".into(),
        };
        let table: [(&[Part], Option<&str>); 4] = [
            (&[], None),
            (
                std::slice::from_ref(&exchange),
                Some("the exchange 'skstore.replies' was missing and was declared again"),
            ),
            (
                std::slice::from_ref(&binding),
                Some(
                    "the binding of queue 'order.events' to exchange 'skstore.events' by 'item.sold_out' was missing \
                     and was made again",
                ),
            ),
            (
                &[exchange.clone(), binding.clone()],
                Some("the exchange 'skstore.replies' and 1 more were missing and were declared again"),
            ),
        ];
        for (missing, expected) in table {
            assert_eq!(sentence(missing).as_deref(), expected);
        }
    }
}
