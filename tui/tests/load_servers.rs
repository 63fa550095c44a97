//! Load over a real RabbitMQ with the view in a real Redis, also while the broker is killed: every order is accounted for.

#![cfg(feature = "servers")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use skstore_domain::signals::Service;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;

#[path = "../../xtask/src/servers/mod.rs"]
mod servers;

use servers::{Rabbit, Redis};

/// A desk over servers of its own, with its workers in this process.
struct Desk {
    home: tempfile::TempDir,
    settings: Vec<(String, String)>,
    process: Process,
}

impl Desk {
    fn over(rabbit: &Rabbit, redis: &Redis) -> Self {
        let home = tempfile::tempdir().unwrap();
        let settings = vec![
            ("data_dir".to_owned(), home.path().join("data").display().to_string()),
            ("bus.url".to_owned(), rabbit.amqp_url()),
            ("view.url".to_owned(), redis.url()),
            // On a busy machine no payment may be late.
            ("payment.timeout_ms".to_owned(), "5000".to_owned()),
            ("breaker.slow_ms".to_owned(), "4000".to_owned()),
        ];
        let config = Config::load(&Sources { flags: settings.clone(), ..Sources::default() }).unwrap();
        let process = Process::start_workers(&config, Service::ALL).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(process.ready());
        Self { home, settings, process }
    }

    fn start(&self, line: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.home.path()).env("LANG", "C.UTF-8").arg("--json");
        for (key, value) in &self.settings {
            command.args(["--set", &format!("{key}={value}")]);
        }
        command.args(line.split(' ')).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// As many orders of each status as the report says, and the books are right.
    fn assert_as_told(&self, told: &Value) {
        let audited = report(self.start("audit")).0;
        assert_eq!(audited["audited"]["violations"], json!(0), "{audited}");
        let counts = report(self.start("status")).0["counts"]["orders"].clone();
        for status in ["delivering", "cancelled", "rejected"] {
            assert_eq!(counts[status], told["became"][status], "{status}: {counts} and {told}");
        }
    }
}

/// The object that it prints, and its exit status.
fn report(child: Child) -> (Value, Option<i32>) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let object = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    (object, output.status.code())
}

/// The catalogue is told to the view by events, which take a moment on fresh servers.
fn until_items_are_listed(desk: &Desk) {
    for _ in 0..100 {
        let output = desk.start("items").wait_with_output().unwrap();
        if output.stdout.iter().filter(|byte| **byte == b'\n').count() >= 10 {
            return;
        }
    }
    panic!("no items are listed");
}

#[test]
fn over_a_broker_the_report_says_what_view_and_books_say() {
    let (rabbit, redis) = (Rabbit::start().unwrap(), Redis::start().unwrap());
    let desk = Desk::over(&rabbit, &redis);
    until_items_are_listed(&desk);
    let (told, status) = report(desk.start("load --orders 1500 -c 64 --cancels 20 --repeats 20 --qty 1-3"));
    assert_eq!((status, &told["target"], &told["ok"]), (Some(0), &json!("broker"), &json!(1500)), "{told}");
    desk.assert_as_told(&told);
    desk.process.stop().unwrap();
}

#[test]
fn while_the_broker_is_killed_orders_fail_and_each_of_them_is_accounted_for_afterwards() {
    let (mut rabbit, redis) = (Rabbit::start().unwrap(), Redis::start().unwrap());
    let desk = Desk::over(&rabbit, &redis);
    until_items_are_listed(&desk);
    let mut load = desk.start("load --rate 100 -t 25s -c 32");
    let mut people = BufReader::new(load.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("/s  ok ") {
        line.clear();
        assert!(people.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    rabbit.kill();
    rabbit.restart().unwrap();
    let mut rest = String::new();
    people.read_to_string(&mut rest).unwrap();
    let (told, status) = report(load);
    assert_eq!(status, Some(1), "what failed is told by the exit status: {told}");
    assert!(told["failed"].as_u64().unwrap() > 0 && told["ok"].as_u64().unwrap() > 500, "{told}");
    assert_eq!(told["became"]["open"], json!(0), "every order has ended: {told}\n{rest}");
    desk.assert_as_told(&told);
    desk.process.stop().unwrap();
}
