//! Orders, money and units over HTTP, and what is refused.

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::served::{JSON, PATIENCE, Served};

#[tokio::test]
async fn an_order_is_placed_with_the_payload_of_the_original_and_a_repeat_gets_the_recorded_answer() {
    let gateway = Served::start().await;
    let order = json!({ "productId": "10", "qty": "5" });
    let placed = gateway.post("/orders", "Idempotency-Key: my-1\r\n", &order).await;
    assert_eq!(placed.status, 201, "{} {}", placed.head, placed.body);
    assert_eq!(placed.header("location"), Some("/orders/my-1"));
    let again = gateway.post("/orders", "Idempotency-Key: \"my-1\"\r\n", &order).await;
    assert_eq!((again.status, &again.body["order_id"]), (201, &json!("my-1")));
    let other =
        gateway.post("/orders", "Idempotency-Key: my-1\r\n", &json!({ "productId": "10", "qty": 6 })).await;
    assert_eq!((other.status, &other.body["code"]), (409, &json!("conflict")));
    let differ = json!({ "productId": "10", "order_id": "my-2" });
    assert_eq!(gateway.post("/orders", "Idempotency-Key: my-1\r\n", &differ).await.status, 400);
    gateway.process.settle().await;
    let shown = gateway.get("/orders/my-1").await;
    assert_eq!(shown.body["order"]["status"], json!("delivering"), "{}", shown.body);
    assert!(shown.body["timeline"].as_array().is_some_and(|steps| steps.len() >= 4), "{}", shown.body);
    assert_eq!(gateway.get("/orders/my-1?ask=true").await.body["amount"], shown.body["order"]["amount"]);
    assert_eq!(gateway.get("/deposits/my-1").await.body["status"], json!("paid"));
    assert_eq!(gateway.ask("DELETE /orders/my-1", "", "").await.body["status"], json!("cancelled"));
    assert_eq!(gateway.ask("POST /orders/my-1/cancel", "", "").await.status, 200);
}

#[tokio::test]
async fn whoever_was_told_that_an_order_is_placed_finds_it_there_at_once() {
    let gateway = Served::start().await;
    for number in 0..50 {
        let order = json!({ "productId": "10", "customer": "kim", "order_id": format!("there-{number}") });
        let placed = gateway.post("/orders", "", &order).await;
        let location = placed.header("location").expect("where it is").to_owned();
        let shown = gateway.get(&location).await;
        assert_eq!((placed.status, shown.status), (201, 200), "{location}: {}", shown.body);
    }
}

#[tokio::test]
async fn what_is_refused_has_a_fitting_status_and_a_problem_that_says_why() {
    let gateway = Served::start().await;
    let post = |path: &'static str, body: &'static str| (format!("POST {path}"), JSON, body);
    let get = |path: &'static str| (format!("GET {path}"), "", "");
    let table = [
        (post("/orders", "{}"), 400, "invalid"),
        (post("/orders", r#"{"productId":"10","qty":1,"qty":2}"#), 400, "invalid"),
        (post("/orders", r#"{"productId":"nothing"}"#), 404, "not_found"),
        (post("/orders", r#"{"productId":"10","customer":"poor"}"#), 402, "declined"),
        (post("/accounts/kim/topups", r#"{"customer":"lee","amount":1}"#), 400, "invalid"),
        (post("/accounts/kim/topups", "{}"), 400, "invalid"),
        (("POST /orders".to_owned(), "", r#"{"productId":"10"}"#), 415, "media_type"),
        (
            (
                "POST /orders".to_owned(),
                "Content-Type: application/json\r\nOrigin: http://evil.example\r\n",
                r#"{"productId":"10"}"#,
            ),
            403,
            "forbidden",
        ),
        (("PUT /orders".to_owned(), "", ""), 405, "method_not_allowed"),
        (get("/orders/none"), 404, "not_found"),
        (get("/orders/a%20b"), 400, "invalid"),
        (get("/orders?limit=0"), 400, "invalid"),
        (get("/orders?before=x"), 400, "invalid"),
        (get("/orders?colour=red"), 400, "invalid"),
        (get("/accounts/nobody"), 404, "not_found"),
        (get("/nowhere"), 404, "not_found"),
    ];
    for ((line, headers, body), status, code) in table {
        let reply = gateway.ask(&line, headers, body).await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (status, &json!(code)),
            "{line} {body}: {}",
            reply.body
        );
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{line}");
    }
    let long = format!("{{\"productId\":\"{}\"}}", "1".repeat(70_000));
    assert_eq!(gateway.ask("POST /orders", JSON, &long).await.status, 413);
    for (line, host) in
        [("/accounts", "evil.example:8080"), ("http://evil.example:8080/accounts", "localhost")]
    {
        let rebound = format!("GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let told = gateway.raw(rebound.as_bytes()).await;
        assert!(
            told.starts_with("HTTP/1.1 403"),
            "{line}, {host}: a name that somebody gave this address: {told}"
        );
    }
}

#[tokio::test]
async fn pages_follow_each_other_until_there_are_no_more() {
    let gateway = Served::start().await;
    for number in 0..5 {
        let order = json!({ "productId": "10", "order_id": format!("page-{number}"), "customer": "kim" });
        assert_eq!(gateway.post("/orders", "", &order).await.status, 201);
    }
    gateway.process.settle().await;
    let (mut found, mut path) = (Vec::new(), "/orders?customer=kim&limit=2".to_owned());
    loop {
        let page = gateway.get(&path).await.body;
        let rows = page["orders"].as_array().expect("rows").iter();
        found.extend(rows.map(|row| row["order"]["order_id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/orders?customer=kim&limit=2&before={next}");
    }
    assert_eq!(found, ["page-4", "page-3", "page-2", "page-1", "page-0"]);
}

#[tokio::test]
async fn money_and_units_are_added_once_for_each_key() {
    let gateway = Served::start().await;
    for _ in 0..2 {
        let reply = gateway
            .post("/accounts/new/topups", "Idempotency-Key: t-1\r\n", &json!({ "amount": "700" }))
            .await;
        assert_eq!((reply.status, &reply.body["balance"]), (200, &json!(700)), "{}", reply.body);
    }
    let before = gateway.get("/products/10").await.body["stock"].as_u64().expect("a stock");
    for _ in 0..2 {
        let reply =
            gateway.post("/products/10/restocks", "Idempotency-Key: r-1\r\n", &json!({ "qty": 8 })).await;
        assert_eq!(reply.body["stock"], json!(before + 8), "{}", reply.body);
    }
}

#[tokio::test]
async fn told_to_stop_it_finishes_and_takes_nothing_more() {
    let mut gateway = Served::start().await;
    let mut idle = TcpStream::connect(gateway.address).await.expect("it is there");
    drop(gateway.stop.take());
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, idle.read_to_end(&mut rest)).await.expect("an idle connection is closed");
    timeout(PATIENCE, &mut gateway.served).await.expect("it ends").expect("without a panic");
    assert!(TcpStream::connect(gateway.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn its_health_is_told_by_the_program_itself() {
    let gateway = crate::child::Gateway::start(&["gateway.tokens=tokens"]);
    let health = |address: std::net::SocketAddr| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_skstore-worker"))
            .args(["gateway", "health", "--set", &format!("gateway.listen={address}")])
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let address = gateway.address;
    let well = async { while health(address).0 != Some(0) {} };
    timeout(PATIENCE, well).await.expect("it is well soon");
    gateway.terminate();
    let (status, told) = health(address);
    assert!(status == Some(1) && told.contains("does not answer"), "{status:?} {told}");
}
