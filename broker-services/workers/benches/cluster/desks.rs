//! The two desks: the bare one and the real one, each as processes of its own on a virtual host of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use skstore_domain::commands::{Place, TopUp};
use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::signals::Service;
use skstore_workers::bus::Bus;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::clock::Ids;
use skstore_workers::config::{Config, Sources, ViewUrl};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::store::{Changes, Key, NewEvent, Store, Write};
use skstore_workers::view::View;
use tempfile::TempDir;

use super::bare;
use super::load::{Load, median};
use super::servers::{Rabbit, Redis};

/// How often it is looked whether the last order is settled.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Longer than any of it takes; longest takes the rebuild of a view of all the orders in well-filled stores.
const PATIENCE: Duration = Duration::from_secs(900);
/// The workers that were built with this bench.
const THIS_BUILD: &str = env!("CARGO_BIN_EXE_skstore-worker");
/// Customers that take turns.
const CUSTOMERS: [&str; 4] = ["kim", "lee", "park", "choi"];
/// Commits of which the median is taken.
const COMMITS: u64 = 301;
/// Orders in well-filled stores.
const STORED: usize = 1_000_000;

/// Processes, and clients at their door.
pub(crate) struct Running {
    /// For people: whose workers these are.
    name: String,
    desk: Desk,
    settled: Settled,
    children: Vec<(String, Child)>,
}

/// Where it is told how many orders are settled.
enum Settled {
    /// By the bare Order itself.
    Told(Arc<AtomicU64>),
    /// By the log of Order's store.
    Logged(Mutex<Log>),
}

/// A reader of Order's log.
struct Log {
    store: Connection,
    read_to: i64,
    delivering: u64,
}

impl Log {
    fn open(path: &Path) -> Self {
        let store =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("Order's store");
        Self { store, read_to: 0, delivering: 0 }
    }

    /// How many orders are committed as delivering.
    fn delivering(&mut self) -> u64 {
        let sql =
            "SELECT coalesce(max(seq), ?1), count(*) FILTER (WHERE type = ?2) FROM events WHERE seq > ?1";
        let mut select = self.store.prepare_cached(sql).expect("a statement");
        let bound = (self.read_to, EventKind::Order(OrderKind::Delivering).word());
        let read = select.query_row(bound, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
        let (read_to, more) = read.expect("a count");
        self.read_to = read_to;
        self.delivering += more.unsigned_abs();
        self.delivering
    }
}

impl Running {
    pub(crate) fn processes(&self) -> Vec<(String, u32)> {
        self.children.iter().map(|(name, child)| (name.clone(), child.id())).collect()
    }

    fn settled(&self) -> u64 {
        match &self.settled {
            Settled::Told(count) => count.load(Ordering::Relaxed),
            Settled::Logged(log) => log.lock().expect("the log").delivering(),
        }
    }

    /// Sees to it that nobody runs out of money.
    async fn fund(&self) {
        for customer in CUSTOMERS {
            let customer = Customer::new(customer).expect("a customer");
            let top_up = TopUp { customer, amount: Won::MAX_INPUT, topup_id: Some(self.desk.request_id()) };
            let answer = self.desk.top_up(&top_up).await.expect("an answer");
            assert!(answer.ok, "{:?}", answer.error);
        }
    }

    /// Has `clients` place `orders` together, and waits until all are settled.
    pub(crate) async fn place(&self, clients: usize, orders: usize) -> Load {
        let before = self.settled();
        let each = orders / clients;
        let started = Instant::now();
        let runs = (0..clients).map(|client| self.client(client, each));
        let mut latencies: Vec<Duration> =
            futures_util::future::join_all(runs).await.into_iter().flatten().collect();
        let all = before + (each * clients) as u64;
        self.wait_for(all).await;
        let settled = started.elapsed();
        latencies.sort();
        Load { latencies, settled }
    }

    async fn wait_for(&self, settled: u64) {
        let started = Instant::now();
        let mut look = tokio::time::interval(LOOK_EVERY);
        while self.settled() < settled {
            look.tick().await;
            assert!(started.elapsed() < PATIENCE, "only {} of {settled} orders are settled", self.settled());
        }
    }

    async fn client(&self, client: usize, orders: usize) -> Vec<Duration> {
        let mut latencies = Vec::with_capacity(orders);
        for _ in 0..orders {
            let place = Place {
                item_id: ItemId::new("10").expect("an id"),
                qty: 1,
                customer: Customer::new(CUSTOMERS[client % CUSTOMERS.len()]).ok(),
                order_id: Some(self.desk.order_id()),
                unit_price: None,
            };
            let asked = Instant::now();
            let answer = self.desk.place(&place).await.expect("an answer");
            assert!(answer.ok, "{}: every order of a calm day is accepted: {:?}", self.name, answer.error);
            latencies.push(asked.elapsed());
        }
        latencies
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A virtual host with nothing in it.
fn vhost(rabbit: &Rabbit, name: &str) -> String {
    rabbit.ctl(&["add_vhost", name]).expect("a virtual host");
    rabbit.ctl(&["set_permissions", "-p", name, "guest", ".*", ".*", ".*"]).expect("its permissions");
    format!("{}/{name}", rabbit.amqp_url())
}

/// The bare one.
pub(crate) struct BareDesk {
    pub(crate) running: Running,
}

impl BareDesk {
    pub(crate) async fn start(rabbit: &Rabbit) -> Self {
        let url = vhost(rabbit, "bare");
        // Declares the topology that the bare processes use.
        let bus = Bus::Amqp(AmqpBus::connect(&url).await.expect("the broker"));
        let view = View::open(&ViewUrl::Embedded, 1).expect("a view");
        let desk = Desk::open(&bus, view, Ids::random()).await.expect("a desk");
        let settled = Arc::new(AtomicU64::new(0));
        let children = Service::ALL.iter().map(|service| {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.env(bare::ROLE, service.word()).env(bare::URL, &url).stdin(Stdio::null());
            let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
            let told = BufReader::new(child.stdout.take().expect("its output"));
            let count = Arc::clone(&settled);
            std::thread::spawn(move || {
                for number in told.lines().map_while(Result::ok).filter_map(|line| line.parse().ok()) {
                    count.store(number, Ordering::Relaxed);
                }
            });
            (service.word().to_owned(), child)
        });
        let children = children.collect();
        Self {
            running: Running {
                name: "the bare desk".to_owned(),
                desk,
                settled: Settled::Told(settled),
                children,
            },
        }
    }
}

/// The real one.
pub(crate) struct RealDesk {
    pub(crate) running: Running,
    data: TempDir,
    // Keeps the connection that the desk uses.
    _attached: Process,
}

impl RealDesk {
    /// Over `stores`, or new ones. Returns once it takes orders and its view is complete.
    pub(crate) async fn start(rabbit: &Rabbit, redis: &Redis, stores: Option<TempDir>) -> Self {
        Self::of(THIS_BUILD, rabbit, redis, stores).await
    }

    /// The same with the workers of the program `worker`.
    pub(crate) async fn of(worker: &str, rabbit: &Rabbit, redis: &Redis, stores: Option<TempDir>) -> Self {
        let data = stores.unwrap_or_else(|| TempDir::new().expect("a directory"));
        let name = format!(
            "real-{}",
            data.path().file_name().expect("a name").to_string_lossy().trim_start_matches('.')
        );
        let flags = vec![
            ("data_dir".to_owned(), data.path().display().to_string()),
            ("bus.url".to_owned(), vhost(rabbit, &name)),
            ("view.url".to_owned(), redis.url()),
            ("view.keep_orders".to_owned(), (2 * STORED).to_string()),
        ];
        let children = Service::ALL.iter().map(|service| {
            let mut command = Command::new(worker);
            command.arg(service.word()).stdin(Stdio::null());
            for (key, value) in &flags {
                command.arg("--set").arg(format!("{key}={value}"));
            }
            let log = data.path().join(format!("{service}.log"));
            command.stderr(std::fs::File::create(log).expect("a log"));
            (service.word().to_owned(), command.spawn().expect("a worker"))
        });
        let children = children.collect();
        let config = Config::load(&Sources { flags, ..Sources::default() }).expect("a configuration");
        let attached = Process::start(&config).expect("the broker answers");
        let desk = attached.desk().await.expect("a desk");
        wait_until_ready(&desk).await;
        let settled = Settled::Logged(Mutex::new(Log::open(&data.path().join("order.db"))));
        let running = Running { name: worker.to_owned(), desk, settled, children };
        Self { running, data, _attached: attached }
    }

    /// What a commit takes on the disk that the stores are on.
    pub(crate) fn median_commit(&self) -> Duration {
        let path = self.data.path().join("commit.db");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let measure = move || {
            runtime.block_on(async {
                let store = Store::open(&format!("sqlite:{}", path.display())).await.expect("a store");
                let mut times = Vec::new();
                for number in 1..=COMMITS {
                    let started = Instant::now();
                    let keys = commit(number).writes.into_iter().map(|write| write.key).collect();
                    store.transact(&keys, |_| (commit(number), ())).await.expect("a commit");
                    times.push(started.elapsed());
                }
                median(times)
            })
        };
        std::thread::spawn(measure).join().expect("its figure")
    }
}

async fn wait_until_ready(desk: &Desk) {
    let started = Instant::now();
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        assert!(started.elapsed() < PATIENCE, "the workers are not ready");
        let Ok(health) = desk.view().health().await else { continue };
        let is_ready = |service: &Service| {
            health
                .services
                .iter()
                .any(|beat| beat.service == *service && beat.ready && beat.rebuilding.is_none())
        };
        let has_items = desk.view().counts().await.is_ok_and(|counts| counts.items > 0);
        if has_items && Service::ALL.iter().all(is_ready) {
            return;
        }
    }
}

/// One aggregate with its event: the least that an order commits at a time.
fn commit(revision: u64) -> Changes {
    let key = Key::new("order", format!("commit-{revision}"));
    let event = NewEvent {
        id: format!("order/{}/1", key.id),
        aggregate_kind: "order",
        aggregate_id: key.id.clone(),
        revision: 1,
        kind: EventKind::Order(OrderKind::Placed),
        body: "x".repeat(500),
    };
    let write = Write { key, read: 0, revision: 1, body: "x".repeat(400), due: None };
    Changes { writes: vec![write], events: vec![event], ..Changes::default() }
}

/// Stores in which a desk of one process has delivered very many orders.
pub(crate) async fn fill_stores() -> TempDir {
    let data = TempDir::new().expect("a directory");
    let flags = vec![
        ("data_dir".to_owned(), data.path().display().to_string()),
        ("breaker.max_in_flight".to_owned(), "1024".to_owned()),
    ];
    let config = Config::load(&Sources { flags, ..Sources::default() }).expect("a configuration");
    let process = Process::start(&config).expect("the workers");
    process.ready().await;
    let desk = process.desk().await.expect("a desk");
    let settled = Settled::Logged(Mutex::new(Log::open(&data.path().join("order.db"))));
    let running = Running { name: "filled stores".to_owned(), desk, settled, children: Vec::new() };
    running.fund().await;
    running.place(512, STORED).await;
    drop(running);
    process.settle().await;
    process.stop().expect("a clean stop");
    data
}
