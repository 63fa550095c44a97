//! What the store costs: µs per message and the median commit, for an order that is placed, paid and
//! delivered, each a message of its own, and for a late cancel of any old order.
//!
//! `cargo bench -p skstore-workers --bench store [-- --million] [-- --dir DIR]` prints one JSON object a
//! line. `disk` is DIR, by default the system's temporary directory; `ram` is a file where fsync is free, so
//! the difference between the two is the disk's.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "its figures go to stdout")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::time::Timestamp;
use skstore_workers::store::sqlite::SqliteStore;
use skstore_workers::store::{Changes, Key, Loaded, NewEvent, Store, Write};

/// Messages measured for a figure, and at least this many commits.
const MESSAGES: usize = 50_000;
const MAX_COMMITS: usize = 1_000;
const FILL_BATCH: usize = 1_000;
const FSYNCS: usize = 200;
const SEED: u64 = 0x5eed;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let after = |flag: &str| args.iter().skip_while(|arg| *arg != flag).nth(1);
    let stored = if args.iter().any(|arg| arg == "--million") { vec![1_000, 1_000_000] } else { vec![1_000] };
    let disk = after("--dir").map_or_else(std::env::temp_dir, PathBuf::from);
    let ram = Path::new("/dev/shm");

    measure_fsync(&disk);
    for stored in stored {
        measure_file("disk", &disk, stored);
        if ram.is_dir() {
            measure_file("ram", ram, stored);
        }
        measure("memory", &Store::Sqlite(SqliteStore::in_memory().unwrap()), stored);
    }
}

fn measure_file(name: &str, directory: &Path, stored: usize) {
    let directory = tempfile::tempdir_in(directory).unwrap();
    let store = SqliteStore::open(&directory.path().join("store.db")).unwrap();
    measure(name, &Store::Sqlite(store), stored);
}

/// The least that a commit of one page can cost on this disk.
fn measure_fsync(directory: &Path) {
    let directory = tempfile::tempdir_in(directory).unwrap();
    let path = directory.path().join("fsync");
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut times: Vec<Duration> = (0..FSYNCS)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&[0; 4_096]).unwrap();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    println!("{{\"name\":\"fsync, median\",\"value\":{:.1},\"unit\":\"us\"}}", median_us(&mut times));
}

fn measure(name: &str, store: &Store, stored: usize) {
    let mut orders = Orders { minted: 0, chance: fastrand::Rng::with_seed(SEED) };
    for _ in 0..stored / FILL_BATCH {
        let (keys, _) = orders.mint(FILL_BATCH);
        let seqs = step(store, &keys, EventKind::Order(OrderKind::Paying));
        mark(store, &seqs);
    }
    for batch in [1, 256] {
        let mut figures = [(); 5].map(|()| Vec::new());
        let old = orders.minted;
        for _ in 0..(MESSAGES / batch).min(MAX_COMMITS) {
            let (keys, _) = orders.mint(batch);
            let mut seqs = Vec::new();
            let kinds = [
                EventKind::Order(OrderKind::Paying),
                EventKind::Order(OrderKind::Placed),
                EventKind::Order(OrderKind::Delivering),
            ];
            for (kind, times) in kinds.into_iter().zip(&mut figures) {
                seqs.extend(timed(times, || step(store, &keys, kind)));
            }
            timed(&mut figures[3], || mark(store, &seqs));
            let keys = orders.some_of(old, batch);
            let seqs = timed(&mut figures[4], || step(store, &keys, EventKind::Order(OrderKind::Cancelled)));
            mark(store, &seqs);
        }
        let steps = ["place", "paid", "delivering", "mark_sent_of_all_three", "cancel_any_old"];
        for (step, times) in steps.into_iter().zip(&mut figures) {
            let total: Duration = times.iter().sum();
            let messages = times.len() * batch;
            #[expect(clippy::cast_precision_loss, reason = "some thousands of messages")]
            let per_message = total.as_secs_f64() * 1e6 / messages as f64;
            println!(
                "{{\"name\":\"{step}, batch {batch}, {name}, {stored} stored\",\"value\":{per_message:.2},\
                 \"unit\":\"us/message\",\"median_commit_us\":{:.1}}}",
                median_us(times)
            );
        }
    }
}

/// One message for each key.
fn step(store: &Store, keys: &BTreeSet<Key>, kind: EventKind) -> Vec<i64> {
    let decide = |loaded: &Loaded| {
        let mut changes = Changes::default();
        for key in keys {
            let read = loaded.get(key).map_or(0, |row| row.revision);
            changes.writes.push(write(key, read));
            changes.events.push(event(key, read + 1, kind));
        }
        (changes, ())
    };
    let ((), events) = store.transact(keys, decide).now_or_never().unwrap().unwrap();
    events.into_iter().map(|stored| stored.seq).collect()
}

fn mark(store: &Store, seqs: &[i64]) {
    store.mark_sent(seqs).now_or_never().unwrap().unwrap();
}

/// Bodies as long as a real order's and its event's.
fn write(key: &Key, read: u64) -> Write {
    let due = (read == 0).then_some(Timestamp(1_790_000_000_000));
    Write { key: key.clone(), read, revision: read + 1, body: "x".repeat(480), due }
}

fn event(key: &Key, revision: u64, kind: EventKind) -> NewEvent {
    NewEvent {
        id: format!("order/{}/{revision}", key.id),
        aggregate_kind: "order",
        aggregate_id: key.id.clone(),
        revision,
        kind,
        body: "x".repeat(750),
    }
}

/// Ids like UUIDv7: the same length, sorted by time.
struct Orders {
    minted: usize,
    chance: fastrand::Rng,
}

impl Orders {
    fn id(number: usize) -> String {
        format!("{number:012x}-7000-8000-{:017x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff)
    }

    fn mint(&mut self, count: usize) -> (BTreeSet<Key>, usize) {
        let first = self.minted;
        self.minted += count;
        ((first..self.minted).map(|number| Key::new("order", Self::id(number))).collect(), first)
    }

    /// Up to `count` of the first `of`.
    fn some_of(&mut self, of: usize, count: usize) -> BTreeSet<Key> {
        (0..count).map(|_| Key::new("order", Self::id(self.chance.usize(0..of)))).collect()
    }
}

fn median_us(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    times.push(started.elapsed());
    result
}
