//! A broker that loses what it has confirmed: queues are purged, a policy lets events expire. Every order ends all the same,
//! since whoever owes it something is told again.

use std::time::Duration;

use skstore_domain::ids::ItemId;
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
use skstore_domain::order::awaited;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::{Bus, Subscription};
use skstore_workers::desk::Desk;
use skstore_workers::topology;
use tokio::time::Instant;

use crate::view::{at_rest, audited, delivering, placed};
use crate::workers::{At, Worker, order_id, place, until};

/// The promise: within this after the last loss.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// How long events expire at once: longer than it takes until all have been told.
const POLICY_FOR: Duration = Duration::from_secs(8);
/// Orders of each kind: more than one message takes.
const ORDERS: usize = 20;

fn start(at: &At, service: &str) -> Worker {
    at.start(&[service], &[])
}

fn purge(at: &At, queue: &str) {
    at.vhost.call("DELETE", &format!("/api/queues/{}/{queue}/contents", at.vhost.name), "");
}

async fn order(desk: &Desk, number: usize) -> Order {
    desk.order(&order_id(number)).await.unwrap().order.expect("it was placed")
}

/// Places so many orders, from `first` on, and has each of them paid.
async fn place_all(desk: &Desk, first: usize) {
    for number in first..first + ORDERS {
        placed(desk, number).await;
    }
}

/// Waits until `is_so` of all orders from `first` on, as Order answers.
async fn all_are(desk: &Desk, first: usize, what: &str, is_so: impl Fn(&Order) -> bool) {
    let since = Instant::now();
    for number in first..first + ORDERS {
        until(&format!("order {number} is {what}"), async || is_so(&order(desk, number).await)).await;
    }
    let took = since.elapsed();
    assert!(took <= ENDED_WITHIN, "all are {what} only after {took:?}");
}

#[tokio::test]
async fn orders_end_although_the_broker_has_lost_their_events() {
    let at = At::given();
    let mut item = start(&at, "item");
    let others = [start(&at, "order"), start(&at, "deposit"), start(&at, "myinfo")];
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("prices are known", async || desk.place(&place(999)).await.is_ok_and(|answer| answer.ok)).await;

    // Nobody is there to take the events while they are lost.
    item.signal("TERM");
    item.end().await;
    place_all(&desk, 0).await;
    purge(&at, topology::ITEM_EVENTS);
    let mut item = start(&at, "item");
    all_are(&desk, 0, "delivering", |order| order.status == OrderStatus::Delivering).await;

    // Cancelled, and both who have to undo something never hear of it; then what they say is lost as well.
    item.signal("TERM");
    item.end().await;
    let [order_worker, mut deposit, myinfo] = others;
    deposit.signal("TERM");
    deposit.end().await;
    for number in 0..ORDERS {
        desk.cancel(&order_id(number)).await.unwrap();
    }
    purge(&at, topology::ITEM_EVENTS);
    purge(&at, topology::DEPOSIT_EVENTS);
    let body = r#"{"pattern":"^order\\.events$","definition":{"message-ttl":1},"apply-to":"queues"}"#;
    let policy = format!("/api/policies/{}/short", at.vhost.name);
    at.vhost.call("PUT", &policy, body);
    let again = [start(&at, "item"), start(&at, "deposit")];
    tokio::time::sleep(POLICY_FOR).await;
    at.vhost.call("DELETE", &policy, "");
    all_are(&desk, 0, "undone", |order| {
        order.payment == PaymentStatus::Refunded && order.delivery == DeliveryStatus::Cancelled
    })
    .await;
    assert_eq!(audited(&at, &desk).await, "", "the audit");
    drop((again, order_worker, myinfo));
    process.stop().unwrap();
}

#[tokio::test]
async fn the_view_asks_for_the_events_that_the_broker_has_lost() {
    let at = At::given();
    let others = ["order", "deposit", "item"].map(|service| start(&at, service));
    let mut myinfo = start(&at, "myinfo");
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let before = at_rest(&desk).await;
    place_all(&desk, 0).await;
    until("all orders are shown", async || delivering(&desk).await == ORDERS).await;

    // While it is away; and while it works, over and over.
    myinfo.signal("TERM");
    myinfo.end().await;
    place_all(&desk, ORDERS).await;
    all_are(&desk, ORDERS, "delivering", |order| order.status == OrderStatus::Delivering).await;
    purge(&at, topology::MYINFO_EVENTS);
    let myinfo = start(&at, "myinfo");
    until("what was lost meanwhile is shown", async || delivering(&desk).await == 2 * ORDERS).await;
    myinfo.signal("STOP");
    place_all(&desk, 2 * ORDERS).await;
    purge(&at, topology::MYINFO_EVENTS);
    myinfo.signal("CONT");
    until("what was lost beside it is shown", async || delivering(&desk).await == 3 * ORDERS).await;

    assert_eq!(at_rest(&desk).await, before, "for all that the view was not rebuilt");
    assert_eq!(audited(&at, &desk).await, "", "the audit");
    drop((others, myinfo));
    process.stop().unwrap();
}

#[tokio::test]
async fn an_order_whose_store_is_new_hears_of_the_prices_and_of_those_that_were_lost() {
    let at = At::given();
    let others = ["deposit", "item", "myinfo"].map(|service| start(&at, service));
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("the catalogue is shown", async || {
        desk.view().items(None, 1).await.is_ok_and(|items| !items.is_empty())
    })
    .await;
    purge(&at, topology::ORDER_EVENTS);
    let order = start(&at, "order");
    placed(&desk, 0).await;

    order.signal("STOP");
    at.vhost.call(
        "POST",
        &format!("/api/exchanges/{}/skstore.commands/publish", at.vhost.name),
        r#"{"properties":{},"routing_key":"item.list","payload_encoding":"string",
            "payload":"{\"item_id\":\"10\",\"name\":\"새 이름\",\"unit_price\":777}"}"#,
    );
    let id = ItemId::new("10").unwrap();
    until("Item has another price", async || {
        let answer = desk.item(&id).await;
        answer.is_ok_and(|answer| answer.item.is_some_and(|item| item.unit_price == Won(777)))
    })
    .await;
    purge(&at, topology::ORDER_EVENTS);
    order.signal("CONT");
    let mut number = 0;
    until("the price whose event was lost counts", async || {
        number += 1;
        let answer = desk.place(&place(number)).await;
        answer.is_ok_and(|answer| answer.order.is_some_and(|order| order.unit_price == Won(777)))
    })
    .await;
    drop((others, order));
    process.stop().unwrap();
}

/// Consumes every queue of events beside those whose they are, and acks whatever it is given: half of all events.
async fn take_away(at: &At) -> tokio::task::JoinHandle<()> {
    let bus = Bus::Amqp(AmqpBus::connect(&at.vhost.url).await.unwrap());
    let is_of_events = |name: &str| name.ends_with(".events");
    let queues = topology::queues().into_iter().filter(|queue| is_of_events(&queue.name));
    let subscriptions = queues.map(|queue| Subscription { queue, prefetch: 1 }).collect();
    let mut stranger = bus.consumer(subscriptions).await.unwrap();
    tokio::spawn(async move {
        while let Ok(stolen) = stranger.receive(16).await {
            stolen.into_iter().for_each(|delivery| delivery.unacked.ack());
        }
    })
}

#[tokio::test]
async fn a_stranger_who_takes_half_of_all_events_costs_no_order_anything_and_the_view_nothing() {
    let at = At::given();
    let workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    placed(&desk, 999).await;
    let before = at_rest(&desk).await;
    let stranger = take_away(&at).await;
    for first in (0..5 * ORDERS).step_by(ORDERS) {
        place_all(&desk, first).await;
        for number in (first..first + ORDERS).step_by(3) {
            desk.cancel(&order_id(number)).await.unwrap();
        }
    }
    stranger.abort();
    let since = Instant::now();
    let is_at_rest = |order: &Order| awaited(order).is_none();
    for number in 0..5 * ORDERS {
        until(&format!("order {number} ends"), async || is_at_rest(&order(&desk, number).await)).await;
        let id = order_id(number);
        until(&format!("order {number} is shown as it is"), async || {
            let shown = desk.view().order(&id).await.unwrap().map(|detail| detail.row.order);
            shown.as_ref() == Some(&order(&desk, number).await)
        })
        .await;
    }
    assert!(since.elapsed() <= ENDED_WITHIN, "all is well only after {:?}", since.elapsed());
    assert_eq!(at_rest(&desk).await, before, "for all that the view was not rebuilt");
    assert_eq!(audited(&at, &desk).await, "", "the audit");
    drop(workers);
    process.stop().unwrap();
}
