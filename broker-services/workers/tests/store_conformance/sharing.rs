//! What is promised when a store is opened again: after it was closed or killed, or while others use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use skstore_workers::store::{Key, Store, StoreError};

use crate::builders::{ALL, advance, keys, order, read, revision, whole_log};
use crate::engines::{Shared, block_on};

/// Names the store for a process that is there to be killed.
const KILLED_STORE: &str = "SKSTORE_TEST_KILLED_STORE";
/// Where such a process ends by itself if nobody kills it.
const MAX_COMMITS: u64 = 100_000;
const ATTEMPTS: usize = 50;

pub(crate) async fn everything_is_there_after_a_reopen(engine: &impl Shared) {
    let a = order("a");
    let first = engine.open().await;
    let one = advance(&first, &keys([&a])).await.unwrap();
    let two = advance(&first, &keys([&a])).await.unwrap();
    first.mark_sent(&[one[0].seq]).await.unwrap();
    drop(first);

    let second = engine.open().await;
    assert_eq!(revision(&second, &a).await, 2);
    assert_eq!(second.unsent(0, |_| false, ALL).await.unwrap(), two);
    assert_eq!(whole_log(&second).await.len(), 2);
    let three = advance(&second, &keys([&a])).await.unwrap();
    assert!(three[0].seq > two[0].seq, "numbers go on where they ended");
}

pub(crate) async fn two_connections_see_each_others_commits(engine: &impl Shared) {
    let (one, other) = (engine.open().await, engine.open().await);
    let a = order("a");
    for round in 0..5 {
        assert_eq!(revision(&one, &a).await, 2 * round);
        let events = advance(&one, &keys([&a])).await.unwrap();
        assert_eq!(other.unsent(0, |_| false, ALL).await.unwrap(), events);
        other.mark_sent(&[events[0].seq]).await.unwrap();
        let events = advance(&other, &keys([&a])).await.unwrap();
        one.mark_sent(&[events[0].seq]).await.unwrap();
    }
    assert_eq!(one.unsent_count().await.unwrap(), 0);
}

/// Each thread opens the store itself, the first of them creates it.
pub(crate) async fn many_connections_lose_no_update(engine: &impl Shared) {
    const THREADS: u64 = 4;
    const COMMITS: u64 = 25;
    let contend = |url: &str| {
        block_on(async {
            let store = Store::open(url).await.expect("several may create it at once");
            for _ in 0..COMMITS {
                advance_in_the_end(&store, &order("contended")).await;
            }
        });
    };
    let url = engine.url();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| contend(&url));
        }
    });

    let store = engine.open().await;
    assert_eq!(revision(&store, &order("contended")).await, THREADS * COMMITS);
    let mut log = whole_log(&store).await;
    assert_eq!(log.len() as u64, THREADS * COMMITS);
    log.dedup();
    assert_eq!(log.len() as u64, THREADS * COMMITS, "each update was decided on the one before");
}

/// A store may fail while others hold it, as long as it says so: then a worker tries again.
async fn advance_in_the_end(store: &Store, key: &Key) {
    for _ in 0..ATTEMPTS {
        match advance(store, &keys([key])).await {
            Ok(_) => return,
            Err(StoreError::Failed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no turn in {ATTEMPTS} attempts");
}

pub(crate) async fn another_schema_version_is_refused_with_a_remedy(engine: &impl Shared) {
    advance(&engine.open().await, &keys([&order("a")])).await.unwrap();
    for version in [0, 99] {
        engine.pretend_schema_version(version).await;
        match Store::open(&engine.url()).await {
            Err(StoreError::Schema { found, known, remedy, .. }) => {
                assert_eq!((found, known), (version, 1));
                assert!(remedy.contains("program"), "version {version}: {remedy}");
            }
            other => panic!("version {version}: {other:?}"),
        }
    }
    engine.pretend_schema_version(1).await;
    assert_eq!(revision(&engine.open().await, &order("a")).await, 1, "a refused store is left alone");
}

/// `this` is the calling test's name, to start it again as a process that commits until it is killed.
pub(crate) fn acknowledged_commits_survive_a_kill(this: &str, engine: &impl Shared) {
    if let Ok(url) = std::env::var(KILLED_STORE) {
        return block_on(commit_until_killed(&url));
    }
    let mut acknowledged = 0;
    for kill_after in [1, 7, 40] {
        acknowledged = run_and_kill(this, &engine.url(), acknowledged + kill_after);
        block_on(assert_all_there(engine, acknowledged));
    }
}

/// Commits number after number, and says which are committed.
async fn commit_until_killed(url: &str) {
    let store = Store::open(url).await.unwrap();
    let first = revision(&store, &order("counter")).await + 1;
    let mut stdout = std::io::stdout();
    for number in first..MAX_COMMITS {
        let events = advance(&store, &keys([&order("counter"), &numbered(number)])).await.unwrap();
        store.mark_sent(&[events[0].seq]).await.unwrap();
        if writeln!(stdout, "committed {number}").and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

fn numbered(number: u64) -> Key {
    order(&format!("n{number}"))
}

/// Kills the process once it has committed `enough`; returns the last number it got out.
fn run_and_kill(this: &str, url: &str, enough: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(KILLED_STORE, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        let Some(number) = line.strip_prefix("committed ").and_then(|number| number.parse().ok()) else {
            continue;
        };
        last = number;
        if last == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(last >= enough, "the process ended by itself after {last} of {enough} commits");
    last
}

async fn assert_all_there(engine: &impl Shared, acknowledged: u64) {
    let store = engine.open().await;
    let committed = revision(&store, &order("counter")).await;
    assert!(committed >= acknowledged, "{acknowledged} were acknowledged, {committed} are there");
    let all: Vec<Key> = (1..=committed + 1).map(numbered).collect();
    let there = read(&store, &keys(&all)).await;
    assert_eq!(there.len() as u64, committed, "each commit is there whole, and nothing of a next one");
    assert!(!there.contains_key(&numbered(committed + 1)));
    assert_eq!(whole_log(&store).await.len() as u64, 2 * committed);
    let unsent = store.unsent_count().await.unwrap();
    assert!(unsent >= committed, "an event is unsent that nobody marked: {unsent} of {committed}");
}
