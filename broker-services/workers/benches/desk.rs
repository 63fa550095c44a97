//! The whole desk in one process: settled orders per second at several numbers of concurrent clients, and the
//! latency of a lone client. *Settled* means that Order has committed `delivering`.
//!
//! `DESK_ORDERS` sets how many orders each measurement places, `DESK_CLIENTS=255` measures that number of
//! clients alone.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::print_stderr, reason = "what keeps it from measuring")]
#![expect(clippy::print_stdout, reason = "its figures go there")]

use std::time::{Duration, Instant};

use skstore_domain::commands::Place;
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::objects::OrderStatus;
use skstore_workers::config::{Config, Sources};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;

/// As the program has it in which all of this runs.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Orders of one measurement.
const ORDERS: usize = 40_000;
/// Orders of a lone client.
const LONE_ORDERS: usize = 500;
/// Clients of the largest measurement.
const MAX_CLIENTS: usize = 512;
/// Customers that take turns, as in any shop; one account would be one hot row.
const CUSTOMERS: [&str; 4] = ["kim", "lee", "park", "choi"];

fn main() {
    let orders = std::env::var("DESK_ORDERS").ok().and_then(|n| n.parse().ok()).unwrap_or(ORDERS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let alone = std::env::var("DESK_CLIENTS").ok().and_then(|n| n.parse().ok());
    for clients in alone.map_or_else(|| vec![1, 64, 255, MAX_CLIENTS], |alone| vec![alone]) {
        let orders = if clients == 1 { LONE_ORDERS.min(orders) } else { orders };
        runtime.block_on(measure(clients, orders));
    }
}

async fn measure(clients: usize, orders: usize) {
    let data = tempfile::tempdir().expect("a directory");
    let flags = vec![
        ("data_dir".to_owned(), data.path().display().to_string()),
        ("breaker.max_in_flight".to_owned(), "1024".to_owned()),
    ];
    let config =
        Config::load(&Sources { environment: std::env::vars_os().collect(), flags, ..Sources::default() })
            .expect("a configuration");
    let process = Process::start(&config).expect("the workers");
    let desk = process.desk().await.expect("a desk");
    process.ready().await;

    let started = Instant::now();
    let runs = (0..clients).map(|client| run(desk.clone(), client, orders / clients));
    let latencies: Vec<Vec<Duration>> = futures_util::future::join_all(runs).await;
    let answered = started.elapsed();
    process.settle().await;
    let settled = started.elapsed();

    let counts = desk.view().counts().await.expect("counts");
    let delivering =
        OrderStatus::ALL.iter().position(|status| *status == OrderStatus::Delivering).unwrap_or(0);
    let count = counts.orders[delivering];
    let mut latencies: Vec<Duration> = latencies.into_iter().flatten().collect();
    latencies.sort();
    let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    let others = counts.orders.iter().sum::<u64>() - count;
    assert_eq!(others, 0, "every order of a calm day is delivered");
    let settled_per_s = count as f64 / settled.as_secs_f64();
    let bound = if clients == MAX_CLIENTS { ",\"at_least\":8000,\"aim\":15000" } else { "" };
    println!(
        "{{\"name\":\"settled, {clients} clients\",\"value\":{settled_per_s:.0},\"unit\":\"orders/s\"{bound},\
         \"answered_per_s\":{:.0},\"p50_ms\":{:.2},\"p99_ms\":{:.2}}}",
        latencies.len() as f64 / answered.as_secs_f64(),
        percentile(50),
        percentile(99),
    );
    process.stop().expect("a clean stop");
}

async fn run(desk: Desk, client: usize, orders: usize) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(orders);
    for _ in 0..orders {
        let place = Place {
            item_id: ItemId::new("10").expect("an id"),
            qty: 5,
            customer: Customer::new(CUSTOMERS[client % CUSTOMERS.len()]).ok(),
            order_id: Some(desk.order_id()),
            unit_price: None,
        };
        let asked = Instant::now();
        match desk.place(&place).await {
            Ok(answer) if answer.ok => latencies.push(asked.elapsed()),
            Ok(answer) => eprintln!("refused: {:?}", answer.error),
            Err(error) => eprintln!("{error}"),
        }
    }
    latencies
}
