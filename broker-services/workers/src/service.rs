//! The four services: what Order, Deposit and Item fill into the loop, and MyInfo, which has a loop of its own.

use skstore_domain::deposit::TopUpRecord;
use skstore_domain::events::{Event, Source};
use skstore_domain::ids::RequestId;
use skstore_domain::item::{Delivery as Parcel, RestockRecord};
use skstore_domain::objects::{Account, Item, Payment};
use skstore_domain::order::{OrderRecord, Price};
use skstore_domain::signals::Service;

use crate::batch::{Job, Parts};
use crate::bus::{Delivery, Message};
use crate::context::{Context, WorkerStatus};
use crate::envelope::{Bad, BadPart, Events, read_events};
use crate::store::{Store, StoreError};
use crate::topology::{self, QueueSpec};
use crate::unit_of_work::Record;

pub(crate) mod deposit;
pub(crate) mod item;
pub(crate) mod myinfo;
pub(crate) mod order;

/// The kinds of aggregates in the store of a service, and in no other's.
pub(crate) const fn kinds(of: Source) -> &'static [&'static str] {
    match of {
        Source::Order => &[OrderRecord::KIND, Price::KIND],
        Source::Deposit => &[Payment::KIND, Account::KIND, TopUpRecord::KIND],
        Source::Item => &[Item::KIND, Parcel::KIND, RestockRecord::KIND],
    }
}

/// Whose records are in `store`, if they are not those of `service`, and of which kind one of them is.
///
/// # Errors
/// [`StoreError`].
pub async fn owner_besides(
    service: Service,
    store: &Store,
) -> Result<Option<(Source, &'static str)>, StoreError> {
    for other in Source::ALL.iter().filter(|other| Service::from(**other) != service) {
        for kind in kinds(*other) {
            if store.has_any(kind).await? {
                return Ok(Some((*other, *kind)));
            }
        }
    }
    Ok(None)
}

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

/// A part of a message that `service` has no use for: a binding of somebody else's brought it, or it was injected.
fn not_for(service: &str, event: &Event) -> BadPart {
    BadPart::of(event, format!("{service} does not act on '{}'", event.kind()))
}

/// What the events in `message` mean, part by part. Of a kind that only another version knows there is nothing to do.
fn events<I>(
    message: &Message,
    status: &WorkerStatus,
    read: impl Fn(Event) -> Result<Job<I>, BadPart>,
) -> Result<Parts<I>, Bad> {
    let Events { parts, unknown } = read_events(&message.body)?;
    unknown.iter().for_each(|of_type| status.ignored(of_type));
    Ok(parts.into_iter().map(|event| event.and_then(&read)).collect())
}

/// A command's only input.
fn one<I>(input: I, message: &Message) -> Parts<I> {
    vec![Ok(Job { input, trace: trace_of(message) })]
}

/// The idempotency key of a command: the one `given`, the message's own id, or a fresh one. Without any, one that may
/// have been carried out before is not carried out again; `what` and `done`: *the top-up*, *made*.
fn key_of(
    given: Option<&str>,
    delivery: &Delivery,
    context: &Context,
    [what, done]: [&str; 2],
) -> Result<String, Bad> {
    let of_message = || delivery.message.properties.message_id.as_deref();
    match given.or_else(|| of_message().filter(|id| RequestId::new(id).is_ok())) {
        Some(key) => Ok(key.to_owned()),
        None if delivery.redelivered => Err(Bad::may_have_happened(what, done)),
        None => Ok(context.ids.mint()),
    }
}
