//! The desk as four processes over RabbitMQ, SQLite and Redis, against the [bare client](bare) that exchanges the
//! same messages with no rules and no storage, in turn on the same broker: settled orders per second, and the ratio
//! of the two, which says more than either on a machine whose speed drifts. And what an order costs with 10³ and
//! with 10⁶ orders in the stores.
//!
//! `CLUSTER_ROUNDS` sets how often each is measured in turn, `CLUSTER_CLIENTS=255` measures that number alone,
//! `CLUSTER_STORED=0` leaves the last part out. `CLUSTER_OTHER=target/other/skstore-worker` measures that build of the
//! workers and this one in turn instead: what a change costs.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::print_stdout, reason = "its figures go there")]

#[allow(unused_imports, reason = "its own tests run elsewhere")]
#[path = "../../../../xtask/src/servers/mod.rs"]
mod servers;

mod bare;
mod cost;
mod desks;
mod load;

use std::collections::BTreeMap;
use std::time::Duration;

use cost::Cpu;
use desks::{BareDesk, RealDesk, Running};
use load::{Load, median};
use servers::{Rabbit, Redis};

/// As the workers have it, for the bare client to be no slower for the want of it.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Turns of each measurement; the median of their ratios counts. The speed of a shared machine changes from second to
/// second, so that single ratios differ by a tenth.
const ROUNDS: usize = 9;
/// Orders of a lone client in one turn.
const LONE_ORDERS: usize = 400;
/// Orders of many clients in one turn: some seconds.
const ORDERS: usize = 12_000;
/// Orders before the first turn, which connect and warm whatever needs it.
const WARM_UP: usize = 2_000;
/// Commits of which a lone order waits for: intent, charge, outcome.
const COMMITS_OF_AN_ORDER: f64 = 3.0;

/// Clients, the least ratio of settled orders to the bare client's, and the one aimed at.
const MANY: &[(usize, f64, f64)] = &[(64, 1.4, 1.8), (255, 2.2, 2.8)];
/// Orders in stores with few, and orders of one turn there and in those with very many: few, and a second's.
const FEW: usize = 1_000;
const STORED_ORDERS: usize = 5_000;
/// What an order may cost where very many are stored, in units of what it costs where few are.
const MAX_STORED: f64 = 1.1;
/// What a change may cost without a reason.
const MAX_SLOWDOWN: f64 = 0.97;
/// The longest a lone client may wait, in units of the bare exchange and the commits.
const MAX_LONE: f64 = 1.2;

fn main() {
    if let Ok(role) = std::env::var(bare::ROLE) {
        return bare::play(&role);
    }
    let number =
        |name: &str, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let rounds = number("CLUSTER_ROUNDS", ROUNDS);
    let only = number("CLUSTER_CLIENTS", 0);
    let (rabbit, redis) = (Rabbit::start().expect("RabbitMQ"), Redis::start().expect("Redis"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if let Ok(other) = std::env::var("CLUSTER_OTHER") {
            return against(&other, &rabbit, rounds, only).await;
        }
        let mut desks = Desks {
            bare: BareDesk::start(&rabbit).await,
            real: RealDesk::start(&rabbit, &redis, None).await,
            servers: Servers { rabbit: &rabbit, redis: &redis },
        };
        desks.bare.running.place(64, WARM_UP).await;
        desks.real.running.place(64, WARM_UP).await;
        if only == 0 || only == 1 {
            desks.lone(rounds).await;
        }
        for (clients, min, aim) in MANY.iter().filter(|many| only == 0 || only == many.0) {
            desks.many(*clients, rounds, *min, *aim).await;
        }
        drop(desks);
        if number("CLUSTER_STORED", 1) > 0 {
            stored(&rabbit, rounds).await;
        }
    });
}

/// The two that are compared, and the servers that both use.
struct Desks<'a> {
    bare: BareDesk,
    real: RealDesk,
    servers: Servers<'a>,
}

struct Servers<'a> {
    rabbit: &'a Rabbit,
    redis: &'a Redis,
}

impl Servers<'_> {
    /// The processes of one desk, and those that it shares with the other.
    fn processes(&self, desk: &Running) -> Vec<(String, u32)> {
        let mut all = desk.processes();
        all.push(("RabbitMQ".to_owned(), cost::pid_of_rabbit(self.rabbit)));
        all.push(("Redis".to_owned(), cost::pid_of_redis(self.redis)));
        all.push(("clients".to_owned(), std::process::id()));
        all
    }
}

impl Desks<'_> {
    async fn lone(&mut self, rounds: usize) {
        let commit = self.real.median_commit();
        let (mut bare, mut real) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bare.push(self.bare.running.place(1, LONE_ORDERS).await.percentile(50));
            real.push(self.real.running.place(1, LONE_ORDERS).await.percentile(50));
        }
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let (bare, real) = (median(bare), median(real));
        let waits = bare.as_secs_f64() + COMMITS_OF_AN_ORDER * commit.as_secs_f64();
        println!(
            "{{\"name\":\"1 client, answer p50 / (bare + 3 commits)\",\"value\":{:.2},\"unit\":\"×\",\
             \"at_most\":{MAX_LONE},\"p50_ms\":{:.2},\"bare_ms\":{:.2},\"commit_ms\":{:.2}}}",
            real.as_secs_f64() / waits,
            millis(real),
            millis(bare),
            millis(commit),
        );
    }

    async fn many(&mut self, clients: usize, rounds: usize, min: f64, aim: f64) {
        let processes = self.servers.processes(&self.real.running);
        let all = [processes.as_slice(), &self.bare.running.processes()].concat();
        let (mut ratios, mut bares, mut reals) = (Vec::new(), Vec::new(), Vec::new());
        let mut cpu: BTreeMap<String, f64> = BTreeMap::new();
        for _ in 0..rounds {
            cost::rest(&all).await;
            let bare = self.bare.running.place(clients, ORDERS).await;
            cost::rest(&all).await;
            let before = Cpu::of(&processes);
            let real = self.real.running.place(clients, ORDERS).await;
            for (process, seconds) in Cpu::of(&processes).since(&before) {
                *cpu.entry(process).or_default() += seconds;
            }
            ratios.push(real.settled_per_s() / bare.settled_per_s());
            bares.push(bare);
            reals.push(real);
        }
        let of = |loads: &[Load], figure: fn(&Load) -> f64| median(loads.iter().map(figure).collect());
        println!(
            "{{\"name\":\"{clients} clients, settled / bare\",\"value\":{:.2},\"unit\":\"×\",\"at_least\":{min},\
             \"aim\":{aim},\"settled_per_s\":{:.0},\"bare_per_s\":{:.0},\"p50_ms\":{:.1},\"p99_ms\":{:.1},\
             \"bare_p50_ms\":{:.1},\"cpu\":\"{}\"}}",
            median(ratios),
            of(&reals, Load::settled_per_s),
            of(&bares, Load::settled_per_s),
            of(&reals, |load| load.percentile(50).as_secs_f64() * 1000.0),
            of(&reals, |load| load.percentile(99).as_secs_f64() * 1000.0),
            of(&bares, |load| load.percentile(50).as_secs_f64() * 1000.0),
            cost::shares(&cpu, rounds * ORDERS),
        );
    }
}

/// This build of the workers against another one, each with a view of its own.
async fn against(other: &str, rabbit: &Rabbit, rounds: usize, only: usize) {
    let (redis, its_redis) = (Redis::start().expect("Redis"), Redis::start().expect("Redis"));
    let that = RealDesk::of(other, rabbit, &its_redis, None).await;
    let this = RealDesk::start(rabbit, &redis, None).await;
    let all = [this.running.processes(), that.running.processes()].concat();
    for desk in [&that, &this] {
        desk.running.place(64, WARM_UP).await;
    }
    for (clients, _, _) in MANY.iter().filter(|many| only == 0 || only == many.0) {
        let (mut ratios, mut costs) = (Vec::new(), Vec::new());
        let mut spent = [const { BTreeMap::new() }; 2];
        for _ in 0..rounds {
            let mut both = [(0.0, 0.0); 2];
            for ((desk, measured), spent) in [&that, &this].into_iter().zip(&mut both).zip(&mut spent) {
                cost::rest(&all).await;
                let processes = desk.running.processes();
                let before = Cpu::of(&processes);
                let load = desk.running.place(*clients, ORDERS).await;
                let used = Cpu::of(&processes).since(&before);
                *measured = (load.settled_per_s(), used.values().sum());
                for (process, seconds) in used {
                    *spent.entry(process).or_default() += seconds;
                }
            }
            let [that, this] = both;
            ratios.push(this.0 / that.0);
            costs.push(this.1 / that.1);
        }
        println!(
            "{{\"name\":\"{clients} clients, settled by this build / by the other\",\"value\":{:.3},\"unit\":\"×\",\
             \"at_least\":{MAX_SLOWDOWN},\"cpu_ratio\":{:.3},\"other_cpu\":\"{}\",\"this_cpu\":\"{}\"}}",
            median(ratios),
            median(costs),
            cost::shares(&spent[0], rounds * ORDERS),
            cost::shares(&spent[1], rounds * ORDERS),
        );
    }
}

/// What an order costs the workers and the view with few and with very many orders there: two desks of their own, in
/// turn, as the speed of the machine drifts.
async fn stored(rabbit: &Rabbit, rounds: usize) {
    let filled = desks::fill_stores().await;
    let (few, many) = (Stocked::start(rabbit, None).await, Stocked::start(rabbit, Some(filled)).await);
    let (mut fews, mut manys) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        fews.push(few.cost_per_order().await);
        manys.push(many.cost_per_order().await);
    }
    let ratios = fews.iter().zip(&manys).map(|(few, many)| many / few).collect();
    println!(
        "{{\"name\":\"an order's CPU with 10^6 stored / with 10^3\",\"value\":{:.2},\"unit\":\"×\",\
         \"at_most\":{MAX_STORED},\"few_us\":{:.0},\"many_us\":{:.0}}}",
        median(ratios),
        median(fews),
        median(manys),
    );
}

/// A desk with a view of its own.
struct Stocked {
    desk: RealDesk,
    redis: Redis,
}

impl Stocked {
    async fn start(rabbit: &Rabbit, stores: Option<tempfile::TempDir>) -> Self {
        let redis = Redis::start().expect("Redis");
        let desk = RealDesk::start(rabbit, &redis, stores).await;
        desk.running.place(255, FEW).await;
        Self { desk, redis }
    }

    /// In µs.
    async fn cost_per_order(&self) -> f64 {
        let mut processes = self.desk.running.processes();
        processes.push(("Redis".to_owned(), cost::pid_of_redis(&self.redis)));
        let before = Cpu::of(&processes);
        self.desk.running.place(255, STORED_ORDERS).await;
        let spent: f64 = Cpu::of(&processes).since(&before).values().sum();
        spent * 1e6 / STORED_ORDERS as f64
    }
}
