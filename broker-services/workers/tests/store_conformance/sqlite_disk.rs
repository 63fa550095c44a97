//! What SQLite promises of its file: errors that say what to do, and nothing lost when the disk fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use skstore_domain::checkpoint::Lineage;
use skstore_domain::events::OrderKind;
use skstore_workers::store::{Again, Changes, Store, StoreError};

use crate::builders::{advance, commit, keys, order, revision, step, whole_log};
use crate::engines::{Engine as _, Shared as _, SqliteFile, block_on};
use crate::identity::heard;

/// Names the store for a process whose files may not grow.
const FULL_STORE: &str = "SKSTORE_TEST_FULL_STORE";
/// The most such a process may write into one file, in the shell's units of 512 or 1,024 bytes.
const FILE_LIMIT: &str = "400";
const MAX_COMMITS: u64 = 10_000;

async fn failure(url: &str) -> String {
    Store::open(url).await.map(|store| format!("{store:?}")).expect_err(url).to_string()
}

#[test]
fn a_path_that_cannot_be_used_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("text"), "this is a text file and not a database, long enough to have a header".repeat(9))
        .unwrap();
    rusqlite::Connection::open(at("foreign")).unwrap().execute_batch("CREATE TABLE cats (name)").unwrap();
    rusqlite::Connection::open(at("meta")).unwrap().execute_batch("CREATE TABLE meta (key, value)").unwrap();

    let table = [
        ("directory", "see that it is no directory"),
        ("text/store.db", "cannot be created"),
        ("text", "the file is not an SQLite database; choose another path"),
        ("foreign", "database of another program; choose another path"),
        ("meta", "database of another program; choose another path"),
    ];
    for (name, expected) in table {
        let url = format!("sqlite:{}", at(name).display());
        let said = block_on(failure(&url));
        assert!(said.contains(expected), "{name}: {said}");
        assert!(said.contains(&url), "{name} is not named: {said}");
    }
    let text = fs::read_to_string(at("text")).unwrap();
    assert!(text.starts_with("this is a text file"), "a foreign file is left alone");
}

#[test]
fn a_url_that_cannot_be_used_says_what_to_write_and_hides_its_password() {
    let table = [
        ("postgres://kim:secret@db", "names no database"),
        ("postgres://kim:secret@db/orders?sslmode=require", "disable or verify-full"),
        ("mysql://kim:secret@db/orders", "takes 'sqlite:PATH', 'postgres://"),
        ("/var/secret.db", "takes 'sqlite:PATH', 'postgres://"),
        ("sqlite:", "takes 'sqlite:PATH', 'postgres://"),
        ("", "takes 'sqlite:PATH', 'postgres://"),
    ];
    for (url, expected) in table {
        let said = block_on(failure(url));
        assert!(said.contains(expected), "{url}: {said}");
        assert!(!said.contains("secret"), "{url}: {said}");
    }
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let engine = SqliteFile::start();
    block_on(async {
        let store = engine.open().await;
        for number in 0..50 {
            advance(&store, &keys([&order(&format!("n{number}"))])).await.unwrap();
        }
        drop(store);
        // All but the header and the page of the schema.
        let mut bytes = fs::read(engine.path()).unwrap();
        bytes[4_096..].fill(0xa5);
        fs::write(engine.path(), bytes).unwrap();

        let error = match Store::open(&engine.url()).await {
            Err(error) => error,
            Ok(store) => advance(&store, &keys([&order("n7")])).await.unwrap_err(),
        };
        assert!(error.to_string().contains("the file is damaged"), "{error}");
    });
}

/// Starts itself again with a limit on the size of its files.
#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_loses_nothing_acknowledged() {
    if let Ok(url) = std::env::var(FULL_STORE) {
        return block_on(commit_until_full(&url));
    }
    let engine = SqliteFile::start();
    // Ignoring SIGXFSZ makes a write beyond the limit an error like that of a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {FILE_LIMIT}; exec \"$0\" \"$@\"");
    let this = "sqlite_disk::a_disk_that_takes_no_more_loses_nothing_acknowledged";
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(FULL_STORE, engine.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let committed: u64 = said
        .lines()
        .find_map(|line| line.strip_prefix("full after "))
        .unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)))
        .parse()
        .unwrap();

    block_on(async {
        let store = engine.open().await;
        assert_eq!(revision(&store, &order("a")).await, committed);
        assert_eq!(whole_log(&store).await.len() as u64, committed);
        advance(&store, &keys([&order("a")])).await.expect("it goes on once there is space");
    });
}

#[cfg(unix)]
async fn commit_until_full(url: &str) {
    use std::io::Write as _;

    let store = Store::open(url).await.unwrap();
    for committed in 0..MAX_COMMITS {
        if let Err(error) = advance(&store, &keys([&order("a")])).await {
            let said = error.to_string();
            assert!(matches!(error, StoreError::Failed { .. }), "{said}");
            assert!(said.contains("disk"), "{said}");
            assert_eq!(revision(&store, &order("a")).await, committed, "what is there can still be read");
            let said = format!("full after {committed}\n");
            std::io::stdout().write_all(said.as_bytes()).unwrap();
            return;
        }
    }
    panic!("the limit of {FILE_LIMIT} was never reached");
}

async fn add(store: &Store, orders: &[&str]) {
    let orders: Vec<_> = orders.iter().map(|id| order(id)).collect();
    advance(store, &keys(&orders)).await.unwrap();
}

/// Copies the store's files as they are: nobody writes meanwhile.
fn copy_store(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let [from, to] = [from, to].map(|path| PathBuf::from(format!("{}{suffix}", path.display())));
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    let _ = fs::remove_file(format!("{}-shm", to.display()));
}

#[test]
fn a_store_that_is_put_back_to_an_older_copy_is_known_by_its_incarnation() {
    let engine = SqliteFile::start();
    let copy = tempfile::tempdir().unwrap();
    let known = block_on(async {
        let store = engine.open().await;
        add(&store, &["a"]).await;
        copy_store(&engine.path(), &copy.path().join("copy.db"));
        add(&store, &["b", "c"]).await;
        let head = store.head().await.unwrap().unwrap();
        heard(head)
    });
    copy_store(&copy.path().join("copy.db"), &engine.path());
    block_on(async {
        let store = engine.open().await;
        add(&store, &["d", "e", "f"]).await;
        let head = store.head().await.unwrap().unwrap();
        assert_eq!(known.lineage(&head), Lineage::RolledBack, "{head:?} after {known:?}");
    });
}

#[test]
fn a_store_of_a_version_without_identities_gets_one() {
    let engine = SqliteFile::start();
    block_on(async { add(&engine.open().await, &["a"]).await });
    let file = rusqlite::Connection::open(engine.path()).unwrap();
    file.execute_batch("DROP TABLE openings; DELETE FROM meta WHERE key = 'store_id'").unwrap();
    block_on(async {
        let reader = Store::open_to_read(&engine.place()).await.unwrap();
        assert_eq!(reader.head().await.unwrap(), None, "who only reads gives it none");
        let head = engine.open().await.head().await.unwrap().unwrap();
        assert_eq!((head.since_seq, head.last_seq), (2, 1));
    });
}

#[test]
fn in_a_store_of_a_version_that_did_not_note_it_an_event_can_be_told_again_too() {
    let engine = SqliteFile::start();
    block_on(async { add(&engine.open().await, &["a"]).await });
    let file = rusqlite::Connection::open(engine.path()).unwrap();
    file.execute_batch("DROP TABLE unsent; CREATE TABLE unsent (seq INTEGER PRIMARY KEY) STRICT").unwrap();
    block_on(async {
        let store = engine.open().await;
        assert!(store.unsent(0, |_| false, 9).await.unwrap().is_empty());
        let kind = OrderKind::Paying.into();
        let again = vec![Again { kind, aggregate_id: "a".to_owned(), told_again: 2 }];
        commit(&store, Changes { again, ..Changes::default() }).await.unwrap();
        let unsent = engine.open().await.unsent(0, |_| false, 9).await.unwrap();
        assert_eq!(unsent.iter().map(|event| event.told_again).collect::<Vec<_>>(), [2]);
    });
}

#[test]
fn a_file_that_is_taken_away_in_use_is_noticed_before_anybody_is_told_of_a_commit() {
    type Meddling = fn(&Path);
    let away = |path: &Path| path.with_extension("away");
    let table: [(&str, Meddling, &str); 5] = [
        (
            "without its newest entries",
            |path| {
                fs::remove_file(format!("{}-wal", path.display())).unwrap();
            },
            "newest entries",
        ),
        ("moved", |path| fs::rename(path, path.with_extension("away")).unwrap(), "moved or deleted"),
        ("deleted", |path| fs::remove_file(path).unwrap(), "moved or deleted"),
        (
            "replaced",
            |path| {
                fs::rename(path, path.with_extension("away")).unwrap();
                fs::copy(path.with_extension("away"), path).map(drop).unwrap();
            },
            "another file was put in its place",
        ),
        (
            "all of it deleted",
            |path| {
                for suffix in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{suffix}", path.display()));
                }
            },
            "moved or deleted",
        ),
    ];
    for (what, meddle, expected) in table {
        let engine = SqliteFile::start();
        let store = block_on(engine.open());
        block_on(add(&store, &["a"]));
        meddle(&engine.path());
        let decided = |_: &_| (step(&order("b"), 0), ());
        let said = block_on(store.transact(&keys(&[order("b")]), decided)).expect_err(what).to_string();
        assert!(said.contains(expected) && said.contains("this worker"), "{what}: {said}");
        for refused in [block_on(store.log(0..=9, 9, 9)).map(drop), block_on(store.head()).map(drop)] {
            assert!(refused.is_err(), "{what}: it goes on reading");
        }
        if away(&engine.path()).exists() {
            fs::rename(away(&engine.path()), engine.path()).unwrap();
            assert_eq!(
                block_on(revision(&store, &order("b"))),
                0,
                "{what}: put back, it goes on without what nobody was told of"
            );
        }
    }
}

#[test]
fn a_commit_into_a_file_that_is_taken_away_meanwhile_is_told_to_nobody() {
    let engine = SqliteFile::start();
    let store = block_on(engine.open());
    let decide = |_: &_| {
        fs::rename(engine.path(), engine.path().with_extension("away")).unwrap();
        (step(&order("b"), 0), ())
    };
    assert!(block_on(store.transact(&keys(&[order("b")]), decide)).is_err());
}

#[test]
fn a_copy_is_what_was_committed_and_replaces_nothing() {
    let engine = SqliteFile::start();
    let copies = tempfile::tempdir().unwrap();
    let to = copies.path().join("it's a copy.db");
    block_on(async {
        let missing = Store::back_up(&engine.place(), &to).await.expect_err("nothing is there").to_string();
        assert!(missing.contains("nothing to copy") && !engine.path().exists(), "{missing}");
        let store = engine.open().await;
        add(&store, &["a", "b"]).await;
        Store::back_up(&engine.place(), &to).await.unwrap();
        add(&store, &["c"]).await;
        let again = Store::back_up(&engine.place(), &to).await.expect_err("it is there").to_string();
        assert!(again.contains("is there already"), "{again}");
        let copy = Store::open(&format!("sqlite:{}", to.display())).await.unwrap();
        assert_eq!(whole_log(&copy).await, whole_log(&store).await[..2]);
        let (old, new) = (store.head().await.unwrap().unwrap(), copy.head().await.unwrap().unwrap());
        assert_eq!(heard(old).lineage(&new), Lineage::RolledBack, "whoever goes on with it is known by that");
    });
}

#[test]
fn who_only_reads_makes_no_store_where_there_is_none() {
    let engine = SqliteFile::start();
    let said =
        block_on(Store::open_to_read(&engine.place())).map(drop).expect_err("nothing is there").to_string();
    assert!(said.contains("there is no such file"), "{said}");
    assert!(!engine.path().parent().unwrap().exists(), "not even a directory was made");

    let store = block_on(engine.open());
    block_on(add(&store, &["a"]));
    let away = engine.path().with_extension("away");
    fs::rename(engine.path(), &away).unwrap();
    assert!(block_on(Store::open_to_read(&engine.place())).is_err());
    fs::rename(&away, engine.path()).unwrap();
    block_on(add(&store, &["b"]));
    assert_eq!(block_on(whole_log(&store)).len(), 2, "put back, nothing is lost");
}
