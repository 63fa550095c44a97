//! What operators have at hand: the `rabbitmqadmin` that comes with RabbitMQ, `redis-cli`, and a few lines of Python.

use std::process::Command;

use serde_json::Value;

use super::CommandExchange;
use super::workers::At;

const MESSAGES: &str = include_str!("../../../../docs/messages.md");
/// Where its client has its broker.
const MESSAGES_URL: &str = "amqp://guest:guest@localhost:5672";

/// `rabbitmqadmin` as Debian's package of RabbitMQ has it.
pub(crate) fn rabbitmqadmin(at: &At, words: &[&str]) -> String {
    let api = std::env::var("SKSTORE_TEST_AMQP_API").expect("`cargo xtask test` sets it");
    let port = api.rsplit(':').next().unwrap_or_default();
    let vhost = at.bus.rsplit('/').next().unwrap_or_default();
    let asked = Command::new("rabbitmqadmin")
        .args(["--host=127.0.0.1", &format!("--port={port}"), "--username=guest", "--password=guest"])
        .arg(format!("--vhost={vhost}"))
        .args(words)
        .output()
        .expect("rabbitmqadmin comes with rabbitmq-server");
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&asked.stderr));
    said
}

#[test]
fn an_order_from_rabbitmqadmin_is_seen_delivering_and_nonsense_is_found_parked() {
    let mut exchange = CommandExchange::open();
    let publish = |exchange: &CommandExchange, key: &str, payload: &str| {
        let (key, payload) = (format!("routing_key={key}"), format!("payload={payload}"));
        let said =
            rabbitmqadmin(&exchange.workers.at, &["publish", "exchange=skstore.commands", &key, &payload]);
        assert!(said.contains("Message published"), "{said}");
    };
    publish(&exchange, "order.place", r#"{"productId":"10","qty":"5"}"#);
    exchange.workers.wait_until("it is the newest order", |workers| {
        let newest = workers.at.redis_cli(&["zrevrange", "myinfo:orders", "0", "0"]).concat();
        let row =
            workers.at.redis_cli(&["hmget", &format!("myinfo:order:{newest}"), "item_id", "qty", "status"]);
        row == ["10", "5", "delivering"]
    });
    publish(&exchange, "order.place", "five apples");
    exchange.until_all_is_done();
    let dead = ["--format=raw_json", "get", "queue=skstore.dead", "ackmode=ack_requeue_true"];
    let found: Value = serde_json::from_str(&rabbitmqadmin(&exchange.workers.at, &dead)).expect("JSON");
    assert_eq!(found[0]["payload"], "five apples");
    let reason = found[0]["properties"]["headers"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("not JSON"), "{found}");
}

#[test]
fn the_client_in_the_documents_works_as_it_stands() {
    let exchange = CommandExchange::open();
    let block = MESSAGES.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let script = block.expect("docs/messages.md has a Python client");
    assert!(script.contains(MESSAGES_URL), "where its broker is");
    let script = script.replace(MESSAGES_URL, &exchange.workers.at.bus);
    let ran = Command::new("/usr/bin/python3").args(["-c", &script]).output().expect("Python");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("placed") && said.contains("paid"), "{said}");
}
