//! How workers end when they are told to.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::{Connection, ConnectionProperties};
use skstore_domain::objects::OrderStatus;

use crate::workers::{At, order_id, place, until};

/// The promise: a worker that is told to end has ended so soon.
const ENDED_WITHIN: Duration = Duration::from_secs(5);
/// Buyers who place orders all the time.
const BUYERS: usize = 16;
/// Orders that come in before a worker is told to end.
const ORDERS_BEFORE: usize = 100;

/// The ids of the orders in Order's queue that were delivered before.
async fn redelivered(at: &At) -> BTreeSet<String> {
    let connection = Connection::connect(&at.vhost.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut found = BTreeSet::new();
    while let Some(got) =
        channel.basic_get("order.commands".into(), BasicGetOptions::default()).await.unwrap()
    {
        if got.delivery.redelivered {
            let body: serde_json::Value = serde_json::from_slice(&got.delivery.data).unwrap();
            found.insert(body["order_id"].as_str().unwrap_or_default().to_owned());
        }
    }
    // Tag 0: all of them.
    channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true }).await.unwrap();
    connection.close(200, "OK".into()).await.unwrap();
    found
}

#[tokio::test]
async fn a_worker_that_is_told_to_end_finishes_first_and_nothing_of_that_comes_again() {
    let at = At::given();
    let mut workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("orders are accepted", async || desk.place(&place(0)).await.is_ok_and(|answer| answer.ok)).await;

    let (next, is_over) = (Cell::new(1), Cell::new(false));
    let buy = async |_| {
        let mut answered = Vec::new();
        while !is_over.get() {
            let order = next.replace(next.get() + 1);
            if desk.place(&place(order)).await.is_ok_and(|answer| answer.ok) {
                answered.push(order);
            }
        }
        answered
    };
    let ending = async {
        // Order last, and not replaced: what is left in its queue then is looked into.
        for (at_number, service) in [(3, "myinfo"), (2, "item"), (1, "deposit"), (0, "order")] {
            let from = next.get();
            until("more orders come in", async || next.get() > from + ORDERS_BEFORE).await;
            workers[at_number].signal("TERM");
            let (status, took) = workers[at_number].end().await;
            assert!(status.success(), "{service}: {status}\n{}", workers[at_number].said());
            assert!(took <= ENDED_WITHIN, "{service} took {took:?} to end");
            if service != "order" {
                workers[at_number] = at.start(&[service], &[]);
            }
        }
        is_over.set(true);
    };
    let (answered, ()) = tokio::join!(join_all((0..BUYERS).map(buy)), ending);
    let answered: BTreeSet<String> =
        answered.into_iter().flatten().map(|order| order_id(order).to_string()).collect();
    let again = redelivered(&at).await;
    let finished: Vec<&String> = again.intersection(&answered).collect();
    assert!(finished.is_empty(), "these were answered, and come again: {finished:?}");

    let _order = at.start(&["order"], &[]);
    until("every order has ended", async || {
        let Ok(counts) = desk.view().counts().await else { return false };
        let ended = OrderStatus::ALL.iter().zip(counts.orders);
        ended.clone().all(|(status, count)| status.is_ended() || count == 0)
            && ended.map(|(_, count)| count).sum::<u64>() >= answered.len() as u64
    })
    .await;
    process.stop().unwrap();
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let at = At::given();
    // Nobody takes the charge, so that Order has it in hand for as long as it waits for an answer.
    let patient =
        [("payment.timeout_ms", "60000"), ("sweeper.abort_after_ms", "120000"), ("drain_ms", "60000")];
    let mut order = at.start(&["order"], &patient);
    let item = at.start(&["item"], &[]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("the order is in hand and its charge waits", async || {
        // Before Order has heard of the prices nothing comes of it.
        let _ = tokio::time::timeout(Duration::from_millis(200), desk.place(&place(1))).await;
        let shown = desk.order(&order_id(1)).await;
        shown.is_ok_and(|answer| answer.order.is_some_and(|order| order.status == OrderStatus::Paying))
    })
    .await;
    order.signal("TERM");
    until("it finishes what it has in hand", async || order.said().contains("finishing what is in hand"))
        .await;
    order.signal("INT");
    let (status, took) = order.end().await;
    assert_eq!(status.code(), Some(1), "{}", order.said());
    assert!(took < Duration::from_secs(1), "at once, not after {took:?}");
    assert!(order.said().contains("told to end at once"), "{}", order.said());
    drop(item);
    process.stop().unwrap();
}
