//! The four services: what each fills into the loop.

use skstore_domain::ids::{OrderId, RequestId};

use crate::batch::{Job, Parts};
use crate::bus::Message;
use crate::envelope::BadPart;
use crate::topology::{self, QueueSpec};

pub mod deposit;
pub mod item;
pub mod myinfo;
pub mod order;

/// The queue of that name. Every worker declares all of the topology, and consumes these.
fn queue(name: &'static str) -> QueueSpec {
    topology::queues()
        .into_iter()
        .find(|queue| queue.name == name)
        .unwrap_or_else(|| unreachable!("the topology has a queue '{name}'"))
}

/// The W3C trace context that `message` came with.
fn trace_of(message: &Message) -> Option<String> {
    message.properties.headers.get("traceparent").cloned()
}

/// The order that an event about an order must name.
fn order_of(event: &skstore_domain::events::Event) -> Result<OrderId, BadPart> {
    event.order_id.clone().ok_or_else(|| BadPart::of(event, "the event names no order".to_owned()))
}

/// A command's only input.
fn one<I>(input: I, message: &Message) -> Parts<I> {
    vec![Ok(Job { input, trace: trace_of(message) })]
}

/// The message's own id, as an idempotency key, if it can be one.
fn request_id_of(message: &Message) -> Option<RequestId> {
    message.properties.message_id.as_deref().and_then(|id| RequestId::new(id).ok())
}
