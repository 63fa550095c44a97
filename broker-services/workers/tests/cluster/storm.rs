//! The storm: the broker killed and restarted, Redis flushed, each worker killed, all at random moments, while 64
//! clients place 5,000 orders.
//!
//! `SKSTORE_STORM_SEED` repeats a run, as far as threads and processes let it.

#![expect(clippy::print_stderr, reason = "the seed and what came of it")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::json;
use skstore_domain::signals::Service;
use tokio::sync::Semaphore;

use super::audited;
use super::books::Books;
use super::buyers::{Buyer, code, place};
use super::servers::{Rabbit, Redis};
use super::workers::{At, LOOK_EVERY, PATIENCE, Workers};
use super::{APPLE, APPLES, alone, run};

/// The promise: back to work so soon after a lost part accepts connections again.
pub(crate) const BACK_WITHIN: Duration = Duration::from_secs(6);
const ORDERS: usize = 5_000;
const CLIENTS: usize = 64;
/// Every so many orders one is cancelled again.
const CANCEL_EVERY: usize = 7;
/// How long a part is away at most, beside what a broker takes to start.
const LONGEST_OUTAGE_MILLIS: u64 = 500;

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Kill(Service),
    KillBroker,
    FlushView,
}

const BLOWS: [Blow; 6] = [
    Blow::Kill(Service::Order),
    Blow::Kill(Service::Deposit),
    Blow::Kill(Service::Item),
    Blow::Kill(Service::MyInfo),
    Blow::KillBroker,
    Blow::FlushView,
];

/// Orders as they are placed: each blow lets some more go, so that all fall amid of orders.
struct Traffic {
    at: At,
    begun: AtomicUsize,
    allowed: Semaphore,
}

impl Traffic {
    fn id(order: usize) -> String {
        format!("storm-{order}")
    }

    async fn buy(&self) {
        let mut buyer = Buyer::new(&self.at.bus);
        while let Ok(permit) = self.allowed.acquire().await {
            permit.forget();
            let order = self.begun.fetch_add(1, Ordering::Relaxed);
            let id = Self::id(order);
            buyer.insist("order.place", &place(&id, APPLE)).await;
            if order.is_multiple_of(CANCEL_EVERY) {
                buyer.ask_on("order.cancel", &json!({ "order_id": id })).await;
            }
        }
    }
}

/// Lets nobody begin another order, also when the test fails.
struct EndOfTraffic<'a>(&'a Semaphore);

impl Drop for EndOfTraffic<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn five_thousand_orders_end_and_the_books_are_right_whatever_is_killed_meanwhile() {
    let seed = std::env::var("SKSTORE_STORM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("SKSTORE_STORM_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let _alone = alone();
    let (mut rabbit, redis) = (Rabbit::start().expect("RabbitMQ"), Redis::start().expect("Redis"));
    let mut workers = Workers::start(At::private(&rabbit, &redis), &[]);
    let at = workers.at.clone();
    let traffic = Traffic { at: at.clone(), begun: AtomicUsize::new(0), allowed: Semaphore::new(0) };
    let mut probes = Vec::new();
    thread::scope(|scope| {
        let buying = scope.spawn(|| {
            run(async {
                join_all((0..CLIENTS).map(|_| traffic.buy())).await;
            });
        });
        let end = EndOfTraffic(&traffic.allowed);
        let mut blows = BLOWS;
        rng.shuffle(&mut blows);
        // One more part, in which nothing happens any more.
        let part = ORDERS / (blows.len() + 1);
        for blow in blows {
            let moment = traffic.begun.load(Ordering::Relaxed) + rng.usize(..part / 2);
            traffic.allowed.add_permits(part);
            wait_for(&format!("{moment} orders"), || traffic.begun.load(Ordering::Relaxed) >= moment);
            strike(blow, &mut rng, &mut rabbit, &mut workers);
            let back = until_back(&at, &mut probes);
            eprintln!("{blow:?} at order {moment}: back at work after {back:?}");
            assert!(back <= BACK_WITHIN, "{blow:?}: back at work only after {back:?}, seed {seed}");
        }
        traffic.allowed.add_permits(ORDERS - part * BLOWS.len());
        wait_for("all orders", || traffic.begun.load(Ordering::Relaxed) >= ORDERS);
        drop(end);
        buying.join().expect("every order is answered");
    });
    run(async {
        let ids: Vec<String> = (0..ORDERS).map(Traffic::id).chain(probes).collect();
        let books = Books::close(&at, &ids, APPLE, APPLES).await;
        let (delivering, cancelled) = (books.count("delivering"), books.count("cancelled"));
        eprintln!("{delivering} delivering, {cancelled} cancelled, {} rejected", books.count("rejected"));
        assert!(delivering > ORDERS / 2 && cancelled >= ORDERS / CANCEL_EVERY / 2, "seed {seed}");
        let audited = audited::holds(&workers).await;
        let known = u64::try_from(books.orders.len()).expect("a few thousand");
        // With those that were cancelled before they were placed.
        assert!(audited.orders >= known && audited.shown > known, "{audited:?}, seed {seed}");
    });
    workers.assert_none_has_ended();
    let parked = rabbit.ctl(&["-q", "list_queues", "name", "messages"]).expect("rabbitmqctl");
    let nothing_parked = parked.lines().any(|line| line.split_whitespace().eq(["skstore.dead", "0"]));
    assert!(nothing_parked, "every message made sense, seed {seed}: {parked}");
}

/// Takes a part away and gives it back. Returns when it accepts connections again, or is started again.
#[expect(clippy::disallowed_methods, reason = "a part is away for some time")]
fn strike(blow: Blow, rng: &mut Rng, rabbit: &mut Rabbit, workers: &mut Workers) {
    let outage = Duration::from_millis(rng.u64(..LONGEST_OUTAGE_MILLIS));
    match blow {
        Blow::Kill(service) => {
            workers.end(service, "KILL");
            thread::sleep(outage);
            workers.start_one(service);
        }
        Blow::KillBroker => {
            rabbit.kill();
            thread::sleep(outage);
            rabbit.restart().expect("RabbitMQ starts again");
        }
        Blow::FlushView => drop(workers.at.redis_cli(&["flushall"])),
    }
}

/// Places fresh orders until one is accepted, and seen delivering along with the very first of all. How long it took.
#[expect(clippy::disallowed_methods, reason = "it is outside of any runtime, and measures")]
fn until_back(at: &At, probes: &mut Vec<String>) -> Duration {
    let started = Instant::now();
    let mut accepted = None;
    run(async {
        let mut buyer = Buyer::impatient(&at.bus);
        while accepted.is_none() && started.elapsed() < PATIENCE {
            let id = format!("probe-{}", probes.len());
            let answer = buyer.ask("order.place", &place(&id, APPLE)).await;
            probes.push(id.clone());
            accepted = answer.filter(|answer| code(answer) == "ok").map(|_| id);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    let id = accepted.expect("an order is accepted again");
    for (id, statuses) in [
        (id, &["delivering"] as &[&str]),
        (Traffic::id(0), &["delivering", "cancelled", "rejected"] as &[&str]),
    ] {
        wait_for(&format!("{id} is seen"), || {
            let shown = at.redis_cli(&["hget", &format!("myinfo:order:{id}"), "status"]).concat();
            statuses.contains(&shown.as_str())
        });
    }
    started.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "it is outside of any runtime, and waits for processes")]
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(LOOK_EVERY);
    }
}
