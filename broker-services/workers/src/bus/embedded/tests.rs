//! What the embedded bus promises beyond the port: when a receipt resolves, what it counts, how it is fair. The
//! promises of the port itself are in `tests/bus_conformance`.

mod books;
#[cfg(feature = "simulation")]
mod faults;
mod parked;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{EmbeddedBus, EmbeddedConsumer};
use crate::bus::{BusError, Delivery, Message, Properties, PublishOutcome, Receipt, Subscription};
use crate::topology::{
    self, DEFAULT, DEPOSIT_COMMANDS, DEPOSIT_EVENTS, DEPOSIT_PAYMENTS, EVENTS, ITEM_EVENTS, MYINFO_EVENTS,
    MYINFO_SIGNALS, ORDER_COMMANDS, Overflow, PAYMENTS, QueueKind, QueueSpec,
};

fn message(exchange: &str, routing_key: &str, body: impl AsRef<[u8]>) -> Message {
    Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        body: Arc::from(body.as_ref()),
        properties: Properties::default(),
    }
}

fn direct(queue: &str, body: impl AsRef<[u8]>) -> Message {
    message(DEFAULT, queue, body)
}

fn expiring(mut message: Message, after: Duration) -> Message {
    message.properties.expiration = Some(after);
    message
}

fn ours(name: &str) -> QueueSpec {
    topology::queues().into_iter().find(|queue| queue.name == name).unwrap()
}

fn small(name: &str, max_messages: usize) -> QueueSpec {
    QueueSpec {
        name: name.to_owned(),
        kind: QueueKind::Classic,
        max_messages,
        overflow: Overflow::RejectPublish,
        ttl: None,
        dead_letter: None,
        bindings: Vec::new(),
    }
}

fn consumer(bus: &EmbeddedBus, queue: QueueSpec, prefetch: usize) -> EmbeddedConsumer {
    bus.consume(vec![Subscription { queue, prefetch }]).unwrap()
}

/// What is there now; it does not wait.
fn ready(consumer: &mut EmbeddedConsumer, max: usize) -> Vec<Delivery> {
    consumer.receive(max).now_or_never().map(Result::unwrap).unwrap_or_default()
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.message.body).into_owned()
}

fn ack_all(deliveries: Vec<Delivery>) -> Vec<String> {
    deliveries.into_iter().map(|delivery| (text(&delivery), delivery.unacked.ack()).0).collect()
}

/// What it says by now.
fn peek(receipt: &mut Receipt) -> Option<PublishOutcome> {
    receipt.now_or_never()
}

#[test]
fn a_receipt_waits_for_every_queue() {
    let bus = EmbeddedBus::new();
    let mut receipt = bus.publish(message(EVENTS, "order.cancelled", "x"));
    for queue in [DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS] {
        assert_eq!(peek(&mut receipt), None, "confirmed before {queue} has acked it");
        let mut consumer = consumer(&bus, ours(queue), 1);
        let held = ready(&mut consumer, 1);
        assert_eq!(peek(&mut receipt), None, "confirmed while {queue} still holds it unacked");
        ack_all(held);
    }
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed));
}

#[test]
fn a_dropped_receipt_changes_nothing() {
    let bus = EmbeddedBus::new();
    drop(bus.publish(direct(ORDER_COMMANDS, "x")));
    assert_eq!(ack_all(ready(&mut consumer(&bus, ours(ORDER_COMMANDS), 1), 1)), ["x"]);
}

#[test]
fn a_full_queue_keeps_a_message_out_of_all_queues() {
    let bus = EmbeddedBus::new();
    let fanned = |name| QueueSpec { bindings: vec![(EVENTS, "full.#")], ..small(name, 2) };
    let mut roomy = consumer(&bus, fanned("roomy"), 10);
    let mut full = consumer(&bus, fanned("full"), 10);
    bus.send(direct("full", "1"));
    bus.send(direct("full", "2"));
    let mut receipt = bus.publish(message(EVENTS, "full.house", "3"));
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Nacked));
    assert!(ready(&mut roomy, 10).is_empty(), "it went to one of its queues though another refused it");
    assert_eq!(ack_all(ready(&mut full, 10)), ["1", "2"]);
    bus.send(message(EVENTS, "full.again", "4"));
    assert_eq!(ack_all(ready(&mut roomy, 10)), ["4"]);
    assert_eq!(ack_all(ready(&mut full, 10)), ["4"]);
}

#[tokio::test(start_paused = true)]
async fn expired_messages_make_room() {
    let bus = EmbeddedBus::new();
    let _own = consumer(&bus, small("small", 1), 1);
    let brief = Duration::from_millis(300);
    let mut first = bus.publish(expiring(direct("small", "1"), brief));
    assert_eq!(bus.publish(direct("small", "2")).await, PublishOutcome::Nacked);
    tokio::time::advance(brief).await;
    bus.send(direct("small", "3"));
    assert_eq!(peek(&mut first), Some(PublishOutcome::Confirmed), "an expired message is done with");
    assert_eq!(bus.pending(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_expired_messages_that_nobody_consumes() {
    let bus = EmbeddedBus::new();
    let timeout = Duration::from_millis(300);
    let mut receipt = bus.publish(expiring(message(PAYMENTS, "charge", "x"), timeout));
    let started = tokio::time::Instant::now();
    bus.wait_idle().await;
    assert_eq!(started.elapsed(), timeout);
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed));

    let mut receipt = bus.publish(expiring(message(PAYMENTS, "charge", "y"), timeout));
    tokio::time::advance(timeout).await;
    let depths = bus.queue_depths();
    assert!(depths.iter().all(|depth| depth.ready == 0), "{depths:?}");
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn a_message_back_from_a_crash_expires_when_it_would_have() {
    let bus = EmbeddedBus::new();
    let timeout = Duration::from_millis(300);
    let mut receipt = bus.publish(expiring(message(PAYMENTS, "charge", "x"), timeout));
    let mut crashing = consumer(&bus, ours(DEPOSIT_PAYMENTS), 1);
    let held = ready(&mut crashing, 1);
    tokio::time::advance(timeout).await;
    assert_eq!((held.len(), peek(&mut receipt)), (1, None), "what is in a consumer's hands does not expire");
    drop(crashing);
    assert!(ready(&mut consumer(&bus, ours(DEPOSIT_PAYMENTS), 1), 1).is_empty());
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed));
}

#[test]
fn a_batch_is_all_that_is_ready_and_does_not_wait_for_more() {
    let bus = EmbeddedBus::new();
    let mut consumer = consumer(&bus, ours(ORDER_COMMANDS), 100);
    for number in 0..10 {
        bus.send(direct(ORDER_COMMANDS, number.to_string()));
    }
    assert_eq!(ack_all(ready(&mut consumer, 4)), ["0", "1", "2", "3"]);
    assert_eq!(ack_all(ready(&mut consumer, 100)), ["4", "5", "6", "7", "8", "9"]);
    assert!(ready(&mut consumer, 100).is_empty());
}

#[test]
fn a_flooded_queue_does_not_starve_its_neighbours() {
    let bus = EmbeddedBus::new();
    let queues = [ORDER_COMMANDS, DEPOSIT_COMMANDS, DEPOSIT_EVENTS];
    let subscriptions = queues.map(|queue| Subscription { queue: ours(queue), prefetch: 100 }).into();
    let mut consumer = bus.consume(subscriptions).unwrap();
    for _ in 0..100 {
        bus.send(direct(ORDER_COMMANDS, "flood"));
    }
    for number in 0..4 {
        bus.send(direct(DEPOSIT_COMMANDS, number.to_string()));
        bus.send(direct(DEPOSIT_EVENTS, number.to_string()));
    }
    let batch = ready(&mut consumer, 12);
    let count = |queue| batch.iter().filter(|delivery| &*delivery.queue == queue).count();
    assert_eq!(queues.map(count), [4, 4, 4]);
    // One at a time is no less fair.
    bus.send(direct(DEPOSIT_EVENTS, "next"));
    let singles: Vec<_> = (0..3).flat_map(|_| ready(&mut consumer, 1)).collect();
    assert!(singles.iter().any(|delivery| text(delivery) == "next"), "starved: {singles:?}");
}

#[test]
fn a_body_is_shared_by_all_its_queues() {
    let bus = EmbeddedBus::new();
    let sent = message(EVENTS, "order.cancelled", "large");
    bus.send(sent.clone());
    for queue in [DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS] {
        let got = ready(&mut consumer(&bus, ours(queue), 1), 1);
        assert!(Arc::ptr_eq(&got[0].message.body, &sent.body), "{queue} got a copy");
    }
}

#[test]
fn a_dropped_tag_leaves_its_message_unacked() {
    let bus = EmbeddedBus::new();
    bus.send(direct(ORDER_COMMANDS, "x"));
    let mut one = consumer(&bus, ours(ORDER_COMMANDS), 5);
    drop(ready(&mut one, 1));
    assert!(ready(&mut one, 1).is_empty(), "it came back while its consumer lives");
    assert_eq!(bus.pending(), 1);
    drop(one);
    assert!(ready(&mut consumer(&bus, ours(ORDER_COMMANDS), 5), 1)[0].redelivered);
}

#[test]
fn what_comes_back_to_a_queue_that_drops_its_oldest_is_its_oldest() {
    let bus = EmbeddedBus::new();
    let spec = || QueueSpec { overflow: Overflow::DropHead, ..small("signals", 3) };
    let mut crashing = consumer(&bus, spec(), 2);
    for number in 0..2 {
        bus.send(direct("signals", number.to_string()));
    }
    let _held = ready(&mut crashing, 2);
    for number in 2..5 {
        bus.send(direct("signals", number.to_string()));
    }
    drop(crashing);
    assert_eq!(ack_all(ready(&mut consumer(&bus, spec(), 10), 10)), ["2", "3", "4"]);
    assert_eq!(bus.pending(), 0);
}

#[test]
fn an_exclusive_queue_has_one_consumer() {
    let bus = EmbeddedBus::new();
    let mine = consumer(&bus, topology::replies_to("me"), 1);
    let also = || Subscription { queue: topology::replies_to("me"), prefetch: 1 };
    let fresh = Subscription { queue: topology::answers_to("me"), prefetch: 1 };
    let refused = bus.consume(vec![fresh, also()]);
    assert!(
        matches!(&refused, Err(BusError::Occupied(why)) if why.contains("skstore.replies.me")),
        "{refused:?}"
    );
    let declared = bus.queue_depths().iter().any(|depth| &*depth.name == "desk.me");
    assert!(!declared, "a refused consumer has left a queue behind");
    drop(mine);
    assert!(bus.consume(vec![also()]).is_ok());
}

#[test]
fn a_binding_to_nowhere_is_an_error_that_names_it() {
    let queue = QueueSpec { bindings: vec![("skstore.evens", "order.placed")], ..small("typo", 1) };
    let refused = EmbeddedBus::new().consume(vec![Subscription { queue, prefetch: 1 }]);
    assert!(matches!(&refused, Err(BusError::Topology(why)) if why.contains("skstore.evens")), "{refused:?}");
}

#[test]
fn an_unknown_exchange_is_nowhere() {
    let mut receipt = EmbeddedBus::new().publish(message("skstore.evens", "order.placed", "x"));
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Returned));
}

#[tokio::test]
async fn closing_ends_every_wait() {
    let bus = EmbeddedBus::new();
    let mut ready_one = consumer(&bus, ours(ORDER_COMMANDS), 1);
    let mut waiting = consumer(&bus, ours(DEPOSIT_COMMANDS), 1);
    let open = bus.publish(direct(ORDER_COMMANDS, "x"));
    let late = ready_one.receive(1).await.unwrap();
    let closing = bus.clone();
    let (heard, ()) = tokio::join!(waiting.receive(1), async move { closing.close() });
    assert!(matches!(heard, Err(BusError::Lost(_))), "{heard:?}");
    assert_eq!(open.await, PublishOutcome::Unknown);
    ack_all(late);
    assert_eq!(bus.publish(direct(ORDER_COMMANDS, "y")).await, PublishOutcome::Unknown);
    assert!(matches!(ready_one.receive(1).await, Err(BusError::Lost(_))));
    assert!(matches!(bus.consume(Vec::new()), Err(BusError::Lost(_))));
    bus.wait_idle().await;
}

#[tokio::test]
async fn a_lost_bus_loses_its_receipts() {
    let bus = EmbeddedBus::new();
    let open = bus.publish(direct(ORDER_COMMANDS, "x"));
    drop(bus);
    assert_eq!(open.await, PublishOutcome::Unknown);
}

#[test]
fn only_what_must_take_effect_is_pending() {
    let bus = EmbeddedBus::new();
    let _own = consumer(&bus, topology::answers_to("me"), 1);
    bus.send(direct("desk.me", "an answer"));
    bus.send(message(EVENTS, "service.beat", "a signal"));
    bus.send(message(topology::DEAD, "", "a parked one"));
    assert_eq!(bus.pending(), 0);
    bus.send(message(EVENTS, "order.cancelled", "an event"));
    assert_eq!(bus.pending(), 3);
    let mut events = consumer(&bus, ours(ITEM_EVENTS), 1);
    let held = ready(&mut events, 1);
    assert_eq!(bus.pending(), 3, "unacked is pending, too");
    ack_all(held);
    assert_eq!(bus.pending(), 2);
}

#[test]
fn depths_tell_what_is_where() {
    let bus = EmbeddedBus::new();
    let mut events = consumer(&bus, ours(ITEM_EVENTS), 2);
    for _ in 0..5 {
        bus.send(message(EVENTS, "order.placed", "x"));
    }
    bus.send(message(EVENTS, "service.beat", "x"));
    let _held = ready(&mut events, 5);
    let told: Vec<_> = bus.queue_depths();
    assert!(told.is_sorted_by(|one, next| one.name < next.name));
    let told: Vec<_> = told
        .iter()
        .map(|depth| (&*depth.name, depth.ready, depth.unacked.unwrap_or_default(), depth.consumers))
        .filter(|(_, ready, unacked, consumers)| ready + unacked + consumers > 0)
        .collect();
    assert_eq!(told, [(ITEM_EVENTS, 3, 2, 1), (MYINFO_EVENTS, 5, 0, 0), (MYINFO_SIGNALS, 1, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn idle_is_told_without_asking_again_and_again() {
    let bus = EmbeddedBus::new();
    bus.wait_idle().await;
    bus.send(message(EVENTS, "order.placed", "x"));
    let mut waits = Box::pin(bus.wait_idle());
    for queue in [ITEM_EVENTS, MYINFO_EVENTS] {
        assert_eq!(waits.as_mut().now_or_never(), None, "idle before {queue} was done");
        let mut consumer = consumer(&bus, ours(queue), 1);
        ack_all(ready(&mut consumer, 1));
    }
    // With nothing left to wake it, a paused clock would jump to this.
    tokio::time::timeout(Duration::from_secs(3600), waits).await.unwrap();
}
