//! Order, Deposit and Item on a PostgreSQL, with several replicas of each: whatever is killed, paused or cut off amid
//! 64 clients, every order ends and the books are right.
//!
//! `SKSTORE_POSTGRES_ORDERS` is for more orders than the tests have time for.

#![expect(clippy::print_stderr, reason = "what came of it")]

use std::time::Duration;

use skstore_domain::signals::Service;

use super::audited;
use super::books::Books;
use super::buyers::{Buyer, code, place};
use super::servers::Postgres;
use super::traffic::Traffic;
use super::workers::{At, Workers};
use super::{APPLE, APPLES, UNHURRIED, alone, among_others, run};

const ORDERS: usize = 3_000;
/// Whose stores are there.
const STORED: [Service; 3] = [Service::Order, Service::Deposit, Service::Item];
/// Longer than the server lets somebody stand still with others' rows in his hand.
const PAUSE: Duration = Duration::from_secs(7);

/// What happens, one after the other.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Kill(Service),
    /// A worker stands still, perhaps amid a transaction.
    Pause(Service),
    /// The server ends all connections.
    EndConnections,
    /// The server ends without a goodbye, as with `pg_ctl stop -m immediate`.
    ShutDownAtOnce,
    /// The server's first process is killed.
    KillServer,
}

const BLOWS: [Blow; 8] = [
    Blow::Kill(Service::Order),
    Blow::EndConnections,
    Blow::Kill(Service::Deposit),
    Blow::Pause(Service::Deposit),
    Blow::ShutDownAtOnce,
    Blow::Kill(Service::Item),
    Blow::Pause(Service::Order),
    Blow::KillServer,
];

impl Blow {
    #[expect(clippy::disallowed_methods, reason = "a worker stands still for some time")]
    fn strike(self, workers: &mut Workers, postgres: &mut Postgres) {
        match self {
            Self::Kill(service) => {
                workers.end(service, "KILL");
                workers.start_one(service);
            }
            Self::Pause(service) => {
                workers.signal(service, "STOP");
                std::thread::sleep(PAUSE);
                workers.signal(service, "CONT");
            }
            Self::EndConnections => {
                let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE application_name = 'skstore'";
                let ended = postgres.sql(all).expect("a server");
                eprintln!("{} connections ended", ended.trim());
            }
            Self::ShutDownAtOnce => {
                postgres.shut_down_at_once();
                postgres.restart().expect("PostgreSQL");
            }
            Self::KillServer => {
                postgres.kill();
                postgres.restart().expect("PostgreSQL");
            }
        }
    }
}

/// All of them at `url`, with `replicas` of each that has a store there.
fn start(url: &str, replicas: usize) -> Workers {
    let stores = STORED.map(|service| (format!("{service}.store.url"), format!("{url}?schema={service}")));
    let stores = stores.iter().map(|(key, url)| (key.as_str(), url.as_str()));
    let settings: Vec<(&str, &str)> = stores.chain(UNHURRIED.iter().copied()).collect();
    let mut workers = Workers::start(At::given(), &settings);
    for service in STORED {
        (1..replicas).for_each(|_| workers.start_one(service));
    }
    workers.wait_until("all replicas are at work", |workers| {
        workers.at.redis_cli(&["keys", "myinfo:service:*"]).len() == STORED.len() * replicas + 1
    });
    workers
}

fn orders() -> usize {
    std::env::var("SKSTORE_POSTGRES_ORDERS").ok().and_then(|orders| orders.parse().ok()).unwrap_or(ORDERS)
}

fn survive(replicas: usize, blows: &[Blow]) {
    let _alone = alone();
    let mut postgres = Postgres::start().expect("PostgreSQL");
    let mut workers = start(&postgres.url(), replicas);
    let traffic = Traffic::start(&workers.at, "stored");
    for blow in blows {
        traffic.goes_on();
        eprintln!("{blow:?}");
        blow.strike(&mut workers, &mut postgres);
    }
    traffic.has_begun(orders());
    nothing_is_lost(traffic, &mut workers);
}

fn nothing_is_lost(traffic: Traffic, workers: &mut Workers) {
    let ids = traffic.end();
    run(async {
        let books = Books::close(&workers.at, &ids, APPLE, APPLES).await;
        let (delivering, cancelled) = (books.count("delivering"), books.count("cancelled"));
        eprintln!("{delivering} delivering, {cancelled} cancelled, {} rejected", books.count("rejected"));
        assert!(delivering > ids.len() / 2, "of {} orders {delivering} are delivered", ids.len());
        audited::holds(workers).await;
    });
    workers.assert_none_has_ended();
}

#[test]
fn a_standby_that_takes_the_place_of_its_primary_has_every_order() {
    let _alone = alone();
    let mut primary = Postgres::start().expect("PostgreSQL");
    let standby = primary.standby().expect("a standby");
    let mut workers = start(&primary.url_with(&standby), 2);
    let traffic = Traffic::start(&workers.at, "stored");
    traffic.goes_on();
    primary.kill();
    standby.promote().expect("it takes over");
    traffic.goes_on();
    nothing_is_lost(traffic, &mut workers);
}

#[test]
fn two_replicas_of_each_lose_no_order_to_kills_pauses_and_a_server_that_goes_away() {
    survive(2, &BLOWS);
}

#[test]
fn four_replicas_of_each_lose_no_order_when_workers_and_connections_are_ended() {
    survive(4, &[Blow::Kill(Service::Deposit), Blow::EndConnections, Blow::Kill(Service::Order)]);
}

#[test]
fn the_last_units_go_to_somebody_and_nobody_waits_for_ever_with_four_replicas() {
    /// What the catalogue has twelve of.
    const SCARCE: &str = "41";
    const SCARCE_STOCK: i64 = 12;
    const BUYERS: usize = 64;
    let _others = among_others();
    let postgres = Postgres::start().expect("PostgreSQL");
    let workers = start(&postgres.url(), 4);
    run(async {
        let ids: Vec<String> = (0..BUYERS).map(|buyer| format!("scarce-{buyer}")).collect();
        let mut buyers: Vec<Buyer> = ids.iter().map(|_| Buyer::new(&workers.at.bus)).collect();
        let orders: Vec<_> = ids.iter().map(|id| place(id, SCARCE)).collect();
        let asking = buyers.iter_mut().zip(&orders).map(|(buyer, order)| buyer.insist("order.place", order));
        for answer in futures_util::future::join_all(asking).await {
            assert_eq!(code(&answer), "ok", "accepted and paid, whatever is in stock: {answer}");
        }
        let books = Books::close(&workers.at, &ids, SCARCE, SCARCE_STOCK).await;
        assert_eq!(books.count("delivering"), usize::try_from(SCARCE_STOCK).expect("a few"));
        audited::holds(&workers).await;
    });
}
