//! The bus port: bounded queues, topic routing, confirms, acks, redelivery, RPC.
//!
//! The contract, which the conformance suite holds every adapter to:
//!
//! - *Confirmed* means that the message will be delivered at least once to every queue it was routed to,
//!   whoever crashes.
//! - A delivery that is not acked when its [`Consumer`] is dropped comes back with `redelivered` set.
//! - A full queue refuses ([`PublishOutcome::Nacked`]) or drops its oldest, as its topology says; nobody blocks.
//! - A message that matches no queue goes to the exchange's alternate, else is [`PublishOutcome::Returned`].
//! - A name can be claimed by those who name the same owner; another owner is refused until the last of them is gone.
//! - Parked messages can be looked at by one operator at a time, and stay where they are, in their order, unless
//!   they are acked ([`Bus::parked`]).

use skstore_domain::time::Timestamp;

pub mod amqp;
mod claim;
pub mod embedded;
mod message;
pub mod parked;
mod status;

pub use claim::Claim;
pub use message::{Delivery, Message, Properties, PublishOutcome, Receipt, Subscription, Tracked, Unacked};
pub use status::{BusError, BusState, Noticed, QueueDepth, blocked_words};

/// A connection to a bus. Clones share it.
#[derive(Debug, Clone)]
pub enum Bus {
    /// In this process.
    Embedded(embedded::EmbeddedBus),
    /// An AMQP broker.
    Amqp(amqp::AmqpBus),
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

    /// Claims `name` for `owner`, together with all who name the same one.
    ///
    /// # Errors
    /// [`BusError::Occupied`] when another owner has it; else when the bus cannot be reached.
    pub async fn claim(&self, name: &str, owner: &str) -> Result<Claim, BusError> {
        match self {
            Self::Embedded(bus) => bus.claim(name, owner).map(Claim::Embedded),
            Self::Amqp(bus) => bus.claim(name, owner).await.map(|claim| Claim::Amqp(Box::new(claim))),
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
    pub async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        match self {
            Self::Embedded(consumer) => consumer.receive(max).await,
            Self::Amqp(consumer) => consumer.receive(max).await,
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
