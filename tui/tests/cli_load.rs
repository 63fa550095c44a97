//! Load by the real program: alone with its workers, beside a process that has them, and over HTTP at a gateway. Whatever is
//! asked for, the books are right afterwards and the report says what the view says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;
use skstore_workers::gateway::Gateway;
use tempfile::TempDir;
use tokio::sync::oneshot;

#[path = "common/running.rs"]
mod running;

use running::{Running, said};

/// Reads what it tells people up to a line with `words`.
fn until_it_says(running: &mut Running, words: &str) {
    running::until_it_says(running.child().stderr.as_mut(), words);
}

/// A data directory, and the program that works on it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn start(&self, line: &str) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.0.path()).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command.arg("--json").arg("--data-dir").arg(self.data()).args(line.split(' '));
        // A busy machine must not make answers late: what is late is refused, and that is another test's.
        command.args(["--set", "payment.timeout_ms=9000"]);
        Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// What the one object on its output says.
    fn done(&self, line: &str) -> Value {
        report(line, &self.start(line).output(), 0)
    }

    /// The books are right, and the view has as many orders of each status as these reports say, and no others.
    fn assert_as_told(&self, reports: &[&Value]) {
        let audited = self.done("audit");
        let sum = |word: &str| reports.iter().map(|told| told["became"][word].as_u64().unwrap()).sum::<u64>();
        let all: u64 = ["delivering", "cancelled", "rejected"].into_iter().map(sum).sum();
        let found = (&audited["audited"]["violations"], &audited["audited"]["orders"]);
        assert_eq!(found, (&json!(0), &json!(all)), "{audited}");
        let counts = self.done("status")["counts"]["orders"].clone();
        for status in ["delivering", "cancelled", "rejected"] {
            assert_eq!(counts[status], json!(sum(status)), "{status}: {counts} and {reports:?}");
        }
        assert_eq!((&counts["paying"], &counts["placed"]), (&json!(0), &json!(0)), "every order has ended");
    }
}

fn report(line: &str, output: &Output, status: i32) -> Value {
    assert_eq!(output.status.code(), Some(status), "skstore {line}: {}", said(output));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("skstore {line}: {error}: {}", said(output)))
}

/// The orders of the view without what is another each time, by their ids.
fn orders(desk: &Desk) -> Vec<(String, Value)> {
    let output = desk.start("orders --limit 1000").output();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut orders: Vec<(String, Value)> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|order| {
            let fields = ["order_id", "customer", "item_id", "qty", "amount", "status"];
            let kept: Value =
                fields.iter().map(|field| ((*field).to_owned(), order[field].clone())).collect();
            (order["order_id"].as_str().unwrap().to_owned(), kept)
        })
        .collect();
    orders.sort_by(|one, other| one.0.cmp(&other.0));
    orders
}

#[test]
fn what_it_reports_is_what_the_view_and_the_books_say_and_the_same_run_again_changes_nothing() {
    let desk = Desk::new();
    let line = "load --orders 120 -c 8 --items 10:3,20:1 --qty 1-3 --customers 7 --cancels 25 --repeats 40 --seed 5 --run one";
    let told = desk.done(line);
    assert_eq!(
        (&told["target"], &told["run"], &told["seed"]),
        (&json!("embedded"), &json!("one"), &json!(5))
    );
    assert_eq!(
        (&told["sent"], &told["ok"], &told["failed"]),
        (&json!(120), &json!(120), &json!(0)),
        "{told}"
    );
    assert_eq!(told["availability_percent"], json!(100.0));
    let cancels = told["cancels"]["sent"].as_u64().unwrap();
    let repeats = told["repeats"]["sent"].as_u64().unwrap();
    assert!(
        (10..60).contains(&cancels) && (25..80).contains(&repeats),
        "some of each, as the seed has it: {told}"
    );
    assert_eq!(told["became"]["cancelled"], json!(cancels), "{told}");
    let latency = &told["latency_us"]["ok"];
    let ladder: Vec<u64> =
        ["min", "p50", "p90", "p99", "p999", "max"].map(|name| latency[name].as_u64().unwrap()).to_vec();
    assert!(ladder.is_sorted() && ladder[0] > 0, "{latency}");
    assert_eq!(told["latency_us"]["failed"]["max"], Value::Null);
    desk.assert_as_told(&[&told]);
    let (first, accounts) = (orders(&desk), desk.start("accounts").output().stdout);

    // Everything was recorded: what was cancelled is answered so, and nothing is ordered or topped up again.
    let again = desk.done(line);
    assert_eq!(
        (&again["ok"], &again["refusals"]["cancelled"]),
        (&json!(120 - cancels), &json!(cancels)),
        "{again}"
    );
    assert_eq!(again["became"], told["became"], "{again}");
    desk.assert_as_told(&[&told]);
    assert_eq!(orders(&desk), first);
    assert_eq!(desk.start("accounts").output().stdout, accounts);

    // The same seed gives the same orders anywhere, another one gives others.
    let elsewhere = Desk::new();
    elsewhere.done(line);
    assert_eq!(orders(&elsewhere), first, "the same seed, the same orders");
    let conflict = elsewhere.done(&line.replace("--seed 5", "--seed 6"));
    assert!(conflict["refusals"]["conflict"].as_u64().unwrap() > 60, "{conflict}");
}

#[test]
fn by_itself_it_orders_what_there_is_enough_of_and_is_refused_where_money_is_not_given() {
    let desk = Desk::new();
    let told = desk.done("load --orders 100");
    assert_eq!(told["became"]["delivering"], json!(100), "nothing is sold out: {told}");
    // Nobody gives this customer money.
    let line = "load --orders 20 --customer heungbu --items 41";
    let poor = desk.done(line);
    assert_eq!((&poor["refused"], &poor["refusals"]), (&json!(20), &json!({ "declined": 20 })), "{poor}");
    assert_eq!((&poor["became"]["rejected"], &poor["failed"]), (&json!(20), &json!(0)), "{poor}");
    // Unless it is asked for; then the stock is for all of it as well.
    let funded = desk.done(&format!("{line} --qty 30 --fund"));
    assert_eq!(funded["became"]["delivering"], json!(20), "{funded}");
    desk.assert_as_told(&[&told, &poor, &funded]);
    let nothing = desk.start("load --orders 5 --items nothing").output();
    assert_eq!(report("load", &nothing, 1)["error"]["code"], json!("not_found"));
}

#[test]
fn told_to_end_it_reports_in_good_order() {
    let desk = Desk::new();
    let mut running = desk.start("load -t 1h -c 4 --rate 50 --run cut");
    until_it_says(&mut running, "/s  ok ");
    running.signal(Signal::SIGINT);
    let told = report("load", &running.output(), 0);
    assert_eq!((&told["ended"], &told["failed"]), (&json!("told"), &json!(0)), "{told}");
    assert!(told["sent"].as_u64().unwrap() > 100, "it ran for five seconds: {told}");
    assert_eq!(told["sent"], told["became"]["delivering"], "{told}");
    assert!(told["seconds"].as_array().unwrap().len() >= 5, "{told}");
    desk.assert_as_told(&[&told]);
}

#[test]
fn beside_a_process_that_has_the_workers_it_is_the_same() {
    let desk = Desk::new();
    let mut holder = desk.start("load -t 1h --rate 5 --run holder");
    until_it_says(&mut holder, "run holder");
    let beside = desk.done("load --orders 60 -c 5 --cancels 30 --repeats 30 --run beside");
    assert_eq!((&beside["target"], &beside["ok"]), (&json!("socket"), &json!(60)), "{beside}");
    holder.signal(Signal::SIGTERM);
    let held = report("load", &holder.output(), 0);
    desk.assert_as_told(&[&beside, &held]);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_it_is_the_same() {
    let desk = Desk::new();
    let flags = vec![
        ("data_dir".to_owned(), desk.data().display().to_string()),
        ("payment.timeout_ms".to_owned(), "9000".to_owned()),
        ("gateway.listen".to_owned(), "127.0.0.1:0".to_owned()),
    ];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let process = Process::start(&config).unwrap();
    let at_desk = process.desk().await.unwrap();
    process.ready().await;
    process.settle().await;
    let gateway = Gateway::listen(&config.gateway, at_desk).await.unwrap();
    let address = gateway.address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(gateway.serve(async { drop(stopped.await) }, Duration::from_secs(5)));
    // Another's orders are on the pages as well.
    let other = desk.done("load --orders 10 --run other");
    let line =
        format!("load --to http://{address} --orders 300 -c 6 --cancels 20 --repeats 20 --seed 3 --run web");
    let told = desk.done(&line);
    assert_eq!(
        (&told["target"], &told["ok"], &told["failed"]),
        (&json!("http"), &json!(300), &json!(0)),
        "{told}"
    );
    let poor = format!("load --to http://{address} --orders 20 --customer nobody --run poor");
    let poor = desk.done(&poor);
    assert_eq!(poor["refusals"], json!({ "declined": 20 }), "{poor}");
    drop(stop);
    served.await.unwrap();
    process.stop().unwrap();
    desk.assert_as_told(&[&other, &told, &poor]);
    assert_eq!((&told["followed"], &poor["followed"]), (&json!(true), &json!(true)));
    // Where nobody answers it says so at once.
    let gone = desk.start(&format!("load --to http://{address} --orders 1")).output();
    assert_eq!(report("load", &gone, 3)["error"]["code"], json!("unreachable"));
    let wrong = desk.start("load --to ftp://x --orders 1").output();
    assert_eq!(report("load", &wrong, 2)["error"]["code"], json!("usage"));
}

#[test]
fn orders_that_have_not_ended_are_named_and_are_no_success() {
    let desk = Desk::new();
    let first = desk.done("load --orders 5");
    let mut stuck = desk.start("load --orders 5 --items 10 --run open --set faults.item=stopped");
    until_it_says(&mut stuck, "orders are to end yet");
    // Whoever does not want to wait need not; of what nobody waited for it is not said that it has not ended.
    stuck.signal(Signal::SIGINT);
    let told = report("load", &stuck.output(), 1);
    assert_eq!(told["followed"], json!(false), "{told}");
    assert_eq!(
        (&told["ok"], &told["failed"], &told["became"]["open"]),
        (&json!(5), &json!(0), &json!(5)),
        "{told}"
    );
    let named: Vec<String> = (1..=5).map(|number| format!("load-open-{number}")).collect();
    assert_eq!(told["open_orders"], json!(named), "{told}");
    // Once Item works, the same run finds them delivered, and places nothing.
    let again = desk.done("load --orders 5 --items 10 --run open --seed 9");
    assert_eq!(again["failed"], json!(0), "{again}");
    let again = desk.done(&format!("load --orders 5 --items 10 --run open --seed {}", told["seed"]));
    assert_eq!((&again["ok"], &again["became"]["delivering"]), (&json!(5), &json!(5)), "{again}");
    desk.assert_as_told(&[&first, &again]);
}

/// A gateway that answers every request with this status and says why, until it is dropped.
fn refusing(status: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let body = r#"{"code":"unauthorized","detail":"a token is needed"}"#;
            let length = body.len();
            let said =
                format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            let _ = stream.write_all(said.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn whoever_is_not_let_in_is_told_of_the_token_at_once() {
    let desk = Desk::new();
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let address = refusing(status);
        let refused = desk.start(&format!("load --to {address} --orders 1000000 -t 1h")).output();
        let told = report("load", &refused, 1);
        let message = told["error"]["message"].as_str().unwrap();
        assert_eq!(told["error"]["code"], json!("forbidden"), "{told}");
        for word in ["--token-file", status, "a token is needed"] {
            assert!(message.contains(word), "no {word}: {message}");
        }
    }
}
