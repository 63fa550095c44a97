//! What a simulation's faults do, and that a seed decides all of it.

use std::collections::BTreeMap;

use super::{
    DEPOSIT_PAYMENTS, Duration, EVENTS, EmbeddedBus, EmbeddedConsumer, ITEM_EVENTS, MYINFO_EVENTS, PAYMENTS,
    PublishOutcome, ack_all, consumer, direct, message, ours, peek, ready, text,
};
use crate::bus::embedded::{Chaos, Faults};
use crate::topology::{self, DEAD, REPLIES};

const MAX_DELAY: Duration = Duration::from_millis(500);
const ALL: Faults = Faults { delay: 0.5, max_delay: MAX_DELAY, duplicate: 0.2, drop: 0.3, forget: 0.0 };

/// Receives until `bus` is idle; tells what came when.
async fn trace(bus: &EmbeddedBus, mut consumers: Vec<EmbeddedConsumer>) -> Vec<String> {
    let started = tokio::time::Instant::now();
    let mut trace = Vec::new();
    while bus.pending() > 0 {
        for consumer in &mut consumers {
            for delivery in ready(consumer, 3) {
                let (at, again) = (started.elapsed().as_millis(), delivery.redelivered);
                trace.push(format!("{at} {} {} {again}", delivery.queue, text(&delivery)));
                delivery.unacked.ack();
            }
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    trace
}

async fn run(seed: u64) -> Vec<String> {
    let bus = EmbeddedBus::with_chaos(Chaos::new(seed, ALL));
    let queues = [ITEM_EVENTS, MYINFO_EVENTS, DEPOSIT_PAYMENTS];
    let consumers = queues.map(|queue| consumer(&bus, ours(queue), 5)).into();
    for number in 0..100 {
        bus.send(message(EVENTS, "order.placed", number.to_string()));
        bus.send(message(PAYMENTS, "charge", number.to_string()));
    }
    trace(&bus, consumers).await
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_has_the_same_faults() {
    for seed in 0..20 {
        assert_eq!(run(seed).await, run(seed).await, "seed {seed}");
    }
    assert_ne!(run(1).await, run(2).await, "the seed decides nothing");
}

#[tokio::test(start_paused = true)]
async fn only_answers_and_charges_are_lost() {
    let always = Faults { drop: 1.0, ..Faults::default() };
    let bus = EmbeddedBus::with_chaos(Chaos::new(1, always));
    let replies = topology::replies_to("me");
    let _own = [consumer(&bus, replies.clone(), 1), consumer(&bus, topology::answers_to("me"), 1)];
    let depth = |name: &str| bus.queue_depths().iter().find(|depth| &*depth.name == name).unwrap().ready;

    for queue in topology::queues() {
        let (exchange, key) = queue.bindings[0];
        bus.send(message(exchange, key, "x"));
        let lost = queue.name == DEPOSIT_PAYMENTS;
        assert_eq!(depth(&queue.name) == 0, lost, "in {}", queue.name);
    }
    let mut answer = bus.publish(message(REPLIES, &replies.name, "x"));
    bus.send(direct("desk.me", "x"));
    assert_eq!((depth(&replies.name), depth("desk.me")), (0, 0));
    assert_eq!(
        peek(&mut answer),
        Some(PublishOutcome::Confirmed),
        "a loss shows only by what does not happen"
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_message_wakes_its_consumer_when_it_is_due() {
    let late = Faults { delay: 1.0, max_delay: MAX_DELAY, ..Faults::default() };
    let bus = EmbeddedBus::with_chaos(Chaos::new(7, late));
    let mut consumer = consumer(&bus, ours(ITEM_EVENTS), 100);
    let started = tokio::time::Instant::now();
    for number in 0..50 {
        bus.send(direct(ITEM_EVENTS, number.to_string()));
    }
    assert_eq!(bus.pending(), 50, "what is on its way is pending");
    let (mut told, mut waits) = (Vec::new(), 0);
    while told.len() < 50 {
        told.extend(ack_all(consumer.receive(100).await.unwrap()));
        waits += 1;
    }
    assert!(waits > 10, "they came all at once");
    assert!(started.elapsed() <= MAX_DELAY + Duration::from_millis(1), "{:?}", started.elapsed());
    let sent: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert_ne!(told, sent, "nothing was overtaken");
    told.sort_by_key(|body| body.parse::<u32>().unwrap());
    assert_eq!(told, sent);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_delays_no_receipt() {
    let twice = Faults { duplicate: 1.0, max_delay: MAX_DELAY, ..Faults::default() };
    let bus = EmbeddedBus::with_chaos(Chaos::new(3, twice));
    let mut consumer = consumer(&bus, ours(ITEM_EVENTS), 100);
    let mut flags = BTreeMap::new();
    for number in 0..20 {
        let receipt = bus.publish(direct(ITEM_EVENTS, number.to_string()));
        let first = consumer.receive(1).await.unwrap();
        assert_eq!(ack_all(first), [number.to_string()]);
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
        let second = consumer.receive(1).await.unwrap();
        *flags.entry(second[0].redelivered).or_insert(0) += 1;
        assert_eq!(ack_all(second), [number.to_string()]);
    }
    assert_eq!(flags.len(), 2, "flagged as redelivered or not: both happen: {flags:?}");
    assert_eq!(bus.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn faults_heal() {
    let chaos =
        Chaos::new(5, Faults { drop: 1.0, duplicate: 1.0, delay: 1.0, max_delay: MAX_DELAY, forget: 0.0 });
    let bus = EmbeddedBus::with_chaos(chaos.clone());
    bus.send(direct(ITEM_EVENTS, "dropped"));
    bus.send(message(EVENTS, "order.placed", "late"));
    chaos.heal();
    for number in 0..10 {
        bus.send(direct(ITEM_EVENTS, number.to_string()));
    }
    let mut consumer = consumer(&bus, ours(ITEM_EVENTS), 100);
    let now: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(ack_all(ready(&mut consumer, 100)), now);
    for _ in 0..2 {
        assert_eq!(ack_all(consumer.receive(1).await.unwrap()), ["late"]);
    }
    chaos.set(Faults { drop: 1.0, ..Faults::default() });
    bus.send(direct(ITEM_EVENTS, "dropped again"));
    assert!(ready(&mut consumer, 1).is_empty());
}

#[test]
fn parked_messages_are_left_alone() {
    let always = Faults { drop: 1.0, duplicate: 1.0, delay: 1.0, max_delay: MAX_DELAY, forget: 0.0 };
    let bus = EmbeddedBus::with_chaos(Chaos::new(5, always));
    let mut receipt = bus.publish(message(DEAD, "order.place", "x"));
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed));
    assert_eq!(bus.dead_letters(10).len(), 1);
}
