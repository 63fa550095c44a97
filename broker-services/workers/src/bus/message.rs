//! Messages on their way: as they are published, what becomes of them, and as they are delivered.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::topology::QueueSpec;

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

/// The AMQP properties we use. What is not there is not in their JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    /// The sender's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Ties an answer to its question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The queue that wants the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// MIME type of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Dropped if it is not delivered within this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Duration>,
    /// 0–255: a broker may deliver those of a higher one first. The embedded bus does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Anything more, as text: structures as JSON. Without what senders tell brokers and brokers count.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
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

/// Tells, once, what became of a published message. Await it; dropping it changes nothing.
#[derive(Debug)]
pub struct Receipt(pub(super) oneshot::Receiver<PublishOutcome>);

impl Future for Receipt {
    type Output = PublishOutcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<PublishOutcome> {
        Pin::new(&mut self.0).poll(context).map(|confirm| confirm.unwrap_or(PublishOutcome::Unknown))
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

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receipt)
            .poll(context)
            .map(|outcome| (outcome, std::mem::take(&mut self.published)))
    }
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

/// The right to ack one delivery. Acking consumes it, so that it cannot happen twice.
#[must_use = "a delivery that is never acked comes back"]
pub struct Unacked(Box<dyn FnOnce() + Send + Sync>);

impl Unacked {
    /// That `ack` makes its bus forget the delivery. Once the consumer is gone it does nothing: the message has gone back.
    pub(super) fn new(ack: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Box::new(ack))
    }

    /// Its effects are safe: forget it.
    pub fn ack(self) {
        (self.0)();
    }
}

impl fmt::Debug for Unacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unacked")
    }
}
