//! What the view promises of its Redis: it can be flushed, killed and restarted, and its keys are public.
//!
//! Each test runs a `redis-server` of its own, the one in the PATH, as it does to it what nobody may do to a
//! shared one.

#![expect(clippy::unwrap_used, reason = "in a test a failed call is a failed promise")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use skstore_domain::events::{DepositKind, EventKind};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, ViewWrite};
use skstore_domain::objects::{Account, DeliveryStatus, Item, Order, OrderStatus, PaymentStatus};
use skstore_domain::time::Timestamp;
use skstore_workers::view::redis::RedisView;
use skstore_workers::view::{OrderFilter, Swept, View, ViewError};
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// A part that returned is back at work within this.
const BACK_WITHIN: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A Redis that ends with the test.
struct Server {
    port: u16,
    dir: tempfile::TempDir,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let child = Self::spawn(port, &dir);
        Self { port, dir, child }
    }

    fn spawn(port: u16, dir: &tempfile::TempDir) -> Child {
        let port = port.to_string();
        Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be in the PATH: `cargo xtask test` installs it, or `apt-get install redis-server`")
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = Self::spawn(self.port, &self.dir);
    }

    fn view(&self) -> View {
        View::Redis(RedisView::new(&format!("redis://127.0.0.1:{}", self.port), 1000).unwrap())
    }

    /// What a person sees who asks for this.
    fn cli(&self, words: &[&str]) -> Vec<String> {
        let out =
            Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Failing means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, promise).await.expect("it goes on for too long") });
}

/// Begins a rebuild, once the server answers.
async fn begun(view: &View) {
    while view.begin_rebuild().await.is_err() {
        sleep(LOOK_EVERY).await;
    }
}

/// Ends the rebuild that runs.
async fn finish(view: &View) {
    let running = view.rebuilds().await.unwrap().last;
    assert_eq!(view.finish_rebuild(running).await.unwrap(), Swept::Whole);
}

fn order(id: &str) -> ViewWrite {
    ViewWrite::Order(Order {
        order_id: OrderId::new(id).unwrap(),
        customer: Customer::new("김철수").unwrap(),
        item_id: ItemId::new("10").unwrap(),
        item_name: "사과".to_owned(),
        qty: 5,
        unit_price: Won(10_000),
        amount: Won(50_000),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: Timestamp(1_790_000_000_123),
        updated_at: Timestamp(1_790_000_000_456),
        revision: 2,
    })
}

async fn shown(view: &View) -> usize {
    view.orders(&OrderFilter::default(), None, 50).await.unwrap().rows.len()
}

#[test]
fn a_flushed_redis_refuses_writes_until_it_is_rebuilt() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        finish(&view).await;
        view.apply(&[order("a"), order("b")]).await.unwrap();
        assert_eq!(server.cli(&["FLUSHALL"]), ["OK"]);
        let mut refused = 0;
        for n in 0..10 {
            match view.apply(&[order(&format!("n{n}"))]).await {
                Err(ViewError::Empty) => refused += 1,
                other => panic!("a write into a flushed view gave {other:?}"),
            }
        }
        assert_eq!((refused, shown(&view).await), (10, 0), "nothing may look like a complete view");
        view.begin_rebuild().await.unwrap();
        view.apply(&[order("a"), order("b"), order("n0")]).await.unwrap();
        finish(&view).await;
        assert_eq!(shown(&view).await, 3);
        assert_eq!(view.counts().await.unwrap().orders, [0, 3, 0, 0, 0]);
    });
}

#[test]
fn a_redis_that_was_killed_is_used_again_when_it_is_back() {
    run(async {
        let mut server = Server::start();
        let view = server.view();
        begun(&view).await;
        let reader = server.view();
        let mut changes = reader.changes();
        view.apply(&[order("a")]).await.unwrap();
        server.kill();
        let lost = view.apply(&[order("b")]).await;
        let Err(ViewError::Lost(why)) = lost else { panic!("a dead Redis took a write: {lost:?}") };
        assert!(why.contains(&format!("127.0.0.1:{}", server.port)), "{why:?} does not say which Redis");
        server.restart();
        while std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err() {
            sleep(LOOK_EVERY).await;
        }
        timeout(BACK_WITHIN, async {
            while !matches!(view.apply(&[order("b")]).await, Err(ViewError::Empty)) {
                sleep(LOOK_EVERY).await;
            }
            view.begin_rebuild().await.unwrap();
            view.apply(&[order("a"), order("b")]).await.unwrap();
            // The reader has heard of it on a connection that it made again by itself.
            while reader.orders(&OrderFilter::default(), None, 50).await.map_or(0, |page| page.rows.len()) < 2
            {
                changes.changed().await;
            }
        })
        .await
        .expect("not back at work in time");
    });
}

#[test]
fn a_reader_is_told_at_once_that_the_view_is_lost() {
    let mut server = Server::start();
    run(async {
        let (writer, reader) = (server.view(), server.view());
        begun(&writer).await;
        let mut changes = reader.changes();
        // Hearing of another's change proves that it listens.
        for n in 0.. {
            writer.apply(&[order(&format!("o{n}"))]).await.unwrap();
            if timeout(Duration::from_millis(100), changes.changed()).await.is_ok() {
                break;
            }
        }
        while timeout(Duration::from_millis(500), changes.changed()).await.is_ok() {}
        server.kill();
        timeout(BACK_WITHIN, changes.changed()).await.expect("nobody said that something is wrong");
        assert!(reader.counts().await.is_err(), "it was woken before it was lost");
    });
}

#[test]
fn readers_in_other_processes_are_pushed_to() {
    run(async {
        let server = Server::start();
        let (writer, reader) = (server.view(), server.view());
        begun(&writer).await;
        let mut changes = reader.changes();
        for n in 1..=20 {
            writer.apply(&[order(&format!("o{n}"))]).await.unwrap();
            while shown(&reader).await < n {
                changes.changed().await;
            }
        }
    });
}

#[test]
fn the_keys_are_as_documented() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        let kim = Customer::new("김철수").unwrap();
        let item_id = ItemId::new("10").unwrap();
        let item =
            Item { item_id, name: "사과".into(), name_en: None, unit_price: Won(7), stock: 9, revision: 3 };
        view.apply(&[
            order("a"),
            ViewWrite::Account(Account { customer: kim, balance: Won(12), revision: 4 }),
            ViewWrite::Item(item),
        ])
        .await
        .unwrap();
        let table: [(&[&str], &[&str]); 9] = [
            (
                &["HMGET", "myinfo:order:a", "customer", "qty", "amount", "status", "reason", "placed_at"],
                &["김철수", "5", "50000", "placed", "", "2026-09-21T14:13:20.123Z"],
            ),
            (&["HMGET", "myinfo:account:김철수", "balance", "revision"], &["12", "4"]),
            (&["HMGET", "myinfo:item:10", "name", "stock"], &["사과", "9"]),
            (&["ZRANGE", "myinfo:orders", "0", "-1", "WITHSCORES"], &["a", "1790000000123"]),
            (&["ZRANGE", "myinfo:orders:status:placed", "0", "-1"], &["a"]),
            (&["ZRANGE", "myinfo:orders:customer:김철수", "0", "-1"], &["a"]),
            (&["ZRANGE", "myinfo:orders:item:10", "0", "-1"], &["a"]),
            (&["HMGET", "myinfo:counts", "placed", "accounts", "items", "balances"], &["1", "1", "1", "12"]),
            (&["XLEN", "myinfo:changes"], &["1"]),
        ];
        for (words, answer) in table {
            assert_eq!(server.cli(words), answer, "{words:?}");
        }
    });
}

#[test]
fn what_somebody_altered_by_hand_is_put_right_by_a_rebuild() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        finish(&view).await;
        let kim = Customer::new("김철수").unwrap();
        let account = ViewWrite::Account(Account { customer: kim, balance: Won(12), revision: 4 });
        let logs = [order("a"), account];
        let of_order: &[&str] = &["HMGET", "myinfo:order:a", "status", "qty", "placed_at"];
        let looks = [
            of_order,
            &["HMGET", "myinfo:account:김철수", "balance"],
            &["HMGET", "myinfo:counts", "placed", "delivering", "balances"],
            &["ZRANGE", "myinfo:orders", "0", "-1", "WITHSCORES"],
            &["ZRANGE", "myinfo:orders:status:placed", "0", "-1"],
        ];
        let look = || looks.map(|words| server.cli(words));
        view.apply(&logs).await.unwrap();
        let right = look();
        server.cli(&[
            "HSET",
            "myinfo:order:a",
            "status",
            "delivering",
            "qty",
            "999",
            "placed_at",
            "yesterday",
        ]);
        server.cli(&["HSET", "myinfo:account:김철수", "balance", "1000000"]);
        server.cli(&["ZREM", "myinfo:orders", "a"]);
        server.cli(&["ZREM", "myinfo:orders:status:placed", "a"]);
        view.apply(&logs).await.unwrap();
        assert_ne!(look(), right, "what services repeat changes nothing");
        view.begin_rebuild().await.unwrap();
        view.apply(&logs).await.unwrap();
        finish(&view).await;
        assert_eq!(look(), right);
    });
}

#[test]
fn what_somebody_else_wrote_under_our_keys_stops_no_reader() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        view.apply(&[order("a")]).await.unwrap();
        server.cli(&["ZADD", "myinfo:orders", "1790000000999", "foreign"]);
        server.cli(&["HSET", "myinfo:order:foreign", "status", "nonsense"]);
        let page = view.orders(&OrderFilter::default(), None, 50).await.unwrap();
        assert_eq!(page.rows.len(), 1, "the order behind the foreign one is shown");
        assert_eq!(view.order(&OrderId::new("foreign").unwrap()).await.unwrap(), None);
    });
}

/// A key, how somebody else writes to it, and the words by which the type that belongs there is told.
type Junk = (&'static str, &'static [&'static str], &'static str);

const JUNK: &[Junk] = &[
    ("myinfo:epoch", &["SET", "myinfo:epoch", "x"], "hash"),
    ("myinfo:counts", &["SET", "myinfo:counts", "x"], "hash"),
    ("myinfo:changes", &["LPUSH", "myinfo:changes", "x"], "stream"),
    ("myinfo:feed", &["SET", "myinfo:feed", "x"], "stream"),
    ("myinfo:feed:told", &["SET", "myinfo:feed:told", "x"], "set"),
    ("myinfo:orders", &["SET", "myinfo:orders", "x"], "sorted set"),
    ("myinfo:orders:ids", &["HSET", "myinfo:orders:ids", "x", "1"], "sorted set"),
    ("myinfo:orders:status:placed", &["SET", "myinfo:orders:status:placed", "x"], "sorted set"),
    ("myinfo:orders:customer:김철수", &["SET", "myinfo:orders:customer:김철수", "x"], "sorted set"),
    ("myinfo:orders:item:10", &["SET", "myinfo:orders:item:10", "x"], "sorted set"),
    ("myinfo:accounts", &["SET", "myinfo:accounts", "x"], "sorted set"),
    ("myinfo:order:a", &["SET", "myinfo:order:a", "x"], "hash"),
    ("myinfo:account:김철수", &["SET", "myinfo:account:김철수", "x"], "hash"),
];

#[test]
fn what_is_in_the_way_is_named_and_a_rebuild_that_is_asked_for_replaces_it() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        let kim = Customer::new("김철수").unwrap();
        let logs = |revision| {
            let account = Account { customer: kim.clone(), balance: Won(12), revision };
            [order("a"), order("b"), ViewWrite::Account(account)]
        };
        view.apply(&logs(1)).await.unwrap();
        finish(&view).await;
        let looks: [&[&str]; 6] = [
            &["HMGET", "myinfo:counts", "placed", "accounts", "balances"],
            &["ZRANGE", "myinfo:orders", "0", "-1", "WITHSCORES"],
            &["ZRANGE", "myinfo:orders:ids", "0", "-1"],
            &["ZRANGE", "myinfo:orders:status:placed", "0", "-1"],
            &["ZRANGE", "myinfo:orders:customer:김철수", "0", "-1"],
            &["HMGET", "myinfo:order:a", "status", "qty", "revision"],
        ];
        let look = || looks.map(|words| server.cli(words));
        let right = look();
        for (revision, (key, write, must)) in (2..).zip(JUNK) {
            server.cli(&["DEL", key]);
            server.cli(write);
            // New things, so that every key is written to.
            let news = [&logs(revision)[..], &[order(&format!("n{revision}")), line(revision)]].concat();
            let Err(ViewError::Foreign(told)) = view.apply(&news).await else {
                panic!("nothing was in the way under {key}")
            };
            for part in [
                &format!("'{key}'"),
                &format!("keeps a {must} there").replace(" there", ""),
                "skstore view rebuild",
            ] {
                assert!(told.contains(part), "{told:?} does not say {part:?}");
            }
            assert_eq!(view.clear_foreign().await.unwrap(), 1, "{key}");
            view.begin_rebuild().await.unwrap();
            // What could not be written is tried again; then all is told once more as if it had never been.
            view.apply(&news).await.unwrap();
            for _ in 0..2 {
                view.begin_rebuild().await.unwrap();
                view.apply(&logs(1)).await.unwrap();
                let running = view.rebuilds().await.unwrap().last;
                let _ = view.finish_rebuild(running).await.unwrap();
            }
            assert_eq!(look(), right, "after junk under {key}");
        }
    });
}

/// How somebody else writes a value that the view never keeps, where it stands, and what is told of it.
type Forged = (&'static [&'static str], &'static str, &'static str);

/// Each stops what is written, once and for all.
const FORGED: &[Forged] = &[
    (&["HSET", "myinfo:epoch", "feed", "9223372036854775807"], "myinfo:epoch", "field 'feed'"),
    (&["HSET", "myinfo:epoch", "arrivals", "x"], "myinfo:epoch", "field 'arrivals'"),
    (&["HSET", "myinfo:epoch", "forgotten", "-1"], "myinfo:epoch", "field 'forgotten'"),
    (
        &["XADD", "myinfo:changes", "18446744073709551615-18446744073709551615", "a", "b"],
        "myinfo:changes",
        "whose last id is 18446744073709551615-",
    ),
    (&["XADD", "myinfo:feed", "18446744073709551615-0", "event", "x"], "myinfo:feed", "whose last id is"),
];

fn line(id: u64) -> ViewWrite {
    ViewWrite::Feed(FeedEntry {
        id: id.to_string(),
        kind: EventKind::Deposit(DepositKind::ToppedUp),
        subject: "김철수".into(),
        at: Timestamp(1),
        customer: None,
        amount: None,
        reason: None,
    })
}

#[test]
fn numbers_and_ids_that_count_no_further_are_named_and_a_rebuild_that_is_asked_for_replaces_them() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        view.apply(&[order("a")]).await.unwrap();
        finish(&view).await;
        for (number, (write, key, what)) in (1..).zip(FORGED) {
            server.cli(write);
            let news = [order(&format!("n{number}")), line(number)];
            let Err(ViewError::Foreign(told)) = view.apply(&news).await else {
                panic!("{write:?} was not in the way")
            };
            for part in [key, what, "skstore view rebuild"] {
                assert!(told.contains(part), "{told:?} does not say {part:?}");
            }
            assert_eq!(view.clear_foreign().await.unwrap(), 1, "{write:?}");
            view.begin_rebuild().await.unwrap();
            // The line of before may have been taken for told: it would rather be missing than be there twice.
            view.apply(&[order("a"), order(&format!("n{number}")), line(number + 100)]).await.unwrap();
            finish(&view).await;
            let (entries, told) = view.feed(0, 10).await.unwrap();
            assert!(
                entries.iter().any(|entry| entry.id == (number + 100).to_string()),
                "{write:?}: {told} {entries:?}"
            );
        }
    });
}

#[test]
fn a_count_that_is_none_is_named_to_whoever_reads_it() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        view.apply(&[order("a")]).await.unwrap();
        finish(&view).await;
        server.cli(&["HSET", "myinfo:counts", "paying", "abc"]);
        let Err(ViewError::Foreign(told)) = view.counts().await else { panic!("'abc' is a count") };
        for part in ["'myinfo:counts'", "'abc' as its field 'paying'", "skstore view rebuild"] {
            assert!(told.contains(part), "{told:?} does not say {part:?}");
        }
        assert_eq!(view.clear_foreign().await.unwrap(), 1);
        assert_eq!(view.counts().await.unwrap().orders, [0, 1, 0, 0, 0]);
    });
}

#[test]
fn members_without_an_order_hide_none_and_are_counted() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        view.apply(&["a", "b", "c"].map(order)).await.unwrap();
        finish(&view).await;
        let strays: Vec<String> = (0..30).map(|n| format!("stray{n}")).collect();
        let adding = ["ZADD", "myinfo:orders"].into_iter();
        server.cli(&adding.chain(strays.iter().flat_map(|id| ["+inf", id.as_str()])).collect::<Vec<_>>());
        let page = view.orders(&OrderFilter::default(), None, 2).await.unwrap();
        assert_eq!((page.rows.len(), page.strays), (2, 30));
        let next = view.orders(&OrderFilter::default(), page.next.as_ref(), 2).await.unwrap();
        assert_eq!((next.rows.len(), next.next), (1, None));
    });
}

#[test]
fn members_and_counts_that_somebody_else_made_are_gone_after_a_rebuild() {
    run(async {
        let server = Server::start();
        let view = server.view();
        begun(&view).await;
        let kim = Customer::new("김철수").unwrap();
        let logs = [order("a"), ViewWrite::Account(Account { customer: kim, balance: Won(12), revision: 4 })];
        view.apply(&logs).await.unwrap();
        finish(&view).await;
        server.cli(&["ZADD", "myinfo:orders", "1790000000999", "foreign"]);
        for index in ["status:paying", "customer:nobody", "item:41"] {
            server.cli(&["ZADD", &format!("myinfo:orders:{index}"), "1790000000999", "a"]);
        }
        // More than are looked through at once, of which some are right.
        let strays: Vec<String> = (0..2_000).map(|n| format!("stray{n}")).collect();
        let adding = ["ZADD", "myinfo:orders:customer:김철수"].into_iter();
        let adding: Vec<&str> = adding.chain(strays.iter().flat_map(|id| ["7", id.as_str()])).collect();
        server.cli(&adding);
        server.cli(&["HSET", "myinfo:counts", "placed", "77", "balances", "1000000", "accounts", "9"]);
        let wrong = view.counts().await.unwrap();
        assert_eq!((wrong.accounts, wrong.balances), (9, Won(1_000_000)), "the test has its effect");
        view.begin_rebuild().await.unwrap();
        view.apply(&logs).await.unwrap();
        finish(&view).await;
        let counts = view.counts().await.unwrap();
        assert_eq!((counts.orders, counts.accounts, counts.balances), ([0, 1, 0, 0, 0], 1, Won(12)));
        for index in ["", ":ids", ":status:placed", ":customer:김철수", ":item:10"] {
            assert_eq!(server.cli(&["ZRANGE", &format!("myinfo:orders{index}"), "0", "3"]), ["a"], "{index}");
        }
        for index in ["status:paying", "customer:nobody", "item:41"] {
            let gone = server.cli(&["EXISTS", &format!("myinfo:orders:{index}")]);
            assert_eq!(gone, ["0"], "{index}");
        }
        assert_eq!(server.cli(&["EXISTS", "myinfo:unswept"]), ["0"], "nothing is left of the sweep itself");
    });
}
