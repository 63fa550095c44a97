//! A real breaker is recorded from the dashboard, and its recording replayed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use skstore_domain::commands::Place;
use skstore_workers::desk::Desk;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;
use tokio::time::Instant;

use super::user::{User, runtime, watch_recording};
use crate::builders::*;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Workers of whom Deposit takes longer than a call may, with a breaker that tries again soon.
fn in_trouble(data: &Path) -> Process {
    let data = data.display().to_string();
    let flags = [
        ("data_dir", data.as_str()),
        ("faults.deposit", "slow:400"),
        ("payment.timeout_ms", "150"),
        ("breaker.open_ms", "700"),
    ];
    let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    Process::start(&Config::load(&Sources { file: None, environment: vec![], flags }).unwrap()).unwrap()
}

/// Places orders until `is_so` of the recording's lines.
async fn orders_until(desk: &Desk, recordings: &Path, is_so: impl Fn(&[Value]) -> bool) {
    let until = Instant::now() + PATIENCE;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for number in 0.. {
        pace.tick().await;
        let place = Place {
            item_id: item_id("10"),
            qty: 1,
            customer: Some(customer("kim")),
            order_id: Some(order_id(number)),
            unit_price: None,
        };
        // Whatever is answered: Deposit is too slow for it.
        let _ = desk.place(&place).await;
        if recorded(recordings).last().is_some_and(|path| is_so(&lines(path))) {
            return;
        }
        let found = recorded(recordings);
        assert!(
            Instant::now() < until,
            "never recorded what was waited for: {:?}",
            found.last().map(|path| lines(path))
        );
    }
}

fn recorded(recordings: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(recordings).into_iter().flatten();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn openings(lines: &[Value]) -> usize {
    lines.iter().filter(|line| line["changed"]["to"] == "open").count()
}

fn has_end(path: &Path) -> bool {
    lines(path).last().is_some_and(|line| line.get("end").is_some())
}

/// What the command line makes of a recording.
fn replayed(path: &Path) -> Value {
    let mut replay = Command::new(env!("CARGO_BIN_EXE_skstore"));
    let output = replay.args(["--json", "breaker", "replay"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn begins(user: &User) {
    user.type_in("4");
    user.sees(&["R record"]).await;
    user.type_in("R");
    user.sees(&["Recording the breaker of", "recording: "]).await;
}

#[test]
fn a_breaker_that_opens_is_recorded_from_the_dashboard_and_goes_through_the_same_again() {
    let data = tempfile::tempdir().unwrap();
    let recordings = data.path().join("recordings");
    let process = in_trouble(data.path());
    let changes = runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        let (orders, view) = (desk.clone(), desk.view().clone());
        watch_recording(&recordings, desk, |user| async {
            begins(&user).await;
            orders_until(&orders, &recordings, |lines| openings(lines) >= 2).await;
            user.waits_for("its calls are counted", |screen| {
                screen.contains("recording: ") && !screen.contains("recording: 0 calls")
            })
            .await;
            user.type_in("R");
            user.sees(&["Recorded ", "breaker replay", "breaker.KEY=VALUE"]).await;
            user
        })
        .await
        .unwrap();
        view.health().await.unwrap().breaker_changes
    });
    process.stop().unwrap();

    let files = recorded(&recordings);
    let [path] = &files[..] else { panic!("one recording, not {files:?}") };
    let name = path.file_name().unwrap().to_string_lossy();
    assert!(name.starts_with("breaker-20") && name.ends_with(".jsonl"), "{name}");
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(has_end(path), "it was not ended in good order");
    let same = replayed(path);
    assert_eq!(same["replayed"], same["recorded"], "the same settings come to the same");
    assert_eq!(same["gaps"], 0, "{same}");
    let written = lines(path);
    assert_eq!(same["recorded"]["opened"], openings(&written), "{same}");
    // What the worker told of its changes meanwhile is what was recorded.
    let told = |from: &Value, to: &Value| format!("{}-{}", from.as_str().unwrap(), to.as_str().unwrap());
    let of_file: Vec<String> = written
        .iter()
        .filter_map(|line| line.get("changed"))
        .map(|changed| told(&changed["from"], &changed["to"]))
        .collect();
    let of_worker: Vec<String> =
        changes.iter().rev().map(|change| format!("{}-{}", change.from.word(), change.to.word())).collect();
    assert_eq!(
        of_worker[..of_file.len()],
        of_file,
        "from the first on: it was recorded before any order came"
    );
}

#[test]
fn who_leaves_while_it_records_leaves_a_whole_recording() {
    let data = tempfile::tempdir().unwrap();
    let recordings = data.path().join("recordings");
    let process = in_trouble(data.path());
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        let orders = desk.clone();
        watch_recording(&recordings, desk, |user| async {
            begins(&user).await;
            orders_until(&orders, &recordings, |lines| openings(lines) >= 1).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
    let files = recorded(&recordings);
    assert!(has_end(&files[0]), "{files:?}");
    let same = replayed(&files[0]);
    assert_eq!(same["replayed"], same["recorded"]);
    assert!(same["recorded"]["opened"].as_u64() >= Some(1), "{same}");
}

#[test]
fn where_there_can_be_no_file_it_is_told_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let recordings = data.path().join("recordings");
    std::fs::write(&recordings, "no directory").unwrap();
    let process = in_trouble(data.path());
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        watch_recording(&recordings, desk, |user| async {
            user.type_in("4");
            user.sees(&["R record"]).await;
            user.type_in("R");
            user.sees(&["Not recorded", "File exists"]).await;
            user.sees(&["R record"]).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
    assert_eq!(std::fs::read_to_string(&recordings).unwrap(), "no directory");
}
