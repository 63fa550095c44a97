//! What is promised to several processes on one store: one of them has the lease, and what others commit is news.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use skstore_domain::time::Timestamp;
use skstore_workers::store::Store;

use crate::builders::{advance, keys, order};
use crate::engines::{Engine, Shared, block_on};

const LASTS: Duration = Duration::from_millis(100);

async fn takes(store: &Store, holder: &str, at: i64) -> bool {
    store.take_lease(holder, Timestamp(at), LASTS).await.unwrap()
}

pub(crate) async fn a_lease_has_one_holder_until_it_ends(engine: &impl Engine) {
    let store = engine.open().await;
    let asked = [
        ("a", 1_000, true, "it is free"),
        ("b", 1_000, false, "somebody has it"),
        ("b", 1_099, false, "it has not ended"),
        ("b", 1_100, true, "it has ended"),
        ("a", 1_101, false, "it has passed to another"),
        ("b", 1_150, true, "its holder prolongs it"),
        ("a", 1_200, false, "it was prolonged"),
        ("a", 1_250, true, "it has ended again"),
    ];
    for (holder, at, expected, why) in asked {
        assert_eq!(takes(&store, holder, at).await, expected, "{holder} at {at}: {why}");
    }
}

pub(crate) async fn a_lease_is_given_up_by_its_holder_alone(engine: &impl Engine) {
    let store = engine.open().await;
    store.give_up_lease("nobody has one").await.unwrap();
    assert!(takes(&store, "a", 1_000).await);
    store.give_up_lease("b").await.unwrap();
    assert!(!takes(&store, "b", 1_001).await);
    store.give_up_lease("a").await.unwrap();
    assert!(takes(&store, "b", 1_001).await, "at once");
}

pub(crate) async fn a_clock_that_is_set_back_keeps_nobody_out(engine: &impl Engine) {
    let store = engine.open().await;
    assert!(takes(&store, "a", 1_000_000).await);
    assert!(takes(&store, "b", 1_000).await, "that lease would seem to last for minutes");
    assert!(!takes(&store, "a", 1_001).await);
}

pub(crate) async fn the_own_commits_are_no_news(engine: &impl Engine) {
    let store = engine.open().await;
    assert!(store.changed_externally().await.unwrap(), "whoever asks for the first time has to look");
    for _ in 0..3 {
        let events = advance(&store, &keys([&order("a")])).await.unwrap();
        store.clone().mark_sent(&[events[0].seq]).await.unwrap();
        assert!(takes(&store, "a", 1_000).await);
        assert!(!store.changed_externally().await.unwrap());
    }
}

pub(crate) async fn what_another_connection_commits_is_news_once(engine: &impl Shared) {
    let (one, other) = (engine.open().await, engine.open().await);
    one.changed_externally().await.unwrap();
    for round in 0..3 {
        advance(&other, &keys([&order("a")])).await.unwrap();
        advance(&one, &keys([&order("b")])).await.unwrap();
        assert!(one.changed_externally().await.unwrap(), "round {round}");
        assert!(!one.changed_externally().await.unwrap(), "round {round}");
    }
}

pub(crate) async fn of_many_connections_one_gets_the_lease(engine: &impl Shared) {
    const THREADS: usize = 4;
    const ROUNDS: i64 = 25;
    drop(engine.open().await);
    let url = engine.url();
    let barrier = Barrier::new(THREADS);
    let contend = |holder: usize| {
        block_on(async {
            let store = Store::open(&url).await.unwrap();
            let mut taken = Vec::new();
            for round in 1..=ROUNDS {
                // A round is a moment that nobody leaves before all have asked.
                barrier.wait();
                taken.push(takes(&store, &format!("holder-{holder}"), round * 1_000).await);
                barrier.wait();
            }
            taken
        })
    };
    let taken: Vec<Vec<bool>> = thread::scope(|scope| {
        let contend = &contend;
        let threads: Vec<_> = (0..THREADS).map(|holder| scope.spawn(move || contend(holder))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for round in 0..usize::try_from(ROUNDS).unwrap() {
        let holders = taken.iter().filter(|taken| taken[round]).count();
        assert_eq!(holders, 1, "holders in round {round}");
    }
}
