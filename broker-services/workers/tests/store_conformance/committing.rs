//! What [`Store::transact`](skstore_workers::store::Store::transact) promises.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use skstore_domain::events::{DepositKind, EventKind};
use skstore_workers::store::{Changes, Key, NewEvent, Row, StoreError, Write};

use crate::builders::{advance, commit, event, keys, order, read, revision, step, whole_log, write};
use crate::engines::Engine;

pub(crate) async fn a_decision_is_committed_whole(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, b) = (order("a"), Key::new("payment", "a"));
    let changes = Changes {
        writes: vec![write(&a, 0), Write { revision: 3, ..write(&b, 0) }],
        events: vec![event("a", 1), event("a", 2)],
        ..Changes::default()
    };
    let (answer, events) = store.transact(&keys([&a, &b]), |_| (changes.clone(), "answered")).await.unwrap();

    assert_eq!(answer, "answered");
    let appended: Vec<_> = events.iter().map(|stored| stored.event.clone()).collect();
    assert_eq!(appended, changes.events, "the appended events are returned in their order");
    let loaded = read(&engine.open().await, &keys([&a, &b])).await;
    assert_eq!(loaded[&a], Row { revision: 1, body: changes.writes[0].body.clone() });
    assert_eq!(loaded[&b].revision, 3, "several transitions in one decision are one write");
    assert_eq!(store.unsent(0, |_| false, 10).await.unwrap(), events);
}

pub(crate) async fn a_decision_is_given_what_it_asked_for_and_no_more(engine: &impl Engine) {
    let store = engine.open().await;
    let (mine, absent, other) = (order("mine"), order("absent"), order("other"));
    let same_id = Key::new("payment", "mine");
    advance(&store, &keys([&mine])).await.unwrap();
    advance(&store, &keys([&other])).await.unwrap();

    let loaded = read(&store, &keys([&mine, &absent, &same_id])).await;
    assert_eq!(loaded.into_keys().collect::<Vec<_>>(), [mine]);
    assert!(read(&store, &keys([])).await.is_empty(), "no keys, no rows");
}

pub(crate) async fn a_decision_that_panics_leaves_nothing(engine: &impl Engine) {
    let store = engine.open().await;
    let a = order("a");
    advance(&store, &keys([&a])).await.unwrap();

    let wanted = keys([&a]);
    let decide = |_: &_| -> (Changes, ()) { std::panic::panic_any("a mistake in the rules") };
    let caught = AssertUnwindSafe(store.transact(&wanted, decide)).catch_unwind().await;
    assert!(caught.is_err(), "the panic reaches the caller");

    assert_eq!(revision(&store, &a).await, 1);
    advance(&store, &wanted).await.expect("the store goes on working after a panic");
    assert_eq!((revision(&store, &a).await, whole_log(&store).await.len()), (2, 2));
}

pub(crate) async fn a_contradiction_leaves_nothing(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, new) = (order("a"), order("new"));
    advance(&store, &keys([&a])).await.unwrap();
    advance(&store, &keys([&a])).await.unwrap();
    let with_event =
        |event: NewEvent| Changes { writes: vec![write(&a, 2)], events: vec![event], ..Changes::default() };
    let both = |mut one: Changes, other: Changes| {
        one.writes.extend(other.writes);
        one.events.extend(other.events);
        one
    };

    let table = [
        (
            "written over an older revision",
            Changes { writes: vec![write(&a, 1)], events: vec![event("a", 3)], ..Changes::default() },
        ),
        ("written over a newer revision", step(&a, 7)),
        (
            "created, but it is there",
            Changes { writes: vec![write(&a, 0)], events: vec![], ..Changes::default() },
        ),
        ("written over, but it is not there", step(&order("absent"), 3)),
        (
            "written twice",
            both(step(&a, 2), Changes { writes: vec![write(&a, 2)], events: vec![], ..Changes::default() }),
        ),
        (
            "created twice",
            both(
                step(&order("b"), 0),
                Changes { writes: vec![write(&order("b"), 0)], events: vec![], ..Changes::default() },
            ),
        ),
        (
            "no next revision",
            Changes {
                writes: vec![Write { revision: 2, ..write(&a, 2) }],
                events: vec![],
                ..Changes::default()
            },
        ),
        (
            "a revision out of range",
            Changes {
                writes: vec![Write { revision: u64::MAX, ..write(&a, 2) }],
                events: vec![],
                ..Changes::default()
            },
        ),
        ("an event that was told before", with_event(event("a", 2))),
        (
            "an event told twice at once",
            both(step(&a, 2), Changes { writes: vec![], events: vec![event("a", 3)], ..Changes::default() }),
        ),
        ("an event with a strange id", with_event(NewEvent { id: "order/a/4".into(), ..event("a", 3) })),
        (
            "an event of the wrong kind",
            with_event(NewEvent { kind: EventKind::Deposit(DepositKind::Paid), ..event("a", 3) }),
        ),
    ];
    for (name, bad) in table {
        // Something good stands before and after it: that must not stay either.
        let changes = both(both(step(&new, 0), bad), step(&order("after"), 0));
        let error = commit(&store, changes).await.expect_err(name);
        assert!(matches!(error, StoreError::Contradiction { .. }), "{name}: {error}");
        let there = read(&store, &keys([&a, &new, &order("absent"), &order("b"), &order("after")])).await;
        assert_eq!(there.len(), 1, "{name}: an aggregate was left behind: {there:?}");
        assert_eq!(there[&a].revision, 2, "{name}: the revision");
        assert_eq!(whole_log(&store).await.len(), 2, "{name}: an event was left behind");
        assert_eq!(store.unsent_count().await.unwrap(), 2, "{name}: an unsent event was left behind");
    }
    advance(&store, &keys([&a, &new])).await.expect("the store goes on working after contradictions");
}

pub(crate) async fn an_empty_decision_writes_nothing_and_still_answers(engine: &impl Engine) {
    let store = engine.open().await;
    let a = order("a");
    advance(&store, &keys([&a])).await.unwrap();
    let (answer, events) =
        store.transact(&keys([&a]), |loaded| (Changes::default(), loaded.len())).await.unwrap();
    assert_eq!((answer, events.len()), (1, 0));
    assert_eq!((revision(&store, &a).await, whole_log(&store).await.len()), (1, 1));
}

pub(crate) async fn a_batch_of_a_thousand_is_one_commit(engine: &impl Engine) {
    let store = engine.open().await;
    let all: Vec<Key> = (0..1_000).map(|number| order(&format!("{number:04}"))).collect();
    // Every third is new in the second commit, the others are written over.
    let old = keys(all.iter().enumerate().filter(|(number, _)| number % 3 != 0).map(|(_, key)| key));
    advance(&store, &old).await.unwrap();
    let events = advance(&store, &keys(&all)).await.unwrap();

    assert_eq!(events.len(), 1_000);
    let loaded = read(&store, &keys(&all)).await;
    assert_eq!(loaded.len(), 1_000);
    for (number, key) in all.iter().enumerate() {
        let expected = if number % 3 == 0 { 1 } else { 2 };
        assert_eq!(loaded[key].revision, expected, "{key:?}");
    }
    assert_eq!(store.unsent_count().await.unwrap(), 1_000 + u64::try_from(old.len()).unwrap());
}

pub(crate) async fn any_text_is_kept_as_it_is(engine: &impl Engine) {
    let store = engine.open().await;
    let long = "가".repeat(64);
    let big = "사".repeat(100_000);
    let texts = [
        "it's",
        "\"quoted\"",
        "'); DROP TABLE events; --",
        "%_like?*[a]",
        "a/b",
        "a/2",
        "back\\slash",
        "김철수 🍎",
        " spaces ",
        "UPPER",
        "upper",
        "é",
        "e\u{301}",
        "NULL",
        "0193",
        "193",
        "1e3",
        "line\nbreak\ttab",
        &long,
        &big,
    ];
    for text in texts {
        let changes = Changes {
            writes: vec![Write { body: text.to_owned(), ..write(&order(id_of(text)), 0) }],
            events: vec![NewEvent { body: text.to_owned(), ..event(id_of(text), 1) }],
            ..Changes::default()
        };
        commit(&store, changes).await.unwrap_or_else(|error| panic!("{text:.20}: {error}"));
    }
    let wanted: Vec<Key> = texts.iter().map(|text| order(id_of(text))).collect();
    let loaded = read(&store, &keys(&wanted)).await;
    assert_eq!(loaded.len(), texts.len(), "no two texts are taken for the same");
    assert!(loaded.iter().all(|(key, row)| key.id == id_of(&row.body)), "each row is found under its own id");
    assert_eq!(whole_log(&store).await, texts);
    let unsent = store.unsent(0, |_| false, texts.len()).await.unwrap();
    let told: Vec<&NewEvent> = unsent.iter().map(|stored| &stored.event).collect();
    let expected: Vec<_> =
        texts.map(|text| NewEvent { body: text.to_owned(), ..event(id_of(text), 1) }).into();
    assert_eq!(told, expected.iter().collect::<Vec<_>>());
}

/// Names have at most 64 characters, and what has more is a body alone.
fn id_of(text: &str) -> &str {
    if text.chars().count() > 64 { "big" } else { text }
}

pub(crate) async fn clones_see_each_others_commits(engine: &impl Engine) {
    let one = engine.open().await;
    let other = one.clone();
    let a = order("a");
    for round in 0..10 {
        assert_eq!(revision(&one, &a).await, 2 * round);
        advance(&one, &keys([&a])).await.unwrap();
        assert_eq!(revision(&other, &a).await, 2 * round + 1);
        advance(&other, &keys([&a])).await.unwrap();
    }
    drop(one);
    assert_eq!(whole_log(&other).await.len(), 20, "a clone outlives what it was cloned from");
}
