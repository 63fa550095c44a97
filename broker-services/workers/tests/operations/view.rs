//! The view never loses what is there: services that stand still while it is rebuilt, and what others write into its Redis.

use std::time::Duration;

use skstore_domain::objects::OrderStatus;
use skstore_workers::audit::{self, Sources, Traffic};
use skstore_workers::clock::Clock;
use skstore_workers::desk::Desk;
use skstore_workers::view::OrderFilter;
use tokio::time::Instant;

use crate::workers::{At, Worker, place, until};

/// A service that stands still for so long is asked several times for the same page of its log.
const STANDS_STILL: Duration = Duration::from_secs(7);
/// Differences that last so long are none that a message will mend.
const AUDIT_WAITS: Duration = Duration::from_secs(1);
/// More orders than are placed here.
const EVERYTHING: usize = 1000;

/// Orders that the view shows as on their way.
pub(crate) async fn delivering(desk: &Desk) -> usize {
    let filter = OrderFilter { status: Some(OrderStatus::Delivering), ..OrderFilter::default() };
    desk.view().orders(&filter, None, EVERYTHING).await.map_or(0, |page| page.rows.len())
}

pub(crate) async fn placed(desk: &Desk, order: usize) {
    until(&format!("order {order} is taken"), async || {
        desk.place(&place(order)).await.is_ok_and(|answer| answer.ok)
    })
    .await;
}

async fn place_all(desk: &Desk, orders: std::ops::Range<usize>) {
    let all = orders.end;
    for order in orders {
        placed(desk, order).await;
    }
    until("all orders are delivered", async || delivering(desk).await == all).await;
}

/// The number of the last rebuild, once none runs.
pub(crate) async fn at_rest(desk: &Desk) -> u64 {
    let mut last = 0;
    until("no rebuild runs", async || {
        let rebuilds = desk.view().rebuilds().await.unwrap_or_default();
        last = rebuilds.last;
        last > 0 && !rebuilds.is_running
    })
    .await;
    last
}

async fn rebuild(desk: &Desk) {
    let before = desk.view().rebuilds().await.unwrap_or_default().last;
    desk.rebuild_view().await.unwrap();
    until("the view was rebuilt", async || {
        let now = desk.view().rebuilds().await.unwrap_or_default();
        now.last > before && !now.is_running
    })
    .await;
}

/// What the audit finds.
pub(crate) async fn audited(at: &At, desk: &Desk) -> String {
    let sources = Sources::of(&at.config(), Some(desk.view().clone()), AUDIT_WAITS, Clock::System.now());
    let mut found = Vec::new();
    audit::run(&sources, async || Traffic::default(), |finding| found.push(finding.message.clone()))
        .await
        .unwrap();
    found.join("; ")
}

async fn stand_still(worker: &Worker) {
    worker.signal("STOP");
    let since = Instant::now();
    until("it has stood still for long", async || since.elapsed() >= STANDS_STILL).await;
    worker.signal("CONT");
}

#[tokio::test]
async fn a_service_that_stands_still_during_a_rebuild_costs_the_view_nothing_in_the_next() {
    let at = At::given();
    let workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    place_all(&desk, 0..5).await;
    let order = &workers[0];
    let before = at_rest(&desk).await;
    desk.rebuild_view().await.unwrap();
    stand_still(order).await;
    until("that rebuild has begun", async || desk.view().rebuilds().await.unwrap_or_default().last > before)
        .await;
    at_rest(&desk).await;
    place_all(&desk, 5..25).await;
    rebuild(&desk).await;
    assert_eq!(delivering(&desk).await, 25, "orders that were placed between two rebuilds");
}

#[tokio::test]
async fn a_view_that_began_without_its_services_is_whole_after_it_was_lost() {
    let at = At::given();
    let _myinfo = at.start(&["myinfo"], &[]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("a rebuild waits for the services", async || {
        desk.view().rebuilds().await.is_ok_and(|rebuilds| rebuilds.is_running)
    })
    .await;
    let since = Instant::now();
    until("it has asked them several times", async || since.elapsed() >= STANDS_STILL).await;
    let _others = ["order", "deposit", "item"].map(|service| at.start(&[service], &[]));
    at_rest(&desk).await;
    place_all(&desk, 0..20).await;
    at.redis(&["flushdb"]);
    until("all orders are shown again", async || delivering(&desk).await == 20).await;
    at_rest(&desk).await;
    assert_eq!(delivering(&desk).await, 20, "at the end of the rebuild");
}

#[tokio::test]
async fn what_others_wrote_into_the_view_is_named_and_replaced_when_a_rebuild_is_asked_for() {
    let at = At::given();
    let _workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    place_all(&desk, 0..3).await;
    let counts = desk.view().counts().await.unwrap();
    let mut orders = 3;
    for key in ["myinfo:counts", "myinfo:changes", "myinfo:orders", "myinfo:epoch"] {
        at.redis(&["del", key]);
        at.redis(&["set", key, "junk"]);
        placed(&desk, orders).await;
        orders += 1;
        until(&format!("its health names {key}"), async || {
            at.health(&["myinfo"])
                .is_err_and(|said| said.contains(&format!("'{key}'")) && said.contains("view rebuild"))
        })
        .await;
        rebuild(&desk).await;
        until("all orders are shown", async || delivering(&desk).await == orders).await;
        until("it is well again", async || at.health(&["myinfo"]).is_ok()).await;
    }
    at.redis(&["hset", "myinfo:order:order-1", "revision", "18446744073709551615", "status", "cancelled"]);
    at.redis(&["hset", "myinfo:counts", "balances", "1", "accounts", "77"]);
    let found = audited(&at, &desk).await;
    assert!(found.contains("it counts 77 accounts and has"), "the audit found {found:?}");
    assert!(found.contains("it counts 1 won in all accounts"), "the audit found {found:?}");
    rebuild(&desk).await;
    assert_eq!(audited(&at, &desk).await, "");
    assert_eq!(delivering(&desk).await, orders, "a revision that no log has");
    let now = desk.view().counts().await.unwrap();
    assert_eq!((now.accounts, now.orders[2]), (counts.accounts, orders as u64));
    let spent = 1_000 * (i64::try_from(orders).unwrap() - 3);
    assert_eq!(now.balances.0, counts.balances.0 - spent, "an order costs 1,000 won");
}

#[tokio::test]
async fn an_operator_is_heard_while_a_rebuild_waits_and_somebody_stands_in_its_way() {
    let at = At::given();
    let workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    placed(&desk, 0).await;
    let item = &workers[2];
    item.signal("STOP");
    at.redis(&["del", "myinfo:epoch"]);
    until("a rebuild waits for Item", async || {
        desk.view().rebuilds().await.is_ok_and(|rebuilds| rebuilds.is_running)
    })
    .await;
    at.redis(&["set", "myinfo:epoch", "junk"]);
    placed(&desk, 1).await;
    until("its health names the key", async || {
        at.health(&["myinfo"]).is_err_and(|said| said.contains("'myinfo:epoch'"))
    })
    .await;
    item.signal("CONT");
    rebuild(&desk).await;
    until("both orders are shown", async || delivering(&desk).await == 2).await;
    process.stop().unwrap();
}
