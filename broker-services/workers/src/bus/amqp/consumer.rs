//! Consumes: one channel for each [`AmqpConsumer`], whatever the number of its queues, and a task that acks on it.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::try_join_all;
use lapin::Channel;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions,
    BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{FieldTable, ShortString};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::acks::{Acks, Frame};
use super::link::Opened;
use super::properties::incoming;
use super::refusal::asked;
use super::request::{ANSWER_WITHIN, answered, leave};
use super::shared::Shared;
use super::{cut, declare};
use crate::bus::{BusError, Delivery, Message, Subscription, Unacked};
use crate::headers::BODY_CUT_AT;
use crate::reply_to;
use crate::topology::{COMMANDS, QueueKind, QueueSpec, UNROUTED};

/// Most acks put into frames at once.
const MAX_ACKS_AT_ONCE: usize = 1024;
/// Most bytes in the bodies of the messages that are received at once; a single message may be longer.
const MAX_RECEIVED_BYTES: usize = 8 * 1024 * 1024;
/// How long a new consumer waits for dropped ones to have given back what they held.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);

/// Receives from one or more queues of an AMQP broker, taking from each in turn. Dropping it gives back what it
/// holds unacked, before any consumer that is opened on the same bus later gets something.
pub struct AmqpConsumer {
    sources: Vec<Source>,
    /// What was taken of the first queue before it was consumed.
    head: Option<Box<lapin::message::Delivery>>,
    /// Whose turn it is.
    turn: usize,
    acks: mpsc::UnboundedSender<ToAck>,
    /// For more consumers.
    channel: Channel,
    shared: Arc<Shared>,
}

struct Source {
    queue: Arc<str>,
    spec: Arc<QueueSpec>,
    deliveries: lapin::Consumer,
}

impl AmqpConsumer {
    /// Declares the queues of `subscriptions` where they are not there, and consumes them.
    pub(super) async fn open(
        shared: Arc<Shared>,
        subscriptions: Vec<Subscription>,
    ) -> Result<Self, BusError> {
        let opened = settled_channel(&shared).await?;
        let consuming = consume(&opened, &subscriptions).await;
        let sources = or_forgotten(&shared, &opened, consuming).await?;
        Ok(Self::of(shared, opened, subscriptions, sources, None))
    }

    /// Consumes one queue, and tells how many messages are ready in it: exactly, also right after a consumer that held
    /// some was dropped. A quorum queue tells those who merely ask before it has written down what came back; one that
    /// is told to hand out a message counts after that.
    pub(super) async fn open_counted(
        shared: Arc<Shared>,
        mut subscription: Subscription,
    ) -> Result<(Self, usize), BusError> {
        let opened = settled_channel(&shared).await?;
        let counted = count(&opened, &subscription.queue).await;
        let (head, ready) = or_forgotten(&shared, &opened, counted).await?;
        // What was taken to count is in hand as well.
        subscription.prefetch = subscription.prefetch.saturating_sub(usize::from(head.is_some()));
        let subscriptions = vec![subscription];
        let consuming = consume(&opened, &subscriptions).await;
        let sources = or_forgotten(&shared, &opened, consuming).await?;
        Ok((Self::of(shared, opened, subscriptions, sources, head), ready))
    }

    fn of(
        shared: Arc<Shared>,
        opened: Opened,
        subscriptions: Vec<Subscription>,
        sources: Vec<Source>,
        head: Option<lapin::message::Delivery>,
    ) -> Self {
        let (acks, received) = mpsc::unbounded_channel();
        let own = subscriptions.into_iter().map(|subscription| subscription.queue);
        let own: Vec<QueueSpec> = own.filter(|queue| queue.kind == QueueKind::Exclusive).collect();
        shared.upkeep.adopt(&own);
        let tags = sources.iter().map(|source| source.deliveries.tag()).collect();
        let channel = opened.channel.clone();
        tokio::spawn(acknowledge(Arc::clone(&shared), opened, received, tags, own));
        Self { sources, head: head.map(Box::new), turn: 0, acks, channel, shared }
    }

    /// See [`Consumer::admit`](crate::bus::Consumer::admit).
    pub(in crate::bus) async fn admit(&mut self, more: usize) -> Result<(), BusError> {
        let Some(first) = self.sources.first() else { return Ok(()) };
        // What one consumer may hold is settled when it begins, so another one begins.
        let source = consume_one(&self.channel, &first.spec, more, self.sources.len()).await?;
        let _ = self.acks.send(ToAck::Began(source.deliveries.tag()));
        self.sources.push(source);
        Ok(())
    }

    /// See [`Consumer::receive`](crate::bus::Consumer::receive): at least one.
    pub(in crate::bus) async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        tokio::task::coop::consume_budget().await;
        poll_fn(|context| self.poll_receive(max.max(1), context)).await
    }

    fn poll_receive(
        &mut self,
        max: usize,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<Delivery>, BusError>> {
        let mut batch: Vec<Delivery> =
            self.head.take().and_then(|head| self.deliver(0, *head)).into_iter().collect();
        let mut bytes: usize = batch.iter().map(|delivery| delivery.message.body.len()).sum();
        let mut dry = 0;
        while dry < self.sources.len() && batch.len() < max && bytes < MAX_RECEIVED_BYTES {
            let at = self.turn % self.sources.len();
            self.turn = at + 1;
            match Pin::new(&mut self.sources[at].deliveries).poll_next(context) {
                Poll::Pending => dry += 1,
                Poll::Ready(Some(Ok(delivery))) => {
                    dry = 0;
                    bytes += delivery.data.len();
                    batch.extend(self.deliver(at, delivery));
                }
                // What was taken before is given back with the rest.
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(BusError::Lost(error.to_string()))),
                Poll::Ready(None) => {
                    self.shared.upkeep.suspect();
                    let queue = &self.sources[at].queue;
                    let why = format!("the broker ended the consumer of queue '{queue}': was it deleted?");
                    return Poll::Ready(Err(BusError::Lost(why)));
                }
            }
        }
        if !batch.is_empty() {
            return Poll::Ready(Ok(batch));
        }
        if dry < self.sources.len() {
            // All that came was left to the broker; there may be more.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// A delivery as its receiver has it. One that is too long for its queue is left to the broker to park, as it alone has
    /// all of it, unless somebody outside is to be told.
    fn deliver(&self, at: usize, delivery: lapin::message::Delivery) -> Option<Delivery> {
        let Source { queue, spec, .. } = &self.sources[at];
        let (acks, tag) = (self.acks.clone(), delivery.delivery_tag);
        let mut message = Message {
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            properties: incoming(&delivery.properties),
            body: Arc::default(),
        };
        let max = spec.max_bytes();
        if delivery.data.len() > max {
            if spec.dead_letter.is_some() && !is_told(spec, &message) {
                tracing::warn!(%queue, max, "parked a message that is longer than any in its queue may be, unread");
                let _ = acks.send(ToAck::Reject(tag));
                return None;
            }
            message.properties.headers.insert(BODY_CUT_AT.to_owned(), delivery.data.len().to_string());
        }
        message.body = delivery.data.into();
        let (queue, redelivered) = (Arc::clone(queue), delivery.redelivered);
        let unacked = Unacked::new(move || {
            // Nobody is there any more once the consumer is dropped or its channel lost.
            let _ = acks.send(ToAck::Ack(tag));
        });
        Some(Delivery { message, queue, redelivered, unacked })
    }
}

/// Whether the sender of a command hears what is wrong with it. Then it need not be parked.
fn is_told(spec: &QueueSpec, message: &Message) -> bool {
    let is_of_commands = spec.bindings.iter().any(|(exchange, _)| [COMMANDS, UNROUTED].contains(exchange));
    let reply_to = message.properties.reply_to.as_deref().filter(|reply_to| !reply_to.is_empty());
    is_of_commands && reply_to.is_some_and(|reply_to| reply_to::refusal(reply_to).is_none())
}

impl Drop for AmqpConsumer {
    fn drop(&mut self) {
        // Counted before anybody can open the next one.
        self.shared.closing.send_modify(|closing| *closing += 1);
        if self.acks.send(ToAck::Close).is_err() {
            self.shared.closing.send_modify(|closing| *closing -= 1);
        }
    }
}

impl fmt::Debug for AmqpConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queues = self.sources.iter().map(|source| &source.queue);
        f.debug_tuple("AmqpConsumer").field(&queues.collect::<Vec<_>>()).finish()
    }
}

#[derive(Debug)]
enum ToAck {
    Ack(u64),
    /// The queue shall give it up, to its dead-letter exchange.
    Reject(u64),
    /// Another consumer of this tag is to be ended with the others.
    Began(ShortString),
    /// The consumer is dropped. What was acked before counts, what comes after does not.
    Close,
}

/// The result of something on `opened`, whose connection is forgotten where that is lost, and where a queue is not as it was
/// when the connection was made: the next one declares everything again, or sees what it may not declare. A queue that is
/// another's ends the channel, and nobody else's.
async fn or_forgotten<T>(
    shared: &Shared,
    opened: &Opened,
    result: Result<T, BusError>,
) -> Result<T, BusError> {
    if matches!(result, Err(BusError::Lost(_) | BusError::Topology(_))) {
        shared.consuming.forget(opened.generation).await;
    }
    result
}

/// A channel to consume on, once dropped consumers have given back what they held.
async fn settled_channel(shared: &Shared) -> Result<Opened, BusError> {
    let mut closing = shared.closing.subscribe();
    // Only a broker that hangs makes it longer; what is held there is then given back later.
    let _ = timeout(SETTLE_WITHIN, closing.wait_for(|closing| *closing == 0)).await;
    let opened = shared.consuming.channel().await?;
    // Whatever is found missing now is told; to declare it first would hide that.
    shared.upkeep.settled(shared.consuming.standing()).await;
    Ok(opened)
}

/// Takes the first message of a queue, where there is one, and counts it and those behind it.
async fn count(
    opened: &Opened,
    queue: &QueueSpec,
) -> Result<(Option<lapin::message::Delivery>, usize), BusError> {
    declare::consumable(&opened.channel, queue, opened.only_look).await?;
    let taking = opened.channel.basic_get(declare::short(&queue.name)?, BasicGetOptions::default());
    let taken = answered(taking).await?;
    Ok(taken.map_or((None, 0), |taken| {
        let behind = usize::try_from(taken.message_count).unwrap_or(usize::MAX);
        (Some(taken.delivery), behind.saturating_add(1))
    }))
}

async fn consume(opened: &Opened, subscriptions: &[Subscription]) -> Result<Vec<Source>, BusError> {
    let (channel, mut sources) = (&opened.channel, Vec::new());
    for Subscription { queue, prefetch } in subscriptions {
        declare::consumable(channel, queue, opened.only_look).await?;
        sources.push(consume_one(channel, &Arc::new(queue.clone()), *prefetch, sources.len()).await?);
    }
    Ok(sources)
}

/// Consumes a queue that is there, as the consumer of that number on its channel.
async fn consume_one(
    channel: &Channel,
    spec: &Arc<QueueSpec>,
    prefetch: usize,
    number: usize,
) -> Result<Source, BusError> {
    // Not global: it bounds the next consumer of this channel.
    let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX).max(1);
    answered(channel.basic_qos(prefetch, BasicQosOptions { global: false })).await?;
    let options = BasicConsumeOptions { exclusive: spec.kind == QueueKind::Exclusive, ..Default::default() };
    let (name, tag) = (declare::short(&spec.name)?, declare::short(&cut::tag(spec, number))?);
    let consuming = channel.basic_consume(name, tag, options, FieldTable::default());
    let deliveries = asked(consuming).await.map_err(|denied| denied.or_of_queue(spec))?;
    Ok(Source { queue: spec.name.as_str().into(), spec: Arc::clone(spec), deliveries })
}

/// Acks what is acked until the consumer is dropped, then gives back the rest.
async fn acknowledge(
    shared: Arc<Shared>,
    opened: Opened,
    mut received: mpsc::UnboundedReceiver<ToAck>,
    mut consumers: Vec<ShortString>,
    own: Vec<QueueSpec>,
) {
    let Opened { channel, generation, .. } = opened;
    let (mut acks, mut batch, mut healthy, mut closed) = (Acks::default(), Vec::new(), true, false);
    while !closed {
        batch.clear();
        if received.recv_many(&mut batch, MAX_ACKS_AT_ONCE).await == 0 {
            break;
        }
        let (mut tags, mut rejected) = (Vec::new(), Vec::new());
        for told in batch.drain(..) {
            match told {
                ToAck::Ack(tag) if !closed => tags.push(tag),
                ToAck::Reject(tag) if !closed => rejected.push(tag),
                ToAck::Ack(_) | ToAck::Reject(_) => {}
                ToAck::Began(tag) => consumers.push(tag),
                ToAck::Close => closed = true,
            }
        }
        // After an error the consumer hears of it itself, and is dropped; nothing that it acks can count.
        healthy = healthy && send(&channel, acks.add(&tags, &rejected)).await;
    }
    let given_back = healthy && give_back(&channel, &consumers, &own).await;
    if !given_back {
        shared.consuming.forget(generation).await;
    }
    shared.upkeep.release(&own);
    shared.closing.send_modify(|closing| *closing -= 1);
}

/// Whether it worked.
async fn send(channel: &Channel, frames: Vec<Frame>) -> bool {
    let frames = frames.into_iter().map(async |Frame { tag, multiple, rejects }| {
        if rejects {
            return channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await;
        }
        channel.basic_ack(tag, BasicAckOptions { multiple }).await
    });
    match timeout(ANSWER_WITHIN, try_join_all(frames)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::debug!(%error, "acks were lost with their channel");
            false
        }
        Err(_) => false,
    }
}

/// Has the broker requeue what is unacked. Closing the channel would do, but a quorum queue would hear of that
/// only some time later.
async fn give_back(channel: &Channel, consumers: &[ShortString], own: &[QueueSpec]) -> bool {
    let goodbye = async {
        for tag in consumers {
            answered(channel.basic_cancel(tag.clone(), BasicCancelOptions::default())).await?;
        }
        // Tag 0: all of them.
        answered(channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true })).await?;
        for queue in own {
            declare::delete(channel, queue).await?;
        }
        leave(channel).await
    };
    goodbye.await.is_ok()
}
