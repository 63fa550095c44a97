//! What the embedded view costs: microseconds per event and per page, bytes per order.
//!
//! Prints one JSON object a line: `{"name":"…, 1000 orders","value":…,"unit":"…"}`. An order is
//! told in five events of the whole life of a delivered one, hundreds of orders at a time, as workers do.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]

use std::io::Write as _;

use futures_util::FutureExt;
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, Step, ViewWrite};
use skstore_domain::objects::{Account, DeliveryStatus, Item, Order, OrderStatus, Payment, PaymentStatus};
use skstore_domain::time::Timestamp;
use skstore_workers::view::embedded::EmbeddedView;
use skstore_workers::view::{OrderFilter, Swept, View, ViewError};
use tokio::time::Instant;

/// Events in one batch.
const BATCH: usize = 64;
/// Orders that are told of at the same time.
const IN_FLIGHT: usize = 512;
/// Rows of one page.
const PAGE: usize = 50;
/// Bytes of a memory page, on the machines that we measure on.
const MEMORY_PAGE: u64 = 4096;

const LIFE: [EventKind; 5] = [
    EventKind::Order(OrderKind::Paying),
    EventKind::Deposit(DepositKind::Paid),
    EventKind::Order(OrderKind::Placed),
    EventKind::Item(ItemKind::DeliveryStarted),
    EventKind::Order(OrderKind::Delivering),
];

fn main() {
    measure(1000, usize::MAX);
    // `cargo test --all-targets` runs this too, without the flag: it only wants to see it work.
    if std::env::args().any(|arg| arg == "--bench") {
        measure(1_000_000, usize::MAX);
        // A full view forgets as many orders as come.
        measure(1_000_000, 500_000);
    }
}

/// What the view in memory answers: at once.
fn now<T>(asked: impl Future<Output = Result<T, ViewError>>) -> T {
    asked.now_or_never().unwrap().unwrap()
}

fn measure(orders: usize, keep: usize) {
    let before = resident_bytes();
    let view = View::Embedded(EmbeddedView::new(keep));
    let rebuild = now(view.begin_rebuild());
    assert_eq!(now(view.finish_rebuild(rebuild)), Swept::Whole);
    let ids: Vec<String> = (0..orders).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let ids_take = (resident_bytes() - before) / orders as u64;
    let report = |what: &str, unit: &str, value: f64| {
        let mut out = std::io::stdout().lock();
        let keep = keep.min(orders);
        let line = format!(
            r#"{{"name":"{what}, {orders} orders","value":{value:.3},"unit":"{unit}","keep":{keep}}}"#
        );
        writeln!(out, "{line}").unwrap();
    };
    let (mut per_write, mut writes, mut events) = (Vec::new(), 0, 0);
    let waves = orders + IN_FLIGHT * (LIFE.len() - 1);
    let mut batch = Vec::new();
    for wave in 0..waves {
        for (stage, kind) in LIFE.iter().enumerate() {
            let Some(n) = wave.checked_sub(stage * IN_FLIGHT).filter(|n| *n < orders) else { continue };
            tell(&mut batch, &ids[n], n, *kind);
            events += 1;
        }
        if batch.len() >= 3 * BATCH || wave + 1 == waves {
            let started = Instant::now();
            now(view.apply(&batch));
            per_write.push(started.elapsed().as_secs_f64() * 1e6 / batch.len() as f64);
            writes += u32::try_from(batch.len()).unwrap();
            batch.clear();
        }
    }
    // Medians of batches: a batch that another process interrupted says nothing of the view.
    let last = per_write.split_off(per_write.len() * 9 / 10);
    let writes_per_event = f64::from(writes) / f64::from(events);
    report("write", "us", median(per_write));
    report("write, the last tenth", "us", median(last.clone()));
    report("event, the last tenth", "us", median(last) * writes_per_event);
    // Later runs live in what earlier ones have freed.
    if orders >= 100_000 && keep >= orders {
        let grown = resident_bytes() - before - ids_take * orders as u64;
        report("memory per order", "bytes", (grown / orders as u64) as f64);
    }
    for (what, filter) in filters(&ids[orders / 2]) {
        let after = now(view.orders(&filter, None, PAGE)).next;
        report(what, "us", micros(|| now(view.orders(&filter, after.as_ref(), PAGE)).rows.len()));
    }
    report("counts", "us", micros(|| now(view.counts()).items));
    let rebuild = now(view.begin_rebuild());
    let started = Instant::now();
    assert_eq!(now(view.finish_rebuild(rebuild)), Swept::Whole);
    report("removing everything", "ms", started.elapsed().as_secs_f64() * 1e3);
}

fn filters(id: &str) -> [(&'static str, OrderFilter); 8] {
    let kim = Some(Customer::new("customer-7").unwrap());
    let item_id = Some(ItemId::new("7").unwrap());
    let status = Some(OrderStatus::Delivering);
    let none = OrderFilter::default;
    [
        ("page of all", none()),
        ("page by status", OrderFilter { status, ..none() }),
        ("page by customer", OrderFilter { customer: kim.clone(), ..none() }),
        ("page by item", OrderFilter { item_id: item_id.clone(), ..none() }),
        ("page by customer and status", OrderFilter { customer: kim, status, ..none() }),
        ("page by an id", OrderFilter { id_prefix: Some(id.to_owned()), ..none() }),
        ("page by a common prefix", OrderFilter { id_prefix: Some(id[..4].to_owned()), ..none() }),
        ("scan for text that nothing has", OrderFilter { text: Some("nothing has it".to_owned()), ..none() }),
    ]
}

/// What an event of order `n` writes, from strings of its own, as they come from a decoder.
fn tell(batch: &mut Vec<ViewWrite>, id: &str, n: usize, kind: EventKind) {
    let order_id = OrderId::new(id).unwrap();
    let customer = Customer::new(&format!("customer-{}", n % 10_000)).unwrap();
    let item_id = ItemId::new(&(n % 50).to_string()).unwrap();
    let at = Timestamp(1_790_000_000_000 + i64::try_from(n / 30).unwrap());
    let count = n as u64 + 1;
    let (revision, status) = match kind {
        EventKind::Order(OrderKind::Placed) => (2, OrderStatus::Placed),
        EventKind::Order(OrderKind::Delivering) => (3, OrderStatus::Delivering),
        _ => (1, OrderStatus::Paying),
    };
    match kind {
        EventKind::Deposit(DepositKind::Paid) => {
            batch.push(ViewWrite::Payment(Payment {
                order_id: order_id.clone(),
                customer: customer.clone(),
                amount: Won(1000),
                status: PaymentStatus::Paid,
                reason: None,
                updated_at: at,
                revision,
            }));
            batch.push(ViewWrite::Account(Account {
                customer: customer.clone(),
                balance: Won(5),
                revision: count,
            }));
        }
        EventKind::Item(ItemKind::DeliveryStarted) => {
            let name = "사과".to_owned();
            let item = Item { item_id, name, name_en: None, unit_price: Won(500), stock: 5, revision: count };
            batch.push(ViewWrite::Item(item));
        }
        _ => batch.push(ViewWrite::Order(Order {
            order_id: order_id.clone(),
            customer: customer.clone(),
            item_id,
            item_name: "사과".to_owned(),
            qty: 2,
            unit_price: Won(500),
            amount: Won(1000),
            status,
            reason: None,
            cancel_requested: false,
            payment: PaymentStatus::Paid,
            delivery: DeliveryStatus::None,
            placed_at: at,
            updated_at: at,
            revision,
        })),
    }
    let entry = FeedEntry {
        id: format!("{}/{id}/{revision}", kind.source()),
        kind,
        subject: id.to_owned(),
        at,
        customer: Some(customer),
        amount: Some(Won(1000)),
        reason: None,
    };
    let step = Step { source: kind.source(), revision, kind, at, reason: None, told_again: 0 };
    batch.push(ViewWrite::Happened(order_id, step, entry));
}

/// The median of many runs.
fn micros<T>(run: impl Fn() -> T) -> f64 {
    let time = |_| {
        let started = Instant::now();
        std::hint::black_box(run());
        started.elapsed().as_secs_f64() * 1e6
    };
    median((0..201).map(time).collect())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Memory of this process that is really there.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * MEMORY_PAGE
}
