//! Many orders from a file, by the real program over one data directory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

/// What `skstore --json` with `arguments` prints on the data of `dir`, with `input` on its standard input, its exit status
/// and what it tells people.
fn skstore(dir: &TempDir, arguments: &[&str], input: &str) -> (Vec<Value>, i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear().env("HOME", dir.path()).env("LANG", "C.UTF-8").current_dir(dir.path());
    command.args(["--json", "--data-dir", "data"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.status.code().unwrap_or_else(|| panic!("it was killed: {told}")), told)
}

fn codes(lines: &[Value]) -> Vec<(u64, &str)> {
    let code = |line: &Value| line["error"]["code"].as_str().map(str::to_owned);
    let told = lines.iter().filter(|line| line["line"].is_u64());
    let told = told.map(|line| (line["line"].as_u64().unwrap(), code(line)));
    told.map(|(line, code)| {
        let known = ["invalid", "not_found", "conflict", "declined"];
        (
            line,
            code.map_or("placed", |code| known.into_iter().find(|known| *known == code).unwrap_or("other")),
        )
    })
    .collect()
}

/// What is placed from here on is later than what was placed, by clocks that need not agree to the half of a second.
fn until_clocks_tell_apart() {
    let (now, apart) = (SystemTime::now(), Duration::from_millis(600));
    while now.elapsed().is_ok_and(|elapsed| elapsed < apart) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn every_line_is_told_of_and_the_same_file_again_places_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let file = "item_id,qty,customer,order_id\r\n10,5,kim,\r\n10,0,kim,\r\nnothing,1,,\r\n11,2,lee,my-1\r\n41,1,heungbu,\r\n";
    std::fs::write(dir.path().join("monday.csv"), file).unwrap();
    let expected = [(2, "placed"), (3, "invalid"), (4, "not_found"), (5, "placed"), (6, "declined")];
    let place = |file: &str| skstore(&dir, &["place", "--from", file], "");
    for before in [false, true] {
        let (lines, status, told) = place("monday.csv");
        assert_eq!((&lines[0]["before"], &lines[3]["before"]), (&before.into(), &before.into()), "{lines:?}");
        let counted = if before { "placed: 0; placed before: 2;" } else { "placed: 2; placed before: 0;" };
        assert!(told.contains(counted) && told.contains("another --batch") == before, "{told}");
        assert_eq!((codes(&lines), status), (expected.to_vec(), 1), "{lines:?}\n{told}");
        assert_eq!((&lines[0]["order_id"], &lines[3]["order_id"]), (&"monday-2".into(), &"my-1".into()));
        assert!(lines[1]["error"]["message"].as_str().unwrap().contains("from 1 to 1000"), "{lines:?}");
        assert_eq!(lines[5]["error"]["code"], "not_all_placed", "{lines:?}");
        until_clocks_tell_apart();
    }
    let (orders, _, _) = skstore(&dir, &["orders"], "");
    assert_eq!(orders.len(), 3, "two that were placed and one that was declined: {orders:?}");

    std::fs::write(dir.path().join("monday.csv"), file.replace("10,5,kim", "10,6,kim")).unwrap();
    let (lines, status, _) = place("monday.csv");
    assert_eq!(
        (codes(&lines)[0], status),
        ((2, "conflict"), 1),
        "a changed line is no second order: {lines:?}"
    );
    assert_eq!(skstore(&dir, &["orders"], "").0.len(), 3);
}

#[test]
fn standard_input_goes_on_where_it_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let input: String = (0..200).map(|_| "{\"item_id\":10}\n").collect();
    let unnamed = skstore(&dir, &["place", "--from", "-"], "{\"item_id\":10}\n");
    assert_eq!(unnamed.1, 1);
    assert!(unnamed.0[0]["error"]["message"].as_str().unwrap().contains("give --batch NAME"), "{unnamed:?}");

    let place = |more: &[&str]| {
        let line = [&["place", "--from", "-", "--batch", "b"], more].concat();
        skstore(&dir, &line, &input)
    };
    let (lines, status, told) = place(&[]);
    assert_eq!(status, 0, "{told}");
    let numbers: Vec<u64> = codes(&lines).into_iter().map(|(line, _)| line).collect();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>(), "in the order of the lines");
    let (rest, status, told) = place(&["--from-line", "151", "--at-once", "3"]);
    assert_eq!((rest.len(), status), (50, 0), "{told}");
    assert_eq!(skstore(&dir, &["orders", "--limit", "1000"], "").0.len(), 200, "nothing twice");
}

#[test]
fn nothing_is_begun_after_a_line_that_was_not_placed_where_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let input = format!("{{\"item_id\":\"nothing\"}}\n{}", "{\"item_id\":10}\n".repeat(100));
    let line = ["place", "--from", "-", "--batch", "b", "--stop-on-error", "--at-once", "1"];
    let (lines, status, told) = skstore(&dir, &line, &input);
    assert_eq!(status, 1, "{told}");
    assert!(codes(&lines).len() <= 3, "{lines:?}");
    assert!(told.contains("with --from-line"), "{told}");
}

#[test]
fn whoever_waits_for_a_pipe_that_nobody_writes_to_can_be_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear().env("HOME", dir.path()).args(["--data-dir", "data", "place", "--from", "pipe"]);
    let mut child =
        command.current_dir(dir.path()).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lock = dir.path().join("data/skstore.sock");
    while !lock.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    let began = SystemTime::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed().unwrap() < Duration::from_secs(30), "it does not end");
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    for (file, why) in
        [("/dev/zero", "is no file"), (".", "is no file"), ("nowhere", "nowhere cannot be read")]
    {
        let (lines, status, _) = skstore(&dir, &["place", "--from", file], "");
        let told = lines[0]["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 2 && told.contains(why), "{file}: {status} {lines:?}");
    }
}

#[test]
fn people_read_of_each_line_in_their_language() {
    let dir = tempfile::tempdir().unwrap();
    for (language, expected) in [("en", "placed: 1 x Apple"), ("ko", "주문완료: 1 x 사과")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", dir.path()).args(["--data-dir", "data", "--language", language]);
        command.current_dir(dir.path()).args(["place", "--from", "-", "--batch", language]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"item_id,qty,customer\n10,1,kim\n").unwrap();
        let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert!(told.contains(expected), "{told}");
    }
}
