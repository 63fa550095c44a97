//! A desk moves into a PostgreSQL and back, over a real RabbitMQ with the view in a real Redis: it is the same desk, and nobody
//! who has heard of it has to begin anew.

#![cfg(feature = "servers")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use skstore_domain::signals::Service;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;
use skstore_workers::desk::view::View;

#[path = "../../xtask/src/servers/mod.rs"]
mod servers;

use servers::{Postgres, Rabbit, Redis};

/// Those that have a store.
const STORED: [&str; 3] = ["order", "deposit", "item"];

/// A desk over servers of its own.
struct Desk {
    home: tempfile::TempDir,
    settings: Vec<(String, String)>,
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
        Self { home, settings }
    }

    fn config(&self) -> Config {
        Config::load(&Sources { flags: self.settings.clone(), ..Sources::default() }).unwrap()
    }

    fn set(&mut self, key: &str, value: String) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value));
    }

    /// The workers, in this process, once they are at work.
    fn start(&self) -> Process {
        let process = Process::start_workers(&self.config(), Service::ALL).unwrap();
        run(process.ready());
        process
    }

    /// The object that `line` prints with `--json`, and its exit status.
    fn told(&self, line: &str) -> (Value, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.home.path()).env("LANG", "C.UTF-8").arg("--json");
        for (key, value) in &self.settings {
            command.args(["--set", &format!("{key}={value}")]);
        }
        let output = command.args(line.split(' ')).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let object =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}: {told}"));
        (object, output.status.code())
    }

    fn done(&self, line: &str) -> Value {
        let (object, status) = self.told(line);
        assert_eq!(status, Some(0), "skstore {line}: {object}");
        object
    }

    /// How often the view was built anew.
    fn rebuilds(&self) -> u64 {
        let config = self.config();
        let view = View::open(&config.view.url, config.view.keep_orders).unwrap();
        run(view.rebuilds()).unwrap().last
    }

    /// Orders go on, everything fits, and the view has all of it without having been built anew since.
    fn is_the_same(&self, run_name: &str, rebuilds: u64) {
        let told = self.done(&format!("load --orders 300 -c 16 --cancels 20 --run {run_name}"));
        assert_eq!((&told["ok"], &told["became"]["open"]), (&json!(300), &json!(0)), "{told}");
        let audited = self.done("audit")["audited"].take();
        assert_eq!((&audited["violations"], &audited["forgotten"]), (&json!(0), &json!(0)), "{audited}");
        assert_eq!((&audited["undecided"], &audited["restored"]), (&json!([]), &json!([])), "{audited}");
        assert!(audited["shown"].as_u64() > Some(300), "{audited}");
        assert_eq!(self.rebuilds(), rebuilds, "the view was built anew");
    }

    /// Moves all stores, which `to` names, and starts on them.
    fn moved(&mut self, to: impl Fn(&str) -> String) -> Process {
        for service in STORED {
            let place = to(service);
            let told = self.done(&format!("store copy {service} {place}"));
            assert_eq!(told["service"], service, "{told}");
            assert!(!told.to_string().contains("desk:desk@"), "a password was shown: {told}");
            self.set(&format!("{service}.store.url"), place);
        }
        self.start()
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The catalogue is told to the view by events, which take a moment on fresh servers.
fn until_items_are_listed(desk: &Desk) {
    for _ in 0..200 {
        if desk.done("view")["items"].as_u64() >= Some(10) {
            return;
        }
    }
    panic!("no items are listed");
}

#[test]
fn a_desk_moves_into_a_postgresql_and_back_and_is_the_same_desk() {
    let (rabbit, redis) = (Rabbit::start().unwrap(), Redis::start().unwrap());
    let postgres = Postgres::start().unwrap();
    let mut desk = Desk::over(&rabbit, &redis);
    let workers = desk.start();
    until_items_are_listed(&desk);
    let rebuilds = desk.rebuilds();
    desk.done("place 10 1 --customer kim --order-id first");
    desk.is_the_same("files", rebuilds);
    let (refused, status) = desk.told(&format!("store copy order {}?schema=order", postgres.url()));
    let told = refused["error"]["message"].as_str().unwrap().to_owned();
    assert!(status == Some(1) && told.contains("has the right to relay its events"), "{refused}");
    workers.stop().unwrap();

    let workers = desk.moved(|service| format!("{}?schema={service}", postgres.url()));
    desk.is_the_same("postgres", rebuilds);
    let (refused, status) = desk.told("store copy order sqlite:too-early.db");
    assert!(status == Some(1) && refused["error"]["code"] == "stays", "{refused}");
    workers.stop().unwrap();

    let workers = desk.moved(|service| format!("sqlite:back/{service}.db"));
    desk.is_the_same("back", rebuilds);
    assert_eq!(desk.done("order first --ask")["status"], "delivering", "what was ordered before both moves");
    workers.stop().unwrap();
}
