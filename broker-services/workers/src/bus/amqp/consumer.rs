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
    BasicQosOptions,
};
use lapin::types::{FieldTable, ShortString};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::acks::{Acks, Frame};
use super::link::{ANSWER_WITHIN, GOODBYE, Opened, answered};
use super::properties::incoming;
use super::{Shared, declare};
use crate::bus::{BusError, Delivery, Message, Subscription, Unacked};
use crate::topology::{QueueKind, QueueSpec};

/// Most acks put into frames at once.
const MAX_ACKS_AT_ONCE: usize = 1024;
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
    shared: Arc<Shared>,
}

struct Source {
    queue: Arc<str>,
    deliveries: lapin::Consumer,
}

impl AmqpConsumer {
    /// Declares the queues of `subscriptions` where they are not there, and consumes them.
    pub(super) async fn open(
        shared: Arc<Shared>,
        subscriptions: Vec<Subscription>,
    ) -> Result<Self, BusError> {
        let opened = settled_channel(&shared).await?;
        let consuming = consume(&opened.channel, &subscriptions).await;
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
        let counted = count(&opened.channel, &subscription.queue).await;
        let (head, ready) = or_forgotten(&shared, &opened, counted).await?;
        // What was taken to count is in hand as well.
        subscription.prefetch = subscription.prefetch.saturating_sub(usize::from(head.is_some()));
        let subscriptions = vec![subscription];
        let consuming = consume(&opened.channel, &subscriptions).await;
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
        tokio::spawn(acknowledge(Arc::clone(&shared), opened, received, tags, own));
        Self { sources, head: head.map(Box::new), turn: 0, acks, shared }
    }

    /// Waits until something is there, then takes what is ready, at most `most` (and at least one), and does
    /// not wait for more. Cancel-safe: a dropped call has taken nothing.
    ///
    /// # Errors
    /// [`BusError::Lost`] when the connection or a queue is gone.
    pub async fn receive(&mut self, most: usize) -> Result<Vec<Delivery>, BusError> {
        tokio::task::coop::consume_budget().await;
        poll_fn(|context| self.poll_receive(most.max(1), context)).await
    }

    fn poll_receive(
        &mut self,
        most: usize,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<Delivery>, BusError>> {
        let mut batch: Vec<Delivery> =
            self.head.take().map(|head| self.deliver(0, *head)).into_iter().collect();
        let mut dry = 0;
        while dry < self.sources.len() && batch.len() < most {
            let at = self.turn % self.sources.len();
            self.turn = at + 1;
            match Pin::new(&mut self.sources[at].deliveries).poll_next(context) {
                Poll::Pending => dry += 1,
                Poll::Ready(Some(Ok(delivery))) => {
                    dry = 0;
                    batch.push(self.deliver(at, delivery));
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
        if batch.is_empty() { Poll::Pending } else { Poll::Ready(Ok(batch)) }
    }

    fn deliver(&self, at: usize, delivery: lapin::message::Delivery) -> Delivery {
        Delivery {
            message: Message {
                exchange: delivery.exchange.to_string(),
                routing_key: delivery.routing_key.to_string(),
                body: delivery.data.into(),
                properties: incoming(&delivery.properties),
            },
            queue: Arc::clone(&self.sources[at].queue),
            redelivered: delivery.redelivered,
            unacked: Unacked::Amqp(Tag { acks: self.acks.clone(), tag: delivery.delivery_tag }),
        }
    }
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

/// The right to ack one delivery. Once its channel is gone, acking does nothing: the message has gone back.
#[derive(Debug)]
pub struct Tag {
    acks: mpsc::UnboundedSender<ToAck>,
    tag: u64,
}

impl Tag {
    /// The delivery's effects are safe: forget it.
    pub fn ack(self) {
        // Nobody is there any more once the consumer is dropped or its channel lost.
        let _ = self.acks.send(ToAck::Ack(self.tag));
    }
}

#[derive(Debug)]
enum ToAck {
    Ack(u64),
    /// The consumer is dropped. What was acked before counts, what comes after does not.
    Close,
}

/// The result of something on `opened`, whose connection is forgotten where that is lost. A queue that is set up otherwise
/// ends the channel, and nobody else's.
async fn or_forgotten<T>(
    shared: &Shared,
    opened: &Opened,
    result: Result<T, BusError>,
) -> Result<T, BusError> {
    if matches!(result, Err(BusError::Lost(_))) {
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
    shared.upkeep.settled(shared).await;
    Ok(opened)
}

/// Takes the first message of a queue, where there is one, and counts it and those behind it.
async fn count(
    channel: &Channel,
    queue: &QueueSpec,
) -> Result<(Option<lapin::message::Delivery>, usize), BusError> {
    declare::queue(channel, queue).await?;
    let taking = channel.basic_get(declare::short(&queue.name)?, BasicGetOptions::default());
    let taken = answered(taking).await?;
    Ok(taken.map_or((None, 0), |taken| {
        let behind = usize::try_from(taken.message_count).unwrap_or(usize::MAX);
        (Some(taken.delivery), behind.saturating_add(1))
    }))
}

async fn consume(channel: &Channel, subscriptions: &[Subscription]) -> Result<Vec<Source>, BusError> {
    let mut sources = Vec::new();
    for Subscription { queue, prefetch } in subscriptions {
        declare::queue(channel, queue).await?;
        // Not global: it bounds the next consumer of this channel.
        let prefetch = u16::try_from(*prefetch).unwrap_or(u16::MAX).max(1);
        answered(channel.basic_qos(prefetch, BasicQosOptions { global: false })).await?;
        let options =
            BasicConsumeOptions { exclusive: queue.kind == QueueKind::Exclusive, ..Default::default() };
        let name = declare::short(&queue.name)?;
        let consuming = channel.basic_consume(name, ShortString::default(), options, FieldTable::default());
        let deliveries = declare::refused(consuming, |why| declare::mismatch(queue, why)).await?;
        sources.push(Source { queue: queue.name.as_str().into(), deliveries });
    }
    Ok(sources)
}

/// Acks what is acked until the consumer is dropped, then gives back the rest.
async fn acknowledge(
    shared: Arc<Shared>,
    opened: Opened,
    mut received: mpsc::UnboundedReceiver<ToAck>,
    consumers: Vec<ShortString>,
    own: Vec<QueueSpec>,
) {
    let Opened { channel, generation } = opened;
    let (mut acks, mut batch, mut healthy, mut closed) = (Acks::default(), Vec::new(), true, false);
    while !closed {
        batch.clear();
        if received.recv_many(&mut batch, MAX_ACKS_AT_ONCE).await == 0 {
            break;
        }
        let mut tags = Vec::new();
        for told in batch.drain(..) {
            match told {
                ToAck::Ack(tag) if !closed => tags.push(tag),
                ToAck::Ack(_) => {}
                ToAck::Close => closed = true,
            }
        }
        // After an error the consumer hears of it itself, and is dropped; nothing that it acks can count.
        healthy = healthy && send(&channel, acks.add(&tags)).await;
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
    let frames = frames
        .into_iter()
        .map(|Frame { tag, multiple }| channel.basic_ack(tag, BasicAckOptions { multiple }));
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
        answered(channel.close(GOODBYE, "OK".into())).await
    };
    goodbye.await.is_ok()
}
