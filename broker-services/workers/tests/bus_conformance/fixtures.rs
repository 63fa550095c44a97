//! Messages, queues and helpers that the promises are told with.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "servers")]
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::embedded::EmbeddedBus;
use skstore_workers::bus::{Bus, Consumer, Delivery, Message, Properties, Subscription};
use skstore_workers::topology::{self, Overflow, QueueKind, QueueSpec};

/// An empty embedded bus.
pub(crate) async fn embedded() -> Bus {
    Bus::Embedded(EmbeddedBus::new())
}

/// A bus over the broker that the tests are given, on a virtual host that nobody else knows.
#[cfg(feature = "servers")]
pub(crate) async fn amqp() -> Bus {
    Bus::Amqp(AmqpBus::connect(&crate::vhost::empty().url).await.expect("a bus"))
}

/// Runs a test on a runtime of its own and fails it instead of letting it hang.
pub(crate) fn within_a_minute(test: impl Future<Output = ()>) {
    block_on(async {
        let limit = Duration::from_secs(60);
        assert!(tokio::time::timeout(limit, test).await.is_ok(), "not done within {limit:?}: it hangs");
    });
}

/// Runs `future` as a service's thread does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn message(exchange: &str, routing_key: &str, body: impl AsRef<[u8]>) -> Message {
    Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        body: Arc::from(body.as_ref()),
        properties: Properties::default(),
    }
}

/// To the queue of that name.
pub(crate) fn direct(queue: &str, body: impl AsRef<[u8]>) -> Message {
    message(topology::DEFAULT, queue, body)
}

pub(crate) fn expiring(mut message: Message, after: Duration) -> Message {
    message.properties.expiration = Some(after);
    message
}

/// A queue of the topology.
pub(crate) fn ours(name: &str) -> QueueSpec {
    topology::queues().into_iter().find(|queue| queue.name == name).expect("a queue of the topology")
}

/// A small durable queue that nothing else uses.
pub(crate) fn small(name: &str, max_messages: usize, overflow: Overflow) -> QueueSpec {
    QueueSpec {
        name: name.to_owned(),
        kind: QueueKind::Classic,
        max_messages,
        overflow,
        ttl: None,
        dead_letter: None,
        bindings: Vec::new(),
    }
}

pub(crate) async fn consumer(bus: &Bus, queue: QueueSpec, prefetch: usize) -> Consumer {
    bus.consumer(vec![Subscription { queue, prefetch }]).await.expect("a consumer")
}

/// Declares `queue`, and leaves it without a consumer.
pub(crate) async fn declare(bus: &Bus, queue: QueueSpec) {
    drop(consumer(bus, queue, 1).await);
}

/// Waits for the next message.
pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    let mut batch = consumer.receive(1).await.expect("the bus works");
    assert_eq!(batch.len(), 1, "one was asked for");
    batch.remove(0)
}

/// Waits for `count` messages.
pub(crate) async fn take(consumer: &mut Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(consumer.receive(count - taken.len()).await.expect("the bus works"));
    }
    taken
}

/// Waits for `count` messages, acks each as it comes and tells what they say.
pub(crate) async fn drain(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    while told.len() < count {
        for delivery in consumer.receive(count - told.len()).await.expect("the bus works") {
            told.push(text(&delivery));
            delivery.unacked.ack();
        }
    }
    told
}

pub(crate) fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.message.body).into_owned()
}

/// That nothing is there: what is published last arrives first.
pub(crate) async fn assert_empty(bus: &Bus, consumer: &mut Consumer, queue: &str) {
    let publisher = bus.publisher().await.expect("a publisher");
    publisher.send(direct(queue, "the last"));
    assert_eq!(drain(consumer, 1).await, ["the last"], "something was left in '{queue}'");
}
