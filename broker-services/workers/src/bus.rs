//! The bus port: bounded queues, topic routing, confirms, acks, redelivery, RPC.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - *Confirmed* means that the message will be delivered at least once to every queue it was routed to,
//!   whoever crashes.
//! - A delivery that is not acked when its [`Consumer`] is dropped comes back with `redelivered` set.
//! - A full queue refuses ([`PublishOutcome::Nacked`]) or drops its oldest, as its topology says; nobody blocks.
//! - A message that matches no queue goes to the exchange's alternate, else is [`PublishOutcome::Returned`].
//! - Parked messages can be looked at by one operator at a time, and stay where they are, in their order, unless
//!   they are acked ([`Bus::parked`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skstore_domain::signals::Past;
use skstore_domain::time::Timestamp;

use crate::topology::QueueSpec;

pub mod amqp;
pub mod embedded;
pub mod parked;

/// A message to publish, or as it was published.
#[derive(Debug, Clone)]
pub struct Message {
    /// The exchange; see [`crate::topology`].
    pub exchange: String,
    /// Where to on that exchange.
    pub routing_key: String,
    /// Shared by every queue it is in.
    pub body: Arc<[u8]>,
    /// Everything else.
    pub properties: Properties,
}

/// The AMQP properties we use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// The sender's id of it.
    pub message_id: Option<String>,
    /// Ties an answer to its question.
    pub correlation_id: Option<String>,
    /// The queue that wants the answer.
    pub reply_to: Option<String>,
    /// MIME type of the body.
    pub content_type: Option<String>,
    /// Dropped if it is not delivered within this.
    pub expiration: Option<Duration>,
    /// 0–255: a broker may deliver those of a higher one first. The embedded bus does not.
    pub priority: Option<u8>,
    /// Anything more, as text: structures as JSON. Without what senders tell brokers and brokers count.
    pub headers: BTreeMap<String, String>,
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It will be delivered.
    Confirmed,
    /// No queue wanted it.
    Returned,
    /// A queue that wanted it is full; try again later.
    Nacked,
    /// The connection was lost first; it may or may not have been taken.
    Unknown,
}

/// Why the bus does not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// The other side is gone; try again.
    #[error("the connection to the message bus is lost: {0}")]
    Lost(String),
    /// It is set up otherwise than it must be; a person has to act, and what they do shows at the next try.
    #[error("{0}")]
    Topology(String),
    /// What only one may have is somebody else's now; try again later.
    #[error("{0}")]
    Occupied(String),
}

/// A queue to consume, and how many unacked deliveries of it one consumer may hold.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Declared if it is not there.
    pub queue: QueueSpec,
    /// Most unacked deliveries, at least 1.
    pub prefetch: usize,
}

/// A message in a consumer's hands. Ack it once its effects are safe; drop it and it stays unacked.
#[derive(Debug)]
pub struct Delivery {
    /// As published.
    pub message: Message,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// What acks it.
    pub unacked: Unacked,
}

/// How full a queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// Its name.
    pub name: Arc<str>,
    /// Messages that wait for a consumer.
    pub ready: usize,
    /// Messages in consumers' hands; `None` where the bus does not tell.
    pub unacked: Option<usize>,
    /// How many consume it.
    pub consumers: usize,
}

/// The right to ack one delivery. Acking consumes it, so that it cannot happen twice.
#[derive(Debug)]
#[must_use = "a delivery that is never acked comes back"]
pub enum Unacked {
    /// Of the embedded bus.
    Embedded(embedded::Tag),
    /// Of an AMQP broker.
    Amqp(amqp::Tag),
}

impl Unacked {
    /// Its effects are safe: forget it.
    pub fn ack(self) {
        match self {
            Self::Embedded(tag) => tag.ack(),
            Self::Amqp(tag) => tag.ack(),
        }
    }
}

/// A connection to a bus. Clones share it.
#[derive(Debug, Clone)]
pub enum Bus {
    /// In this process.
    Embedded(embedded::EmbeddedBus),
    /// An AMQP broker.
    Amqp(amqp::AmqpBus),
}

/// What a bus has noticed of its own state: what is now, and what is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Why the broker reads nothing that is published, while it does not: *low on memory*.
    pub blocked: Option<String>,
    /// What the broker does not let this user publish, in a sentence with the remedy, while it does not.
    pub refused: Option<String>,
    /// What a person has to put right, in sentences.
    pub warnings: Vec<String>,
    /// What was missing on the broker and was put back, the newest last.
    pub past: Vec<Past>,
}

/// The sentence about a broker that reads nothing, for the `reason` that it gives.
#[must_use]
pub fn blocked_words(reason: &str) -> String {
    format!("the broker blocks all who publish: {reason}")
}

impl Bus {
    /// Something to publish with.
    ///
    /// # Errors
    /// When the bus cannot be reached.
    pub async fn publisher(&self) -> Result<Publisher, BusError> {
        match self {
            Self::Embedded(bus) => Ok(Publisher::Embedded(bus.clone())),
            Self::Amqp(bus) => bus.publisher().await.map(Publisher::Amqp),
        }
    }

    /// Consumes all of `queues` as one stream, taking from each in turn.
    ///
    /// # Errors
    /// When the bus cannot be reached, or a queue is there with other properties or another consumer's own.
    pub async fn consumer(&self, queues: Vec<Subscription>) -> Result<Consumer, BusError> {
        match self {
            Self::Embedded(bus) => bus.consume(queues).map(Consumer::Embedded),
            Self::Amqp(bus) => bus.consume(queues).await.map(Consumer::Amqp),
        }
    }

    /// What it has noticed of its own state. Nothing is ever wrong with a bus within the process.
    #[must_use]
    pub fn noticed(&self, now: Timestamp) -> Noticed {
        match self {
            Self::Embedded(_) => Noticed::default(),
            Self::Amqp(bus) => bus.noticed(now),
        }
    }

    /// Why the broker reads nothing that is published, if it does not. It is asked: whoever has not published lately has
    /// not been told.
    pub async fn blocked(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            // What is lost is seen by others, and told otherwise.
            Self::Amqp(bus) => bus.probe_block().await.ok().flatten(),
        }
    }

    /// An answer that should have come did not: it is looked soon whether something is missing on the broker, if
    /// this process [looks after](amqp::AmqpBus::look_after) that.
    pub fn suspect(&self) {
        match self {
            Self::Embedded(_) => {}
            Self::Amqp(bus) => bus.suspect(),
        }
    }

    /// How full each durable queue of the topology is, sorted by name. Nobody's messages are touched.
    ///
    /// # Errors
    /// When the bus cannot be reached, or a queue is gone.
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, BusError> {
        match self {
            Self::Embedded(bus) => Ok(bus.durable_depths()),
            Self::Amqp(bus) => bus.depths().await,
        }
    }
}

/// Publishes. Clones share the connection.
#[derive(Debug, Clone)]
pub enum Publisher {
    /// In this process.
    Embedded(embedded::EmbeddedBus),
    /// Over an AMQP broker.
    Amqp(amqp::AmqpPublisher),
}

impl Publisher {
    /// Hands `message` to the bus without waiting; the receipt tells what became of it.
    pub fn publish(&self, message: Message) -> Receipt {
        match self {
            Self::Embedded(bus) => bus.publish(message),
            Self::Amqp(publisher) => publisher.publish(message),
        }
    }

    /// Hands `message` to the bus and does not want to know: answers and heartbeats, which their receivers
    /// miss soon enough. Over a broker it may overtake what was published before it, or be overtaken.
    pub fn send(&self, message: Message) {
        match self {
            Self::Embedded(bus) => bus.send(message),
            Self::Amqp(publisher) => publisher.send(message),
        }
    }

    /// [Sends](Self::send) several one right after the other, so that whoever takes them on is woken once for all of them.
    pub fn send_all(&self, messages: Vec<Message>) {
        for message in messages {
            self.send(message);
        }
    }
}

/// Tells, once, what became of a published message. Await it; dropping it changes nothing.
#[derive(Debug)]
pub struct Receipt(pub(crate) tokio::sync::oneshot::Receiver<PublishOutcome>);

impl Future for Receipt {
    type Output = PublishOutcome;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<PublishOutcome> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|confirm| confirm.unwrap_or(PublishOutcome::Unknown))
    }
}

/// A receipt, and what was published: told together. Await it once.
#[derive(Debug)]
pub struct Tracked<T> {
    receipt: Receipt,
    published: T,
}

impl<T> Tracked<T> {
    /// Of `published`, which is on its way.
    pub const fn new(receipt: Receipt, published: T) -> Self {
        Self { receipt, published }
    }
}

impl<T: Default + Unpin> Future for Tracked<T> {
    type Output = (PublishOutcome, T);

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.receipt)
            .poll(context)
            .map(|outcome| (outcome, std::mem::take(&mut self.published)))
    }
}

/// Receives from one or more queues. Dropping it gives back what it holds unacked.
#[derive(Debug)]
pub enum Consumer {
    /// In this process.
    Embedded(embedded::EmbeddedConsumer),
    /// From an AMQP broker.
    Amqp(amqp::AmqpConsumer),
}

impl Consumer {
    /// Waits until something is there, then takes what is ready, at most `most`, and does not wait for more.
    /// Cancel-safe: a dropped call has taken nothing.
    ///
    /// # Errors
    /// When the connection is lost; the consumer is then done.
    pub async fn receive(&mut self, most: usize) -> Result<Vec<Delivery>, BusError> {
        match self {
            Self::Embedded(consumer) => consumer.receive(most).await,
            Self::Amqp(consumer) => consumer.receive(most).await,
        }
    }

    /// Lets so many more deliveries of its first queue be in hand, where what is in hand takes memory of this process's
    /// own: the embedded bus shares its messages.
    ///
    /// # Errors
    /// When the connection is lost; the consumer is then done.
    async fn admit(&mut self, more: usize) -> Result<(), BusError> {
        match self {
            Self::Embedded(_) => Ok(()),
            Self::Amqp(consumer) => consumer.admit(more).await,
        }
    }
}
