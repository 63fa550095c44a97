//! The command line as scripts use it: the real program, one process a command, over one data directory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A line of the file of parked messages, as a worker that stopped in the midst of it leaves one behind.
fn parked(id: u64, key: &str, body: &str) -> String {
    let headers = json!({"parked_id": format!("p-{id}"), "reason": "a mistake in this program", "queue": "order.commands",
        "exchange": "skstore.commands", "routing_key": key, "service": "order", "at": "2026-09-21T14:13:20.123Z"});
    let parked = json!({"id": id, "exchange": "skstore.dead", "routing_key": key, "body": {"text": body},
        "message_id": format!("p-{id}"), "headers": headers});
    format!("{}\n", json!({ "parked": parked }))
}

/// A data directory, and the program that works on it.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// `skstore` with `line` on this data, in an environment of its own.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.dir.path()).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command.arg("--data-dir").arg(self.dir.path().join("data")).args(line.split(' '));
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    fn dead_letters(&self) -> PathBuf {
        self.dir.path().join("data").join("dead-letters.jsonl")
    }

    /// The objects that `line` prints with `--json`, one a line, and its exit status.
    fn json(&self, line: &str) -> (Vec<Value>, i32) {
        let output = self.run(&format!("--json {line}"));
        let text = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let parse =
            |row: &str| serde_json::from_str(row).unwrap_or_else(|error| panic!("{line}: {error} in {row}"));
        let status = output.status.code().unwrap_or_else(|| panic!("skstore {line} was killed: {told}"));
        (text.lines().map(parse).collect(), status)
    }

    /// The one object that `line` prints when it is done.
    fn done(&self, line: &str) -> Value {
        let (mut objects, status) = self.json(line);
        assert_eq!((objects.len(), status), (1, 0), "skstore {line} printed {objects:?}");
        objects.remove(0)
    }

    /// What the audit has looked at, which includes the view, and without a word about it.
    fn audited_clean(&self) -> Value {
        let mut passed = self.done("audit");
        let audited = passed["audited"].take();
        assert_eq!((&audited["violations"], &audited["notes"]), (&json!(0), &json!([])), "{audited}");
        assert!(audited["shown"].as_u64().is_some_and(|shown| shown > 2), "the view was not seen: {audited}");
        audited
    }

    /// Restores one store, as the manual says.
    fn put_back(&self, copies: &std::path::Path, service: &str) {
        let data = self.dir.path().join("data");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(data.join(format!("{service}.db{suffix}")));
        }
        std::fs::copy(copies.join(format!("{service}.db")), data.join(format!("{service}.db"))).unwrap();
    }

    /// The error that `line` prints, after checking its exit status.
    fn error(&self, line: &str, status: i32) -> Value {
        let (mut objects, exit) = self.json(line);
        assert_eq!((objects.len(), exit), (1, status), "skstore {line} printed {objects:?}");
        objects.remove(0)
    }

    fn stock(&self, item: &str) -> i64 {
        let (items, status) = self.json("items");
        assert_eq!(status, 0, "skstore items printed {items:?}");
        let found = items.iter().find(|row| row["item_id"] == item);
        found
            .and_then(|row| row["stock"].as_i64())
            .unwrap_or_else(|| panic!("no stock of {item} in {items:?}"))
    }

    fn balance(&self, customer: &str) -> i64 {
        let (accounts, status) = self.json("accounts");
        assert_eq!(status, 0, "skstore accounts printed {accounts:?}");
        let found = accounts.iter().find(|row| row["customer"] == customer);
        found
            .and_then(|row| row["balance"].as_i64())
            .unwrap_or_else(|| panic!("no {customer} in {accounts:?}"))
    }
}

#[test]
fn an_order_is_placed_paid_delivered_cancelled_and_refunded() {
    let desk = Desk::new();
    let (stock, balance) = (desk.stock("10"), desk.balance("kim"));

    let placed = desk.done("place 10 5 --customer kim --order-id a-1");
    assert_eq!((&placed["order_id"], &placed["payment"]), (&json!("a-1"), &json!("paid")), "{placed}");
    let amount = placed["amount"].as_i64().unwrap();

    let order = desk.done("order a-1");
    assert_eq!(order["status"], "delivering", "what follows was not awaited: {order}");
    assert!(order["timeline"].as_array().is_some_and(|steps| steps.len() >= 4), "{order}");
    assert_eq!(desk.done("order a-1 --ask")["status"], "delivering");
    assert_eq!((desk.stock("10"), desk.balance("kim")), (stock - 5, balance - amount));

    let again = desk.done("place 10 5 --customer kim --order-id a-1");
    assert_eq!(again["status"], "delivering", "the recorded answer: {again}");
    assert_eq!(desk.balance("kim"), balance - amount, "a repeated place was charged again");

    assert_eq!(desk.done("cancel a-1")["status"], "cancelled");
    assert_eq!(desk.done("payment a-1")["status"], "refunded");
    assert_eq!(desk.done("order a-1")["payment"], "refunded");
    assert_eq!((desk.stock("10"), desk.balance("kim")), (stock, balance), "not everything was given back");

    let (orders, _) = desk.json("orders --customer kim --status cancelled --item 10");
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(desk.json("orders --customer lee").0, Vec::<Value>::new());
}

#[test]
fn money_and_stock_are_added_once_for_each_id() {
    let desk = Desk::new();
    let (stock, balance) = (desk.stock("11"), desk.balance("lee"));
    for _ in 0..2 {
        assert_eq!(desk.done("topup lee 1,000 --topup-id t-1")["customer"], "lee");
        assert_eq!(desk.done("restock 11 7 --restock-id r-1")["item_id"], "11");
    }
    assert_eq!((desk.stock("11"), desk.balance("lee")), (stock + 7, balance + 1000));
    assert_eq!(desk.error("topup lee 2,000 --topup-id t-1", 1)["error"]["code"], "conflict");
    assert_eq!(desk.done("topup newcomer 500")["balance"], 500, "a top-up opens an account");
}

#[test]
fn a_refusal_says_why_and_exits_with_1() {
    let desk = Desk::new();
    let declined = desk.error("place 41 1 --customer heungbu --order-id b-1", 1);
    assert_eq!(declined["error"]["code"], "declined", "{declined}");
    assert_eq!((&declined["order"]["status"], &declined["order_id"]), (&json!("rejected"), &json!("b-1")));
    let table = [
        ("place nothing --order-id b-2", "not_found"),
        ("place 10 --unit-price 1 --order-id b-3", "conflict"),
        ("cancel b-4", "not_found"),
        ("order b-5", "not_found"),
        ("order b-5 --ask", "not_found"),
        ("restock nothing 5", "not_found"),
        ("breaker auto --instance nobody", "not_found"),
    ];
    for (line, code) in table {
        let refused = desk.error(line, 1);
        assert_eq!(refused["error"]["code"], code, "skstore {line}: {refused}");
        assert!(refused["error"]["message"].as_str().is_some_and(|text| text.len() > 10), "{refused}");
    }
    let told = desk.run("place nothing --order-id b-6");
    assert_eq!(told.status.code(), Some(1));
    assert!(told.stdout.is_empty(), "a refusal is for stderr when people read it");
    assert!(String::from_utf8_lossy(&told.stderr).starts_with("skstore: "), "{told:?}");
    assert_eq!(desk.done("payment b-7")["status"], "none", "no payment is an answer, not a refusal");
}

#[test]
fn wrong_usage_and_settings_exit_with_2_and_touch_nothing() {
    let desk = Desk::new();
    let table = [
        ("place", "<ITEM>"),
        ("place 10 0", "1..=1000"),
        ("items --set bus.uri=x", "unknown setting 'bus.uri' from the command line"),
        ("items --set bus.url=amqp://h", "Set view.url to one that they share"),
        (
            "items --set bus.url=mqtt://h",
            "the setting 'bus.url' from the command line is no URL that it can be",
        ),
        ("items --language fr", "must be one of auto, ko, en"),
        ("items --config /nowhere/x.toml", "/nowhere/x.toml cannot be read"),
        ("items --set catalog.path=/nowhere/c.toml", "/nowhere/c.toml cannot be read"),
    ];
    for (line, expected) in table {
        let wrong = desk.error(line, 2);
        assert_eq!(wrong["error"]["code"], "usage", "skstore {line}: {wrong}");
        let message = wrong["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "skstore {line}: {message}\n  instead of: {expected}");
        let told = desk.run(line);
        assert_eq!((told.status.code(), told.stdout.len()), (Some(2), 0), "skstore {line}: {told:?}");
        assert!(String::from_utf8_lossy(&told.stderr).contains(expected), "skstore {line}: {told:?}");
    }
    assert!(!desk.dir.path().join("data").join("order.db").exists(), "wrong settings made a store");
}

/// A process that holds the data until it is dropped.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_process_uses_the_workers_of_the_first_and_has_them_once_that_is_gone() {
    let desk = Desk::new();
    let mut watching = desk.command("--json watch --for 600 --last 1000");
    let holder = Holder(watching.stdout(Stdio::piped()).spawn().unwrap());
    let socket = desk.dir.path().join("data").join("skstore.sock");
    wait_until("the first process lets others in", || socket.exists());
    assert_eq!(desk.done("place 10 2 --customer kim --order-id s-1")["order_id"], "s-1");
    assert_eq!(desk.done("order s-1 --ask")["order_id"], "s-1");
    assert_eq!(desk.error("place 10 --customer nobody --order-id s-2", 1)["error"]["code"], "declined");
    let shown = || desk.json("order s-1").0.first().is_some_and(|order| order["status"] == "delivering");
    wait_until("it is delivered, and the view of the first process says so", shown);
    assert_eq!(desk.done("topup kim 500")["customer"], "kim");
    assert!(desk.json("queues").0.len() > 5, "the queues of the first process are not seen");

    // What is parked is in the hands of the first process, and is dealt with there.
    assert_eq!(desk.json("dead list"), (vec![], 0));
    assert_eq!(desk.error("dead drop p-1", 1)["error"]["code"], "not_found");

    drop(holder);
    // A killed process lets go of the data, and loses nothing that was acknowledged.
    assert_eq!(desk.done("order s-1")["status"], "delivering", "the data is still held");
    assert!(!socket.exists(), "a process that has ended in good order leaves no socket");
}

#[test]
fn workers_over_a_broker_that_share_the_data_are_named_as_what_is_in_the_way() {
    let desk = Desk::new();
    assert_eq!(desk.json("items").1, 0);
    let lock = std::fs::File::open(desk.dir.path().join("data").join("skstore.lock")).unwrap();
    lock.lock_shared().unwrap();
    let held = desk.error("items", 3);
    assert_eq!(held["error"]["code"], "unreachable");
    let message = held["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("--data-dir"), "it does not say what to do: {message}");
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !condition() {
        assert!(std::time::Instant::now() < until, "gave up waiting until {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn the_status_counts_and_shows_every_service() {
    let desk = Desk::new();
    desk.done("place 10 --order-id c-1");
    let status = desk.done("status");
    assert_eq!(status["counts"]["orders"]["delivering"], 1, "{status}");
    let services = status["services"].as_array().unwrap();
    let names: Vec<_> = services.iter().filter_map(|beat| beat["service"].as_str()).collect();
    for service in ["order", "deposit", "item", "myinfo"] {
        assert!(names.contains(&service), "{service} is missing: {names:?}");
    }
    // Without a command and without a terminal, the same as text.
    let mut bare = Command::new(env!("CARGO_BIN_EXE_skstore"));
    bare.env_clear().env("HOME", desk.dir.path()).stdin(Stdio::null());
    let told = bare.arg("--data-dir").arg(desk.dir.path().join("data")).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stdout).contains("accounts"), "{told:?}");
}

#[test]
fn the_breaker_is_shown_and_is_not_held_by_a_command_that_ends() {
    let desk = Desk::new();
    assert_eq!(desk.done("breaker")["mode"], "auto");
    assert_eq!(desk.error("breaker open", 2)["error"]["code"], "usage");
}

#[test]
fn parked_messages_are_listed_shown_replayed_and_dropped() {
    let desk = Desk::new();
    assert_eq!(desk.json("dead list"), (vec![], 0));
    desk.done("place 10 --customer kim --order-id d-0");
    let lines = [
        parked(1, "order.place", r#"{"item_id":"10","customer":"kim","order_id":"d-1"}"#),
        parked(2, "order.place", "not JSON"),
        parked(3, "order.place", r#"{"item_id":"10","customer":"kim"}"#),
    ];
    std::fs::write(desk.dead_letters(), lines.concat()).unwrap();

    let (list, status) = desk.json("dead list");
    let ids: Vec<_> = list.iter().map(|letter| letter["id"].as_str().unwrap()).collect();
    assert_eq!((ids, status), (vec!["p-1", "p-2", "p-3"], 0));
    let shown = desk.done("dead show p-2");
    assert_eq!((&shown["body"], &shown["outlook"]), (&json!("not JSON"), &json!("refused")), "{shown}");

    let (plan, _) = desk.json("dead replay --all --dry-run");
    let dispositions: Vec<_> = plan.iter().map(|told| told["fate"].as_str().unwrap()).collect();
    assert_eq!(dispositions, ["would_replay", "stays", "would_replay"], "{plan:?}");
    let (done, status) = desk.json("dead replay --all");
    assert_eq!((done.len(), status), (3, 0), "{done:?}");
    for order in ["d-1", "p-3"] {
        assert_eq!(desk.done(&format!("order {order}"))["status"], "delivering", "{order} was not placed");
    }
    assert_eq!(desk.json("dead list").0.len(), 1);
    assert_eq!(desk.done("dead drop p-2")["fate"], "dropped");
    assert_eq!(desk.json("dead list").0.len(), 0);
    for line in ["dead show p-2", "dead replay p-2", "dead drop p-2 --dry-run"] {
        assert_eq!(desk.error(line, 1)["error"]["code"], "not_found", "{line}");
    }
}

#[test]
fn whoever_cancels_is_told_what_becomes_of_the_money() {
    let desk = Desk::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    desk.done("place 10 2 --customer kim --order-id e-1");
    let cancelled = text(&desk.run("cancel e-1").stdout);
    assert!(cancelled.contains("paid, the refund is under way"), "{cancelled}");
    let order = text(&desk.run("order e-1").stdout);
    assert!(order.contains("refunded") && !order.contains("under way"), "{order}");
}

#[test]
fn the_audit_passes_a_desk_that_works_and_catches_what_is_spoilt() {
    let desk = Desk::new();
    desk.done("place 10 2 --customer kim --order-id e-1");
    desk.done("place 10 1 --customer kim --order-id e-2");
    desk.done("cancel e-2");
    assert_eq!(desk.audited_clean()["orders"], 2);

    // While a dashboard, here a watcher, holds the data.
    let mut watching = desk.command("--json watch --for 600 --last 1000");
    let holder = Holder(watching.stdout(Stdio::piped()).spawn().unwrap());
    let (lock, pid) = (desk.dir.path().join("data").join("skstore.lock"), holder.0.id().to_string());
    wait_until("somebody holds the data", || std::fs::read_to_string(&lock).unwrap().starts_with(&pid));
    desk.audited_clean();
    drop(holder);

    let store = desk.dir.path().join("data").join("order.db");
    let spoilt = "UPDATE aggregates SET body = json_set(body, '$.order.amount', 1) WHERE id = 'e-1'";
    rusqlite::Connection::open(store).unwrap().execute_batch(spoilt).unwrap();
    let (found, status) = desk.json("audit --wait 0");
    assert_eq!(status, 1, "{found:?}");
    assert!(found.iter().any(|one| one["promise"] == "P1" && one["id"] == "e-1"), "{found:?}");
    assert_eq!(found.last().unwrap()["error"]["code"], "violated", "{found:?}");

    std::fs::remove_file(desk.dir.path().join("data").join("item.db")).unwrap();
    let missing = desk.error("audit --set bus.url=amqp://127.0.0.1:1 --set view.url=redis://127.0.0.1:1", 3);
    assert!(missing["error"]["message"].to_string().contains("item.db"), "{missing}");
}

#[test]
fn the_view_is_built_anew_and_holds_the_same() {
    let desk = Desk::new();
    desk.done("place 10 --order-id f-1");
    let before = desk.done("view");
    assert_eq!((&before["orders"], &before["rebuilding"]), (&json!(1), &json!(null)), "{before}");
    for _ in 0..2 {
        assert_eq!(desk.done("view rebuild"), before, "a rebuild changed what it holds");
    }
}

#[test]
fn queues_are_shown_with_what_waits_in_them() {
    let desk = Desk::new();
    let (queues, status) = desk.json("queues");
    assert_eq!(status, 0);
    let of = |name: &str| queues.iter().find(|queue| queue["queue"] == name).unwrap().clone();
    assert_eq!(of("order.commands")["consumers"], 1, "{queues:?}");
    assert_eq!(of("skstore.dead")["messages"], 0, "{queues:?}");
}

#[test]
fn output_speaks_korean_when_asked() {
    let desk = Desk::new();
    let korean = |mut command: Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(korean(desk.command("items --language ko")).contains("사과"));
    let mut by_locale = desk.command("items");
    by_locale.env("LANG", "ko_KR.UTF-8");
    assert!(korean(by_locale).contains("재고"));
    assert!(korean(desk.command("items")).contains("Apple"));
    for (language, name) in [("en", "10 Apple"), ("ko", "10 사과")] {
        let placed =
            korean(desk.command(&format!("place 10 --order-id in-{language} --language {language}")));
        let shown = korean(desk.command(&format!("order in-{language} --language {language}")));
        assert!(placed.contains(name) && shown.contains(name), "{placed}{shown}");
    }
    assert_eq!(desk.done("order in-en")["item_name"], "사과", "programs read what Order says");
}

#[test]
fn a_log_that_cannot_be_written_is_nothing_that_the_terminal_hears_of() {
    let desk = Desk::new();
    let output = desk.run("--set log.file=/dev/full --set log.level=debug place 10 1");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::new();
    assert!(desk.json("items").0.len() > 5, "there is not enough to print");
    let mut items = desk.command("--json items");
    let mut child = items.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_backup_is_restored_by_putting_its_files_in_place() {
    let desk = Desk::new();
    assert_eq!(desk.done("place 10 2 --customer kim --order-id kept")["status"], "placed");
    let copies = desk.dir.path().join("copies");
    let backup = format!("backup {}", copies.display());
    let (copied, status) = desk.json(&backup);
    assert_eq!((copied.len(), status), (3, 0), "{copied:?}");
    assert!(copied.iter().all(|copy| copy["entries"].as_i64() > Some(0)), "{copied:?}");
    let again = desk.error(&backup, 2);
    assert!(again["error"]["message"].as_str().unwrap().contains("is there already"), "{again}");

    assert_eq!(desk.done("place 10 1 --customer kim --order-id gone")["status"], "placed");
    ["order", "deposit", "item"].into_iter().for_each(|service| desk.put_back(&copies, service));
    assert_eq!(desk.done("order kept")["order_id"], "kept");
    assert_eq!(desk.json("order gone").1, 1, "what came after the backup is not there");
    assert_eq!(desk.json("audit").1, 0, "the books of one backup fit");
}

#[test]
fn what_a_restored_store_has_forgotten_is_listed_and_settled() {
    let desk = Desk::new();
    let copies = desk.dir.path().join("copies");
    assert_eq!(desk.error("reconcile", 3)["error"]["code"], "unreachable", "there is no store yet");
    desk.done("place 10 2 --customer kim --order-id kept");
    assert_eq!(desk.json("reconcile"), (vec![], 0), "nothing is to be settled");
    desk.json(&format!("backup {}", copies.display()));
    desk.done("place 10 1 --customer kim --order-id new");
    let before = desk.done("order new --ask");
    assert_eq!(before["status"], "delivering", "{before}");

    desk.put_back(&copies, "deposit");
    let (told, status) = desk.json("audit");
    let [finding, audited, error] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (finding["id"].as_str(), finding["is_forgotten"].as_bool(), status),
        (Some("new"), Some(true), 1)
    );
    assert_eq!(
        (&audited["audited"]["violations"], &error["error"]["code"]),
        (&json!(0), &json!("unsettled"))
    );
    let (listed, status) = desk.json("reconcile");
    assert_eq!(
        (listed[0]["order_id"].as_str(), listed[0]["remedies"][0]["do"].as_str()),
        (Some("new"), Some("charge"))
    );
    assert_eq!((listed.len(), status), (2, 1), "the order, and why the command fails: {listed:?}");
    let (settled, status) = desk.json("reconcile --settle");
    assert_eq!(
        (settled[0]["is_settled"].as_bool(), settled[0]["status"].as_str(), status),
        (Some(true), Some("delivering"), 0)
    );
    assert_eq!(desk.json("audit").1, 0, "and the books are right");

    std::fs::remove_file(desk.dir.path().join("data/item.db")).unwrap();
    for command in ["audit", "reconcile"] {
        let refused = desk.error(command, 3);
        assert!(refused["error"]["message"].as_str().unwrap().contains("there is no such file"), "{refused}");
    }
}
