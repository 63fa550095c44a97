//! What is promised of looking for aggregates.

use skstore_domain::time::Timestamp;
use skstore_workers::store::{Key, Store};

use crate::builders::{ALL, order, put};
use crate::engines::Engine;

async fn due(store: &Store, now: i64, most: usize) -> Vec<String> {
    let keys = store.due("order", Timestamp(now), most).await.unwrap();
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
    for (now, most, expected) in table {
        assert_eq!(due(&store, now, most).await, expected, "due at {now}, at most {most}");
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

pub(crate) async fn any_aggregate_of_a_kind_is_found(engine: &impl Engine) {
    let store = engine.open().await;
    assert!(!store.has_any("item").await.unwrap());
    put(&store, &Key::new("items", "10"), 0, None).await;
    assert!(!store.has_any("item").await.unwrap(), "another kind does not count");
    put(&store, &Key::new("item", "10"), 0, None).await;
    assert!(store.has_any("item").await.unwrap());
}
