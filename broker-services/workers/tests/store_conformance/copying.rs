//! A store that is copied is the same store, whichever engine it comes from and goes to; else there is nothing of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use skstore_domain::checkpoint::Lineage;
use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::time::Timestamp;
use skstore_workers::clock::Clock;
use skstore_workers::config::StoreUrl;
use skstore_workers::store::copy::{Copied, CopyError, copy, digest};
use skstore_workers::store::{Again, Changes, Key, LEASE_LASTS, Store, StoreError, StoredEvent, Write};

use crate::builders::{ALL, advance, commit, event, keys, order, seqs, whole_log, write};
use crate::engines::{Engine as _, Shared, SqliteFile, block_on};
use crate::identity::heard;

/// More than the rows of a page.
const ORDERS: usize = 2_500;
/// As large as a message may be, and so many of them that they are more than one page.
const LARGE_BODY: usize = 256 * 1024;
const LARGE_BODIES: usize = 40;
/// Kinds of aggregates that stand before and behind each other otherwise where letters are sorted as people do.
const KINDS: [&str; 4] = ["price", "Zebra", "änderung", "상품"];
/// What texts are made of.
const SIGNS: [&str; 12] =
    ["a", "Z", "ä", "한", "글", "🍎", "\"", "\\", "'", "\u{1}", "\n", "{\"key\":null,\"키\":\"값\"}"];
/// Times to look up between two pages, by which a part of the copy is written and a part is not.
const IN_THE_MIDST: usize = 6;

async fn copied(from: &impl Shared, to: &impl Shared) -> Result<Copied, CopyError> {
    copy(&from.place(), &to.place(), &Clock::System).await
}

/// Has it go on until it has looked up so many times.
pub(crate) async fn go_on<T>(mut copying: Pin<&mut impl Future<Output = T>>, times: usize) {
    for _ in 0..times {
        std::future::poll_fn(|context| {
            assert!(copying.as_mut().poll(context).is_pending(), "it is in the midst of it");
            Poll::Ready(())
        })
        .await;
    }
}

fn text(random: &mut fastrand::Rng, max: usize) -> String {
    (0..random.usize(..=max)).map(|_| SIGNS[random.usize(..SIGNS.len())]).collect()
}

/// Orders with two entries each, other aggregates, what is due and what is not, what is sent, unsent and told again.
#[expect(clippy::print_stdout, reason = "what failed once is to be repeated")]
async fn fill(engine: &impl Shared, seed: u64) {
    println!("the seed of the rows: {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let store = engine.open().await;
    let ids: BTreeSet<String> = (0..ORDERS).map(|at| format!("{}-{at}", text(&mut random, 3))).collect();
    let mut all = Vec::new();
    for part in ids.iter().collect::<Vec<_>>().chunks(500) {
        let mut changes = Changes::default();
        for id in part {
            let due = random.bool().then(|| Timestamp(random.i64(-5..5_000_000_000_000)));
            let body = text(&mut random, 20);
            changes.writes.push(Write { revision: 2, body, due, ..write(&order(id), 0) });
            changes.events.extend([1, 2].map(|revision| event(id, revision)));
        }
        all.extend(seqs(&commit(&store, changes).await.unwrap()));
    }
    let large =
        |at| Write { body: "큰".repeat(LARGE_BODY / 3), ..write(&Key::new("price", format!("{at}")), 0) };
    let other = |at: usize| write(&Key::new(KINDS[at % KINDS.len()], format!("other-{at}")), 0);
    let writes = (0..LARGE_BODIES).map(large).chain((0..100).map(other)).collect();
    commit(&store, Changes { writes, ..Changes::default() }).await.unwrap();
    let mut large = Changes::default();
    for at in 0..LARGE_BODIES {
        let id = format!("large-{at}");
        large.writes.push(write(&order(&id), 0));
        large.events.push(skstore_workers::store::NewEvent { body: "x".repeat(LARGE_BODY), ..event(&id, 1) });
    }
    commit(&store, large).await.unwrap();
    let sent: Vec<i64> = all.iter().copied().filter(|_| random.u8(..) > 20).collect();
    store.mark_sent(&sent).await.unwrap();
    let placed = EventKind::Order(OrderKind::Placed);
    let again = ids.iter().take(50).zip(0..);
    let again =
        again.map(|(id, told_again)| Again { kind: placed, aggregate_id: id.clone(), told_again }).collect();
    commit(&store, Changes { again, ..Changes::default() }).await.unwrap();
    engine.spoil("UPDATE events SET headers = '{\"머리\": ' || seq || '}' WHERE seq % 3 = 0").await;
    engine
        .spoil("INSERT INTO meta (key, value) VALUES ('한글', ''), ('zzz', 'what a later version may note')")
        .await;
}

/// All that a store says of itself.
async fn answers(place: &StoreUrl) -> (Vec<String>, Vec<StoredEvent>, Vec<Key>, Vec<String>) {
    let store = Store::open_to_read(place).await.unwrap();
    let head = store.head().await.unwrap().unwrap();
    let mut said = vec![format!("{head:?}"), format!("{:?}", store.unsent_count().await.unwrap())];
    let (mut due, mut aggregates) = (Vec::new(), Vec::new());
    for kind in KINDS.into_iter().chain(["order", "nothing"]) {
        said.push(format!("{kind}: {}", store.has_any(kind).await.unwrap()));
        due.extend(
            store.due(kind, Timestamp(3_000_000_000_000), Timestamp(4_000_000_000_000), ALL).await.unwrap(),
        );
        aggregates.push(format!("{:?}", store.scan(kind, "", ALL).await.unwrap()));
    }
    said.extend(whole_log(&store).await);
    (said, store.unsent(0, |_| false, ALL).await.unwrap(), due, aggregates)
}

/// `from` to `to`, and back to a file: the way that a desk goes which did not like it there.
pub(crate) async fn a_copy_is_the_same_store_with_every_row_of_it(from: &impl Shared, to: &impl Shared) {
    fill(from, fastrand::u64(..)).await;
    let there = copied(from, to).await.unwrap();
    let count = |table: &str| there.rows.iter().find(|(name, _)| *name == table).unwrap().1;
    assert_eq!(count("events"), (2 * ORDERS + LARGE_BODIES) as u64);
    assert_eq!((count("meta"), count("openings")), (3, 1), "{there:?}");
    assert!(count("unsent") > 50 && count("aggregates") > count("events") / 2, "{there:?}");

    let back = SqliteFile::start();
    assert_eq!(copied(to, &back).await.unwrap(), there, "and back");
    for place in [from.place(), to.place(), back.place()] {
        assert_eq!(digest(&place).await.unwrap(), there, "{place}");
    }
    let expected = answers(&from.place()).await;
    assert!(expected.1.iter().any(|event| event.told_again > 1) && !expected.2.is_empty());
    for place in [to.place(), back.place()] {
        assert!(answers(&place).await == expected, "{place} answers otherwise than {}", from.url());
    }
}

/// Whoever has heard the old one goes on with the new one.
pub(crate) async fn work_goes_on_with_the_copy_as_with_any_store(from: &impl Shared, to: &impl Shared) {
    let old = from.open().await;
    let before = seqs(&advance(&old, &keys(&["a", "b"].map(order))).await.unwrap());
    old.mark_sent(&before[..1]).await.unwrap();
    let known = heard(old.head().await.unwrap().unwrap());
    drop(old);
    copied(from, to).await.unwrap();

    let new = to.open().await;
    let head = new.head().await.unwrap().unwrap();
    assert_eq!(known.lineage(&head), Lineage::Same, "{head:?}");
    assert_eq!(seqs(&new.unsent(0, |_| false, ALL).await.unwrap()), before[1..], "what was to be sent is");
    let after = seqs(&advance(&new, &keys(&["a", "c"].map(order))).await.unwrap());
    assert_eq!(after, [before[1] + 1, before[1] + 2]);
    assert!(new.take_lease("somebody", Clock::System.now(), LEASE_LASTS).await.unwrap(), "nobody has it");
}

pub(crate) async fn where_something_is_nothing_is_copied_to(from: &impl Shared, to: &impl Shared) {
    advance(&from.open().await, &keys(&["a", "b"].map(order))).await.unwrap();
    // Opened once is enough: it has told others who it is.
    drop(to.open().await);
    for round in 0..2 {
        let before = digest(&to.place()).await.unwrap();
        let refused = copied(from, to).await.expect_err("there is something");
        assert!(matches!(refused, CopyError::Taken { .. }), "{refused}");
        assert!(refused.to_string().contains("holds something already"), "{refused}");
        assert_eq!(digest(&to.place()).await.unwrap(), before, "round {round}");
        advance(&to.open().await, &keys(&["theirs"].map(order))).await.unwrap();
    }
}

pub(crate) async fn a_store_that_somebody_works_on_is_not_copied(from: &impl Shared, to: &impl Shared) {
    let (store, clock) = (from.open().await, Clock::System);
    advance(&store, &keys(&["a", "b"].map(order))).await.unwrap();
    assert!(store.take_lease("order-1", clock.now(), LEASE_LASTS).await.unwrap());
    let refused = copied(from, to).await.expect_err("it is in use").to_string();
    assert!(
        refused.contains("order-1 has the right to relay") && refused.contains("Stop the workers"),
        "{refused}"
    );
    assert!(Store::open_to_read(&to.place()).await.is_err(), "nothing was made");

    // Who works by another clock is noticed by what he does.
    let theirs = clock.now().after(Duration::from_secs(3_600));
    assert!(store.take_lease("order-1", theirs, LEASE_LASTS).await.unwrap());
    let (old, new) = (from.place(), to.place());
    let mut copying = pin!(copy(&old, &new, &clock));
    go_on(copying.as_mut(), IN_THE_MIDST).await;
    assert!(
        store.take_lease("order-1", theirs.after(Duration::from_millis(500)), LEASE_LASTS).await.unwrap()
    );
    assert!(matches!(copying.await, Err(CopyError::InUse { .. })), "it was prolonged");
    store.give_up_lease("order-1").await.unwrap();

    for what in ["entries", "an opening"] {
        let mut copying = pin!(copy(&old, &new, &clock));
        go_on(copying.as_mut(), IN_THE_MIDST).await;
        match what {
            "entries" => drop(advance(&store, &keys(&["c"].map(order))).await.unwrap()),
            _ => drop(from.open().await),
        }
        let refused = copying.await.expect_err(what).to_string();
        assert!(refused.contains("has worked on it while it was copied"), "{what}: {refused}");
        assert!(Store::open_to_read(&to.place()).await.is_err(), "{what}: nothing was made");
    }

    // One that was killed has left its lease, which ends.
    let before = clock.now().0 - 10_000;
    assert!(store.take_lease("order-2", Timestamp(before), LEASE_LASTS).await.unwrap());
    drop(store);
    copied(from, to).await.expect("nobody works on it");
    assert!(
        to.open().await.take_lease("order-3", Timestamp(before), LEASE_LASTS).await.unwrap(),
        "it was not copied"
    );
}

pub(crate) async fn what_is_given_up_in_the_midst_leaves_nothing(from: &impl Shared, to: &impl Shared) {
    fill(from, 3).await;
    let (old, new, clock) = (from.place(), to.place(), Clock::System);
    let before = digest(&old).await.unwrap();
    for looks in [1, IN_THE_MIDST, 2 * IN_THE_MIDST, 3 * IN_THE_MIDST] {
        {
            let mut copying = pin!(copy(&old, &new, &clock));
            go_on(copying.as_mut(), looks).await;
        }
        let nothing = Store::open_to_read(&new).await.map(drop).expect_err("nothing is there");
        assert!(matches!(nothing, StoreError::Failed { .. }), "{nothing}");
    }
    assert_eq!(copied(from, to).await.unwrap(), before, "and it can be begun again");
}

/// The store whose last row cannot be copied.
pub(crate) async fn what_fails_in_the_midst_leaves_nothing(from: &SqliteFile, to: &impl Shared) {
    fill(from, 5).await;
    let table = [
        (
            "UPDATE events SET body = CAST(x'ff' AS TEXT) WHERE seq = (SELECT max(seq) FROM events)",
            "not in UTF-8",
        ),
        ("UPDATE meta SET value = '9' WHERE key = 'schema_version'", "schema version 9"),
    ];
    for (spoilt, expected) in table {
        from.spoil(spoilt).await;
        let failed = copied(from, to).await.expect_err(expected);
        assert!(matches!(failed, CopyError::Failed { is_read: true, .. }), "{failed}");
        assert!(failed.to_string().contains(expected), "{failed}");
        assert!(Store::open_to_read(&to.place()).await.is_err(), "{expected}: nothing is there");
    }
}

pub(crate) async fn a_copy_of_a_backup_still_says_what_it_is(from: &impl Shared, to: &impl Shared) {
    advance(&from.open().await, &keys(&["a"].map(order))).await.unwrap();
    from.spoil("INSERT INTO meta (key, value) VALUES ('copied_at', '2026-09-21T14:13:20.123Z')").await;
    copied(from, to).await.unwrap();
    drop(to.open().await);
    // Fails unless there are as many.
    let as_the_audit_reads_it = "
        CREATE TABLE checked (x integer NOT NULL);
        INSERT INTO checked SELECT CASE WHEN count(*) = 2 THEN 1 END FROM meta
            WHERE (key = 'restored_from' AND value = '2026-09-21T14:13:20.123Z') OR (key = 'restored_seq' AND value = '1');
        INSERT INTO checked SELECT CASE WHEN count(*) = 0 THEN 1 END FROM meta WHERE key = 'copied_at'";
    to.spoil(as_the_audit_reads_it).await;
}

/// What lies in a directory, and below it.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

/// A store with two orders, and a directory for copies.
async fn two_orders() -> (SqliteFile, SqliteFile) {
    let (from, to) = (SqliteFile::start(), SqliteFile::start());
    advance(&from.open().await, &keys(&["a", "b"].map(order))).await.unwrap();
    fs::create_dir_all(to.path().parent().unwrap()).unwrap();
    (from, to)
}

fn beside(engine: &SqliteFile, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", engine.path().display()))
}

#[test]
fn whatever_file_is_in_the_way_stays_as_it_is() {
    block_on(async {
        let (from, to) = two_orders().await;
        let directory = to.path().parent().unwrap().to_owned();
        Store::back_up(&from.place(), &beside(&to, ".backup")).await.unwrap();
        let foreign = beside(&to, ".foreign");
        rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE cats (name)").unwrap();
        let table: [(&[u8], &str); 3] = [
            (&fs::read(beside(&to, ".backup")).unwrap(), "holds something already"),
            (&fs::read(&foreign).unwrap(), "database of another program"),
            (&b"a text, and long enough to have a header ".repeat(9), "not an SQLite database"),
        ];
        for (there, expected) in table {
            fs::write(to.path(), there).unwrap();
            let before = contents(&directory);
            let refused = copied(&from, &to).await.expect_err(expected).to_string();
            assert!(refused.contains(expected), "{refused}");
            assert!(contents(&directory) == before, "{expected}: something has changed");
        }
        fs::remove_file(to.path()).unwrap();
        fs::write(beside(&to, "-wal"), "the newest entries of a store that is elsewhere").unwrap();
        let before = contents(&directory);
        let refused = copied(&from, &to).await.expect_err("that would be read into it").to_string();
        assert!(refused.contains("order.db-wal is what is left of another store"), "{refused}");
        assert!(contents(&directory) == before);
    });
}

#[test]
fn what_nobody_has_written_to_is_filled() {
    block_on(async {
        let (from, to) = two_orders().await;
        fs::write(to.path(), "").unwrap();
        let there = copied(&from, &to).await.unwrap();
        assert_eq!(digest(&to.place()).await.unwrap(), there);
        // As it is where nothing could be written any more after the tables.
        let empty = SqliteFile::start();
        drop(empty.open().await);
        empty.spoil("DELETE FROM openings; DELETE FROM meta WHERE key = 'store_id'").await;
        assert_eq!(copied(&from, &empty).await.unwrap(), there);
        assert_eq!(whole_log(&empty.open().await).await, whole_log(&from.open().await).await);
    });
}

/// Nothing is taken on trust that was handed to an engine: here something of the engine's own changes what comes.
pub(crate) async fn what_comes_otherwise_than_it_was_read_is_undone(
    from: &impl Shared,
    to: &impl Shared,
    (triggers, forget): (&[(&str, &'static str)], &str),
) {
    advance(&from.open().await, &keys(&["a", "b"].map(order))).await.unwrap();
    drop(to.open().await);
    to.spoil("DELETE FROM openings").await;
    let before = digest(&to.place()).await.unwrap();
    for (trigger, table) in triggers {
        to.spoil(trigger).await;
        match copied(from, to).await.expect_err(trigger) {
            CopyError::Differs { table: told, .. } => assert_eq!(told, *table),
            other => panic!("{trigger}: {other}"),
        }
        assert_eq!(digest(&to.place()).await.unwrap(), before, "{trigger}: something is left");
        to.spoil(forget).await;
    }
    copied(from, to).await.expect("nothing changes it");
}

#[test]
fn what_comes_to_sqlite_otherwise_than_it_was_read_is_undone() {
    let triggers = [
        (
            "CREATE TRIGGER it AFTER INSERT ON aggregates BEGIN UPDATE aggregates SET body = 'other'; END",
            "aggregates",
        ),
        ("CREATE TRIGGER it AFTER INSERT ON unsent BEGIN DELETE FROM unsent; END", "unsent"),
        ("CREATE TRIGGER it AFTER INSERT ON unsent BEGIN UPDATE events SET headers = ''; END", "events"),
    ];
    let (from, to) = (SqliteFile::start(), SqliteFile::start());
    block_on(what_comes_otherwise_than_it_was_read_is_undone(&from, &to, (&triggers, "DROP TRIGGER it")));
}

#[test]
fn what_is_copied_is_not_written_to() {
    block_on(async {
        let (from, to) = two_orders().await;
        let file = |suffix| fs::read(beside(&from, suffix)).ok().filter(|bytes| !bytes.is_empty());
        let before = (file(""), file("-wal"));
        copied(&from, &to).await.unwrap();
        assert!((file(""), file("-wal")) == before);
        // Somebody was killed who had written to it.
        let still_open = from.open().await;
        advance(&still_open, &keys(&["c"].map(order))).await.unwrap();
        let before = (file(""), file("-wal"));
        assert!(before.1.is_some(), "what is newest lies beside it");
        fs::remove_file(to.path()).unwrap();
        copied(&from, &to).await.unwrap();
        assert!((file(""), file("-wal")) == before);
        assert_eq!(whole_log(&Store::open_to_read(&to.place()).await.unwrap()).await.len(), 3);
    });
}

#[test]
fn what_was_left_by_one_that_was_killed_is_replaced_and_nobody_copies_to_where_another_does() {
    block_on(async {
        let (from, to) = two_orders().await;
        fs::write(beside(&to, ".part"), "a part of a store").unwrap();
        let (old, new, clock) = (from.place(), to.place(), Clock::System);
        {
            let mut copying = pin!(copy(&old, &new, &clock));
            go_on(copying.as_mut(), IN_THE_MIDST).await;
            let second = copied(&from, &to).await.expect_err("the first one goes on").to_string();
            assert!(second.contains("another process is copying to it now"), "{second}");
            copying.await.expect("nobody has disturbed it");
        }
        let names: Vec<_> = contents(to.path().parent().unwrap()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, [to.path()], "nothing but the copy");
    });
}

#[test]
fn where_somebody_else_is_faster_his_file_stays() {
    block_on(async {
        let (from, to) = two_orders().await;
        let (old, new, clock) = (from.place(), to.place(), Clock::System);
        let mut copying = pin!(copy(&old, &new, &clock));
        go_on(copying.as_mut(), IN_THE_MIDST).await;
        fs::write(to.path(), "his").unwrap();
        let late = copying.await.expect_err("it is there").to_string();
        assert!(late.contains("somebody else has put a file in its place"), "{late}");
        let left = contents(to.path().parent().unwrap());
        assert_eq!(left, [(to.path(), b"his".to_vec())]);
    });
}

#[test]
fn what_is_no_store_or_an_empty_or_an_old_one_is_not_copied() {
    block_on(async {
        let (_, to) = two_orders().await;
        let none = SqliteFile::start();
        let missing = copied(&none, &to).await.expect_err("there is none").to_string();
        assert!(missing.contains("there is no such file") && !none.path().exists(), "{missing}");
        drop(none.open().await);
        none.spoil("DELETE FROM openings").await;
        let nothing = copied(&none, &to).await.expect_err("it is empty");
        assert!(matches!(nothing, CopyError::Nothing { .. }), "{nothing}");
        none.spoil("DROP TABLE openings").await;
        let old = copied(&none, &to).await.expect_err("it lacks something").to_string();
        assert!(old.contains("an older version has written it"), "{old}");
        assert!(!to.path().exists());
    });
}
