//! Connections that end here, and stand as far as the broker can tell.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::{Bus, BusError, Subscription};
use skstore_workers::desk::Desk;
use skstore_workers::topology;
use tokio::time::{Instant, interval, timeout};

use crate::proxy::Proxy;
use crate::vhost;
use crate::workers::{At, PATIENCE, place, until};

/// The promise: back at work so soon.
const BACK_WITHIN: Duration = Duration::from_secs(6);
/// Until a broker has missed three heartbeats and lets go of what the connection had alone, and a second more.
const LET_GO_WITHIN: Duration = Duration::from_secs(7);

fn by(url: &str, proxy: &Proxy) -> String {
    url.replace(url.split(['@', '/']).nth(3).unwrap(), &proxy.at())
}

async fn in_front_of(url: &str) -> Proxy {
    Proxy::start("127.0.0.1:0", url.split(['@', '/']).nth(3).unwrap()).await
}

/// Whether an order is taken, with its number.
async fn is_taken(desk: Desk, order: usize) -> (usize, bool) {
    (order, desk.place(&place(order)).await.is_ok_and(|answer| answer.ok))
}

#[tokio::test]
async fn orders_are_taken_again_soon_after_a_cut_that_the_broker_does_not_notice() {
    let at = At::given();
    let proxy = in_front_of(&at.vhost.url).await;
    let worker =
        at.start(&["order", "deposit", "item", "myinfo"], &[("bus.url", &by(&at.vhost.url, &proxy))]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("an order is accepted", async || desk.place(&place(1)).await.is_ok_and(|answer| answer.ok)).await;

    proxy.cut_this_side();
    let cut = Instant::now();
    // The broker still hands some to those who are gone, so no single order tells.
    let (mut asked, mut every) = (FuturesUnordered::new(), interval(Duration::from_millis(100)));
    let mut next = 2;
    let taken = loop {
        tokio::select! {
            biased;
            Some((order, is_taken)) = asked.next() => {
                if is_taken {
                    break order;
                }
            }
            _ = every.tick() => {
                asked.push(is_taken(desk.clone(), next));
                next += 1;
            }
        }
        assert!(cut.elapsed() < PATIENCE, "no order was taken: {}", worker.said());
    };
    let took = cut.elapsed();
    assert!(
        took < BACK_WITHIN,
        "order {taken} was the first to be taken, after {took:?}:\n{}",
        worker.said()
    );
    drop(asked);
    // What the broker held back for those who are gone comes again.
    for order in 2..next {
        let again = place(order);
        until(&format!("order {order} has ended"), async || {
            timeout(BACK_WITHIN, desk.order(again.order_id.as_ref().unwrap())).await.is_ok_and(|answer| {
                answer.is_ok_and(|answer| answer.order.is_some_and(|order| order.status.word() != "paying"))
            })
        })
        .await;
    }
    process.stop().unwrap();
}

#[tokio::test]
async fn what_only_one_may_have_can_be_had_again_soon_after_such_a_cut() {
    let vhost = vhost::empty();
    let proxy = in_front_of(&vhost.url).await;
    let bus = Bus::Amqp(AmqpBus::connect(&by(&vhost.url, &proxy)).await.unwrap());
    let roles = || {
        [topology::rebuild(), topology::operator()].map(|queue| Subscription { queue, prefetch: 1 }).to_vec()
    };
    let mut had = bus.consumer(roles()).await.unwrap();
    proxy.cut_this_side();
    let cut = Instant::now();
    had.receive(1).await.unwrap_err();
    drop(had);
    until("both can be had again", async || match bus.consumer(roles()).await {
        Ok(_) => true,
        Err(BusError::Occupied(_) | BusError::Lost(_)) => false,
        Err(BusError::Topology(why)) => panic!("{why}"),
    })
    .await;
    assert!(cut.elapsed() < LET_GO_WITHIN, "only after {:?}", cut.elapsed());
}
