//! The desk as processes of their own: `skstore-worker`s over a real RabbitMQ, the view in a real Redis.
//!
//! `SKSTORE_TEST_AMQP_URL` and `SKSTORE_TEST_REDIS_URL` say where those are; `cargo xtask test` starts them. The
//! test is the only user of that broker's first virtual host.

#![cfg(feature = "servers")]

use std::cell::Cell;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use skstore_domain::commands::Place;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{OrderStatus, PaymentStatus};
use skstore_domain::signals::Service;
use skstore_workers::config::{Config, Sources};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::view::OrderFilter;

/// How long a test waits for something that must happen: far beyond what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked whether it has happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Orders that are placed between one kill and the next.
const ORDERS_BETWEEN_KILLS: usize = 200;
/// More orders than any machine places meanwhile.
const EVERYTHING: usize = 1_000_000;
/// Buyers who place them.
const BUYERS: usize = 16;

/// Where the servers are.
fn servers() -> [(String, String); 2] {
    let url = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set: run `cargo xtask test`, or see `cargo xtask servers`")
        })
    };
    [
        ("bus.url".to_owned(), url("SKSTORE_TEST_AMQP_URL")),
        ("view.url".to_owned(), url("SKSTORE_TEST_REDIS_URL")),
    ]
}

/// Workers as processes, killed when the test ends.
struct Workers {
    data: tempfile::TempDir,
    running: Vec<(Service, Child)>,
}

impl Workers {
    fn start() -> Self {
        let mut workers = Self { data: tempfile::tempdir().expect("a directory"), running: Vec::new() };
        Service::ALL.iter().for_each(|service| workers.start_one(*service));
        workers
    }

    fn start_one(&mut self, service: Service) {
        let log = self.data.path().join(format!("{service}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore-worker"));
        command.arg(service.word()).arg("--data-dir").arg(self.data.path()).stdin(Stdio::null()).stderr(log);
        for (key, value) in servers() {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        self.running.push((service, command.spawn().expect("a worker")));
    }

    /// By the signal that nobody can catch; and a new one takes its place.
    fn kill_and_replace(&mut self, service: Service) {
        self.end(service, |child| child.kill().expect("a kill"));
        self.start_one(service);
    }

    fn end(&mut self, service: Service, end: impl Fn(&mut Child)) {
        self.running.retain_mut(|(which, child)| {
            if *which == service {
                end(child);
                child.wait().expect("its end");
            }
            *which != service
        });
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn attach(data: &Path) -> Process {
    let mut flags = vec![("data_dir".to_owned(), data.display().to_string())];
    flags.extend(servers());
    let config = Config::load(&Sources { flags, ..Sources::default() }).expect("a configuration");
    Process::start(&config).expect("the broker answers")
}

fn id(order: usize) -> OrderId {
    OrderId::new(&format!("cluster-{order}")).expect("an id")
}

fn place(order: usize) -> Place {
    Place {
        item_id: ItemId::new("10").expect("an id"),
        qty: 1,
        customer: Customer::new("kim").ok(),
        order_id: Some(id(order)),
        unit_price: None,
    }
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let met = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !condition().await {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, met).await.is_ok(), "not within {PATIENCE:?}: {what}");
}

async fn shown(desk: &Desk, order: usize) -> Option<OrderStatus> {
    let detail = desk.view().order(&id(order)).await.ok().flatten();
    detail.map(|detail| detail.row.order.status)
}

async fn balance(desk: &Desk) -> Option<i64> {
    let answer = desk.account(&Customer::new("kim").expect("a customer")).await.ok()?;
    answer.account.map(|account| account.balance.0)
}

/// One test, so that it has the broker for itself.
#[tokio::test]
async fn workers_over_a_broker_deliver_and_survive_being_killed_one_after_the_other() {
    let mut workers = Workers::start();
    let process = attach(workers.data.path());
    let desk = process.desk().await.expect("a desk");

    until("an order is accepted", async || desk.place(&place(0)).await.is_ok_and(|answer| answer.ok)).await;
    until("it is on its way", async || shown(&desk, 0).await == Some(OrderStatus::Delivering)).await;
    assert!(desk.cancel(&id(0)).await.expect("an answer").ok);
    until("its payment is refunded", async || {
        let answer = desk.payment(&id(0)).await;
        answer.is_ok_and(|answer| answer.payment.is_some_and(|p| p.status() == PaymentStatus::Refunded))
    })
    .await;
    let opening = balance(&desk).await.expect("an account");

    // Buyers go on until every worker has been killed once, and all have bought again after that.
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
        for service in Service::ALL {
            let before = next.get();
            until("more orders come in", async || next.get() > before + ORDERS_BETWEEN_KILLS).await;
            workers.kill_and_replace(*service);
        }
        killed.set(true);
    };
    let (promised, ()) = tokio::join!(futures_util::future::join_all((0..BUYERS).map(buy)), killing);
    let promised: Vec<usize> = promised.into_iter().flatten().collect();
    assert!(
        promised.len() > ORDERS_BETWEEN_KILLS,
        "only {} of {} orders were accepted",
        promised.len(),
        next.get()
    );

    until("every order has ended", async || {
        let counts = desk.view().counts().await;
        let waiting = |(status, count): (&OrderStatus, u64)| {
            count > 0 && matches!(status, OrderStatus::Paying | OrderStatus::Placed)
        };
        counts.is_ok_and(|counts| !OrderStatus::ALL.iter().zip(counts.orders).any(waiting))
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
        balance(&desk).await == Some(opening - paid)
    })
    .await;
    process.stop().expect("a clean end");
}
