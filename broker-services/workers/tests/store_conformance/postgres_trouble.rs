//! What only a server on the other side of a network can do to a store: lose an answer, take no writes, be another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use skstore_workers::store::{Changes, Store, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::builders::{advance, keys, order, revision, whole_log};
use crate::engines::{Engine as _, Postgres, Shared as _, block_on};

/// A way to the server on which the answer to a commit can be lost, and the connection with it.
struct Way {
    port: u16,
    loses_commits: Arc<AtomicBool>,
}

impl Way {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let loses_commits = Arc::new(AtomicBool::new(false));
        let loses = Arc::clone(&loses_commits);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(hand_on(client, server, Arc::clone(&loses)));
            }
        });
        Self { port, loses_commits }
    }
}

/// Hands on what both sides say, until a commit is sent whose answer is to be lost: then the server answers nobody.
async fn hand_on(mut client: TcpStream, mut server: TcpStream, loses_commits: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                server.write_all(&asked[..count]).await.unwrap();
                let commits = asked[..count].windows(6).any(|word| word == b"COMMIT");
                if commits && loses_commits.swap(false, Ordering::Relaxed) {
                    // It has committed before it says so.
                    let mut said = Vec::new();
                    while !said.windows(6).any(|word| word == b"COMMIT") {
                        assert!(server.read_buf(&mut said).await.unwrap() > 0, "the server answers");
                    }
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_there_once_and_its_events_are_news() {
    let engine = Postgres::start();
    block_on(async {
        let way = Way::to(engine.server()).await;
        let store = Store::open(&engine.url_at(way.port)).await.unwrap();
        let a = order("a");
        advance(&store, &keys([&a])).await.unwrap();
        while store.changed_externally().await.unwrap() {}

        way.loses_commits.store(true, Ordering::Relaxed);
        let lost = advance(&store, &keys([&a])).await.expect_err("nobody knows whether it was committed");
        assert!(matches!(lost, StoreError::Failed { .. }), "{lost}");

        assert_eq!(revision(&store, &a).await, 2, "it was, and whoever decides again sees it");
        assert!(store.changed_externally().await.unwrap(), "nobody was told of its event");
        assert_eq!(store.unsent(0, |_| false, 9).await.unwrap().len(), 2);
        advance(&store, &keys([&a])).await.unwrap();
        assert_eq!(whole_log(&store).await.len(), 3, "each is there once");
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it stands still, as a process does that was stopped")]
fn who_stands_still_amid_a_decision_holds_up_others_for_seconds_and_commits_nothing() {
    let engine = Postgres::start();
    let a = order("a");
    block_on(async { advance(&engine.open().await, &keys([&a])).await.unwrap() });
    let (url, key) = (engine.url(), a.clone());
    let still = thread::spawn(move || {
        block_on(async {
            let store = Store::open(&url).await.unwrap();
            let decide = |_: &_| {
                thread::sleep(Duration::from_secs(8));
                (crate::builders::step(&key, 1), ())
            };
            store.transact(&keys([&key]), decide).await.map(|_| ())
        })
    });
    block_on(async {
        let store = engine.open().await;
        // Whoever is first has the second revision; the other waits, or decides on it.
        while revision(&store, &a).await < 2 {
            advance(&store, &keys([&a])).await.expect("it has its turn before it gives up");
        }
        let told = still.join().unwrap();
        assert!(
            matches!(told, Err(StoreError::Failed { .. } | StoreError::Contradiction { .. })),
            "{told:?}"
        );
        assert_eq!(whole_log(&store).await.len(), 2);
    });
}

#[test]
fn a_server_that_cannot_be_used_is_told_of_in_words_and_without_the_password() {
    let engine = Postgres::start();
    let (server, read_only) = (engine.server(), engine.a_read_only_database());
    let table = [
        (
            format!("postgres://desk:desk@127.0.0.1:1/postgres?schema={}", engine.schema()),
            "nothing listens there",
        ),
        (format!("postgres://desk:secret@{server}/postgres"), "does not know this user with this password"),
        (format!("postgres://desk:desk@{server}/nowhere"), "there is no such database"),
        ("postgres://desk:desk@nowhere.invalid/postgres".to_owned(), "there is no host of that name"),
        (format!("postgres://desk:desk@{server}/{read_only}"), "takes writes"),
        (format!("postgres://desk:desk@{server}/postgres?sslmode=verify-full"), "PostgreSQL"),
    ];
    for (url, expected) in table {
        let error = block_on(Store::open(&url)).map(drop).expect_err(&url).to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains(":desk@") && !error.contains("secret"), "a password was shown: {error}");
    }
}

#[test]
fn a_schema_of_another_program_is_left_alone() {
    for tables in
        ["CREATE TABLE meta (key text, value text)", "CREATE TABLE meta (x int)", "CREATE TABLE events ()"]
    {
        let engine = Postgres::start();
        block_on(async {
            engine
                .spoil(&format!("CREATE SCHEMA {0}; SET search_path = {0}; {tables}", engine.schema()))
                .await;
            let error = Store::open(&engine.url()).await.map(drop).expect_err(tables).to_string();
            assert!(error.contains("of another program; name another"), "{tables}: {error}");
            engine
                .spoil("SELECT 1 / (count(*) = 1)::int FROM pg_tables WHERE schemaname = current_schema()")
                .await;
        });
    }
}

#[test]
fn who_opened_it_to_read_cannot_write() {
    let engine = Postgres::start();
    block_on(async {
        advance(&engine.open().await, &keys([&order("a")])).await.unwrap();
        let reader = Store::open_to_read(&engine.place()).await.unwrap();
        assert_eq!(whole_log(&reader).await.len(), 1);
        let wrote = reader.transact(&keys([&order("a")]), |_| (Changes::default(), ())).await;
        assert!(wrote.is_err(), "{wrote:?}");
        assert!(reader.mark_sent(&[1]).await.is_err());
    });
    let nothing = Postgres::start();
    let absent =
        block_on(Store::open_to_read(&nothing.place())).map(drop).expect_err("it is made by who writes");
    assert!(absent.to_string().contains("there is no store in the schema"), "{absent}");
}

#[test]
fn who_has_a_store_for_itself_shares_it_with_nobody_and_leaves_it_to_the_next() {
    let engine = Postgres::start();
    block_on(async {
        let refused = |opened: Result<Store, StoreError>| {
            let error = opened.map(drop).expect_err("somebody has it").to_string();
            assert!(error.contains("is in use by a desk") && error.contains("bus.url"), "{error}");
        };
        let alone = Store::open_alone(&engine.place()).await.unwrap();
        advance(&alone, &keys([&order("a")])).await.unwrap();
        refused(Store::open_alone(&engine.place()).await);
        refused(Store::open_at(&engine.place()).await);
        assert_eq!(whole_log(&Store::open_to_read(&engine.place()).await.unwrap()).await.len(), 1);
        drop(alone);
        let (one, other) =
            (Store::open_at(&engine.place()).await.unwrap(), Store::open_at(&engine.place()).await.unwrap());
        refused(Store::open_alone(&engine.place()).await);
        drop((one, other));
        advance(&Store::open_alone(&engine.place()).await.unwrap(), &keys([&order("a")])).await.unwrap();
    });
}
