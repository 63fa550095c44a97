//! What is promised of looking for aggregates.

use skstore_domain::time::Timestamp;
use skstore_workers::store::{Changes, Key, Store};

use crate::builders::{ALL, commit, order, put, revision};
use crate::engines::Engine;

async fn due(store: &Store, now: i64, max: usize) -> Vec<String> {
    let keys = store.due("order", Timestamp(now), Timestamp(i64::MAX), max).await.unwrap();
    assert!(keys.iter().all(|key| key.kind == "order"));
    keys.into_iter().map(|key| key.id).collect()
}

pub(crate) async fn what_is_due_comes_earliest_first_and_bounded(engine: &impl Engine) {
    let store = engine.open().await;
    for (id, at) in
        [("late", Some(30)), ("b", Some(20)), ("a", Some(20)), ("early", Some(-5)), ("never", None)]
    {
        put(&store, &order(id), 0, at).await;
    }
    put(&store, &Key::new("payment", "other kind"), 0, Some(1)).await;

    let table: [(i64, usize, &[&str]); 6] = [
        (-6, ALL, &[]),
        (-5, ALL, &["early"]),
        (29, ALL, &["early", "a", "b"]),
        (i64::MAX, usize::MAX, &["early", "a", "b", "late"]),
        (i64::MAX, 2, &["early", "a"]),
        (i64::MAX, 0, &[]),
    ];
    for (now, max, expected) in table {
        assert_eq!(due(&store, now, max).await, expected, "due at {now}, at most {max}");
    }
}

pub(crate) async fn a_later_write_moves_or_clears_what_is_due(engine: &impl Engine) {
    let store = engine.open().await;
    let a = order("a");
    put(&store, &a, 0, Some(10)).await;
    put(&store, &a, 1, Some(20)).await;
    assert!(due(&store, 19, ALL).await.is_empty(), "it was put off");
    assert_eq!(due(&store, 20, ALL).await, ["a"]);
    put(&store, &a, 2, None).await;
    assert!(due(&store, i64::MAX, ALL).await.is_empty(), "it was cleared");
    put(&store, &a, 3, Some(5)).await;
    assert_eq!(due(&engine.open().await, 5, ALL).await, ["a"]);
}

pub(crate) async fn what_is_to_be_looked_after_later_is_due_then_and_not_before(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, missing) = (order("a"), order("missing"));
    put(&store, &a, 0, Some(10)).await;
    let looks = vec![(a.clone(), Timestamp(30)), (missing, Timestamp(1))];
    commit(&store, Changes { looks, ..Changes::default() }).await.unwrap();
    assert!(due(&store, 29, ALL).await.is_empty(), "it was put off, and what is not there stays away");
    assert_eq!(due(&store, 30, ALL).await, ["a"]);
    assert_eq!(revision(&store, &a).await, 1, "that is no transition");
}

pub(crate) async fn what_another_clock_made_due_far_ahead_is_due_now(engine: &impl Engine) {
    let store = engine.open().await;
    for (id, at) in [("a", 1), ("soon", 60), ("in an hour", 3_600_000)] {
        put(&store, &order(id), 0, Some(at)).await;
    }
    let found = |max| store.due("order", Timestamp(10), Timestamp(100), max);
    let ids = |keys: Vec<Key>| keys.into_iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(found(ALL).await.unwrap()), ["a", "in an hour"]);
    assert_eq!(ids(found(1).await.unwrap()), ["a"], "at most as many as asked for");
}

pub(crate) async fn any_aggregate_of_a_kind_is_found(engine: &impl Engine) {
    let store = engine.open().await;
    assert!(!store.has_any("item").await.unwrap());
    put(&store, &Key::new("items", "10"), 0, None).await;
    assert!(!store.has_any("item").await.unwrap(), "another kind does not count");
    put(&store, &Key::new("item", "10"), 0, None).await;
    assert!(store.has_any("item").await.unwrap());
}
