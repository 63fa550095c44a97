//! What makes no sense: its sender is told what to correct, or, where nobody listens, it is parked once, as it came.

use serde_json::json;

use super::foreign::{Found, text};
use super::{CommandExchange, NOWHERE, Reply, code};

/// 64 KiB, and a bit.
const OVERSIZE_BYTES: usize = 64 * 1024 + 1;

/// Key, body, the queue it ends up in, and what is said of it.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let order = |fields: &str| format!(r#"{{"item_id":"10",{fields}}}"#).into_bytes();
    let mut oversize = br#"{"item_id":"10"}"#.to_vec();
    oversize.resize(OVERSIZE_BYTES, b' ');
    vec![
        ("order.place", b"".to_vec(), "order.commands", "not JSON"),
        ("order.place", b"qty=5".to_vec(), "order.commands", "not JSON"),
        ("order.place", b"\xff\xfe\x00\x80".to_vec(), "order.commands", "not JSON"),
        ("order.place", b"{\"item_id\":\"10\"} {}".to_vec(), "order.commands", "not JSON"),
        ("order.place", "[".repeat(60_000).into_bytes(), "order.commands", "not JSON"),
        ("order.place", b"[]".to_vec(), "order.commands", "JSON object"),
        ("order.place", b"{}".to_vec(), "order.commands", "needs a 'item_id'"),
        ("order.place", br#"{"item_id":{}}"#.to_vec(), "order.commands", "'item_id' must be a text"),
        ("order.place", order(r#""qty":0"#), "order.commands", "from 1 to 1000, not 0"),
        ("order.place", order(r#""qty":1001"#), "order.commands", "from 1 to 1000, not 1001"),
        ("order.place", order(r#""qty":-1"#), "order.commands", "from 1 to 1000"),
        ("order.place", order(r#""qty":1.5"#), "order.commands", "from 1 to 1000"),
        ("order.place", order(r#""qty":"many""#), "order.commands", "from 1 to 1000"),
        ("order.place", order(r#""qty":1e400"#), "order.commands", "from 1 to 1000, not 1e400"),
        ("order.place", order(r#""qty":1,"qty":2"#), "order.commands", "'qty' stands there twice"),
        ("order.place", order(r#""productId":"11""#), "order.commands", "'item_id' and 'productId'"),
        ("order.place", order(r#""customer":1e3"#), "order.commands", "whole number, not 1e3"),
        ("order.place", order(r#""order_id":"a b""#), "order.commands", "'order_id' may only contain"),
        ("order.place", order(r#""customer":"\u202e""#), "order.commands", "text-direction"),
        ("order.place", order(r#""unit_price":-1"#), "order.commands", "'unit_price'"),
        ("order.place", oversize, "order.commands", "at most 65536"),
        ("order.cancel", b"{}".to_vec(), "order.commands", "needs a 'order_id'"),
        ("order.query", br#"{"order_id":""}"#.to_vec(), "order.commands", "1 to 64 characters"),
        ("order.replay", br#"{"from_seq":-1}"#.to_vec(), "order.commands", "'from_seq'"),
        ("deposit.topup", br#"{"customer":"kim"}"#.to_vec(), "deposit.commands", "needs a 'amount'"),
        ("deposit.topup", br#"{"customer":"kim","amount":0}"#.to_vec(), "deposit.commands", "'amount'"),
        ("deposit.topup", br#"{"customer":"kim","amount":9e18}"#.to_vec(), "deposit.commands", "'amount'"),
        ("deposit.topup", br#"{"customer":"\u3164","amount":1}"#.to_vec(), "deposit.commands", "U+3164"),
        ("deposit.query", b"null".to_vec(), "deposit.commands", "JSON object"),
        ("item.restock", br#"{"item_id":"10","qty":true}"#.to_vec(), "item.commands", "'qty'"),
        ("item.list", br#"{"item_id":"10","unit_price":1}"#.to_vec(), "item.commands", "needs a 'name'"),
        ("item.query", b"\"10\"".to_vec(), "item.commands", "JSON object"),
        (NOWHERE, br#"{"item_id":"10"}"#.to_vec(), "skstore.unrouted", "no command 'order.eat'"),
        ("", b"".to_vec(), "skstore.unrouted", "no command ''"),
        ("order.#", b"{}".to_vec(), "skstore.unrouted", "no command 'order.#'"),
    ]
}

#[test]
fn whoever_listens_is_told_what_to_correct() {
    let mut exchange = CommandExchange::open();
    for (number, (key, body, _, sentence)) in cases().into_iter().enumerate() {
        let reply = Reply::BOTH[number % 2];
        let answer = exchange.client.ask(key, &body, reply, &json!({}));
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(code(&answer), "invalid", "{key} {}: {answer}", head(&body));
        assert!(message.contains(sentence), "{key} {}: {answer}", head(&body));
    }
    assert!(exchange.parked().is_empty(), "who is answered needs no operator");
    exchange.workers.assert_none_has_ended();
}

#[test]
fn what_nobody_can_be_told_is_parked_once_as_it_came() {
    let mut exchange = CommandExchange::open();
    for (key, body, _, _) in cases() {
        exchange.client.tell(key, &body, &json!({ "message_id": "theirs", "headers": { "colour": "red" } }));
    }
    let mut parked = exchange.parked();
    let CommandExchange { client, workers } = &mut exchange;
    workers.wait_until("what the broker itself parks is there, too", |_| {
        parked.extend(std::iter::from_fn(|| client.take("skstore.dead")));
        parked.len() >= cases().len()
    });
    assert_eq!(parked.len(), cases().len());
    for (key, body, queue, sentence) in cases() {
        // The broker parks what workers do not read whole, and writes other headers.
        let by_broker = body.len() >= OVERSIZE_BYTES;
        let is_of_this = |one: &&Found| one.body == body && (by_broker || one.header("routing_key") == key);
        let of_this: Vec<_> = parked.iter().filter(is_of_this).collect();
        assert_eq!(of_this.len(), 1, "{key} {}", head(&body));
        let one = of_this[0];
        if by_broker {
            let told = ["x-first-death-reason", "x-first-death-queue", "colour"].map(|name| one.header(name));
            assert_eq!(told, ["rejected", queue, "red"], "{one:?}");
            assert_eq!(one.headers["x-death"][0]["exchange"], json!("skstore.commands"), "{one:?}");
            continue;
        }
        assert!(one.header("reason").contains(sentence), "{key} {}: {one:?}", head(&body));
        assert_eq!(one.header("exchange"), "skstore.commands", "{one:?}");
        assert_eq!(one.header("queue"), queue, "{one:?}");
        assert!(["order", "deposit", "item"].contains(&one.header("service")), "{one:?}");
        assert!(one.header("at").ends_with('Z'), "{one:?}");
        assert_eq!((one.header("colour"), one.message_id.as_deref()), ("red", Some("theirs")), "{one:?}");
    }
    assert!(exchange.parked().is_empty(), "once");
    exchange.workers.assert_none_has_ended();
}

#[test]
fn no_answer_goes_where_it_would_be_taken_for_a_message() {
    let mut exchange = CommandExchange::open();
    let cases = [
        ("order.place", json!({ "item_id": "10", "order_id": "aimed" }), "deposit.commands"),
        ("order.query", json!({ "order_id": "first" }), "skstore.dead"),
        ("deposit.query", json!({ "customer": "kim" }), "myinfo.events"),
        ("item.query", json!({ "item_id": "10" }), "skstore.replies.order-1"),
        ("item.replay", json!({}), "order.events"),
        ("order.replay", json!({ "from_seq": -1 }), "myinfo.rebuild"),
        // Nor where it would end the connection that sends it.
        ("order.query", json!({ "order_id": "first" }), "amq.rabbitmq.reply-to.x.y"),
        ("item.query", json!({ "item_id": "10" }), "amq.rabbitmq.reply-to."),
        (
            "deposit.query",
            json!({ "customer": "kim" }),
            "amq.rabbitmq.reply-to.g1hkAA1ub25vZGVAbm9ob3N0AAA.key",
        ),
    ];
    for (key, body, reply_to) in cases {
        let message = json!({ "key": key, "body": text(body.to_string().as_bytes()), "reply_to": reply_to });
        exchange.client.publish(&message);
        let parked = exchange.parked();
        assert_eq!(parked.len(), 1, "{key} to {reply_to}: {parked:?}");
        assert_eq!(parked[0].body, body.to_string().as_bytes());
        assert_eq!(parked[0].reply_to.as_deref(), Some(reply_to));
    }
    assert_eq!(exchange.shown("order:aimed", "status"), "", "it did not happen");

    // An empty name is nobody's: as if there were none.
    let nobody = json!({ "key": "order.place", "body": "?", "reply_to": "" });
    exchange.client.publish(&nobody);
    assert_eq!(exchange.parked().len(), 1);
    // A queue that is not there: nobody hears, and nothing else comes of it.
    let gone = json!({ "key": "order.place", "body": "{\"item_id\":\"10\",\"order_id\":\"x\"}", "reply_to": "gone" });
    exchange.client.publish(&gone);
    exchange.until_shown("order:x", "status", "delivering");
    assert!(exchange.parked().is_empty());
}

#[test]
fn headers_as_large_as_a_broker_takes_stop_nobody() {
    /// Beside the name and the frame's own bytes, as much as fits into the largest frame (128 KiB).
    const LARGE: usize = 120 * 1024;
    let mut exchange = CommandExchange::open();
    let headers = json!({ "headers": { "large": "x".repeat(LARGE), "small": "kept" } });
    exchange.client.tell("order.place", br#"{"item_id":"10","order_id":"laden"}"#, &headers);
    exchange.until_shown("order:laden", "status", "delivering");
    for key in ["order.place", "deposit.topup", "item.list", NOWHERE] {
        exchange.client.tell(key, b"?", &headers);
        let parked = exchange.parked();
        assert_eq!(parked.len(), 1, "{key}: {parked:?}");
        assert_eq!(parked[0].body, b"?");
        assert_eq!(parked[0].header("small"), "kept", "what there is room for");
        assert!(parked[0].header("reason").len() > 10 && parked[0].header("routing_key") == key);
    }
    exchange.workers.assert_none_has_ended();
}

fn head(body: &[u8]) -> String {
    const GLANCE_BYTES: usize = 60;
    String::from_utf8_lossy(&body[..body.len().min(GLANCE_BYTES)]).into_owned()
}

// So that a case cannot be told twice and found once.
#[test]
fn the_cases_are_all_different() {
    let mut cases: Vec<(&str, Vec<u8>)> = cases().into_iter().map(|(key, body, _, _)| (key, body)).collect();
    let count = cases.len();
    cases.sort();
    cases.dedup();
    assert_eq!(cases.len(), count);
}

#[test]
fn names_that_are_no_text_and_tables_that_go_too_deep_stop_nobody() {
    let mut exchange = CommandExchange::open();
    for properties in [json!({ "message_id_bytes": "\u{ff}\u{fe}" }), json!({ "headers_depth": 15_000 })] {
        for key in ["order.place", "deposit.topup", "item.list", NOWHERE] {
            exchange.client.tell(key, b"?", &properties);
            let parked = exchange.parked();
            assert_eq!(parked.len(), 1, "{key} {properties}: {parked:?}");
            assert_eq!(parked[0].body, b"?");
        }
    }
    exchange.workers.assert_none_has_ended();
}

#[test]
fn what_is_wrong_with_an_event_is_told_in_a_glance_however_much_of_it_is_wrong() {
    /// More than fits into a frame, less than a message of events may have.
    const LONG: usize = 100 * 1024;
    let mut exchange = CommandExchange::open();
    let word = "\u{1b}[2J\n".repeat(LONG / 5);
    let body = json!({ "data": { "order": { "status": word } } }).to_string();
    for (key, queue) in [
        ("order.cancelled", "deposit.events"),
        ("item.sold_out", "order.events"),
        ("order.placed", "item.events"),
        ("deposit.paid", "myinfo.events"),
    ] {
        let message = json!({ "exchange": "skstore.events", "key": key, "body": text(body.as_bytes()) });
        exchange.client.publish(&message);
        let client = &mut exchange.client;
        let mut parked = None;
        exchange.workers.wait_until(&format!("{key} is parked from {queue}"), |_| {
            let is_meant = |one: &Found| one.header("queue") == queue && one.header("routing_key") == key;
            parked = client.take("skstore.dead").filter(is_meant).or(parked.take());
            parked.is_some()
        });
        let one = parked.expect("it is parked");
        assert_eq!(one.body, body.as_bytes(), "{queue}");
        let reason = one.header("reason");
        assert!((10..=2_000).contains(&reason.len()) && !reason.contains('\u{1b}'), "{queue}: {reason}");
    }
    exchange.workers.assert_none_has_ended();
}

#[test]
fn an_event_of_a_kind_that_only_a_newer_version_knows_is_ignored_and_counted() {
    let mut exchange = CommandExchange::open();
    let newer = json!({
        "specversion": "1.0", "id": "order/a/9", "source": "/skstore/order", "type": "skstore.order.gift_wrapped",
        "subject": "a", "time": "2026-01-01T00:00:00Z", "revision": 9, "data": { "ribbon": "red" },
    });
    for (queue_of, key) in
        [("deposit", "order.cancelled"), ("item", "order.placed"), ("order", "item.sold_out")]
    {
        let batch = json!([newer, newer]).to_string();
        let message = json!({ "exchange": "skstore.events", "key": key, "body": text(batch.as_bytes()) });
        exchange.client.publish(&message);
        let told = "'skstore.order.gift_wrapped' first";
        exchange.workers.wait_until(&format!("{queue_of} tells of it"), |workers| {
            let services = workers.at.redis_cli(&["zrange", "myinfo:services", "0", "-1"]);
            let warnings =
                services.iter().filter(|instance| instance.starts_with(queue_of)).flat_map(|instance| {
                    workers.at.redis_cli(&["hget", &format!("myinfo:service:{instance}"), "warnings"])
                });
            warnings.into_iter().any(|warning| warning.contains(told))
        });
    }
    assert_eq!(exchange.parked().len(), 0, "nothing is parked for it");
    exchange.workers.assert_none_has_ended();
}
