//! Commands that need no desk: the real program, where nothing is there that it could use.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use skstore_workers::desk::store::{Changes, Key, Store, Write};

/// Runs `skstore` with `words` in an environment of its own.
fn skstore(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear().env("HOME", home).env("LANG", "C.UTF-8").stdin(Stdio::null()).args(words);
    command.output().unwrap()
}

/// The findings of `skstore doctor --json`, without the error that may follow them, and its exit status.
fn doctor(home: &Path, words: &[&str]) -> (Vec<Value>, i32) {
    let output = skstore(home, &[&["doctor", "--json"], words].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (objects.filter(|object: &Value| object.get("error").is_none()).collect(), output.status.code().unwrap())
}

/// The one finding of `check`.
fn of<'a>(findings: &'a [Value], check: &str) -> &'a Value {
    let mut all = findings.iter().filter(|finding| finding["check"] == check);
    let one = all.next().unwrap_or_else(|| panic!("nothing was said of {check}: {findings:?}"));
    assert!(all.next().is_none(), "more was said of {check}: {findings:?}");
    one
}

/// An address at which nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn on_a_fresh_machine_all_is_well_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let (findings, status) = doctor(home.path(), &[]);
    assert_eq!(status, 0, "{findings:?}");
    for check in ["version", "terminal", "settings", "data", "log", "stores", "bus", "view", "workers"] {
        assert_eq!(of(&findings, check)["ok"], true, "{check}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "it made something");
}

#[test]
fn a_broker_and_a_view_that_are_down_are_told_with_a_remedy_and_exit_with_3() {
    let home = tempfile::tempdir().unwrap();
    let (bus, view) =
        (format!("bus.url=amqp://u:secret@{}", nobody()), format!("view.url=redis://{}", nobody()));
    let (findings, status) = doctor(home.path(), &["--set", &bus, "--set", &view]);
    assert_eq!(status, 3, "{findings:?}");
    for (check, setting) in [("bus", "bus.url"), ("view", "view.url")] {
        let finding = of(&findings, check);
        assert_eq!(finding["ok"], false, "{finding}");
        assert!(finding["remedy"].as_str().is_some_and(|remedy| remedy.contains(setting)), "{finding}");
    }
    // What there is to do stands beside the two.
    let workers = of(&findings, "workers");
    assert_eq!(workers["ok"], false, "{workers}");
    assert!(
        workers["found"].as_str().is_some_and(|found| found.contains("nothing can be known")),
        "{workers}"
    );
    assert!(!format!("{findings:?}").contains("secret"), "a password was shown: {findings:?}");
    assert_eq!(of(&findings, "data")["ok"], true, "the rest was not looked at");
}

#[test]
fn wrong_settings_and_a_file_in_the_way_are_told_and_exit_with_1() {
    let home = tempfile::tempdir().unwrap();
    let (findings, status) = doctor(home.path(), &["--set", "bus.uri=x"]);
    assert_eq!(status, 1, "{findings:?}");
    let found = of(&findings, "settings")["found"].as_str().unwrap();
    assert!(found.contains("unknown setting 'bus.uri'"), "{found}");

    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (findings, status) = doctor(home.path(), &["--data-dir", &file.join("data").display().to_string()]);
    assert_eq!(status, 1, "{findings:?}");
    assert!(of(&findings, "data")["remedy"].as_str().unwrap().contains("--data-dir"));
}

#[test]
fn a_store_that_is_none_is_found() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("order.db"), "this was a database once, and is none any more".repeat(100))
        .unwrap();
    let (findings, status) = doctor(home.path(), &["--data-dir", &data.display().to_string()]);
    assert_eq!((status, &of(&findings, "stores")["ok"]), (1, &Value::Bool(false)), "{findings:?}");
}

/// Stores as an older version may have left them, with `names` under `kind`.
fn keep(data: &Path, store: &str, kind: &'static str, names: &[&str]) {
    let changes = || {
        let write = |name: &&str| Write {
            key: Key::new(kind, *name),
            read: 0,
            revision: 1,
            body: "{}".to_owned(),
            due: None,
        };
        Changes { writes: names.iter().map(write).collect(), events: Vec::new(), ..Changes::default() }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&format!("sqlite:{}", data.join(store).display())).await.unwrap();
        let keys = names.iter().map(|name| Key::new(kind, *name)).collect();
        store.transact(&keys, |_| (changes(), ())).await.unwrap();
    });
}

#[test]
fn names_that_are_no_longer_accepted_are_told_so_that_they_can_be_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let many: Vec<String> = (0..2_000).map(|n| format!("customer-{n}")).collect();
    let mut customers: Vec<&str> = many.iter().map(String::as_str).collect();
    customers.extend(["kim", "kim ", "kim\u{3164}", "\u{1112}\u{1161}\u{11ab}", "한", "\u{3164}"]);
    keep(&data, "deposit.db", "account", &customers);
    keep(&data, "item.db", "item", &["10", "10\u{3164}"]);
    keep(&data, "order.db", "order", &["an-order"]);

    let (findings, status) = doctor(home.path(), &["--data-dir", &data.display().to_string()]);
    assert_eq!(status, 0, "nothing is broken: {findings:?}");
    let told: Vec<&Value> = findings.iter().filter(|finding| finding["check"] == "stores").collect();
    let [open, accounts, items] = &told[..] else { panic!("not three findings: {told:?}") };
    assert_eq!(open.get("remedy"), None, "{open}");
    let found = accounts["found"].as_str().unwrap();
    assert!(found.starts_with("4 accounts"), "{found}");
    for name in [r#""kim ""#, r#""kim\u3164""#, "\"ᄒ\\u1161\\u11ab\"", r#""\u3164""#] {
        assert!(found.contains(name), "{name} is missing: {found}");
    }
    assert!(!found.contains("customer-") && !found.contains("\"kim\"") && !found.contains("한"), "{found}");
    assert!(accounts["remedy"].as_str().unwrap().contains("refunds reach them"), "{accounts}");
    assert_eq!(items["found"], r#"1 items under ids that are no longer accepted: "10\u3164""#);

    // However many there are, a few are told.
    let others: Vec<String> = (0..50).map(|n| format!("customer-{n}\u{3164}")).collect();
    keep(&data, "deposit.db", "account", &others.iter().map(String::as_str).collect::<Vec<_>>());
    let (findings, _) = doctor(home.path(), &["--data-dir", &data.display().to_string()]);
    let found = findings.iter().filter_map(|finding| finding["found"].as_str());
    let accounts = found.into_iter().find(|found| found.starts_with("54 accounts")).unwrap();
    assert!(accounts.len() < 300 && accounts.ends_with("…"), "{accounts}");
}

#[test]
fn people_read_a_line_for_each_check_in_their_language() {
    let home = tempfile::tempdir().unwrap();
    for (language, ok) in [("en", "ok"), ("ko", "정상")] {
        let output = skstore(home.path(), &["doctor", "--language", language]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with(ok)).count(), 9, "{text}");
    }
}

#[test]
fn completions_and_the_manual_need_nothing() {
    let home = tempfile::tempdir().unwrap();
    // Not even settings that can be read.
    for words in [&["completions", "bash"][..], &["man"], &["man", "place"]] {
        let output = skstore(home.path(), &[words, &["--config", "/nowhere.toml"]].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
        assert!(output.stdout.len() > 500, "{words:?}: {output:?}");
    }
    let unknown = skstore(home.path(), &["man", "sell"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}
