//! What an operator does to workers over HTTP.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::served::{JSON, PATIENCE, Served};

/// Waits until all four workers are heard of.
pub(crate) async fn heard(gateway: &Served, headers: &str) {
    let are_there = async {
        loop {
            let status = gateway.ask("GET /myinfo/status", headers, "").await;
            if status.body["services"].as_array().is_some_and(|services| services.len() == 4) {
                break;
            }
        }
    };
    timeout(PATIENCE, are_there).await.expect("workers tell of themselves each second");
}

/// Waits until `GET /faults` tells these: service and fault.
async fn until_faults(gateway: &Served, expected: &[(&str, &str)]) {
    let told = async {
        loop {
            let body = gateway.get("/faults").await.body;
            let faults = body["faults"].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let found: Vec<_> =
                faults.iter().map(|one| (text(&one["service"]), text(&one["fault"]))).collect();
            if found.iter().map(|(service, fault)| (&**service, &**fault)).eq(expected.iter().copied()) {
                break;
            }
        }
    };
    let seen = timeout(PATIENCE, told).await;
    assert!(seen.is_ok(), "{expected:?} is not told, but {}", gateway.get("/faults").await.body);
}

#[tokio::test]
async fn a_fault_is_injected_told_and_healed() {
    let gateway = Served::start().await;
    heard(&gateway, "").await;
    let wish = json!({ "fault": "slow:400", "for_ms": 60_000 });
    let passed = gateway.ask("PUT /faults/deposit", JSON, &wish.to_string()).await;
    let told = json!({ "service": "deposit", "fault": "slow:400", "for_ms": 60_000 });
    assert_eq!((passed.status, &passed.body), (202, &told), "{}", passed.head);
    until_faults(&gateway, &[("deposit", "slow:400")]).await;
    assert_eq!(gateway.ask("DELETE /faults/deposit", "", "").await.status, 202);
    until_faults(&gateway, &[]).await;
}

#[tokio::test]
async fn workers_that_crash_come_back_and_orders_with_them() {
    let gateway = Served::start().await;
    heard(&gateway, "").await;
    assert_eq!(gateway.ask("POST /workers/order/crash", JSON, "{}").await.status, 202);
    let order = json!({ "productId": "10", "order_id": "after-1" });
    let placed = async { while gateway.post("/orders", "", &order).await.status != 201 {} };
    timeout(PATIENCE, placed).await.expect("the same order is taken once it is back");
}

#[tokio::test]
async fn a_breaker_that_is_held_open_refuses_until_it_is_let_go() {
    let gateway = Served::start().await;
    heard(&gateway, "").await;
    let force =
        async |mode: &str| gateway.ask("PUT /breaker", JSON, &json!({ "mode": mode }).to_string()).await;
    let placed = async |number: usize| {
        let order = json!({ "productId": "10", "order_id": format!("held-{number}") });
        gateway.post("/orders", "", &order).await
    };
    let until = async |status: u16, from: usize| {
        let answered = async {
            let mut number = from;
            while placed(number).await.status != status {
                number += 1;
            }
        };
        timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("no order is answered with {status}"));
    };
    assert_eq!(force("open").await.status, 202);
    until(503, 0).await;
    assert_eq!(force("closed").await.status, 202);
    until(201, 10_000).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_sentence() {
    let gateway = Served::start_with(&[("faults.allowed", "false")]).await;
    heard(&gateway, "").await;
    let table = [
        ("PUT /faults/deposit", r#"{"fault":"slow:400"}"#, 409, "faults.allowed"),
        ("POST /workers/item/crash", "{}", 409, "faults.allowed"),
        ("PUT /faults/till", r#"{"fault":"slow:400"}"#, 400, "order, deposit, item, myinfo"),
        ("PUT /faults/deposit", r#"{"fault":"slow"}"#, 400, "slow:MILLISECONDS"),
        ("PUT /faults/deposit", r#"{"fault":"stopped","for_ms":0}"#, 400, "3600000"),
        ("PUT /faults/deposit", r#"{"fault":"stopped","until":0}"#, 400, "until"),
        ("PUT /faults/deposit", r#"{"fault":"stopped","instance":"nobody"}"#, 404, "deposit"),
        ("PUT /breaker", r#"{"mode":"ajar"}"#, 400, "ajar"),
        ("PUT /breaker", r#"{"mode":"open","instance":"nobody"}"#, 404, "order"),
    ];
    for (line, body, status, says) in table {
        let reply = gateway.ask(line, JSON, body).await;
        let told = reply.body["detail"].as_str().unwrap_or_default();
        assert!(
            reply.status == status && told.contains(says),
            "{line} {body}: {} {}",
            reply.status,
            reply.body
        );
    }
}
