//! One percent of all that the broker delivers to the workers is stolen on its way: commands, charges, replies, events,
//! heartbeats, pages. No order is lost, none counts twice, and not a won is missing.
//!
//! `SKSTORE_THEFT_SEED` repeats a run, as far as threads and processes let it; `SKSTORE_THEFT_ORDERS` has it be a longer one.

#![expect(clippy::print_stderr, reason = "the seed and what came of it")]

use skstore_domain::objects::OrderStatus;
use skstore_workers::view::View;
use skstore_workers::view::redis::RedisView;
use tokio::time::Instant;

use super::audited;
use super::books::{Books, RECOVERS_WITHIN};
use super::buyers::until;
use super::thief::Thief;
use super::traffic::Traffic;
use super::vhost;
use super::workers::{At, Workers};
use super::{APPLE, APPLES, among_others, run};

const ORDERS: usize = 1_000;
/// One of so many deliveries is stolen.
const ONE_OF: u32 = 100;

#[test]
fn no_order_needs_a_message_that_is_stolen_on_its_way_to_a_worker() {
    let given = |name: &str| std::env::var(name).ok();
    let orders = given("SKSTORE_THEFT_ORDERS").and_then(|orders| orders.parse().ok()).unwrap_or(ORDERS);
    let seed = given("SKSTORE_THEFT_SEED").and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("SKSTORE_THEFT_SEED={seed}");
    let _others = among_others();
    let vhost = vhost::empty();
    let at = At::on(&vhost);
    let broker_port = port(&at.bus);
    let thief = Thief::before(broker_port, ONE_OF, seed);
    let behind = at.bus.replace(&format!(":{broker_port}/"), &format!(":{}/", thief.port()));
    let mut workers = Workers::start(At { bus: behind, ..at.clone() }, &[]);
    workers.at = at;
    let started = Instant::now();
    let ids = Traffic::of(&workers.at, "stolen", orders).whole();
    let since = Instant::now();
    eprintln!("{} orders are answered after {:?}", ids.len(), started.elapsed());
    run(async {
        all_end(&workers.at, orders).await;
        eprintln!("all are delivering, cancelled or rejected {:?} later", since.elapsed());
        thief.retire();
        let (books, [ended, shown]) =
            Books::close_after_losses(&workers.at, &ids, APPLE, APPLES, since).await;
        assert_eq!(books.orders.len(), orders, "an order was lost, seed {seed}");
        let (delivering, cancelled) = (books.count("delivering"), books.count("cancelled"));
        let rejected = books.count("rejected");
        eprintln!("{delivering} delivering, {cancelled} cancelled, {rejected} rejected");
        eprintln!("all ended {ended:?} after the last was placed, and shown so after {shown:?}");
        assert!(delivering > 0 && cancelled > 0, "seed {seed}");
        let audited = audited::holds_after_losses(&workers, since).await;
        eprintln!("the audit is clean {:?} after the last was placed", since.elapsed());
        assert!(audited.orders >= orders as u64, "{audited:?}, seed {seed}");
    });
    assert!(stolen(&thief) > 0, "nothing was stolen, seed {seed}");
    workers.assert_none_has_ended();
}

/// How many messages were.
fn stolen(thief: &Thief) -> usize {
    let seen = thief.seen();
    let delivered: usize = seen.values().map(|queue| queue.delivered).sum();
    let stolen = seen.values().map(|queue| queue.stolen).sum();
    eprintln!("{stolen} of {delivered} deliveries were stolen: {seen:?}");
    stolen
}

fn port(url: &str) -> u16 {
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next());
    port.and_then(|port| port.parse().ok()).expect("a URL with a port")
}

/// Waits until the view shows so many orders and none that goes on, while the thief goes on.
async fn all_end(at: &At, orders: usize) {
    let view = View::Redis(RedisView::new(&at.view, orders + 1).expect("a URL"));
    let goes_on = |status: OrderStatus| matches!(status, OrderStatus::Paying | OrderStatus::Placed);
    until(&format!("every order ends within {RECOVERS_WITHIN:?}"), async || {
        let counts = view.counts().await.unwrap_or_default().orders;
        let open = OrderStatus::ALL.iter().zip(counts).filter(|(status, _)| goes_on(**status));
        counts.iter().sum::<u64>() == orders as u64 && open.map(|(_, count)| count).sum::<u64>() == 0
    })
    .await;
}
