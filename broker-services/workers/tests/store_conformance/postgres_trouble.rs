//! What only a server on the other side of a network can do to a store: lose an answer, take no writes, be another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use skstore_workers::clock::Clock;
use skstore_workers::config::StoreUrl;
use skstore_workers::store::copy::{copy, digest};
use skstore_workers::store::{Changes, Store, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::builders::{advance, keys, order, revision, whole_log};
use crate::engines::{Engine as _, Postgres, Shared as _, SqliteFile, block_on};

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

/// A way to the server on a thread of its own: whoever copies stands still while he waits.
fn way_beside(server: String) -> Way {
    let (told, hears) = std::sync::mpsc::channel();
    thread::spawn(move || {
        block_on(async {
            let Way { port, loses_commits } = Way::to(server).await;
            told.send(Way { port, loses_commits }).unwrap();
            std::future::pending::<()>().await;
        });
    });
    hears.recv().unwrap()
}

#[test]
fn whether_a_copy_is_there_whose_commit_was_not_answered_is_said_by_the_next_attempt() {
    let (from, to) = (SqliteFile::start(), Postgres::start());
    block_on(async {
        advance(&from.open().await, &keys([&order("a")])).await.unwrap();
        let way = way_beside(to.server());
        let place = StoreUrl::try_from(to.url_at(way.port)).unwrap();
        way.loses_commits.store(true, Ordering::Relaxed);
        let lost =
            copy(&from.place(), &place, &Clock::System).await.expect_err("nobody has said so").to_string();
        assert!(lost.contains("Whether it was committed is not known: begin again"), "{lost}");
        let again = copy(&from.place(), &place, &Clock::System).await.expect_err("it was").to_string();
        assert!(again.contains("holds something already"), "{again}");
        assert_eq!(digest(&to.place()).await.unwrap(), digest(&from.place()).await.unwrap());
    });
}

#[test]
fn what_postgresql_does_not_take_is_named_and_nothing_of_it_remains() {
    let (from, to) = (SqliteFile::start(), Postgres::start());
    block_on(async {
        advance(&from.open().await, &keys([&order("a")])).await.unwrap();
        from.spoil("UPDATE aggregates SET body = 'a' || char(0)").await;
        let failed = copy(&from.place(), &to.place(), &Clock::System).await.expect_err("no text").to_string();
        assert!(failed.contains("cannot be written") && failed.contains("0x00"), "{failed}");
        assert!(!failed.contains(":desk@"), "a password was shown: {failed}");
        assert!(Store::open_to_read(&to.place()).await.is_err());
    });
}

#[test]
fn a_schema_without_a_store_is_filled_and_one_of_another_program_is_not() {
    let from = SqliteFile::start();
    block_on(async { advance(&from.open().await, &keys([&order("a")])).await.map(drop).unwrap() });
    let (given, foreign) = (Postgres::start(), Postgres::start());
    block_on(async {
        given.spoil(&format!("CREATE SCHEMA {}", given.schema())).await;
        let there = copy(&from.place(), &given.place(), &Clock::System).await.unwrap();
        assert_eq!(digest(&given.place()).await.unwrap(), there);
        foreign
            .spoil(&format!(
                "CREATE SCHEMA {0}; SET search_path = {0}; CREATE TABLE events ()",
                foreign.schema()
            ))
            .await;
        let refused = copy(&from.place(), &foreign.place(), &Clock::System)
            .await
            .expect_err("it is another's")
            .to_string();
        assert!(refused.contains("tables of another program"), "{refused}");
        foreign
            .spoil("SELECT 1 / (count(*) = 1)::int FROM pg_tables WHERE schemaname = current_schema()")
            .await;
    });
}

#[test]
fn who_starts_on_a_store_that_is_being_filled_waits_for_it() {
    let (from, to) = (SqliteFile::start(), Postgres::start());
    block_on(async {
        advance(&from.open().await, &keys([&order("a")])).await.unwrap();
        let (old, new) = (from.place(), to.place());
        let mut copying = std::pin::pin!(copy(&old, &new, &Clock::System));
        crate::copying::go_on(copying.as_mut(), 2).await;
        let (told, starts) = std::sync::mpsc::channel();
        let url = to.url();
        let worker = thread::spawn(move || {
            block_on(async {
                told.send(()).unwrap();
                whole_log(&Store::open(&url).await.unwrap()).await
            })
        });
        starts.recv().unwrap();
        copying.await.unwrap();
        assert_eq!(worker.join().unwrap().len(), 1, "it finds what was copied");
    });
}

#[test]
fn what_comes_to_postgresql_otherwise_than_it_was_read_is_undone() {
    const CHANGES: &str = "
        CREATE FUNCTION it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'other'; RETURN NEW; END $$;
        CREATE TRIGGER it BEFORE INSERT ON aggregates FOR EACH ROW EXECUTE FUNCTION it()";
    const LOSES: &str = "
        CREATE FUNCTION it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER it BEFORE INSERT ON unsent FOR EACH ROW EXECUTE FUNCTION it()";
    let triggers = [(CHANGES, "aggregates"), (LOSES, "unsent")];
    let (from, to) = (SqliteFile::start(), Postgres::start());
    let forget = "DROP FUNCTION it CASCADE";
    block_on(crate::copying::what_comes_otherwise_than_it_was_read_is_undone(
        &from,
        &to,
        (&triggers, forget),
    ));
}
