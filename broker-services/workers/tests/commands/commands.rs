//! Every command there is, answered whichever way the caller listens, and taking effect where nobody does.

use serde_json::{Value, json};
use skstore_domain::signals::Service;

use super::{CommandExchange, Reply, code};

/// A command and what must be in its answer: (member, as a JSON pointer, and its value).
type Case = (&'static str, Value, Vec<(&'static str, Value)>);

/// In this order, for a caller whose ids end in `mark`. Each leans on those before it.
fn cases(mark: &str) -> Vec<Case> {
    let id = |name: &str| format!("{name}-{mark}");
    let (ok, refused) = (|| ("/ok", json!(true)), |code: &str| ("/error/code", json!(code)));
    let place = |qty: u32| json!({ "item_id": "10", "qty": qty, "customer": "kim", "order_id": id("a") });
    vec![
        // As the system that this derives from has it: another name, numbers as text, nothing else.
        (
            "order.place",
            json!({ "productId": "10", "qty": "5" }),
            vec![
                ok(),
                ("/order/customer", json!("walk-in")),
                ("/order/qty", json!(5)),
                ("/order/amount", json!(5_000)),
                ("/order/item_name", json!("사과")),
                ("/order/status", json!("placed")),
                ("/order/payment", json!("paid")),
            ],
        ),
        ("order.place", json!({ "item_id": 10, "colour": "red" }), vec![ok(), ("/order/qty", json!(1))]),
        ("order.place", place(2), vec![ok(), ("/order/order_id", json!(id("a")))]),
        ("order.place", place(2), vec![ok(), ("/order/amount", json!(2_000))]),
        ("order.place", place(3), vec![refused("conflict")]),
        (
            "order.place",
            json!({ "item_id": "10", "unit_price": "1000", "order_id": id("right") }),
            vec![ok()],
        ),
        (
            "order.place",
            json!({ "item_id": "10", "unit_price": 999, "order_id": id("wrong") }),
            vec![refused("conflict")],
        ),
        ("order.query", json!({ "order_id": id("wrong") }), vec![refused("not_found")]),
        ("order.place", json!({ "item_id": "no such" }), vec![refused("not_found")]),
        (
            "order.place",
            json!({ "item_id": "10", "customer": "nobody", "order_id": id("poor") }),
            vec![refused("declined"), ("/order/status", json!("rejected"))],
        ),
        ("order.query", json!({ "order_id": id("a") }), vec![ok(), ("/order/qty", json!(2))]),
        (
            "deposit.query",
            json!({ "order_id": id("a") }),
            vec![ok(), ("/payment/status", json!("paid")), ("/payment/amount", json!(2_000))],
        ),
        ("deposit.query", json!({ "order_id": id("never") }), vec![ok(), ("/payment/status", json!("none"))]),
        ("deposit.query", json!({ "customer": "nobody" }), vec![refused("not_found")]),
        ("order.cancel", json!({ "order_id": id("a") }), vec![ok(), ("/order/status", json!("cancelled"))]),
        ("order.cancel", json!({ "order_id": id("a") }), vec![ok(), ("/order/status", json!("cancelled"))]),
        // What is cancelled before it comes never happens.
        ("order.cancel", json!({ "order_id": id("late") }), vec![refused("not_found")]),
        ("order.place", json!({ "item_id": "10", "order_id": id("late") }), vec![refused("cancelled")]),
        (
            "deposit.topup",
            json!({ "customer": id("new"), "amount": "700", "topup_id": id("t") }),
            vec![ok(), ("/account/balance", json!(700))],
        ),
        (
            "deposit.topup",
            json!({ "customer": id("new"), "amount": 700, "topup_id": id("t") }),
            vec![ok(), ("/account/balance", json!(700))],
        ),
        (
            "deposit.topup",
            json!({ "customer": id("new"), "amount": 701, "topup_id": id("t") }),
            vec![refused("conflict")],
        ),
        (
            "deposit.topup",
            json!({ "customer": id("new"), "amount": 1 }),
            vec![ok(), ("/account/balance", json!(701))],
        ),
        ("deposit.query", json!({ "customer": id("new") }), vec![ok(), ("/account/balance", json!(701))]),
        (
            "item.list",
            json!({ "item_id": id("tea"), "name": "보리차", "unit_price": "30" }),
            vec![ok(), ("/item/name", json!("보리차")), ("/item/stock", json!(0))],
        ),
        (
            "item.restock",
            json!({ "productId": id("tea"), "qty": "8", "restock_id": id("r") }),
            vec![ok(), ("/item/stock", json!(8))],
        ),
        (
            "item.restock",
            json!({ "item_id": id("tea"), "qty": 8, "restock_id": id("r") }),
            vec![ok(), ("/item/stock", json!(8))],
        ),
        (
            "item.restock",
            json!({ "item_id": id("tea"), "qty": 9, "restock_id": id("r") }),
            vec![refused("conflict")],
        ),
        ("item.restock", json!({ "item_id": "no such", "qty": 1 }), vec![refused("not_found")]),
        ("item.query", json!({ "item_id": id("tea") }), vec![ok(), ("/item/unit_price", json!(30))]),
        ("item.query", json!({ "item_id": "no such" }), vec![refused("not_found")]),
        (
            "order.replay",
            json!({ "from_seq": 0 }),
            vec![ok(), ("/replay/events/0/specversion", json!("1.0"))],
        ),
        ("deposit.replay", json!({}), vec![ok(), ("/replay/events/0/specversion", json!("1.0"))]),
        (
            "item.replay",
            json!({ "from_seq": "0" }),
            vec![ok(), ("/replay/events/0/specversion", json!("1.0"))],
        ),
    ]
}

#[test]
fn every_command_is_answered_whichever_way_its_caller_listens() {
    let mut exchange = CommandExchange::open();
    for reply in Reply::BOTH {
        for (key, body, expected) in cases(reply.word()) {
            let answer = exchange.ask(reply, key, &body);
            for (member, value) in expected {
                assert_eq!(answer.pointer(member), Some(&value), "{member} of {key} {body}: {answer}");
            }
            let explains = answer["error"]["message"].as_str().is_none_or(|message| message.len() > 10);
            assert!(explains, "{key} {body}: {answer}");
        }
    }
    assert!(exchange.parked().is_empty(), "who is answered needs no operator");
    exchange.workers.assert_none_has_ended();
}

#[test]
fn commands_take_effect_where_nobody_waits_for_an_answer() {
    let mut exchange = CommandExchange::open();
    exchange.tell("order.place", &json!({ "productId": "10", "qty": "5", "order_id": "kept" }));
    exchange.tell("order.place", &json!({ "item_id": "10", "customer": "kim", "order_id": "dropped" }));
    exchange.tell("order.place", &json!({ "item_id": "10", "customer": "nobody", "order_id": "poor" }));
    exchange.tell("deposit.topup", &json!({ "customer": "new", "amount": 700 }));
    exchange.tell("item.list", &json!({ "item_id": "tea", "name": "보리차", "unit_price": 30 }));
    exchange.tell("item.restock", &json!({ "item_id": "tea", "qty": 8 }));
    exchange.until_shown("order:dropped", "status", "delivering");
    exchange.tell("order.cancel", &json!({ "order_id": "dropped" }));
    for (object, field, value) in [
        ("order:kept", "status", "delivering"),
        ("order:kept", "customer", "walk-in"),
        ("order:dropped", "status", "cancelled"),
        ("order:dropped", "payment.status", "refunded"),
        ("order:poor", "reason", "declined"),
        ("account:new", "balance", "700"),
        ("item:tea", "stock", "8"),
    ] {
        exchange.until_shown(object, field, value);
    }
    // Questions that nobody hears the answer to, and refusals that show in the view or name nothing.
    for (key, body) in [
        ("order.query", json!({ "order_id": "kept" })),
        ("deposit.query", json!({ "customer": "nobody" })),
        ("item.query", json!({ "item_id": "no such" })),
        ("order.replay", json!({})),
        ("order.cancel", json!({ "order_id": "never" })),
        ("order.place", json!({ "item_id": "no such" })),
    ] {
        exchange.tell(key, &body);
    }
    assert!(exchange.parked().is_empty());

    // Refusals that show nowhere else.
    for (key, body, reason) in [
        ("order.place", json!({ "item_id": "10", "qty": 9, "order_id": "kept" }), "kept"),
        ("order.place", json!({ "item_id": "10", "unit_price": 1 }), "costs"),
    ] {
        exchange.tell(key, &body);
        let parked = exchange.parked();
        assert_eq!(parked.len(), 1, "{key} {body}: {parked:?}");
        assert_eq!(parked[0].body, body.to_string().as_bytes());
        assert!(parked[0].header("reason").contains(reason), "{parked:?}");
    }
    exchange.workers.assert_none_has_ended();
}

#[test]
fn the_message_id_serves_as_the_key_of_what_has_none() {
    let mut exchange = CommandExchange::open();
    let cases = [
        ("order.place", json!({ "item_id": "10" }), json!({ "item_id": "11" }), "/order/order_id"),
        (
            "deposit.topup",
            json!({ "customer": "new", "amount": 5 }),
            json!({ "customer": "new", "amount": 6 }),
            "/account/balance",
        ),
        (
            "item.restock",
            json!({ "item_id": "12", "qty": 5 }),
            json!({ "item_id": "12", "qty": 6 }),
            "/item/stock",
        ),
    ];
    for (key, body, other, member) in cases {
        let id = json!({ "message_id": "mine-1" });
        let mut ask = |body: &Value| exchange.client.ask(key, body.to_string().as_bytes(), Reply::Queue, &id);
        let first = ask(&body);
        assert_eq!(code(&first), "ok", "{key}: {first}");
        assert_eq!(ask(&body).pointer(member), first.pointer(member), "{key} again");
        assert_eq!(code(&ask(&other)), "conflict", "{key} with other content");
    }
    exchange.until_shown("order:mine-1", "item_id", "10");
}

#[test]
fn what_has_no_id_and_may_have_happened_is_parked_and_not_done_again() {
    let mut exchange = CommandExchange::open();
    let stock =
        exchange.ask(Reply::Queue, "item.query", &json!({ "item_id": "12" }))["item"]["stock"].clone();
    let cases = [
        (
            Service::Order,
            "order.place",
            json!({ "item_id": "10", "customer": "kim" }),
            "may already have been placed",
        ),
        (
            Service::Deposit,
            "deposit.topup",
            json!({ "customer": "new", "amount": 5 }),
            "may already have been made",
        ),
        (Service::Item, "item.restock", json!({ "item_id": "12", "qty": 5 }), "may already have been made"),
    ];
    for (service, key, body, reason) in cases {
        let queue = format!("{service}.commands");
        exchange.workers.end(service, "TERM");
        exchange.tell(key, &body);
        exchange.give_back(&queue);
        exchange.workers.start_one(service);
        let parked = exchange.parked();
        assert_eq!(parked.len(), 1, "{key}: {parked:?}");
        assert!(parked[0].header("reason").contains(reason), "{parked:?}");
        assert_eq!(
            (parked[0].header("queue"), parked[0].body.as_slice()),
            (&*queue, body.to_string().as_bytes())
        );
    }
    // With an id it is done, once.
    exchange.workers.end(Service::Order, "TERM");
    exchange.tell("order.place", &json!({ "item_id": "10", "order_id": "named" }));
    exchange.give_back("order.commands");
    exchange.workers.start_one(Service::Order);
    exchange.until_shown("order:named", "status", "delivering");
    assert!(exchange.parked().is_empty());
    let answer = exchange.ask(Reply::Queue, "deposit.query", &json!({ "customer": "new" }));
    assert_eq!(code(&answer), "not_found", "{answer}");
    let answer = exchange.ask(Reply::Queue, "item.query", &json!({ "item_id": "12" }));
    assert_eq!(answer["item"]["stock"], stock);
}
