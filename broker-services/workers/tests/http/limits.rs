//! Nobody who is slow, or too many, hurts anybody else.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::child::Gateway;
use crate::served::{JSON, PATIENCE, Served};

/// Slow clients of each kind: together more than there may be connections, and fewer than a process may have files.
const SLOW_OF_A_KIND: usize = 280;
/// How long an answer may take on a busy machine, which is less than a slow client may keep anything.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn hundreds_of_slow_clients_keep_nobody_waiting() {
    let gateway = Gateway::start(&[]);
    gateway.ready().await;
    let kinds = [
        // A head that does not come to its end.
        "GET /orders HTTP/1.1\r\nHost: local".to_owned(),
        // A body that does not.
        format!(
            "POST /orders HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100\r\n\r\n{{\"productId\""
        ),
        // Answers that nobody takes.
        "GET /products?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50),
    ];
    let mut slow = Vec::new();
    for kind in &kinds {
        for _ in 0..SLOW_OF_A_KIND {
            let mut client = gateway.connect().await;
            client.write_all(kind.as_bytes()).await.expect("it is let in");
            slow.push(client);
        }
    }
    for number in 0..20 {
        let began = Instant::now();
        let body = json!({ "productId": "10", "order_id": format!("o-{number}") }).to_string();
        let answer = timeout(PATIENCE, gateway.ask("POST /orders", JSON, &body)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201"), "order {number}: {answer}");
        assert!(began.elapsed() < SOON, "order {number} took {:?}", began.elapsed());
    }
    // Those who were there first made room for the others.
    let mut rest = Vec::new();
    let gone = timeout(PATIENCE, slow[0].read_to_end(&mut rest)).await;
    assert!(gone.is_ok(), "the first slow client is still there");
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut_off() {
    let gateway = Served::start().await;
    let mut client = gateway.connect().await;
    // More answers than any buffer between the two holds.
    let requests = "GET /products?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2_000);
    let (mut read, mut write) = client.split();
    let write_all = async { while write.write_all(requests.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, write_all).await.expect("it is cut off");
    let mut taken = Vec::new();
    let _ = timeout(PATIENCE, read.read_to_end(&mut taken)).await.expect("it is over");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_invalid_and_one_that_is_too_long_is_told_so() {
    let gateway = Served::start().await;
    let head = format!("POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}");
    let table = [
        ("Content-Length: 100\r\n\r\n{\"productId\"".to_owned(), "400", "breaks off"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\n{\"pro\r\n".to_owned(), "400", "breaks off"),
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(), "400", "breaks off"),
        ("Content-Length: 65537\r\n\r\n".to_owned(), "413", "65536 bytes"),
        (
            format!("Transfer-Encoding: chunked\r\n\r\n10001\r\n{}\r\n0\r\n\r\n", " ".repeat(65537)),
            "413",
            "65536 bytes",
        ),
    ];
    for (rest, status, sentence) in table {
        let mut client = gateway.connect().await;
        client.write_all(format!("{head}{rest}").as_bytes()).await.expect("it reads");
        client.shutdown().await.expect("that was all");
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, client.read_to_end(&mut answer)).await.expect("it answers and closes");
        let answer = String::from_utf8_lossy(&answer);
        let shown = rest.get(..40).unwrap_or(&rest);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(sentence),
            "{shown}: {answer}"
        );
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let gateway = Served::start_with(&[("gateway.rate_per_s", "2")]).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let reply = gateway.get("/accounts").await;
        if reply.status == 429 {
            assert_eq!((reply.header("retry-after"), &reply.body["code"]), (Some("1"), &json!("too_many")));
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses[..2], [200, 200], "a second's worth at once");
    assert!(statuses.contains(&429), "{statuses:?}");
    let later = async { while gateway.get("/accounts").await.status == 429 {} };
    timeout(PATIENCE, later).await.expect("it is let in again");
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_are_told_so_at_once() {
    let gateway = Gateway::start(&["faults.order=slow:4000", "breaker.max_in_flight=1000"]);
    gateway.ready().await;
    let mut asked = JoinSet::new();
    for number in 0..600 {
        let mut client = gateway.connect().await;
        asked.spawn(async move {
            let body = json!({ "productId": "10", "order_id": format!("o-{number}") }).to_string();
            let request = format!(
                "POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            client.write_all(request.as_bytes()).await.expect("it reads");
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
    }
    let answers = timeout(PATIENCE, asked.join_all()).await.expect("all are answered");
    let busy: Vec<&String> = answers.iter().filter(|answer| answer.contains("\"busy\"")).collect();
    assert!((1..=88).contains(&busy.len()), "{} of 600 were sent away", busy.len());
    assert!(
        busy.iter().all(|answer| answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"))
    );
}

#[tokio::test]
async fn the_end_takes_no_longer_with_a_gateway_than_without() {
    // Nothing that is asked of Order comes to an end in that time, neither there nor here.
    let gateway = Gateway::start(&["faults.order=slow:60000", "drain_ms=6000"]);
    gateway.ready().await;
    let mut client = gateway.connect().await;
    let body = r#"{"productId":"10"}"#;
    let request = format!(
        "POST /orders HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.expect("it reads");
    // One that is answered after it was taken in hand.
    gateway.ready().await;
    let began = Instant::now();
    gateway.terminate();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(9), "6 s were to be drained, and it took {took:?}");
}
