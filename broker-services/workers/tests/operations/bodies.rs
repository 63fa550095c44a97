//! What lies in its queues, of whatever size, neither kills a worker nor stops it.

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use skstore_workers::bus::QueueDepth;
use skstore_workers::desk::Desk;
use skstore_workers::topology::{COMMANDS, DEAD, ORDER_COMMANDS};
use tokio::time::{Instant, interval};

use crate::workers::{At, place};

const MIB: usize = 1024 * 1024;
/// The promise.
const MAX_BYTES: usize = 256 * MIB;
/// What lies in a queue: how many, and of which size each. The last is as long as a broker lets any be.
const BODIES: &[(usize, usize)] = &[(100, 8 * MIB), (30, 50 * MIB), (2, 127 * MIB)];
/// How long all of it may take to get through a broker: it is gigabytes, written to disk, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let (since, mut look) = (Instant::now(), interval(Duration::from_millis(100)));
    while !condition().await {
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        look.tick().await;
    }
}

/// Orders that are far too long. Every other one says where to tell, so that it need not be parked.
async fn fill(at: &At, count: usize, bytes: usize) -> usize {
    let connection = Connection::connect(&at.vhost.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut body = br#"{"item_id":"10"}"#.to_vec();
    body.resize(bytes, b' ');
    for number in 0..count {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let properties = if number % 2 == 0 { properties } else { properties.with_reply_to("nobody".into()) };
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(COMMANDS.into(), "order.place".into(), options, &body, properties);
        assert!(sent.await.unwrap().await.unwrap().is_ack(), "{number} of {bytes} bytes");
    }
    connection.close(200, "OK".into()).await.unwrap();
    count.div_ceil(2)
}

async fn ready(desk: &Desk, queue: &str) -> Option<QueueDepth> {
    desk.queues().await.ok()?.into_iter().find(|depth| &*depth.name == queue)
}

#[tokio::test]
async fn a_worker_gets_through_bodies_beyond_measure_and_stays_within_its_memory() {
    let at = At::given();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let mut parked = 0;
    for (count, bytes) in BODIES {
        parked += fill(&at, *count, *bytes).await;
    }
    let order = at.start(&["order"], &[]);
    let _others = at.start(&["deposit", "item", "myinfo"], &[]);
    until("the queue is empty", async || {
        ready(&desk, ORDER_COMMANDS).await.is_some_and(|depth| depth.ready == 0)
    })
    .await;
    until("orders are accepted", async || desk.place(&place(0)).await.is_ok_and(|answer| answer.ok)).await;
    until("the rest is parked", async || ready(&desk, DEAD).await.is_some_and(|depth| depth.ready == parked))
        .await;
    assert!(order.peak_bytes() < MAX_BYTES, "it had {} MiB", order.peak_bytes() / MIB);

    let page = desk.dead_letters(parked).await.unwrap();
    assert_eq!(page.total, parked);
    for letter in &page.letters {
        assert!(letter.reason.contains("65536 bytes") && letter.is_cut, "{}", letter.reason);
        assert_eq!((&*letter.queue, &*letter.routing_key), (ORDER_COMMANDS, "order.place"));
        assert!(letter.body.len() < MIB && letter.body.starts_with(br#"{"item_id":"10"}"#));
    }
    process.stop().unwrap();
}
