//! What `skstore-worker` tells engines and Prometheus over HTTP, as a process of its own.

#![expect(clippy::expect_used, reason = "a test says what it could not do")]

use std::collections::BTreeSet;
use std::process::Command;

mod worker;

use worker::Worker;

/// A turn for others, until `condition` holds.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let within = std::time::Duration::from_secs(60);
    let waiting = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(within, waiting).await.is_ok(), "gave up waiting until {what}");
}

#[tokio::test]
async fn a_worker_that_takes_work_lives_is_ready_and_tells_its_figures() {
    let worker = Worker::start(&["order", "deposit", "item", "myinfo"], &[]);
    until("all are ready", async || worker.get("/readyz").await.0 == 200).await;
    assert_eq!(worker.get("/livez").await, (200, r#"{"status":"alive"}"#.to_owned()));
    worker.place().await;
    until("the order is in the view", async || {
        value(&worker.get("/metrics").await.1, "skstore_view_lag_seconds{service=\"myinfo\"}").is_some()
    })
    .await;
    let (status, text) = worker.get("/metrics").await;
    assert_eq!(status, 200);
    is_openmetrics(&text);
    let answers = value(&text, "skstore_answer_seconds_count{service=\"order\",outcome=\"accepted\"}");
    assert_eq!(answers, Some(1.0), "{text}");
    assert_eq!(value(&text, "skstore_breaker_state{state=\"closed\"}"), Some(1.0), "{text}");
    assert!(value(&text, "process_resident_memory_bytes").is_some_and(|bytes| bytes > 1e6), "{text}");
    assert!(value(&text, "skstore_queue_messages{queue=\"order.commands\"}").is_some(), "{text}");
}

#[tokio::test]
async fn a_worker_whose_broker_is_away_lives_and_says_that_it_is_not_ready() {
    // Nobody listens at this port.
    let worker = Worker::start(
        &["order"],
        &["bus.url=amqp://127.0.0.1:1", "bus.management_url=off", "view.url=redis://127.0.0.1:1"],
    );
    until("it says why", async || worker.get("/readyz").await.1.contains("127.0.0.1:1")).await;
    assert_eq!(worker.get("/readyz").await.0, 503);
    assert_eq!(worker.get("/livez").await.0, 200, "to start it again would not bring the broker back");
    is_openmetrics(&worker.get("/metrics").await.1);
    assert!(worker.health(&["--live"]).success());
    assert!(!worker.health(&[]).success());
}

#[tokio::test]
async fn what_is_asked_wrongly_is_answered_and_many_who_ask_slowly_keep_nobody_out() {
    let worker = Worker::start(&["order", "deposit", "item", "myinfo"], &[]);
    assert_eq!(worker.get("/nowhere").await.0, 404);
    assert_eq!(worker.ask("POST /metrics").await.0, 405);
    let idle: Vec<_> = futures_util::future::join_all((0..40).map(|_| worker.connect())).await;
    assert_eq!(worker.get("/livez").await.0, 200, "beside {} that say nothing", idle.len());
}

#[tokio::test]
async fn a_gateway_tells_whether_it_is_ready_and_how_it_answered() {
    let gateway = Worker::start(&["gateway"], &["gateway.listen=127.0.0.1:0"]);
    until("it is ready", async || gateway.get("/readyz").await.0 == 200).await;
    let text = gateway.get("/metrics").await.1;
    is_openmetrics(&text);
    assert_eq!(value(&text, "skstore_http_request_seconds_count{status=\"5xx\"}"), Some(0.0), "{text}");
    assert_eq!(value(&text, "skstore_worker_ready{service=\"item\"}"), Some(1.0), "its workers: {text}");
}

#[test]
fn two_workers_that_want_the_same_port_are_told_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = format!("health.listen={}", taken.local_addr().expect("its address"));
    let data = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_skstore-worker"))
        .args(["order", "deposit", "item", "myinfo", "--set", &at, "--data-dir"])
        .arg(data.path())
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && told.contains("health.listen"), "{told}");
}

#[tokio::test]
async fn whatever_the_dashboard_and_the_alerts_ask_for_is_told() {
    let worker = Worker::start(&["order", "deposit", "item", "myinfo"], &[]);
    until("all are ready", async || worker.get("/readyz").await.0 == 200).await;
    worker.place().await;
    until("the order is in the view", async || {
        value(&worker.get("/metrics").await.1, "skstore_view_lag_seconds{service=\"myinfo\"}").is_some()
    })
    .await;
    let text = worker.get("/metrics").await.1;
    let told: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    for file in ["alerts.yml", "grafana.json"] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/observability/");
        let asks = std::fs::read_to_string(format!("{path}{file}")).expect("it is there");
        let names: BTreeSet<&str> = asks
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("skstore_") || word.starts_with("process_"))
            .collect();
        assert!(!names.is_empty(), "{file} asks for nothing");
        let missing: Vec<_> = names.difference(&told).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}, of which nobody tells:\n{text}");
    }
}

/// The value of a line that begins with `series`.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

/// Every line is a comment or a series with a number, each metric is described once, and the end is there.
fn is_openmetrics(text: &str) {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut described = BTreeSet::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            let name = about.split(' ').next().unwrap_or_default();
            assert!(described.insert(name.to_owned()), "{name} is described twice:\n{text}");
        } else if !line.starts_with('#') {
            let (series, number) = line.rsplit_once(' ').unwrap_or_default();
            assert!(number.parse::<f64>().is_ok(), "{line}");
            assert!(
                described.iter().any(|name| series.starts_with(name.as_str())),
                "nobody describes {line}"
            );
        }
    }
}
