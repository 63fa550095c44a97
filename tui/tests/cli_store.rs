//! `skstore store copy` as people use it, from file to file: the real program, in directories of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use skstore_workers::desk::process::holder_of;
use tempfile::TempDir;

#[path = "common/running.rs"]
mod running;

use running::{Running, said, until_it_says};

/// A desk whose workers are those of each command.
struct Desk(TempDir);

impl Desk {
    /// With orders.
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for id in ["a-1", "a-2"] {
            desk.json(&format!("place 10 1 --customer kim --order-id {id}"), 0);
        }
        desk
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.0.path()).env("LANG", "C.UTF-8").current_dir(self.0.path());
        command.stdin(Stdio::null()).args(["--data-dir", "data"]).args(line.split(' '));
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What `line` prints with `--json`, in one object, and ends with `status`.
    fn json(&self, line: &str, status: i32) -> Value {
        let output = self.run(&format!("--json {line}"));
        let told = said(&output);
        assert_eq!(output.status.code(), Some(status), "skstore {line}: {told}");
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("skstore {line}: {error}: {told}"))
    }

    /// What is wrong with `line`, which ends with `status`: its code and its sentence.
    fn refused(&self, line: &str, status: i32) -> (String, String) {
        let error = self.json(line, status)["error"].take();
        let part = |name: &str| error[name].as_str().unwrap().to_owned();
        (part("code"), part("message"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("data").join(name)
    }

    fn spoil(&self, name: &str, sql: &str) {
        rusqlite::Connection::open(self.file(name)).unwrap().execute_batch(sql).unwrap();
    }
}

#[test]
fn a_copy_takes_the_place_of_a_store_and_orders_go_on() {
    let desk = Desk::new();
    let told = desk.json("store copy order sqlite:elsewhere/orders.db", 0);
    let place = format!("sqlite:{}", desk.file("elsewhere/orders.db").display());
    assert_eq!((&told["to"], &told["service"]), (&json!(place), &json!("order")), "{told}");
    assert!(told["rows"]["events"].as_u64() > Some(3) && told["elapsed_ms"].is_u64(), "{told}");
    assert_eq!(told["digest"].as_str().unwrap().len(), 64, "{told}");

    // With what SQLite has beside it, where it has left that.
    for name in ["order.db", "order.db-wal", "order.db-shm"] {
        let _ = std::fs::remove_file(desk.file(name));
    }
    // As it says: with that, and from wherever.
    let moved = format!("--set order.store.url={place}");
    assert_eq!(desk.json(&format!("{moved} audit"), 0)["audited"]["violations"], 0);
    assert_eq!(desk.json(&format!("{moved} order a-1 --ask"), 0)["status"], "delivering");
    assert_eq!(desk.json(&format!("{moved} place 10 1 --customer kim --order-id a-3"), 0)["order_id"], "a-3");

    // And back, to where the settings without that have it.
    let back = desk.json(&format!("store copy {place} order"), 0);
    assert_eq!(back["to"], format!("sqlite:{}", desk.file("order.db").display()), "{back}");
    assert_eq!(desk.json("order a-3 --ask", 0)["status"], "delivering");
    assert_eq!(desk.json("audit", 0)["audited"]["violations"], 0);
}

#[test]
fn people_are_told_what_was_copied_and_what_to_do_next_in_their_language() {
    let desk = Desk::new();
    let place = desk.file("x.db");
    let english = desk.run("--language en store copy deposit sqlite:x.db");
    let text = String::from_utf8(english.stdout).unwrap();
    let next =
        format!("Next: set deposit.store.url to sqlite:{}, start the workers of deposit", place.display());
    for part in ["table       rows\n", "aggregates", "took", &next, "skstore audit"] {
        assert!(text.contains(part), "there is no '{part}' in {text}");
    }
    std::fs::remove_file(&place).unwrap();
    let korean = String::from_utf8(desk.run("--language ko store copy deposit sqlite:x.db").stdout).unwrap();
    for part in ["테이블", "걸린 시간", "다음: deposit.store.url을"] {
        assert!(korean.contains(part), "there is no '{part}' in {korean}");
    }
    let as_set = "--language en --set deposit.store.url=sqlite:y.db store copy sqlite:x.db deposit";
    let text = String::from_utf8(desk.run(as_set).stdout).unwrap();
    assert!(text.contains("the settings name the copy already; start the workers of deposit"), "{text}");
    // Whose it is cannot be told of a file that no setting names.
    let text = String::from_utf8(desk.run("store copy sqlite:x.db sqlite:z.db").stdout).unwrap();
    assert!(text.contains("SERVICE.store.url"), "{text}");
}

#[test]
fn what_cannot_be_copied_is_told_with_a_status_and_without_passwords() {
    let desk = Desk::new();
    let table = [
        ("store copy order order", 2, "usage", "are the same store"),
        ("store copy myinfo sqlite:x.db", 2, "usage", "the store <FROM> is no URL that it can be"),
        (
            "store copy order mysql://kim:secret@localhost/x",
            2,
            "usage",
            "the store <TO> is no URL that it can be",
        ),
        ("store copy order postgres://kim:secret@local host/x", 2, "usage", "unexpected argument"),
        ("store copy order postgres://kim:secret@localhost", 2, "usage", "the store <TO>"),
        ("store copy order deposit", 1, "stays", "holds something already"),
        ("store copy sqlite:nowhere.db sqlite:x.db", 3, "unreachable", "there is no such file"),
        ("store copy order postgres://kim:secret@127.0.0.1:1/x", 3, "unreachable", "nothing listens there"),
        (
            "store copy postgres://kim:secret@127.0.0.1:1/x sqlite:x.db",
            3,
            "unreachable",
            "nothing listens there",
        ),
    ];
    for (line, status, code, sentence) in table {
        let (told_code, told) = desk.refused(line, status);
        assert_eq!(told_code, code, "skstore {line}: {told}");
        assert!(told.contains(sentence) && !told.contains("secret"), "skstore {line}: {told}");
    }
    desk.spoil("order.db", "DELETE FROM openings");
    let (code, told) = desk.refused("store copy order sqlite:x.db", 1);
    assert!(code == "not_found" && told.contains("there is nothing to copy"), "{code}: {told}");
    assert!(!desk.file("x.db").exists());
}

#[test]
fn nothing_is_copied_while_a_process_has_the_workers_of_the_directory() {
    let desk = Desk::new();
    let mut watching = Running::start(desk.command("--language en watch").stdout(Stdio::piped()));
    while holder_of(&desk.file("")).unwrap().is_none() {
        std::thread::yield_now();
    }
    desk.json("place 10 1 --customer kim --order-id a-3", 0);
    until_it_says(watching.child().stdout.as_mut(), "a-3");
    let elsewhere = tempfile::tempdir().unwrap();
    let by_path = format!(
        "--set data_dir={} store copy sqlite:{} sqlite:x.db",
        elsewhere.path().display(),
        desk.file("order.db").display()
    );
    for line in ["store copy order sqlite:x.db", &by_path] {
        let (code, told) = desk.refused(line, 1);
        let named = told.contains("is in use by") && told.contains(&format!("process {}", watching.id()));
        assert!(code == "stays" && named && told.contains("Stop that one first"), "{code}: {told}");
    }
    watching.signal(Signal::SIGTERM);
    watching.output();
    desk.json("store copy order sqlite:x.db", 0);
}

#[test]
fn ctrl_c_in_the_midst_leaves_nothing() {
    let desk = Desk::new();
    // Somebody was killed over a broker: it takes a look whether he is at work all the same.
    desk.spoil("order.db", r#"INSERT INTO meta VALUES ('relay_lease', '{"holder":"order-1","until":1}')"#);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut copy = desk.command("--json store copy order sqlite:new/x.db");
        let copying = Running::start(copy.stdout(Stdio::piped()).stderr(Stdio::piped()));
        while !desk.file("new/x.db.part").exists() {
            std::thread::yield_now();
        }
        copying.signal(signal);
        let output = copying.output();
        let told = said(&output);
        assert!(
            output.status.code() == Some(1) && told.contains("it was told to end; nothing was copied"),
            "{told}"
        );
        assert_eq!(std::fs::read_dir(desk.file("new")).unwrap().count(), 0, "something is left");
    }
    desk.json("store copy order sqlite:new/x.db", 0);
}

#[test]
fn what_a_killed_copy_has_left_is_in_nobodys_way() {
    let desk = Desk::new();
    desk.spoil("order.db", r#"INSERT INTO meta VALUES ('relay_lease', '{"holder":"order-1","until":1}')"#);
    let copying = Running::start(&mut desk.command("store copy order sqlite:x.db"));
    while !desk.file("x.db.part").exists() {
        std::thread::yield_now();
    }
    copying.signal(Signal::SIGKILL);
    copying.output();
    assert!(desk.file("x.db.part").exists() && !desk.file("x.db").exists());
    desk.json("store copy order sqlite:x.db", 0);
    assert!(!desk.file("x.db.part").exists() && desk.file("x.db").exists());
}
