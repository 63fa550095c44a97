//! What every bus promises, one function each. No receipt is awaited before its message is acked: the embedded
//! bus confirms only then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use skstore_workers::bus::{Bus, BusError, Message, Properties, PublishOutcome, Subscription};
use skstore_workers::topology::{
    self, COMMANDS, CONTROL, DEAD, DEFAULT, DEPOSIT_COMMANDS, DEPOSIT_EVENTS, DEPOSIT_PAYMENTS, EVENTS,
    ITEM_EVENTS, MYINFO_EVENTS, ORDER_COMMANDS, Overflow, PAYMENTS, QueueSpec, REPLIES, UNROUTED,
};

use crate::fixtures::{
    assert_empty, block_on, consumer, declare, direct, drain, expiring, message, next, ours, small, take,
    text,
};

/// How long messages live that are to expire, and how long to wait to be sure that they have.
const LIFETIME: Duration = Duration::from_millis(20);
const SURELY_EXPIRED: Duration = Duration::from_millis(100);

pub(crate) async fn a_message_arrives_as_it_was_published(bus: Bus) {
    let mut consumer = consumer(&bus, ours(DEPOSIT_PAYMENTS), 10).await;
    let sent = Message {
        properties: Properties {
            message_id: Some("0193".to_owned()),
            correlation_id: Some("사과".to_owned()),
            reply_to: Some("desk.me".to_owned()),
            content_type: Some("application/json".to_owned()),
            expiration: Some(Duration::from_secs(60)),
            priority: Some(7),
            headers: BTreeMap::from([("reason".to_owned(), "none, 없음".to_owned())]),
        },
        ..message(PAYMENTS, "charge", [0, 159, 146, 150, b'\n', 255])
    };
    let receipt = bus.publisher().await.unwrap().publish(sent.clone());
    let got = next(&mut consumer).await;
    assert_eq!((&*got.queue, got.redelivered), (DEPOSIT_PAYMENTS, false));
    assert_eq!(got.message.body, sent.body);
    assert_eq!((got.message.exchange, got.message.routing_key), (sent.exchange, sent.routing_key));
    assert_eq!(got.message.properties, sent.properties);
    got.unacked.ack();
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn commands_are_routed_by_key(bus: Bus) {
    let mut order = consumer(&bus, ours(ORDER_COMMANDS), 10).await;
    let mut deposit = consumer(&bus, ours(DEPOSIT_COMMANDS), 10).await;
    let publisher = bus.publisher().await.unwrap();
    for key in ["order.place", "deposit.topup", "order.cancel"] {
        publisher.send(message(COMMANDS, key, key));
    }
    assert_eq!(drain(&mut order, 2).await, ["order.place", "order.cancel"]);
    assert_eq!(drain(&mut deposit, 1).await, ["deposit.topup"]);
    assert_empty(&bus, &mut order, ORDER_COMMANDS).await;
    assert_empty(&bus, &mut deposit, DEPOSIT_COMMANDS).await;
}

pub(crate) async fn an_event_reaches_every_queue_bound_to_it(bus: Bus) {
    let receipt = bus.publisher().await.unwrap().publish(message(EVENTS, "order.cancelled", "all"));
    for queue in [DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS] {
        let mut consumer = consumer(&bus, ours(queue), 10).await;
        assert_eq!(drain(&mut consumer, 1).await, ["all"], "in {queue}");
        assert_empty(&bus, &mut consumer, queue).await;
    }
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn a_fanout_reaches_every_queue(bus: Bus) {
    let mut one = consumer(&bus, topology::control_of("one"), 10).await;
    let mut other = consumer(&bus, topology::control_of("other"), 10).await;
    let receipt = bus.publisher().await.unwrap().publish(message(CONTROL, "whatever", "hear"));
    assert_eq!(drain(&mut one, 1).await, ["hear"]);
    assert_eq!(drain(&mut other, 1).await, ["hear"]);
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn an_unroutable_message_is_returned(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let nowhere = [
        (PAYMENTS, "refund"),
        (REPLIES, "skstore.replies.nobody"),
        (DEFAULT, "no.such.queue"),
        (EVENTS, "order"),
    ];
    for (exchange, key) in nowhere {
        let receipt = publisher.publish(message(exchange, key, "lost?"));
        assert_eq!(receipt.await, PublishOutcome::Returned, "'{key}' on '{exchange}'");
    }
}

pub(crate) async fn a_command_of_an_unknown_key_goes_to_the_alternate(bus: Bus) {
    let mut unrouted = consumer(&bus, ours(UNROUTED), 10).await;
    let receipt = bus.publisher().await.unwrap().publish(message(COMMANDS, "order.steal", "?"));
    let got = next(&mut unrouted).await;
    assert_eq!(
        (&*got.queue, &*got.message.exchange, &*got.message.routing_key),
        (UNROUTED, COMMANDS, "order.steal")
    );
    got.unacked.ack();
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn a_late_binding_counts(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let charge = || message(PAYMENTS, "late", "?");
    assert_eq!(publisher.publish(charge()).await, PublishOutcome::Returned);
    let spec = QueueSpec { bindings: vec![(PAYMENTS, "late")], ..small("late", 10, Overflow::RejectPublish) };
    let mut late = consumer(&bus, spec, 1).await;
    let receipt = publisher.publish(charge());
    assert_eq!(drain(&mut late, 1).await, ["?"]);
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn a_confirmed_message_survives_its_consumer(bus: Bus) {
    let receipt = bus.publisher().await.unwrap().publish(message(EVENTS, "item.listed", "keep me"));
    for queue in [topology::ORDER_EVENTS, MYINFO_EVENTS] {
        let mut crashing = consumer(&bus, ours(queue), 10).await;
        let _held = next(&mut crashing).await;
        drop(crashing);
        let mut healthy = consumer(&bus, ours(queue), 10).await;
        let again = next(&mut healthy).await;
        assert_eq!((text(&again).as_str(), again.redelivered), ("keep me", true), "in {queue}");
        again.unacked.ack();
    }
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn unacked_messages_come_back_in_order(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    for number in 0..10 {
        publisher.send(direct(ORDER_COMMANDS, number.to_string()));
    }
    let mut crashing = consumer(&bus, ours(ORDER_COMMANDS), 6).await;
    let mut held = take(&mut crashing, 6).await;
    held.remove(4).unacked.ack();
    held.remove(1).unacked.ack();
    // Acks that are still on their way when a connection breaks do not count: wait for the two.
    let next = take(&mut crashing, 2).await;
    drop(crashing);
    drop((held, next));
    let mut healthy = consumer(&bus, ours(ORDER_COMMANDS), 10).await;
    let again: Vec<_> = take(&mut healthy, 8).await;
    let told: Vec<_> = again.iter().map(|delivery| (text(delivery), delivery.redelivered)).collect();
    let expected = [(0, true), (2, true), (3, true), (5, true), (6, true), (7, true), (8, false), (9, false)];
    let expected: Vec<_> = expected.iter().map(|(number, again)| (number.to_string(), *again)).collect();
    assert_eq!(told, expected);
}

pub(crate) async fn a_late_ack_is_harmless(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    publisher.send(direct(ORDER_COMMANDS, "once"));
    let mut crashing = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    let late = next(&mut crashing).await;
    drop(crashing);
    let mut healthy = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    let again = next(&mut healthy).await;
    late.unacked.ack();
    drop(healthy);
    let mut third = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    let third_time = next(&mut third).await;
    assert_eq!((text(&third_time), text(&again)), ("once".into(), "once".into()), "a late ack took it away");
}

pub(crate) async fn no_consumer_holds_more_than_its_prefetch(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    for number in 0..10 {
        publisher.send(direct(ORDER_COMMANDS, number.to_string()));
        publisher.send(direct(DEPOSIT_COMMANDS, number.to_string()));
    }
    let subscriptions = [(ORDER_COMMANDS, 3), (DEPOSIT_COMMANDS, 2)];
    let subscriptions =
        subscriptions.map(|(queue, prefetch)| Subscription { queue: ours(queue), prefetch }).into();
    let mut consumer = bus.consumer(subscriptions).await.unwrap();
    let mut held = take(&mut consumer, 5).await;
    for round in 3..10 {
        let more = tokio::time::timeout(SURELY_EXPIRED, consumer.receive(10)).await;
        assert!(more.is_err(), "more than the prefetch: {more:?}");
        let at = held.iter().position(|delivery| &*delivery.queue == ORDER_COMMANDS).unwrap();
        held.remove(at).unacked.ack();
        let refill = next(&mut consumer).await;
        assert_eq!((&*refill.queue, text(&refill)), (ORDER_COMMANDS, round.to_string()));
        held.push(refill);
    }
}

pub(crate) async fn one_stopped_consumer_holds_up_nobody_else(bus: Bus) {
    const EVENTS_SENT: usize = 500;
    let mut stopped = consumer(&bus, ours(ITEM_EVENTS), 1).await;
    let mut working = consumer(&bus, ours(DEPOSIT_EVENTS), 10).await;
    let publisher = bus.publisher().await.unwrap();
    for number in 0..EVENTS_SENT {
        publisher.send(message(EVENTS, "order.cancelled", number.to_string()));
    }
    let held = next(&mut stopped).await;
    let drained = drain(&mut working, EVENTS_SENT).await;
    assert_eq!(drained, (0..EVENTS_SENT).map(|number| number.to_string()).collect::<Vec<_>>());
    held.unacked.ack();
    assert_eq!(drain(&mut stopped, EVENTS_SENT - 1).await.len(), EVENTS_SENT - 1);
}

pub(crate) async fn a_full_queue_refuses_until_there_is_room(bus: Bus) {
    const MAX: usize = 5;
    /// Brokers may take a few more than they should.
    const SLACK: usize = 100;
    declare(&bus, small("small", MAX, Overflow::RejectPublish)).await;
    let publisher = bus.publisher().await.unwrap();
    let mut taken = Vec::new();
    let refused = loop {
        assert!(taken.len() < MAX + SLACK, "it never refuses");
        let mut receipt = publisher.publish(direct("small", taken.len().to_string()));
        if taken.len() < MAX {
            taken.push(receipt);
            continue;
        }
        // Beyond the bound an answer has to come: the embedded bus says nothing before the ack otherwise.
        match tokio::time::timeout(Duration::from_secs(5), &mut receipt).await {
            Ok(PublishOutcome::Nacked) => break taken.len(),
            _ => taken.push(receipt),
        }
    };
    let mut consumer = consumer(&bus, small("small", MAX, Overflow::RejectPublish), MAX + SLACK).await;
    let drained = drain(&mut consumer, refused).await;
    assert_eq!(drained, (0..refused).map(|number| number.to_string()).collect::<Vec<_>>());
    for receipt in taken {
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
    }
    let receipt = publisher.publish(direct("small", "room again"));
    assert_eq!(drain(&mut consumer, 1).await, ["room again"]);
    assert_eq!(receipt.await, PublishOutcome::Confirmed);
}

pub(crate) async fn a_queue_that_drops_its_oldest_keeps_the_newest(bus: Bus) {
    let spec = || small("signals", 3, Overflow::DropHead);
    declare(&bus, spec()).await;
    let behind = small("behind", 3, Overflow::DropHead);
    declare(&bus, behind.clone()).await;
    let publisher = bus.publisher().await.unwrap();
    let receipts: Vec<_> =
        (0..8).map(|number| publisher.publish(direct("signals", number.to_string()))).collect();
    // Whoever reads does so on another channel than was written on, and would be given what has not been dropped yet; the
    // receipts tell nothing before that, for the embedded bus confirms what was acked.
    publisher.send(direct("behind", "all are there"));
    drain(&mut consumer(&bus, behind, 1).await, 1).await;
    let mut consumer = consumer(&bus, spec(), 10).await;
    assert_eq!(drain(&mut consumer, 3).await, ["5", "6", "7"]);
    for receipt in receipts {
        assert_eq!(receipt.await, PublishOutcome::Confirmed, "dropped by design is no failure");
    }
}

pub(crate) async fn an_expired_message_is_not_delivered(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let expired = publisher.publish(expiring(message(PAYMENTS, "charge", "too late"), LIFETIME));
    let lasting = expiring(message(PAYMENTS, "charge", "in time"), Duration::from_secs(60));
    publisher.send(lasting);
    tokio::time::sleep(SURELY_EXPIRED).await;
    let mut consumer = consumer(&bus, ours(DEPOSIT_PAYMENTS), 10).await;
    assert_eq!(drain(&mut consumer, 1).await, ["in time"]);
    assert_empty(&bus, &mut consumer, DEPOSIT_PAYMENTS).await;
    assert_eq!(expired.await, PublishOutcome::Confirmed, "nobody is kept waiting for what has expired");
}

pub(crate) async fn a_queue_with_a_ttl_forgets(bus: Bus) {
    let spec = || QueueSpec { ttl: Some(LIFETIME), ..small("forgetful", 10, Overflow::RejectPublish) };
    declare(&bus, spec()).await;
    let publisher = bus.publisher().await.unwrap();
    publisher.send(direct("forgetful", "old"));
    // The shorter of the two counts.
    publisher.send(expiring(direct("forgetful", "old, too"), Duration::from_secs(60)));
    tokio::time::sleep(SURELY_EXPIRED).await;
    let mut consumer = consumer(&bus, spec(), 10).await;
    publisher.send(direct("forgetful", "new"));
    assert_eq!(drain(&mut consumer, 1).await, ["new"]);
}

pub(crate) async fn what_a_queue_gives_up_on_is_dead_lettered(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let spec = || QueueSpec { dead_letter: Some(DEAD), ..small("mortal", 1, Overflow::DropHead) };
    declare(&bus, spec()).await;
    let mut dead = consumer(&bus, ours(DEAD), 10).await;
    publisher.send(direct("mortal", "pushed out"));
    publisher.send(expiring(direct("mortal", "expired"), LIFETIME));
    tokio::time::sleep(SURELY_EXPIRED).await;
    let mut mortal = consumer(&bus, spec(), 10).await;
    assert_empty(&bus, &mut mortal, "mortal").await;
    let mut told = BTreeMap::new();
    for delivery in take(&mut dead, 2).await {
        let headers = &delivery.message.properties.headers;
        assert_eq!(headers.get("x-first-death-queue").map(String::as_str), Some("mortal"), "{headers:?}");
        assert_eq!(headers.get("x-first-death-exchange").map(String::as_str), Some(DEFAULT), "{headers:?}");
        assert_eq!((&*delivery.message.exchange, &*delivery.message.routing_key), (DEAD, "mortal"));
        assert_eq!(delivery.message.properties.expiration, None, "a dead letter does not expire again");
        told.insert(text(&delivery), headers["x-first-death-reason"].clone());
        delivery.unacked.ack();
    }
    let expected = [("expired", "expired"), ("pushed out", "maxlen")];
    assert_eq!(told, BTreeMap::from(expected.map(|(body, reason)| (body.to_owned(), reason.to_owned()))));
}

pub(crate) async fn an_exclusive_queue_vanishes_with_its_consumer(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let queue = topology::replies_to("me");
    let answer = || message(REPLIES, &queue.name, "answer");
    let mut mine = consumer(&bus, queue.clone(), 10).await;
    let heard = publisher.publish(answer());
    assert_eq!(drain(&mut mine, 1).await, ["answer"]);
    assert_eq!(heard.await, PublishOutcome::Confirmed);
    drop(mine);
    // A broker takes a moment: what it takes until then goes with the queue.
    while publisher.publish(answer()).await != PublishOutcome::Returned {}
    let mut again = consumer(&bus, queue.clone(), 10).await;
    assert_empty(&bus, &mut again, &queue.name).await;
}

pub(crate) async fn a_question_is_answered(bus: Bus) {
    const QUESTIONS: usize = 20;
    let served = bus.clone();
    let service = thread::spawn(move || {
        block_on(async {
            let mut commands = consumer(&served, ours(ORDER_COMMANDS), 5).await;
            let publisher = served.publisher().await.unwrap();
            for _ in 0..QUESTIONS {
                let question = next(&mut commands).await;
                let asked = question.message.properties.clone();
                let mut answer = direct(&asked.reply_to.unwrap(), format!("re: {}", text(&question)));
                answer.properties.correlation_id = asked.correlation_id;
                publisher.send(answer);
                question.unacked.ack();
            }
        });
    });
    let queue = topology::answers_to("me");
    let mut answers = consumer(&bus, queue.clone(), 5).await;
    let publisher = bus.publisher().await.unwrap();
    for number in 0..QUESTIONS {
        let mut question = message(COMMANDS, "order.query", number.to_string());
        question.properties.reply_to = Some(queue.name.clone());
        question.properties.correlation_id = Some(format!("id-{number}"));
        publisher.send(question);
    }
    let mut told = BTreeMap::new();
    while told.len() < QUESTIONS {
        let answer = next(&mut answers).await;
        told.insert(answer.message.properties.correlation_id.clone().unwrap(), text(&answer));
        answer.unacked.ack();
    }
    let expected: BTreeMap<_, _> =
        (0..QUESTIONS).map(|number| (format!("id-{number}"), format!("re: {number}"))).collect();
    assert_eq!(told, expected);
    service.join().unwrap();
}

pub(crate) async fn a_batch_takes_at_most_what_was_asked_for(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    for number in 0..10 {
        publisher.send(direct(ORDER_COMMANDS, number.to_string()));
    }
    let mut consumer = consumer(&bus, ours(ORDER_COMMANDS), 100).await;
    let mut told = Vec::new();
    while told.len() < 10 {
        let batch = consumer.receive(4).await.unwrap();
        assert!((1..=4).contains(&batch.len()), "a batch of {}", batch.len());
        for delivery in batch {
            told.push(text(&delivery));
            delivery.unacked.ack();
        }
    }
    assert_eq!(told, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
}

pub(crate) async fn a_cancelled_receive_has_taken_nothing(bus: Bus) {
    const SENT: usize = 200;
    let mut consumer = consumer(&bus, ours(ORDER_COMMANDS), 10).await;
    let publisher = bus.publisher().await.unwrap();
    let (mut turn, mut sent, mut told) = (0, 0, Vec::new());
    while told.len() < SENT {
        turn += 1;
        // On the other turns it sleeps, and what wakes it comes after it was dropped.
        if turn % 3 == 0 && sent < SENT {
            publisher.send(direct(ORDER_COMMANDS, sent.to_string()));
            sent += 1;
        }
        // Polled once, and dropped at different points of its life.
        tokio::select! {
            biased;
            () = std::future::ready(()), if turn % 2 == 0 => {}
            batch = consumer.receive(2) => {
                for delivery in batch.unwrap() {
                    assert!(!delivery.redelivered, "it was taken by a cancelled call");
                    told.push(text(&delivery));
                    delivery.unacked.ack();
                }
            }
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(told, (0..SENT).map(|number| number.to_string()).collect::<Vec<_>>());
}

pub(crate) async fn a_sleeping_consumer_is_woken_from_another_thread(bus: Bus) {
    const ROUNDS: usize = 2_000;
    // Two threads, each asleep until the other has spoken: one lost wakeup and both sleep for ever.
    let play = |bus: Bus, from: QueueSpec, to: &'static str, opens: bool| {
        move || {
            block_on(async {
                let publisher = bus.publisher().await.unwrap();
                let mut consumer = consumer(&bus, from, 1).await;
                if opens {
                    publisher.send(direct(to, "0"));
                }
                for _ in 0..ROUNDS {
                    let ball = next(&mut consumer).await;
                    publisher.send(direct(to, text(&ball)));
                    ball.unacked.ack();
                }
            });
        }
    };
    let one = thread::spawn(play(bus.clone(), ours(ORDER_COMMANDS), DEPOSIT_COMMANDS, true));
    let other = thread::spawn(play(bus, ours(DEPOSIT_COMMANDS), ORDER_COMMANDS, false));
    join([one, other]).await;
}

pub(crate) async fn nobody_sleeps_over_work(bus: Bus) {
    const THREADS: usize = 3;
    const EACH: usize = 2_000;
    const STOP: &str = "stop";
    // No timeouts: every publisher sleeps until its one message is confirmed, and the consumers compete for
    // them, so one wakeup that is lost, or given to a call that was dropped, stops it all.
    let publishers: Vec<_> = (0..THREADS)
        .map(|_| {
            let bus = bus.clone();
            thread::spawn(move || {
                block_on(async {
                    let publisher = bus.publisher().await.unwrap();
                    for _ in 0..EACH {
                        assert_eq!(
                            publisher.publish(direct(ORDER_COMMANDS, "work")).await,
                            PublishOutcome::Confirmed
                        );
                    }
                });
            })
        })
        .collect();
    let consumers: Vec<_> = (0..THREADS)
        .map(|_| {
            let bus = bus.clone();
            thread::spawn(move || {
                block_on(async {
                    let mut consumer = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
                    loop {
                        let delivery = tokio::select! {
                            biased;
                            batch = consumer.receive(1) => batch.unwrap().remove(0),
                            () = tokio::task::yield_now() => next(&mut consumer).await,
                        };
                        let stop = text(&delivery) == STOP;
                        delivery.unacked.ack();
                        if stop {
                            return;
                        }
                    }
                });
            })
        })
        .collect();
    join(publishers).await;
    let publisher = bus.publisher().await.unwrap();
    for _ in 0..THREADS {
        publisher.send(direct(ORDER_COMMANDS, STOP));
    }
    join(consumers).await;
}

pub(crate) async fn competing_consumers_share_the_work(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let mut one = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    let mut other = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    for number in 0..4 {
        publisher.send(direct(ORDER_COMMANDS, number.to_string()));
    }
    let (mine, theirs) = tokio::join!(next(&mut one), next(&mut other));
    assert_ne!(text(&mine), text(&theirs), "both have the same message");
    mine.unacked.ack();
    let second = next(&mut one).await;
    // The other one still holds its first: only its own prefetch keeps it from the rest.
    second.unacked.ack();
    next(&mut one).await.unacked.ack();
    theirs.unacked.ack();
}

pub(crate) async fn nothing_is_lost_or_doubled_between_threads(bus: Bus) {
    const THREADS: usize = 4;
    const EACH: usize = 5_000;
    let seen = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let left = Arc::new(AtomicUsize::new(THREADS * EACH));
    let publishers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let bus = bus.clone();
            thread::spawn(move || block_on(publish_all(bus, thread, EACH)))
        })
        .collect();
    let consumers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (bus, seen, left) = (bus.clone(), Arc::clone(&seen), Arc::clone(&left));
            thread::spawn(move || block_on(consume_all(bus, thread, &seen, &left)))
        })
        .collect();
    join(publishers).await;
    join(consumers).await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), THREADS * EACH, "some were lost");
    let doubled: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).collect();
    assert!(doubled.is_empty(), "acked more than once: {doubled:?}");
}

async fn publish_all(bus: Bus, thread: usize, count: usize) {
    let publisher = bus.publisher().await.unwrap();
    let receipts: Vec<_> = (0..count)
        .map(|number| publisher.publish(message(COMMANDS, "order.place", format!("{thread}/{number}"))))
        .collect();
    for receipt in receipts {
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
    }
}

/// Acks until all messages are acked. Now and then it crashes with messages in hand, which come back.
async fn consume_all(bus: Bus, thread: usize, seen: &Mutex<BTreeMap<String, usize>>, left: &AtomicUsize) {
    for life in 0.. {
        let mut consumer = consumer(&bus, ours(ORDER_COMMANDS), 32).await;
        for _ in 0..20 + 7 * thread {
            let pause = Duration::from_millis(20);
            let Ok(batch) = tokio::time::timeout(pause, consumer.receive(1 + (life + thread) % 16)).await
            else {
                if left.load(Ordering::SeqCst) == 0 {
                    return;
                }
                continue;
            };
            for (index, delivery) in batch.unwrap().into_iter().enumerate() {
                if index % 5 == 4 {
                    continue; // Unacked until this consumer crashes.
                }
                *seen.lock().unwrap().entry(text(&delivery)).or_default() += 1;
                delivery.unacked.ack();
                left.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

pub(crate) async fn a_queue_of_other_properties_is_an_error_that_names_it(bus: Bus) {
    let other = QueueSpec { max_messages: 7, ..ours(DEPOSIT_PAYMENTS) };
    let refused = bus.consumer(vec![Subscription { queue: other, prefetch: 1 }]).await;
    match refused {
        Err(BusError::Topology(why)) => assert!(why.contains(DEPOSIT_PAYMENTS), "{why}"),
        other => panic!("it was taken: {other:?}"),
    }
}

pub(crate) async fn a_claim_is_shared_by_one_owners_own_and_refused_to_others(bus: Bus) {
    let claim = async |owner: &str| bus.claim("order.store", owner).await;
    let refused = async |owner: &str| match claim(owner).await {
        Err(BusError::Occupied(why)) => assert!(why.contains("order.store"), "{why}"),
        other => panic!("{owner} has it as well: {other:?}"),
    };
    let (first, second) = (claim("a").await.unwrap(), claim("a").await.unwrap());
    bus.claim("item.store", "b").await.expect("another name is another claim");
    refused("b").await;
    drop(first);
    refused("b").await;
    drop(second);
    let released = tokio::time::Instant::now() + Duration::from_secs(5);
    let mut other = loop {
        match claim("b").await {
            Err(BusError::Occupied(_)) if tokio::time::Instant::now() < released => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            taken => break taken.expect("nobody has it any more"),
        }
    };
    refused("a").await;
    let lost = tokio::time::timeout(Duration::from_millis(50), other.lost()).await;
    assert!(lost.is_err(), "it was lost although nobody took it");
}

/// Waits for threads without blocking the runtime, so that a hang is noticed.
async fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        while !thread.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        thread.join().expect("the thread's assertions hold");
    }
}
