//! Publishes: one task for each [`AmqpPublisher`], and two channels. On one every message is confirmed; on the other go
//! those whose fate nobody asks for: replies between services and heartbeats, which cost less without. Answers to
//! outside callers go by [another way](super::answers).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::answers::Answers;
use super::blocked::BLOCKED_POLL;
use super::confirms::{Confirms, Key, Settled};
use super::link::Opened;
use super::load::{Held, Load, MAX_AT_ONCE};
use super::properties::{Outgoing, outgoing};
use super::refusal::{self, Meaning, Refusal};
use super::request::answered;
use super::retry::Retry;
use super::shared::Shared;
use crate::bus::{BusError, Message, PublishOutcome, Receipt};
use crate::clock::Ids;
use crate::topology::{self, DEFAULT};

/// Most messages of one publisher that are not confirmed yet, or not written where they are not to be: what the largest
/// batches of a worker leave, and about two seconds of a broker's work. More are refused.
pub const MAX_UNCONFIRMED: usize = 10_000;
/// Most bytes in their bodies. Each is kept twice, here and in lapin's buffer.
pub const MAX_UNCONFIRMED_BYTES: usize = 64 * 1024 * 1024;
/// How long a confirm may take. A healthy broker takes milliseconds, one that syncs a burst to a slow disk a second or two;
/// after this the connection is taken for dead.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(10);
/// Publishes to an AMQP broker. Clones share its channels, which are opened anew after a loss. What is published is in its
/// order, and so is what is sent; one may overtake the other.
#[derive(Debug, Clone)]
pub struct AmqpPublisher {
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<Load>,
    answers: Answers,
}

impl AmqpPublisher {
    /// Opens the channels, and has a task publish on them for as long as a clone of this is left.
    pub(super) async fn open(shared: Arc<Shared>) -> Result<Self, BusError> {
        let opened = Channels::open(&shared).await?;
        let (jobs, received) = mpsc::unbounded_channel();
        let answers = shared.answers.clone();
        let task = Task {
            shared,
            opened: Some(opened),
            confirms: Confirms::new(),
            in_flight: FuturesUnordered::new(),
            ids: Ids::random(),
            retry: Retry::default(),
        };
        task.shared.publishers.send_modify(|publishers| *publishers += 1);
        let shared = Arc::clone(&task.shared);
        tokio::spawn(async move {
            task.run(received).await;
            shared.publishers.send_modify(|publishers| *publishers -= 1);
        });
        Ok(Self { jobs, load: Load::new(MAX_UNCONFIRMED, MAX_UNCONFIRMED_BYTES), answers })
    }

    /// Hands over `message` without waiting; the receipt tells what became of it.
    pub fn publish(&self, message: Message) -> Receipt {
        let (receipt, told) = oneshot::channel();
        self.hand_over(message, Some(receipt));
        Receipt(told)
    }

    /// Hands over `message` and does not want to know. An answer to an outside caller goes apart from all else.
    pub fn send(&self, message: Message) {
        if message.exchange == DEFAULT && !topology::is_ours(&message.routing_key) {
            return self.answers.send(message);
        }
        self.hand_over(message, None);
    }

    fn hand_over(&self, message: Message, receipt: Option<oneshot::Sender<PublishOutcome>>) {
        let job = match Load::take(&self.load, message.body.len()) {
            Some(held) => Job { message, receipt, held, since: Instant::now() },
            None => return tell(receipt, PublishOutcome::Nacked),
        };
        // The task ends early only with its runtime; the receipt, dropped, then says Lost.
        let _ = self.jobs.send(job);
    }
}

#[derive(Debug)]
struct Job {
    message: Message,
    /// Who waits for an answer; none: nobody.
    receipt: Option<oneshot::Sender<PublishOutcome>>,
    held: Held,
    since: Instant,
}

impl Job {
    fn lose(self) {
        tell(self.receipt, PublishOutcome::Unknown);
    }
}

/// Who waits for an answer.
#[derive(Debug)]
struct Waiting {
    receipt: oneshot::Sender<PublishOutcome>,
    _held: Held,
}

impl Waiting {
    fn tell(self, confirm: PublishOutcome) {
        tell(Some(self.receipt), confirm);
    }
}

fn tell(receipt: Option<oneshot::Sender<PublishOutcome>>, confirm: PublishOutcome) {
    if let Some(receipt) = receipt {
        // Nobody has to wait for a receipt.
        let _ = receipt.send(confirm);
    }
}

/// A message on its way: its number and confirm, nothing where it was merely to be written, or that the channel is lost.
type Sent = Pin<Box<dyn Future<Output = Result<Option<Settled>, lapin::Error>> + Send>>;

/// What one publisher has of the connection that publishes. A clone of a channel clones all that it consists of.
struct Channels {
    confirmed: Arc<Channel>,
    unconfirmed: Arc<Channel>,
    generation: u64,
}

impl Channels {
    async fn open(shared: &Shared) -> Result<Self, BusError> {
        let Opened { channel: confirmed, .. } = shared.publishing.channel().await?;
        answered(confirmed.confirm_select(ConfirmSelectOptions::default())).await?;
        // Should the connection be another one by now, the first channel is gone and is missed at once.
        let Opened { channel: unconfirmed, generation, .. } = shared.publishing.channel().await?;
        Ok(Self { confirmed: Arc::new(confirmed), unconfirmed: Arc::new(unconfirmed), generation })
    }

    fn are_connected(&self) -> bool {
        self.confirmed.status().connected() && self.unconfirmed.status().connected()
    }
}

struct Task {
    shared: Arc<Shared>,
    /// None after a loss.
    opened: Option<Channels>,
    confirms: Confirms<Waiting>,
    in_flight: FuturesUnordered<Sent>,
    ids: Ids,
    retry: Retry,
}

impl Task {
    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut batch = Vec::new();
        loop {
            let deadline = self.confirms.deadline();
            tokio::select! {
                biased;
                Some(settled) = self.in_flight.next() => self.settle(settled).await,
                () = until(deadline) => self.expire().await,
                count = jobs.recv_many(&mut batch, MAX_AT_ONCE) => {
                    if count == 0 {
                        // All publishers are gone. Whoever still holds a receipt hears.
                        return self.finish().await;
                    }
                    self.publish(&mut batch).await;
                }
            }
        }
    }

    async fn finish(&mut self) {
        let deadline = Instant::now() + CONFIRM_WITHIN;
        while !(self.in_flight.is_empty() && self.confirms.is_empty()) {
            tokio::select! {
                biased;
                Some(settled) = self.in_flight.next() => self.settle(settled).await,
                () = sleep_until(deadline) => return self.expire().await,
            }
        }
    }

    async fn publish(&mut self, batch: &mut Vec<Job>) {
        let oldest = batch.first().map_or_else(Instant::now, |job| job.since);
        if !(self.reads_again(oldest + CONFIRM_WITHIN).await && self.is_open().await) {
            return batch.drain(..).for_each(Job::lose);
        }
        let mut unconfirmed = Vec::new();
        for Job { mut message, receipt, held, since } in batch.drain(..) {
            if receipt.is_some() {
                // What comes back is known by it.
                message.properties.message_id.get_or_insert_with(|| self.ids.mint());
            }
            match (outgoing(&message), receipt) {
                (Some(out), Some(receipt)) => {
                    let waiting = Waiting { receipt, _held: held };
                    self.put_on_its_way(message, out, waiting, since);
                }
                (Some(out), None) => unconfirmed.push((out, message.body, held)),
                (None, receipt) => {
                    tracing::error!(
                        exchange = message.exchange,
                        routing_key = message.routing_key,
                        "a message has a name or property of more than 255 bytes and cannot be sent over AMQP"
                    );
                    tell(receipt, PublishOutcome::Returned);
                }
            }
        }
        self.write(unconfirmed);
    }

    fn put_on_its_way(&mut self, message: Message, out: Outgoing, waiting: Waiting, since: Instant) {
        let Some(Channels { confirmed, .. }) = &self.opened else {
            return waiting.tell(PublishOutcome::Unknown);
        };
        let mandatory = !is_direct_reply(&message);
        let message_id = message.properties.message_id.unwrap_or_default();
        let key = Key { exchange: message.exchange, routing_key: message.routing_key, message_id };
        let number = self.confirms.sent(key, since + CONFIRM_WITHIN, waiting);
        self.in_flight.push(Box::pin(send(Arc::clone(confirmed), number, out, message.body, mandatory)));
    }

    /// Puts messages on the channel without confirms. Once the last is on the wire all of them are, so only that one is
    /// waited for; it also tells of a channel that is lost.
    fn write(&mut self, mut messages: Vec<(Outgoing, Arc<[u8]>, Held)>) {
        let Some(Channels { unconfirmed, .. }) = &self.opened else { return };
        let Some((out, body, held)) = messages.pop() else { return };
        let mut all_held = vec![held];
        for (out, body, held) in messages {
            // Whether that worked the last one tells.
            let _ = out.publish(unconfirmed, &body, false).now_or_never();
            all_held.push(held);
        }
        let mut last: Sent = Box::pin(write(Arc::clone(unconfirmed), out, body, all_held));
        // At once, or those of the next batch would be first.
        match (&mut last).now_or_never() {
            Some(written) => self.in_flight.push(Box::pin(std::future::ready(written))),
            None => self.in_flight.push(last),
        }
    }

    /// Whether there are channels, opened anew after a loss if that was not tried just now.
    async fn is_open(&mut self) -> bool {
        if self.opened.as_ref().is_some_and(|opened| !opened.are_connected()) {
            if self.shared.publishing.standing().await.is_ok() {
                // Nobody waits for an answer on the channel without confirms, so its reason is told to nobody.
                self.shared.upkeep.refuses(refusal::of_publishing(None));
            }
            self.lose().await;
        }
        if self.opened.is_none() && self.retry.is_due() {
            match Channels::open(&self.shared).await {
                Ok(opened) => (self.opened, self.retry) = (Some(opened), Retry::default()),
                Err(error) => {
                    tracing::warn!(%error, "cannot publish");
                    self.retry.failed();
                }
            }
        }
        self.opened.is_some()
    }

    /// Waits while the broker, without memory or disk, reads nothing: what were handed to lapin now would pile up
    /// there. False if that lasts `until` then.
    async fn reads_again(&mut self, until: Instant) -> bool {
        while self.opened.is_some() && self.shared.publishing.is_blocked() {
            if let Some(settled) = self.in_flight.next().now_or_never().flatten() {
                self.settle(settled).await;
            }
            let now = Instant::now();
            for waiting in self.confirms.expire(now) {
                waiting.tell(PublishOutcome::Unknown);
            }
            if now >= until {
                return false;
            }
            tokio::time::sleep(BLOCKED_POLL).await;
        }
        true
    }

    /// Takes `first` and every other confirm that is there: only all of them together are certain.
    async fn settle(&mut self, first: Result<Option<Settled>, lapin::Error>) {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(settled) = next {
            match settled {
                Ok(settled) => batch.extend(settled),
                Err(error) => {
                    tracing::warn!(%error, "the connection that publishes is lost");
                    if let Some(refusal) = Refusal::of(&error).filter(|is| is.meaning() != Meaning::Missing) {
                        self.shared.upkeep.refuses(refusal::of_publishing(Some(&refusal)));
                    }
                    return self.lose().await;
                }
            }
            next = self.in_flight.next().now_or_never().flatten();
        }
        for (waiting, confirm) in self.confirms.settle(batch) {
            if confirm == PublishOutcome::Returned {
                // All that is confirmed goes where a queue of ours should be.
                self.shared.upkeep.suspect();
            }
            waiting.tell(confirm);
        }
    }

    async fn expire(&mut self) {
        let late = self.confirms.expire(Instant::now());
        if self.shared.publishing.is_blocked() {
            late.into_iter().for_each(|waiting| waiting.tell(PublishOutcome::Unknown));
        } else {
            tracing::warn!(messages = late.len(), "the broker does not confirm; connecting anew");
            late.into_iter().for_each(|waiting| waiting.tell(PublishOutcome::Unknown));
            self.lose().await;
        }
    }

    /// Drops the connection. Whatever was on its way may or may not have been taken.
    async fn lose(&mut self) {
        self.in_flight = FuturesUnordered::new();
        self.confirms.give_up().into_iter().for_each(|waiting| waiting.tell(PublishOutcome::Unknown));
        if let Some(opened) = self.opened.take() {
            self.shared.publishing.forget(opened.generation).await;
        }
    }
}

/// RabbitMQ counts an answer to one who waits without a queue as routed nowhere, and sends it back even though it has
/// arrived. So nobody can know whether that one was still there.
fn is_direct_reply(message: &Message) -> bool {
    message.exchange == DEFAULT && message.routing_key.starts_with("amq.rabbitmq.reply-to.")
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Publishes one message, and is done once it is on the wire.
async fn write(
    channel: Arc<Channel>,
    out: Outgoing,
    body: Arc<[u8]>,
    held: Vec<Held>,
) -> Result<Option<Settled>, lapin::Error> {
    out.publish(&channel, &body, false).await?;
    drop(held);
    Ok(None)
}

/// Publishes one message and waits for its confirm.
async fn send(
    channel: Arc<Channel>,
    number: u64,
    out: Outgoing,
    body: Arc<[u8]>,
    mandatory: bool,
) -> Result<Option<Settled>, lapin::Error> {
    let (acked, returned) = match out.publish(&channel, &body, mandatory).await? {
        Confirmation::Ack(returned) => (true, returned),
        Confirmation::Nack(returned) => (false, returned),
        Confirmation::NotRequested => (true, None),
    };
    let returned = returned.map(|message| Key {
        exchange: message.delivery.exchange.to_string(),
        routing_key: message.delivery.routing_key.to_string(),
        message_id: message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
    });
    Ok(Some(Settled { number, acked, returned }))
}
