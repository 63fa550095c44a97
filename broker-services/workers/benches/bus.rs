//! What a message costs on the embedded bus: published, received and acked, in batches of 1 and 256, on one
//! thread and between two. Prints a JSON object a line; `ns_per_message` is the median of the rounds.
//!
//! `cargo bench -p skstore-workers --bench bus`

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::sync::Arc;
use std::thread;

use skstore_workers::bus::embedded::{EmbeddedBus, EmbeddedConsumer};
use skstore_workers::bus::{Message, Properties, PublishOutcome, Receipt, Subscription};
use skstore_workers::topology::{self, COMMANDS, EVENTS, ORDER_COMMANDS};
use tokio::time::Instant;

const ROUNDS: usize = 11;
const MESSAGES_PER_ROUND: usize = 100_000;
const BATCHES: [usize; 2] = [1, 256];
/// A typical command.
const BODY: &[u8] =
    br#"{"item_id":"10","qty":5,"customer":"kim","order_id":"01932a3b-0000-7000-8000-000000000000"}"#;

fn main() {
    for batch in BATCHES {
        report("publish_receive_ack", 1, batch, |bus| on_one_thread(bus, batch, true));
        report("send_receive_ack", 1, batch, |bus| on_one_thread(bus, batch, false));
        report("publish_receive_ack", 2, batch, |bus| between_two_threads(bus, batch));
    }
    report("publish_only", 1, 1, publish_only);
    report("publish_to_3_queues", 1, 1, publish_to_three);
}

/// Runs `round`, which returns nanoseconds for [`MESSAGES_PER_ROUND`], on a fresh bus each time.
fn report(name: &str, threads: usize, batch: usize, round: impl Fn(&EmbeddedBus) -> u128) {
    let mut nanos: Vec<_> = (0..ROUNDS).map(|_| round(&EmbeddedBus::new())).collect();
    nanos.sort_unstable();
    let each = nanos[ROUNDS / 2] / MESSAGES_PER_ROUND as u128;
    println!(
        r#"{{"name":"{name}, batch {batch}, {threads} threads","value":{each},"unit":"ns/message","messages":{MESSAGES_PER_ROUND}}}"#
    );
}

fn command(body: &Arc<[u8]>) -> Message {
    Message {
        exchange: COMMANDS.to_owned(),
        routing_key: "order.place".to_owned(),
        body: Arc::clone(body),
        properties: Properties {
            correlation_id: Some("01932a3b-0000-7000-8000-000000000000".to_owned()),
            reply_to: Some("desk.me".to_owned()),
            content_type: Some("application/json".to_owned()),
            ..Properties::default()
        },
    }
}

fn consume(bus: &EmbeddedBus, prefetch: usize) -> EmbeddedConsumer {
    let queue = topology::queues().into_iter().find(|queue| queue.name == ORDER_COMMANDS);
    let queue = queue.expect("a queue of the topology");
    bus.consume(vec![Subscription { queue, prefetch }]).expect("a consumer")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

async fn receive_all(consumer: &mut EmbeddedConsumer, count: usize, batch: usize) {
    let mut received = 0;
    while received < count {
        for delivery in consumer.receive(batch).await.expect("an open bus") {
            received += 1;
            delivery.unacked.ack();
        }
    }
}

async fn confirm_all(receipts: &mut Vec<Receipt>) {
    for receipt in receipts.drain(..) {
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
    }
}

fn on_one_thread(bus: &EmbeddedBus, batch: usize, confirmed: bool) -> u128 {
    block_on(async {
        let body: Arc<[u8]> = BODY.into();
        let mut consumer = consume(bus, batch);
        let mut receipts = Vec::with_capacity(batch);
        let started = Instant::now();
        for _ in 0..MESSAGES_PER_ROUND / batch {
            for _ in 0..batch {
                if confirmed {
                    receipts.push(bus.publish(command(&body)));
                } else {
                    bus.send(command(&body));
                }
            }
            receive_all(&mut consumer, batch, batch).await;
            confirm_all(&mut receipts).await;
        }
        started.elapsed().as_nanos()
    })
}

/// The publisher waits for the confirms of each batch before it publishes the next: with batches of 1 this is a
/// round trip, two wakeups and all.
fn between_two_threads(bus: &EmbeddedBus, batch: usize) -> u128 {
    let mut consumer = consume(bus, batch);
    let rounds = MESSAGES_PER_ROUND / batch;
    let receiver =
        thread::spawn(move || block_on(async { receive_all(&mut consumer, rounds * batch, batch).await }));
    let nanos = block_on(async {
        let body: Arc<[u8]> = BODY.into();
        let mut receipts = Vec::with_capacity(batch);
        let started = Instant::now();
        for _ in 0..rounds {
            receipts.extend((0..batch).map(|_| bus.publish(command(&body))));
            confirm_all(&mut receipts).await;
        }
        started.elapsed().as_nanos()
    });
    receiver.join().expect("the consumer's thread");
    nanos
}

fn publish_only(bus: &EmbeddedBus) -> u128 {
    let body: Arc<[u8]> = BODY.into();
    let started = Instant::now();
    for _ in 0..MESSAGES_PER_ROUND {
        drop(bus.publish(command(&body)));
    }
    started.elapsed().as_nanos()
}

fn publish_to_three(bus: &EmbeddedBus) -> u128 {
    let body: Arc<[u8]> = BODY.into();
    let started = Instant::now();
    for _ in 0..MESSAGES_PER_ROUND {
        let event = Message {
            exchange: EVENTS.to_owned(),
            routing_key: "order.cancelled".to_owned(),
            body: Arc::clone(&body),
            properties: Properties::default(),
        };
        drop(bus.publish(event));
    }
    started.elapsed().as_nanos()
}
