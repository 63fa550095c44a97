//! A breaker is recorded beside a process that has the workers, and its recording replayed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

#[path = "common/running.rs"]
mod running;

use running::{Running, said, until_it_says};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// A Deposit that takes longer than a call may, and a breaker that tries again soon.
const SLOW: &str = "--set faults.deposit=slow:400 --set payment.timeout_ms=150 --set breaker.open_ms=700";

/// A data directory.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.0.path()).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command.current_dir(self.0.path()).arg("--data-dir").arg(self.file("data")).args(line.split(' '));
        command
    }

    fn start(&self, line: &str) -> Running {
        Running::start(self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    fn run(&self, line: &str) -> (i32, String, String) {
        let output = self.command(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn replayed(&self, line: &str) -> Value {
        let (status, out, err) = self.run(&format!("--json breaker replay outage.jsonl{line}"));
        assert_eq!(status, 0, "{out}{err}");
        serde_json::from_str(&out).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("outage.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An outage of Deposit: the breaker opens, and its probes fail, at least twice.
fn an_outage(desk: &Desk) -> Value {
    let _holder = desk.start(&format!("--json watch --for 600 {SLOW}"));
    wait_until("somebody has the workers", || desk.file("data").join("skstore.sock").exists());
    let mut recording = desk.start("--json breaker record outage.jsonl");
    until_it_says(recording.child().stderr.as_mut(), "recording the breaker of");
    wait_until("it is recorded", || desk.lines().len() >= 2);
    let opened = |line: &Value| line["changed"]["to"] == "open";
    wait_until("the breaker has opened again and again", || {
        let (status, out, err) = desk.run("--json place 10");
        assert_eq!(status, 1, "Deposit is too slow for it: {out}{err}");
        desk.lines().iter().filter(|line| opened(line)).count() >= 3
    });
    recording.signal(Signal::SIGINT);
    let output = recording.output();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (status, _, err) = desk.run("breaker record outage.jsonl --for 1");
    assert_eq!(status, 2, "a recording that is there stays: {err}");
    assert!(err.contains("name another file"), "{err}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_real_breaker_is_recorded_and_goes_through_the_same_again() {
    let desk = Desk::new();
    let told = an_outage(&desk);
    let recorded = &told["recording"]["recorded"];
    assert_eq!((&recorded["gaps"], &recorded["missing"]), (&0.into(), &0.into()), "{told}");
    assert!(desk.lines().last().unwrap().get("end").is_some(), "it was not ended in good order");

    let same = desk.replayed("");
    assert_eq!(same["replayed"], same["recorded"], "the same settings come to the same");
    assert!(same["recorded"]["opened"].as_u64().unwrap() >= 3, "{same}");
    assert_eq!(same["recorded"]["calls"], recorded["calls"]);
    assert_eq!(same["recorded"]["refused"], recorded["refused"]);
    let never = desk.replayed(" --set breaker.consecutive_failures=0 --set breaker.least_charges=1000");
    assert_eq!(
        (&never["replayed"]["opened"], &never["replayed"]["refused"]),
        (&0.into(), &0.into()),
        "{never}"
    );
    assert_eq!(never["guessed"], recorded["refused"], "{never}");

    let (status, drawn, _) =
        desk.run("breaker replay outage.jsonl --set breaker.open_ms=5000 --set ui.ascii=true");
    assert_eq!(status, 0, "{drawn}");
    assert!(drawn.contains("breaker.open_ms       700      5000") && drawn.contains('#'), "{drawn}");
    assert!(drawn.is_ascii() && drawn.lines().all(|line| line.len() <= 80), "{drawn}");
}

#[test]
fn what_is_no_recording_is_refused_with_its_line_and_never_brings_it_down() {
    let desk = Desk::new();
    let header = r#"{"recording":{"version":1,"program":"x","instance":"i","at":"2026-01-01T00:00:00Z","settings":{}}}"#;
    let state = r#"{"state":{"began_at":"2026-01-01T00:00:00Z","at_us":5,"next":0,"entered":0,"state":"closed","mode":"auto","since_us":0,"buckets":[[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0],[0,0,0,0,0]],"newest_ends_ns":1000}}"#;
    let call = r#"{"call":{"after":0,"given_us":6,"ended_us":9,"took_us":3,"ok":1,"failed":0}}"#;
    let buckets = header.replace("{}", r#"{"buckets":4000000000}"#);
    let earlier = call.replace('9', "1").replace(":6", ":0");
    let table: [(&[&str], &str); 9] = [
        (&[], "a recording begins with"),
        (&["hello"], "line 1: expected value"),
        (&[state], "line 1: a recording begins with"),
        (&[&buckets, state], "line 1: its settings are none of a breaker: the setting 'breaker.buckets'"),
        (&[header, call], "line 2: a line {\"state\":…} is missing before it"),
        (&[header, state, "{\"calls\":1}", call], "line 3: unknown variant `calls`"),
        (&[header, state, call, &earlier], "line 4: it tells of an earlier time"),
        (
            &[header, &state.replace(",[0,0,0,0,0]]", "]")],
            "line 2: its window has 9 buckets where the settings say 10",
        ),
        (&[header, &"x".repeat(70_000)], "line 2: a line has at most 65536 bytes"),
    ];
    for (lines, expected) in table {
        std::fs::write(desk.file("outage.jsonl"), lines.join("\n") + "\n").unwrap();
        let (status, out, err) = desk.run("breaker replay outage.jsonl");
        assert_eq!((status, out.as_str()), (2, ""), "{expected}: {err}");
        assert!(err.contains(expected), "{err}\n  instead of: {expected}");
    }
    let mut file = std::fs::File::create(desk.file("outage.jsonl")).unwrap();
    write!(file, "{header}\n{state}\n{call}\n{}", &call[..30]).unwrap();
    let (status, out, err) = desk.run("breaker replay outage.jsonl");
    assert_eq!(status, 0, "{err}");
    assert!(err.contains("line 4 is cut off") && out.contains("calls made"), "{err}{out}");
    let (status, _, err) = desk.run("breaker replay outage.jsonl --set breaker.probes=0");
    assert!(status == 2 && err.contains("breaker.probes"), "{err}");
    let line =
        "breaker replay outage.jsonl --set breaker.probes=2 --set payment.timeout_ms=90 --set ui.ascii=true";
    let (status, out, err) = desk.run(line);
    assert_eq!((status, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("payment.timeout_ms would make no difference"), "{err}");
    let (status, _, err) = desk.run("breaker replay nowhere.jsonl");
    assert!(status == 2 && err.contains("nowhere.jsonl cannot be read"), "{err}");
}
