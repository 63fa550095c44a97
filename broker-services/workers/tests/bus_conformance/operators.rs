//! What every bus promises an operator who looks at parked messages and at queues.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_workers::bus::parked::{MAX_IN_HAND, Parked};
use skstore_workers::bus::{Bus, Delivery, Message, Properties, PublishOutcome, QueueDepth};
use skstore_workers::clock::Ids;
use skstore_workers::desk::{Desk, Disposition, Which};
use skstore_workers::topology::{COMMANDS, DEAD, ITEM_EVENTS, MYINFO_EVENTS, MYINFO_SIGNALS, ORDER_COMMANDS};
use skstore_workers::view::View;
use skstore_workers::view::embedded::EmbeddedView;

use crate::fixtures::{consumer, direct, message, next, ours, take, text};

/// Parks `bodies`, and waits until they are safe.
async fn park(bus: &Bus, bodies: &[&str]) {
    let publisher = bus.publisher().await.unwrap();
    for body in bodies {
        assert_eq!(publisher.publish(message(DEAD, "order.place", body)).await, PublishOutcome::Confirmed);
    }
}

/// Everything in hand, in its order.
fn look(parked: &mut Parked) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        let some = parked.next(2).unwrap();
        if some.is_empty() {
            return all;
        }
        assert!(some.len() <= 2, "more than was asked for");
        all.extend(some);
    }
}

/// What is parked; it stays there.
async fn bodies(bus: &Bus) -> Vec<String> {
    look(&mut bus.parked(100).await.unwrap()).iter().map(text).collect()
}

async fn depth(bus: &Bus, name: &str) -> QueueDepth {
    let depths = bus.depths().await.unwrap();
    depths.into_iter().find(|depth| &*depth.name == name).unwrap_or_else(|| panic!("no '{name}'"))
}

/// Waits for a depth, since a broker counts what comes back from a consumer only some time later.
async fn until_ready(bus: &Bus, name: &str, ready: usize) {
    while depth(bus, name).await.ready != ready {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn depths_tell_what_waits_and_who_consumes(bus: Bus) {
    let publisher = bus.publisher().await.unwrap();
    let mut events = consumer(&bus, ours(ITEM_EVENTS), 2).await;
    for _ in 0..5 {
        publisher.send(message(skstore_workers::topology::EVENTS, "order.placed", "x"));
    }
    let _held = take(&mut events, 2).await;
    until_ready(&bus, ITEM_EVENTS, 3).await;
    until_ready(&bus, MYINFO_EVENTS, 5).await;
    let depths = bus.depths().await.unwrap();
    assert!(depths.is_sorted_by(|one, other| one.name < other.name), "{depths:?}");
    let names: Vec<_> = depths.iter().map(|depth| depth.name.to_string()).collect();
    let mut declared: Vec<_> =
        skstore_workers::topology::queues().into_iter().map(|queue| queue.name).collect();
    declared.sort();
    assert_eq!(names, declared, "every queue of the topology and no other");
    assert_eq!(depth(&bus, ITEM_EVENTS).await.consumers, 1);
    assert_eq!(
        depth(&bus, MYINFO_SIGNALS).await,
        QueueDepth {
            name: MYINFO_SIGNALS.into(),
            ready: 0,
            unacked: depth(&bus, MYINFO_SIGNALS).await.unacked,
            consumers: 0,
        }
    );
    assert!(depth(&bus, ITEM_EVENTS).await.unacked.is_none_or(|unacked| unacked == 2));
}

pub(crate) async fn parked_messages_stay_where_they_are(bus: Bus) {
    assert!(bodies(&bus).await.is_empty(), "nothing is parked in the beginning");
    let all = ["0", "1", "2", "3", "4"];
    park(&bus, &all).await;
    for time in 0..3 {
        assert_eq!(bodies(&bus).await, all, "looked at for the {time}. time");
    }
    let mut some = bus.parked(3).await.unwrap();
    assert_eq!(some.total(), 5);
    assert_eq!(look(&mut some).iter().map(text).collect::<Vec<_>>(), ["0", "1", "2"]);
    drop(some);
    assert_eq!(bodies(&bus).await, all);
}

pub(crate) async fn what_an_operator_ends_is_gone_and_the_rest_stays_in_order(bus: Bus) {
    park(&bus, &["0", "1", "2", "3", "4"]).await;
    let mut parked = bus.parked(100).await.unwrap();
    let mut held = look(&mut parked);
    held.remove(3).unacked.ack();
    held.remove(0).unacked.ack();
    drop((parked, held));
    park(&bus, &["5"]).await;
    assert_eq!(bodies(&bus).await, ["1", "2", "4", "5"]);
}

/// The `number`th message, as it is parked.
fn parked_as(number: usize) -> Message {
    let headers = [
        ("at", format!("2026-09-21T14:13:20.{:03}Z", number / 100)),
        ("parked_id", format!("0193-{number:06}")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let properties = Properties { headers, ..Properties::default() };
    Message { properties, ..message(DEAD, "order.place", number.to_string()) }
}

pub(crate) async fn more_than_can_be_had_at_once_stay_in_their_order(bus: Bus) {
    const BEYOND: usize = 100;
    const ENDED: usize = 150;
    const ALL: usize = MAX_IN_HAND + BEYOND;
    let publisher = bus.publisher().await.unwrap();
    for number in (0..ALL).step_by(BEYOND) {
        let some = number..ALL.min(number + BEYOND);
        let receipts: Vec<_> = some.map(|n| publisher.publish(parked_as(n))).collect();
        for receipt in receipts {
            assert_eq!(receipt.await, PublishOutcome::Confirmed);
        }
    }
    until_ready(&bus, DEAD, ALL).await;
    let numbers = |range: std::ops::Range<usize>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    for time in 0..3 {
        assert_eq!(bodies(&bus).await, numbers(0..100), "a part of them, for the {time}. time");
    }
    let mut parked = bus.parked(usize::MAX).await.unwrap();
    assert_eq!(parked.total(), ALL);
    let held = look(&mut parked);
    assert_eq!(held.iter().map(text).collect::<Vec<_>>(), numbers(0..MAX_IN_HAND));
    held.into_iter().take(ENDED).for_each(|delivery| delivery.unacked.ack());
    drop(parked);
    for time in 0..3 {
        assert_eq!(bodies(&bus).await, numbers(ENDED..ENDED + 100), "the rest, for the {time}. time");
        let rest = look(&mut bus.parked(usize::MAX).await.unwrap());
        assert_eq!(rest.iter().map(text).collect::<Vec<_>>(), numbers(ENDED..ALL), "for the {time}. time");
    }
}

pub(crate) async fn one_operator_at_a_time_has_them_in_hand(bus: Bus) {
    park(&bus, &["0", "1"]).await;
    let mut first = bus.parked(100).await.unwrap();
    assert_eq!(look(&mut first).len(), 2);
    let other = bus.clone();
    let second = tokio::spawn(async move {
        let mut parked = other.parked(100).await.unwrap();
        look(&mut parked).iter().map(text).collect::<Vec<_>>()
    });
    // It waits for its turn for as long as it likes; meanwhile the first goes on and ends one.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished(), "two had the parked messages in hand at once");
    drop(first);
    assert_eq!(second.await.unwrap(), ["0", "1"]);

    // Nobody waits for ever.
    let _first = bus.parked(100).await.unwrap();
    let refused = bus.parked(100).await.expect_err("a second operator");
    assert!(refused.to_string().contains("skstore.dead.operator"), "{refused}");
}

pub(crate) async fn a_parked_message_is_looked_at_as_it_was_parked(bus: Bus) {
    let properties = Properties {
        message_id: Some("0193".to_owned()),
        correlation_id: Some("사과".to_owned()),
        reply_to: Some("desk.me".to_owned()),
        content_type: Some("application/json".to_owned()),
        expiration: None,
        priority: Some(7),
        headers: BTreeMap::from([("reason".to_owned(), "none, 없음".to_owned())]),
    };
    let sent = Message { properties, ..message(DEAD, "order.place", [0, 159, 146, 150, b'\n', 255]) };
    assert_eq!(bus.publisher().await.unwrap().publish(sent.clone()).await, PublishOutcome::Confirmed);
    for time in 0..3 {
        let mut parked = bus.parked(1).await.unwrap();
        let got = parked.next(10).unwrap().remove(0).message;
        assert_eq!((&got.body, &got.properties), (&sent.body, &sent.properties), "for the {time}. time");
        assert_eq!((&got.exchange, &got.routing_key), (&sent.exchange, &sent.routing_key));
    }
}

pub(crate) async fn what_a_queue_gave_up_on_is_replayed_as_it_was_sent(bus: Bus) {
    let properties = Properties {
        message_id: Some("0193".to_owned()),
        reply_to: Some("desk.me".to_owned()),
        priority: Some(7),
        headers: BTreeMap::from([("colour".to_owned(), "red".to_owned())]),
        ..Properties::default()
    };
    let sent =
        Message { properties: properties.clone(), ..message(COMMANDS, "order.place", r#"{"item_id":"10"}"#) };
    let mut dying = sent.clone();
    dying.properties.expiration = Some(Duration::from_millis(1));
    bus.publisher().await.unwrap().send(dying);
    until_ready(&bus, DEAD, 1).await;
    let desk = Desk::open(&bus, View::Embedded(EmbeddedView::new(1)), Ids::random()).await.unwrap();
    // Each look is a delivery, which a broker counts.
    for _ in 0..3 {
        assert_eq!(desk.dead_letters(10).await.unwrap().letters.len(), 1);
    }
    let letter = desk.dead_letters(10).await.unwrap().letters.remove(0);
    assert_eq!(letter.reason, "its queue gave up on it: expired");
    assert_eq!(letter.properties, properties);
    let mut orders = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    let told = |_: &_, disposition: &Disposition| assert_eq!(*disposition, Disposition::Replayed);
    let which = Which::One(letter.id);
    let replaying = async { desk.replay_dead(&which, false, told).await.unwrap() };
    let hearing = async {
        let got = next(&mut orders).await;
        got.unacked.ack();
        got.message
    };
    let (_, got) = tokio::join!(replaying, hearing);
    assert_eq!((got.body, got.properties), (sent.body, sent.properties));
    assert_eq!((got.exchange, got.routing_key), (sent.exchange, sent.routing_key));
    until_ready(&bus, DEAD, 0).await;
}

pub(crate) async fn looking_at_parked_messages_leaves_other_consumers_alone(bus: Bus) {
    park(&bus, &["0"]).await;
    let mut orders = consumer(&bus, ours(ORDER_COMMANDS), 1).await;
    for _ in 0..3 {
        assert_eq!(bodies(&bus).await, ["0"]);
    }
    bus.publisher().await.unwrap().send(direct(ORDER_COMMANDS, "still heard"));
    assert_eq!(text(&next(&mut orders).await), "still heard");
}
