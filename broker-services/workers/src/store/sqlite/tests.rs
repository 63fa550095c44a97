//! What cannot be seen through the port: how commits reach the disk, and what SQLite walks through.

use std::fs;
use std::path::Path;

use skstore_domain::events::{EventKind, OrderKind};

use super::SqliteStore;
use crate::store::{Changes, NewEvent, Write};
use crate::store::{Key, StoreError};

fn event(number: u64) -> NewEvent {
    NewEvent {
        id: format!("order/a/{number}"),
        aggregate_kind: "order",
        aggregate_id: "a".into(),
        revision: number,
        kind: EventKind::Order(OrderKind::Noted),
        body: "{}".into(),
    }
}

fn append(store: &SqliteStore, number: u64) -> i64 {
    let write = Write {
        key: Key::new("order", "a"),
        read: number - 1,
        revision: number,
        body: "{}".into(),
        due: None,
    };
    let changes = Changes { writes: vec![write], events: vec![event(number)], ..Changes::default() };
    let ((), events) = store.transact(&[Key::new("order", "a")].into(), |_| (changes.clone(), ())).unwrap();
    events[0].seq
}

/// 2 is FULL, 1 is NORMAL.
fn synchronous(store: &SqliteStore) -> i64 {
    let connection = store.0.connection.borrow();
    connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
}

/// Everything in the directory, byte for byte. `-shm` is SQLite's shared memory, not data.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let data = files.filter(|path| !path.to_string_lossy().ends_with("-shm"));
    let mut contents: Vec<_> =
        data.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    contents.sort();
    contents
}

#[test]
fn a_decision_is_synced_and_a_mark_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("store.db")).unwrap();
    assert_eq!(synchronous(&store), 2, "when opened");
    for round in 1..4 {
        let seq = append(&store, round);
        assert_eq!(synchronous(&store), 2, "after decision {round}");
        store.mark_sent(&[seq]).unwrap();
        assert_eq!(synchronous(&store), 1, "after mark {round}");
    }
}

#[test]
fn an_empty_decision_touches_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("store.db")).unwrap();
    append(&store, 1);
    let before = contents(directory.path());
    assert_eq!(before.len(), 2, "the database and its WAL");
    let keys = [Key::new("order", "a")].into();
    let (found, _) = store.transact(&keys, |loaded| (Changes::default(), loaded.len())).unwrap();
    assert_eq!(found, 1);
    assert!(contents(directory.path()) == before, "an empty decision has written something");
}

#[test]
fn a_store_used_from_within_its_own_decision_is_an_error() {
    let store = SqliteStore::in_memory().unwrap();
    let within = store.clone();
    let (answer, _) = store
        .transact(&[].into(), |_| (Changes::default(), within.has_any("order").map_err(|e| e.to_string())))
        .unwrap();
    assert!(answer.unwrap_err().contains("from within one of its decisions"));
}

#[test]
fn a_locked_file_is_an_error_that_names_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.0.connection.borrow().busy_timeout(std::time::Duration::from_millis(10)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.transact(&[].into(), |_| (Changes::default(), ())).unwrap_err();
    assert!(matches!(&error, StoreError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("another process has kept it locked"), "{error}");
    store.unsent(0, |_| false, 1).expect("reading needs no lock");
    other.execute_batch("ROLLBACK").unwrap();
    append(&store, 1);
}

#[test]
fn no_query_walks_through_a_whole_table() {
    let store = SqliteStore::in_memory().unwrap();
    append(&store, 1);
    let connection = store.0.connection.borrow();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let none = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(none), |row| row.get(3)).unwrap();
        steps.collect::<Result<Vec<String>, _>>().unwrap().join("; ")
    };
    for sql in super::read::QUERIES.iter().chain(super::identity::QUERIES) {
        let plan = plan(sql);
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[test]
fn the_history_of_one_aggregate_comes_in_order_and_by_id() {
    let store = SqliteStore::in_memory().unwrap();
    for number in 1..=11 {
        append(&store, number);
    }
    let connection = store.0.connection.borrow();
    let mut history = connection
        .prepare("SELECT id FROM events WHERE kind = 'order' AND aggregate_id = 'a' ORDER BY revision")
        .unwrap();
    let ids = history.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let expected: Vec<String> = (1..=11).map(|number| event(number).id).collect();
    assert_eq!(ids.collect::<Result<Vec<_>, _>>().unwrap(), expected);
}
