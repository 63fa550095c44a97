//! Sends answers to outside callers: one task for a process, on a connection of its own, which is made when there is
//! something to answer.
//!
//! Whoever asks chooses the address of the answer, and a broker may close a connection over one (see
//! [`crate::reply_to`]). Here that costs neither charges nor events. What was on its way is sent again: answers are
//! kept until the broker has done with them, which it says when it is asked anything after them on the same channel, once
//! for as many as have been written by then. Who was to blame is found out by [`blame`].
//!
//! An answer that names no question (it has no correlation id) is not sent again, since whoever hears it twice would take it
//! for the answer to their next question.

mod blame;

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lapin::Channel;
use lapin::options::BasicQosOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::blocked::BLOCKED_POLL;
use super::link::{Link, Opened};
use super::load::{Held, Load, MAX_AT_ONCE};
use super::properties::{Outgoing, outgoing};
use super::refusal::code;
use super::retry::Retry;
use crate::bus::Message;
use blame::{Blame, Culprit, PUT_ASIDE, Way};

/// Most answers that the broker has not done with: about a second of a busy worker's.
const MAX_ANSWERS: usize = 10_000;
/// Most bytes in their bodies.
const MAX_ANSWERS_BYTES: usize = 32 * 1024 * 1024;
/// Most answers on their way at once. After a loss each of them is sent again, caller by caller.
const MAX_SENT: usize = 512;
/// How long an answer is worth sending: nobody waits longer.
const KEEP: Duration = Duration::from_secs(10);
/// How long the broker may take to do with what was sent. It takes a millisecond.
const DONE_WITHIN: Duration = Duration::from_secs(10);
/// How often an answer is on its way when its connection is lost, before nobody tries again.
const MAX_LOSSES: u8 = 3;
/// AMQP's code for a connection that an operator or an ending broker closes: no answer's fault.
const CONNECTION_FORCED: u16 = 320;

/// The way for answers. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<Load>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "all but one that a process sends are of the larger kind")]
enum Job {
    Send(Answer),
    /// Tell when all that was handed over before is done with.
    Finish(oneshot::Sender<()>),
}

/// An answer that the broker has not done with.
#[derive(Debug)]
struct Answer {
    message: Message,
    since: Instant,
    losses: u8,
    _held: Held,
}

impl Answer {
    fn address(&self) -> &str {
        &self.message.routing_key
    }

    fn is_stale(&self, now: Instant) -> bool {
        self.since + KEEP <= now
    }
}

impl Answers {
    /// Has a task send answers over `link` for as long as a clone of this is left.
    pub(super) fn start(link: Arc<Link>, io: &tokio::runtime::Handle) -> Self {
        let (jobs, received) = mpsc::unbounded_channel();
        io.spawn(Task::new(link).run(received));
        Self { jobs, load: Load::new(MAX_ANSWERS, MAX_ANSWERS_BYTES) }
    }

    /// Hands over an answer. Nobody hears what becomes of it.
    pub(super) fn send(&self, message: Message) {
        let Some(held) = Load::take(&self.load, message.body.len()) else {
            tracing::debug!("too many answers wait for the broker; this one's caller has to ask again");
            return;
        };
        // The task ends early only with its runtime.
        let _ = self.jobs.send(Job::Send(Answer { message, since: Instant::now(), losses: 0, _held: held }));
    }

    /// Waits until all that was handed over is done with.
    pub(super) async fn finish(&self) {
        let (done, is_done) = oneshot::channel();
        let _ = self.jobs.send(Job::Finish(done));
        let _ = is_done.await;
    }
}

type Written = Pin<Box<dyn Future<Output = Result<(), lapin::Error>> + Send>>;

struct Task {
    link: Arc<Link>,
    /// None after a loss.
    opened: Option<Opened>,
    retry: Retry,
    blame: Blame,
    /// To be sent together.
    waiting: VecDeque<Answer>,
    /// To be sent one by one.
    alone: VecDeque<Answer>,
    /// When the next one may be sent alone, after one that cost a connection.
    pause: Retry,
    /// On their way, in their order.
    sent: VecDeque<Answer>,
    /// Who is on its way alone.
    trying: Option<Culprit>,
    /// Done when the last of those on their way is written.
    last: Option<Written>,
    /// The broker's word that it has done with so many of those on their way, and until when it has to come.
    done: Option<(Written, usize, Instant)>,
    finishing: Vec<oneshot::Sender<()>>,
}

impl Task {
    fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            opened: None,
            retry: Retry::default(),
            blame: Blame::default(),
            waiting: VecDeque::new(),
            alone: VecDeque::new(),
            pause: Retry::default(),
            sent: VecDeque::new(),
            trying: None,
            last: None,
            done: None,
            finishing: Vec::new(),
        }
    }

    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut batch = Vec::new();
        loop {
            let wake = self.wake();
            tokio::select! {
                biased;
                done = self.done_with() => self.settle(done).await,
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
                count = jobs.recv_many(&mut batch, MAX_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    let now = Instant::now();
                    batch.drain(..).for_each(|job| self.take(job, now));
                }
            }
            self.send().await;
            if self.waiting.is_empty() && self.alone.is_empty() && self.sent.is_empty() {
                for finished in self.finishing.drain(..) {
                    // Whoever waits gives up after a while.
                    let _ = finished.send(());
                }
            }
        }
    }

    /// When something is to be done that no message and no broker says. Cancel-safe.
    fn wake(&self) -> Option<Instant> {
        if let Some((_, _, until)) = &self.done {
            return Some(*until);
        }
        let retry = if self.opened.is_none() { self.retry.not_before() } else { None };
        let is_waiting = !self.waiting.is_empty() || !self.alone.is_empty();
        let after = |at: Option<Instant>| at.filter(|at| *at > Instant::now());
        // The poll is for a broker that reads nothing, for lack of memory or disk.
        let poll = Instant::now() + BLOCKED_POLL;
        is_waiting.then(|| after(retry).or_else(|| after(self.pause.not_before())).unwrap_or(poll))
    }

    /// The broker's word. Cancel-safe.
    async fn done_with(&mut self) -> Result<(), lapin::Error> {
        match &mut self.done {
            Some((done, _, _)) => done.await,
            None => std::future::pending().await,
        }
    }

    fn take(&mut self, job: Job, now: Instant) {
        match job {
            Job::Finish(finished) => self.finishing.push(finished),
            Job::Send(answer) => match self.blame.way(answer.address(), now) {
                Way::Together => self.waiting.push_back(answer),
                Way::Alone => self.alone.push_back(answer),
                Way::Nowhere => tracing::debug!("an answer was not sent: its address is put aside"),
            },
        }
    }

    async fn settle(&mut self, done: Result<(), lapin::Error>) {
        let Some((_, count, _)) = self.done.take() else { return };
        if let Err(error) = done {
            return self.lose(Some(&error)).await;
        }
        self.sent.drain(..count);
        if let Some(culprit) = self.trying.take_if(|_| self.sent.is_empty()) {
            self.pause = Retry::default();
            let cleared = |answer: &Answer| self.blame.culprit(answer.address()) == culprit;
            let (cleared, alone): (VecDeque<_>, _) = self.alone.drain(..).partition(cleared);
            self.alone = alone;
            self.waiting.extend(cleared);
            self.blame.cleared(&culprit);
        }
    }

    /// Sends what may be sent now.
    async fn send(&mut self) {
        let now = Instant::now();
        if self.done.as_ref().is_some_and(|(_, _, until)| *until <= now) {
            self.late(now).await;
        }
        for queue in [&mut self.waiting, &mut self.alone] {
            while queue.front().is_some_and(|answer| answer.is_stale(now)) {
                queue.pop_front();
            }
        }
        if (self.waiting.is_empty() && self.alone.is_empty()) || self.trying.is_some() {
            return self.ask();
        }
        if !self.is_open().await || self.link.is_blocked() {
            return;
        }
        let try_one = !self.alone.is_empty() && self.pause.is_due();
        if try_one && self.sent.is_empty() {
            let (culprit, answer) = self.next_alone();
            answer.into_iter().for_each(|answer| self.write(answer));
            self.trying = Some(culprit).filter(|_| !self.sent.is_empty());
        } else if !try_one {
            // Those that are to be sent alone get their turn once these are done with.
            while self.sent.len() < MAX_SENT
                && let Some(answer) = self.waiting.pop_front()
            {
                self.write(answer);
            }
        }
        self.ask();
    }

    /// Of those to be sent alone, one of whom most answers wait: one that makes up addresses has few of each.
    fn next_alone(&mut self) -> (Culprit, Option<Answer>) {
        let mut counts: HashMap<Culprit, (usize, usize)> = HashMap::new();
        for (at, answer) in self.alone.iter().enumerate() {
            counts.entry(self.blame.culprit(answer.address())).or_insert((0, at)).0 += 1;
        }
        let max = counts.into_iter().max_by_key(|(_, (count, at))| (*count, std::cmp::Reverse(*at)));
        match max {
            Some((culprit, (_, at))) => (culprit, self.alone.remove(at)),
            None => (Culprit::Name(String::new()), None),
        }
    }

    /// Puts an answer on the channel.
    fn write(&mut self, answer: Answer) {
        let Some(Opened { channel, .. }) = &self.opened else { return };
        let Some(out) = outgoing(&answer.message) else {
            tracing::error!(
                "an answer has a name or property of more than 255 bytes and cannot be sent over AMQP"
            );
            return;
        };
        let mut written = put(channel.clone(), out, Arc::clone(&answer.message.body));
        // At once, or the next one would be first.
        if let Some(result) = (&mut written).now_or_never() {
            written = Box::pin(std::future::ready(result));
        }
        self.last = Some(written);
        self.sent.push_back(answer);
    }

    /// Asks the broker whether it has done with all that is on its way, unless it is asked already.
    fn ask(&mut self) {
        let (None, Some(last), Some(Opened { channel, .. })) =
            (&self.done, self.last.take_if(|_| self.done.is_none()), &self.opened)
        else {
            return;
        };
        let channel = channel.clone();
        let done = async move {
            // lapin writes a question before messages that were there first.
            last.await?;
            // Any question would do. This one changes nothing on a channel without consumers.
            channel.basic_qos(0, BasicQosOptions { global: false }).await
        };
        self.done = Some((Box::pin(done), self.sent.len(), Instant::now() + DONE_WITHIN));
    }

    async fn is_open(&mut self) -> bool {
        if self.opened.as_ref().is_some_and(|opened| !opened.channel.status().connected()) {
            if self.done.is_some() {
                // It ends with what the broker has said.
                return false;
            }
            self.lose(None).await;
        }
        if self.opened.is_none() && self.retry.is_due() {
            match self.link.channel().await {
                Ok(opened) => (self.opened, self.retry) = (Some(opened), Retry::default()),
                Err(error) => {
                    tracing::warn!(%error, "cannot answer callers");
                    self.retry.failed();
                }
            }
        }
        self.opened.is_some()
    }

    /// The broker has not said in time that it is done.
    async fn late(&mut self, now: Instant) {
        if self.link.is_blocked() {
            if let Some((_, _, until)) = &mut self.done {
                *until = now + DONE_WITHIN;
            }
            return;
        }
        tracing::warn!(answers = self.sent.len(), "the broker does not take answers; connecting anew");
        self.lose(None).await;
    }

    /// Drops the connection, and decides about what was on its way.
    async fn lose(&mut self, error: Option<&lapin::Error>) {
        (self.done, self.last) = (None, None);
        if let Some(opened) = self.opened.take() {
            self.link.forget(opened.generation).await;
        }
        let trying = self.trying.take();
        let said = error.and_then(code).filter(|(code, _)| *code != CONNECTION_FORCED);
        let mut suspects = std::mem::take(&mut self.sent);
        let first = suspects.front().map(|answer| self.blame.culprit(answer.address()));
        let culprit = trying.or_else(|| {
            let is_same = |answer: &Answer| Some(self.blame.culprit(answer.address())) == first;
            first.clone().filter(|_| suspects.iter().all(is_same))
        });
        if let (Some((code, why)), Some(culprit)) = (&said, culprit) {
            let now = Instant::now();
            tracing::warn!(
                code, why, caller = ?culprit,
                "the broker closed the connection that answers callers over an answer to one of them, which is put \
                 aside for {} s",
                PUT_ASIDE.as_secs()
            );
            self.blame.guilty(culprit, now);
            self.pause.failed();
            let blame = &self.blame;
            let is_kept = |answer: &Answer| blame.way(answer.address(), now) != Way::Nowhere;
            self.waiting.retain(is_kept);
            self.alone.retain(is_kept);
            return;
        }
        if !suspects.is_empty() {
            tracing::debug!(answers = suspects.len(), ?said, "the connection that answers callers is lost");
        }
        suspects.iter_mut().for_each(|answer| answer.losses += 1);
        suspects.retain(|answer| {
            answer.losses < MAX_LOSSES && answer.message.properties.correlation_id.is_some()
        });
        self.alone.append(&mut suspects);
    }
}

fn put(channel: Channel, out: Outgoing, body: Arc<[u8]>) -> Written {
    Box::pin(async move { out.publish(&channel, &body, false).await.map(drop) })
}
