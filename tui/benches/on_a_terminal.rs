//! The real program on a real pseudo-terminal, over a real RabbitMQ and Redis: how soon a key is on the screen while
//! 2,000 orders a second come in, what an idle dashboard costs, and how much memory a million orders take it.
//!
//! Prints one JSON object a line, as `cargo xtask bench` wants them.

#![expect(clippy::print_stdout, reason = "its figures go there")]

use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use skstore_domain::commands::{Place, TopUp};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::signals::Service;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;
use skstore_workers::desk::view::View;
use skstore_workers::desk::view::redis::RedisView;

#[path = "orders/sample.rs"]
mod sample;
#[allow(unused_imports, reason = "its own tests are not run here")]
#[path = "../../xtask/src/servers/mod.rs"]
mod servers;

use sample::order;
use servers::{Rabbit, Redis};

const ROWS: u16 = 60;
const COLUMNS: u16 = 200;
/// Orders that come in each second.
const ORDERS_PER_SECOND: u64 = 2000;
/// Orders that are begun at once, and how often.
const AT_ONCE: u64 = ORDERS_PER_SECOND / 100;
const EVERY: Duration = Duration::from_millis(10);
/// Orders in flight at most: what comes on top would be refused.
const IN_FLIGHT: usize = 400;
/// Keys that are pressed and timed.
const KEYS: usize = 500;
/// What the filter's hint says, which a key brings up.
const HINT: &str = "status:paying";
/// How long an idle dashboard is looked at.
const IDLE_FOR: Duration = Duration::from_secs(20);
/// Orders in the view whose memory is measured.
const ORDERS: i64 = 1_000_000;
const BATCH: i64 = 1000;
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Clock ticks in a second, as `/proc` counts them.
const TICKS: f64 = 100.0;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    // `cargo test --all-targets` runs this too, without the flag: these figures need servers and minutes.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    memory()?;
    over_a_broker()?;
    idle_alone()
}

/// `skstore` on a terminal, and when it sent what.
struct Screen {
    shown: vt100::Parser,
    sent: Receiver<(Instant, Vec<u8>)>,
    keys: Box<dyn Write + Send>,
    program: Box<dyn Child + Send + Sync>,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Screen {
    fn of(home: &Path, settings: &[(String, String)]) -> Done<Self> {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "en_US.UTF-8");
        for (key, value) in settings {
            command.args(["--set", &format!("{key}={value}")]);
        }
        let program = pty.slave.spawn_command(command)?;
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader()?;
        let keys = pty.master.take_writer()?;
        let (sender, sent) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || sender.send((Instant::now(), bytes[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
        let shown = vt100::Parser::new(ROWS.try_into()?, COLUMNS.try_into()?, 0);
        Ok(Self { shown, sent, keys, program, _terminal: pty.master })
    }

    /// Waits until the screen is as it must be; when it was.
    fn until(&mut self, what: &str, is_there: impl Fn(&str) -> bool) -> Done<Instant> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (at, bytes) = self
                .sent
                .recv_timeout(left)
                .map_err(|error| format!("{what}: {error}\n{}", self.shown.screen().contents()))?;
            self.shown.process(&bytes);
            if is_there(&self.shown.screen().contents()) {
                return Ok(at);
            }
        }
    }

    fn press(&mut self, keys: &str) -> Done<Instant> {
        let at = Instant::now();
        self.keys.write_all(keys.as_bytes())?;
        self.keys.flush()?;
        Ok(at)
    }

    fn process(&self) -> u32 {
        self.program.process_id().unwrap_or_default()
    }

    /// Seconds of a core that the process has used.
    fn used(&self) -> Done<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process()))?;
        // The name in brackets may hold anything; what follows it are numbers.
        let (_, numbers) = stat.rsplit_once(')').ok_or("no process")?;
        let ticks = numbers.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
    }

    /// A line of `/proc/…/status`, in MiB.
    fn mebibytes(&self, line: &str) -> Done<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let kib = status.lines().find_map(|found| found.strip_prefix(line)).ok_or("no such line")?;
        let kib: f64 = kib.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    fn leave(mut self) -> Done<()> {
        self.press("q")?;
        while self.sent.recv_timeout(PATIENCE).is_ok() {}
        self.program.wait()?;
        Ok(())
    }
}

fn report(name: &str, value: f64, unit: &str, rest: &str) {
    println!(r#"{{"name":"{name}","value":{value:.2},"unit":"{unit}"{rest}}}"#);
}

/// What a dashboard needs that looks at a million orders, from the newest to far down.
fn memory() -> Done<()> {
    let (rabbit, redis) = (Rabbit::start()?, Redis::start()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let view = View::Redis(RedisView::new(&redis.url(), 2 * usize::try_from(ORDERS)?)?);
        let rebuild = view.begin_rebuild().await?;
        for first in (0..ORDERS).step_by(usize::try_from(BATCH)?) {
            let batch: Vec<ViewWrite> = (first..first + BATCH).map(|n| ViewWrite::Order(order(n))).collect();
            view.apply(&batch).await?;
        }
        assert_eq!(view.finish_rebuild(rebuild).await?, skstore_workers::desk::view::Swept::Whole);
        Done::Ok(())
    })?;
    let home = tempfile::tempdir()?;
    let mut screen = Screen::of(home.path(), &settings(&rabbit, &redis))?;
    screen.until("a million orders", |shown| shown.contains("1,000,000"))?;
    for _ in 0..40 {
        screen.press("\u{1b}[6~")?;
        screen.until("another page", |_| true)?;
    }
    let (max, now) = (screen.mebibytes("VmHWM")?, screen.mebibytes("VmRSS")?);
    report("memory with 10^6 orders in Redis", max, "MiB", &format!(r#","at_most":60,"now_mib":{now:.1}"#));
    screen.leave()
}

fn settings(rabbit: &Rabbit, redis: &Redis) -> Vec<(String, String)> {
    vec![("bus.url".to_owned(), rabbit.amqp_url()), ("view.url".to_owned(), redis.url())]
}

/// Keys under load, then the same dashboard while nothing happens.
fn over_a_broker() -> Done<()> {
    let (rabbit, redis) = (Rabbit::start()?, Redis::start()?);
    let settings = settings(&rabbit, &redis);
    let (work, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut flags = vec![("data_dir".to_owned(), work.path().display().to_string())];
    flags.extend_from_slice(&settings);
    let config = Config::load(&Sources { flags, ..Sources::default() })?;
    let workers = Process::start_workers(&config, Service::ALL)?;
    let mut screen = Screen::of(home.path(), &settings)?;
    screen.until("a desk that works", |shown| shown.contains("closed"))?;

    let (done, settled) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut times, rate) = std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            let times = press_keys(&mut screen, &settled).map_err(|error| error.to_string());
            done.store(true, Ordering::Relaxed);
            times
        });
        buy(&workers, &done, &settled)?;
        let times = person.join().map_err(|_| "whoever pressed the keys panicked".to_owned())?;
        Done::Ok(times?)
    })?;
    times.sort();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1000.0;
    let note = format!(r#","orders_per_s":{rate:.0},"median_ms":{:.1}"#, at(50));
    report("key to screen under load, p95", at(95), "ms", &format!(r#","at_most":16{note}"#));
    report("key to screen under load, p99", at(99), "ms", r#","at_most":33"#);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let desk = workers.desk().await?;
        // Nothing happens any more once no order is under way.
        while desk.view().counts().await?.orders[..2].iter().sum::<u64>() > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Done::Ok(())
    })?;
    report("idle dashboard", idle(&screen)?, "% of a core", r#","at_most":0.5"#);
    screen.leave()?;
    workers.stop().map_err(Into::into)
}

/// The share of a core, in percent, that a process takes in which nothing happens.
fn idle(screen: &Screen) -> Done<f64> {
    std::thread::sleep(Duration::from_secs(3));
    let (before, since) = (screen.used()?, Instant::now());
    std::thread::sleep(IDLE_FOR);
    Ok((screen.used()? - before) / since.elapsed().as_secs_f64() * 100.0)
}

/// A whole desk in one process, with its workers: for comparison.
fn idle_alone() -> Done<()> {
    let home = tempfile::tempdir()?;
    let mut screen = Screen::of(home.path(), &[])?;
    screen.until("a desk that works", |shown| shown.contains("closed"))?;
    report("idle dashboard with all workers in it", idle(&screen)?, "% of a core", "");
    screen.leave()
}

/// Presses a key now and then, and times it to the byte that has its effect on the screen. Also the orders that were
/// answered in a second meanwhile.
fn press_keys(screen: &mut Screen, settled: &AtomicU64) -> Done<(Vec<Duration>, f64)> {
    while settled.load(Ordering::Relaxed) < ORDERS_PER_SECOND {
        screen.until("load", |_| true)?;
    }
    let (before, since) = (settled.load(Ordering::Relaxed), Instant::now());
    let mut times = Vec::with_capacity(KEYS);
    for n in 0..KEYS {
        // At any point between two frames, and two keys as fast as the fastest type: some fifteen keys a second.
        std::thread::sleep(Duration::from_millis(70 + (n as u64 * 37) % 120));
        while let Ok((_, bytes)) = screen.sent.try_recv() {
            screen.shown.process(&bytes);
        }
        let pressed = screen.press("/")?;
        let painted = screen.until("the filter", |shown| shown.contains(HINT))?;
        times.push(painted.saturating_duration_since(pressed));
        screen.press("\u{1b}")?;
        screen.until("no filter", |shown| !shown.contains(HINT))?;
    }
    let answered = settled.load(Ordering::Relaxed) - before;
    Ok((times, answered as f64 / since.elapsed().as_secs_f64()))
}

/// Orders so much in every second until it is enough.
fn buy(workers: &Process, done: &AtomicBool, settled: &AtomicU64) -> Done<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let desk = workers.desk().await?;
        let kim = Customer::new("kim")?;
        let top_up =
            TopUp { customer: kim.clone(), amount: Won(900_000_000_000), topup_id: Some(desk.request_id()) };
        while !desk.top_up(&top_up).await.is_ok_and(|answer| answer.ok) {}
        let (mut orders, mut clock) = (FuturesUnordered::new(), tokio::time::interval(EVERY));
        let item_id = ItemId::new("10")?;
        while !done.load(Ordering::Relaxed) {
            tokio::select! {
                _ = clock.tick() => {
                    for _ in 0..AT_ONCE {
                        if orders.len() >= IN_FLIGHT {
                            break;
                        }
                        let (desk, customer, item_id) = (desk.clone(), kim.clone(), item_id.clone());
                        orders.push(async move {
                            let order_id = Some(desk.order_id());
                            let customer = Some(customer);
                            desk.place(&Place { item_id, qty: 1, customer, order_id, unit_price: None }).await
                        });
                    }
                }
                Some(answer) = orders.next() => {
                    if answer.is_ok_and(|answer| answer.ok) {
                        settled.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        while orders.next().await.is_some() {}
        Ok(())
    })
}
