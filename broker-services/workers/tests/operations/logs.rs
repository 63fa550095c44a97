//! Logs for programs.

use std::fs::File;
use std::io::{PipeReader, Write as _};
use std::process::Stdio;

use crate::users::ALL;
use crate::workers::{At, command, until};

/// What a pipe holds on Linux.
const PIPE_BYTES: usize = 64 * 1024;

/// A place that takes no log, and what must not be dropped for it to stay so.
type Log = (Stdio, Option<PipeReader>);

/// Where whoever read has gone, as of `skstore-worker … 2>&1 | head`.
fn nobody_listens() -> Log {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    (writer.into(), None)
}

/// Where whoever reads has stopped, as `less` does.
fn nobody_goes_on() -> Log {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'\n'; PIPE_BYTES]).unwrap();
    (writer.into(), Some(reader))
}

/// Where there is no space left.
fn full_disk() -> Log {
    (File::options().write(true).open("/dev/full").unwrap().into(), None)
}

#[tokio::test]
async fn a_log_that_cannot_be_written_costs_lines_and_nothing_else() {
    for (format, log) in
        [("text", nobody_listens as fn() -> Log), ("json", full_disk), ("text", nobody_goes_on)]
    {
        let at = At::given();
        let talkative = [("log.format", format), ("log.level", "debug")];
        let all = ["order", "deposit", "item", "myinfo"];
        let (log, _open) = log();
        let mut worker = at.start_unheard(&all, &talkative, log);
        let process = at.attach();
        let desk = process.desk().await.unwrap();
        let placed = crate::workers::place(1);
        until("an order is accepted", async || desk.place(&placed).await.is_ok_and(|answer| answer.ok)).await;
        process.stop().unwrap();
        worker.signal("TERM");
        let (status, _) = worker.end().await;
        assert_eq!(status.code(), Some(0), "with a log in {format}: {status}");
    }
}

#[test]
fn what_nobody_can_be_told_is_still_said_by_the_exit_status() {
    let empty = tempfile::tempdir().unwrap();
    let data = ("data_dir".to_owned(), empty.path().display().to_string());
    let wrong = ("log.format".to_owned(), "xml".to_owned());
    let all: [fn() -> Log; 3] = [nobody_listens, full_disk, nobody_goes_on];
    // Help, and what is wrong with the words of the command, wait for whoever reads.
    let but_the_last = &all[..2];
    for (words, settings, expected, logs) in [
        (vec!["health", "order"], vec![data], 1, &all[..]),
        (vec!["order"], vec![wrong], 2, &all),
        (vec!["nobody"], vec![], 2, but_the_last),
        (vec!["--version"], vec![], 0, but_the_last),
    ] {
        for log in logs {
            let ((out, _), (log, _open)) = (nobody_listens(), log());
            let status = command(&words, &settings).stdout(out).stderr(log).status().unwrap();
            assert_eq!(status.code(), Some(expected), "{words:?}: {status}");
        }
    }
}

#[tokio::test]
async fn a_log_in_json_says_of_every_line_which_worker_and_which_order() {
    let at = At::given();
    let json = [("log.format", "json"), ("log.level", "debug")];
    let all = ["order", "deposit", "item", "myinfo"];
    let worker = at.start(&all, &json);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let placed = crate::workers::place(1);
    until("an order is accepted", async || desk.place(&placed).await.is_ok_and(|answer| answer.ok)).await;
    let lines = || -> Vec<serde_json::Value> {
        let said = worker.said();
        // The last line may not be whole yet.
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    };
    for (service, event) in [
        ("order", "order.paying"),
        ("deposit", "deposit.paid"),
        ("order", "order.placed"),
        ("item", "item.delivery_started"),
        ("order", "order.delivering"),
    ] {
        until(&format!("{service} tells of {event}"), async || {
            lines().iter().any(|line| {
                line["event"] == event
                    && line["order"] == "order-1"
                    && line["span"]["service"] == service
                    && line["span"]["instance"].as_str().is_some_and(|it| it.starts_with(service))
            })
        })
        .await;
    }
    process.stop().unwrap();
}

#[test]
fn a_form_of_log_that_does_not_exist_is_a_mistake_in_the_settings() {
    let wrong = [("log.format".to_owned(), "xml".to_owned())];
    let output = command(&["order"], &wrong).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("log.format") && said.contains("json"), "{said}");
}

#[tokio::test]
async fn a_log_of_everything_has_no_password() {
    const PASSWORD: &str = "QXZ/never@shown";
    let at = At::given();
    let encoded = PASSWORD.replace('/', "%2F").replace('@', "%40");
    let user = at.vhost.user(PASSWORD, ALL);
    let url = at.vhost.url.replace("guest:guest", &format!("{user}:{encoded}"));
    let worker = at.start(&["order"], &[("bus.url", &url), ("log.level", "trace")]);
    until("it is at work", async || at.health(&["order"]).is_ok()).await;
    let said = worker.said();
    assert!(said.contains("TRACE"), "it logs everything");
    for secret in [PASSWORD, &encoded, "QXZ"] {
        assert!(!said.contains(secret), "the password is in the log");
    }
}
