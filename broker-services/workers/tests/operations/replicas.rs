//! Several processes of one service, side by side on one store.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::ids::Customer;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;
use skstore_workers::desk::Desk;
use skstore_workers::view::OrderFilter;
use tokio::time::Instant;

use crate::workers::{At, Worker, order_id, place, until};

/// The promise: another process relays so soon after the one that did was killed.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(2);
/// Processes of each service.
const REPLICAS: usize = 2;
/// Buyers who place orders all the time.
const BUYERS: usize = 8;
/// Orders that are placed between one kill and the next.
const ORDERS_BETWEEN_KILLS: usize = 100;
/// More orders than any machine places meanwhile.
const EVERYTHING: usize = 1_000_000;

/// The instance that relays the events of a service's store, as the store has it.
fn relaying(at: &At, service: Service) -> Option<String> {
    let store = rusqlite::Connection::open(at.data.path().join(format!("{service}.db"))).ok()?;
    store.busy_timeout(Duration::from_secs(1)).ok()?;
    let sql = "SELECT value ->> 'holder' FROM meta WHERE key = 'relay_lease'";
    store.query_row(sql, [], |row| row.get(0)).ok()
}

/// The process that relays for `service`, and the name that it has there.
fn the_one_that_relays(at: &At, service: Service, workers: &mut Vec<Worker>) -> (Worker, String) {
    let holder = relaying(at, service).expect("somebody relays");
    let which = workers.iter().position(|worker| worker.said().contains(&holder));
    (workers.remove(which.expect("it has said who it is")), holder)
}

async fn another_takes_over(at: &At, service: Service, holder: &str) {
    let since = Instant::now();
    until("another process relays", async || {
        relaying(at, service).is_some_and(|successor| successor != *holder)
    })
    .await;
    let took = since.elapsed();
    assert!(took <= TAKEN_OVER_WITHIN, "{service}: another process relays only after {took:?}");
}

/// Kills it, sees that another one takes over soon, and replaces it.
async fn kill_the_one_that_relays(at: &At, service: Service, workers: &mut Vec<Worker>) {
    let (worker, holder) = the_one_that_relays(at, service, workers);
    worker.kill();
    another_takes_over(at, service, &holder).await;
    workers.push(at.start(&[service.word()], &[]));
}

/// Has it stand still, and go on once another one has taken over. While it has nothing to do: in the midst of a commit it
/// would keep the file locked, and SQLite lets nobody else write then.
async fn pause_the_one_that_relays(at: &At, service: Service, workers: &mut Vec<Worker>) {
    let (worker, holder) = the_one_that_relays(at, service, workers);
    worker.signal("STOP");
    another_takes_over(at, service, &holder).await;
    worker.signal("CONT");
    until("it leaves that to the other", async || {
        worker.said().contains("another process relays the events")
    })
    .await;
    workers.push(worker);
}

async fn shown(desk: &Desk, order: usize) -> Option<OrderStatus> {
    let detail = desk.view().order(&order_id(order)).await.ok().flatten();
    detail.map(|detail| detail.row.order.status)
}

async fn balance(desk: &Desk) -> Option<i64> {
    let answer = desk.account(&Customer::new("kim").unwrap()).await.ok()?;
    answer.account.map(|account| account.balance.0)
}

#[tokio::test]
async fn two_of_each_worker_are_as_one_whichever_of_them_are_killed_or_hang() {
    let at = At::given();
    let replicas = |service: &Service| (0..REPLICAS).map(|_| at.start(&[service.word()], &[])).collect();
    let mut workers: BTreeMap<Service, Vec<Worker>> =
        Service::ALL.iter().map(|service| (*service, replicas(service))).collect();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("orders are accepted", async || desk.place(&place(0)).await.is_ok_and(|answer| answer.ok)).await;
    until("the first is delivered", async || shown(&desk, 0).await == Some(OrderStatus::Delivering)).await;
    let before = balance(&desk).await.unwrap();
    // The first order is paid; all later ones are counted from here.
    let unit = desk.order(&order_id(0)).await.unwrap().order.unwrap().amount.0;

    let (next, killed) = (Cell::new(1), Cell::new(false));
    let buy = async |_| {
        let mut promised = Vec::new();
        let mut last = false;
        while !last {
            last = killed.get();
            let order = next.replace(next.get() + 1);
            if desk.place(&place(order)).await.is_ok_and(|answer| answer.ok) {
                promised.push(order);
            }
        }
        promised
    };
    let killing = async {
        for (service, workers) in &mut workers {
            let from = next.get();
            until("more orders come in", async || next.get() > from + ORDERS_BETWEEN_KILLS).await;
            if *service == Service::MyInfo {
                workers.remove(0).kill();
                workers.push(at.start(&[service.word()], &[]));
            } else {
                kill_the_one_that_relays(&at, *service, workers).await;
            }
        }
        killed.set(true);
    };
    let (promised, ()) = tokio::join!(futures_util::future::join_all((0..BUYERS).map(buy)), killing);
    let promised: Vec<usize> = promised.into_iter().flatten().collect();
    assert!(promised.len() > ORDERS_BETWEEN_KILLS, "only {} of {} accepted", promised.len(), next.get());

    until("every order has ended", async || {
        let Ok(counts) = desk.view().counts().await else { return false };
        OrderStatus::ALL.iter().zip(counts.orders).all(|(status, count)| status.is_ended() || count == 0)
    })
    .await;
    for order in promised {
        until("a promised order is delivered", async || {
            shown(&desk, order).await == Some(OrderStatus::Delivering)
        })
        .await;
    }
    until("the books are right", async || {
        let filter = OrderFilter { status: Some(OrderStatus::Delivering), ..OrderFilter::default() };
        let Ok(page) = desk.view().orders(&filter, None, EVERYTHING).await else { return false };
        let paid: i64 = page.rows.iter().map(|row| row.order.amount.0).sum();
        balance(&desk).await == Some(before + unit - paid)
    })
    .await;
    for service in [Service::Order, Service::Deposit, Service::Item] {
        let worked = async || {
            let health = desk.view().health().await.ok()?;
            Some(health.services.iter().filter(|beat| beat.service == service && beat.handled > 0).count())
        };
        until("both have done their share", async || worked().await >= Some(REPLICAS)).await;
    }
    for (service, workers) in workers.iter_mut().filter(|(service, _)| **service != Service::MyInfo) {
        pause_the_one_that_relays(&at, *service, workers).await;
    }
    let last = next.get();
    until("orders are accepted", async || desk.place(&place(last)).await.is_ok_and(|answer| answer.ok)).await;
    until("it is delivered", async || shown(&desk, last).await == Some(OrderStatus::Delivering)).await;
    process.stop().unwrap();
}
