//! Who is meant is never guessed: numbers that differ in their last digit are two accounts, texts that look alike are
//! one or are refused, and what says two things about money moves none.

use serde_json::{Value, json};

use super::{CommandExchange, Reply, code};

fn top_up(exchange: &mut CommandExchange, body: &str) -> Value {
    exchange.client.ask("deposit.topup", body.as_bytes(), Reply::Queue, &json!({}))
}

fn account(exchange: &mut CommandExchange, customer: &str) -> Value {
    exchange.ask(Reply::Direct, "deposit.query", &json!({ "customer": customer }))
}

#[test]
fn no_money_goes_to_somebody_who_only_looks_like_the_one_who_was_meant() {
    let mut exchange = CommandExchange::open();

    // Digit for digit, however many.
    for (written, won) in [("123456789012345678901", 5), ("123456789012345678902", 7)] {
        let answer = top_up(&mut exchange, &format!(r#"{{"customer":{written},"amount":{won}}}"#));
        assert_eq!(
            (&answer["account"]["customer"], &answer["account"]["balance"]),
            (&json!(written), &json!(won))
        );
    }
    assert_eq!(code(&account(&mut exchange, "1.2345678901234567e+20")), "not_found");
    for written in ["1e3", "10.0", "-0", "1e400"] {
        let answer = top_up(&mut exchange, &format!(r#"{{"customer":{written},"amount":1}}"#));
        assert_eq!(code(&answer), "invalid", "{written}: {answer}");
    }

    // Two amounts are none.
    for body in [
        r#"{"customer":"twice","amount":1,"amount":1000000}"#,
        r#"{"customer":"twice","amount":1,"am\u006funt":1000000}"#,
        r#"{"customer":"twice","customer":"thrice","amount":1}"#,
        r#"{"customer":"twice","amount":1.0}"#,
        r#"{"customer":"twice","amount":18446744073709551617}"#,
    ] {
        let answer = top_up(&mut exchange, body);
        assert_eq!(code(&answer), "invalid", "{body}: {answer}");
    }
    for customer in ["twice", "thrice"] {
        assert_eq!(code(&account(&mut exchange, customer)), "not_found", "{customer}");
    }
    let order = br#"{"item_id":"10","productId":"11","order_id":"either"}"#;
    let answer = exchange.client.ask("order.place", order, Reply::Queue, &json!({}));
    assert_eq!(code(&answer), "invalid", "{answer}");
    let answer = exchange.ask(Reply::Queue, "order.query", &json!({ "order_id": "either" }));
    assert_eq!(code(&answer), "not_found", "{answer}");

    // One name however it is written, and none that cannot be seen.
    for (customer, balance) in [("한", 1), ("\u{1112}\u{1161}\u{11ab}", 2), (" 한", 3), ("한\u{3000}", 4)]
    {
        let answer = top_up(&mut exchange, &json!({ "customer": customer, "amount": 1 }).to_string());
        assert_eq!(
            (&answer["account"]["customer"], &answer["account"]["balance"]),
            (&json!("한"), &json!(balance)),
            "{customer:?}: {answer}"
        );
    }
    for customer in
        ["\u{3164}", "한\u{3164}", "한\u{200d}", "\u{115f}", "한\u{e000}", "한\u{378}", "\u{2800}"]
    {
        let body = json!({ "customer": customer, "amount": 1 });
        let answer = top_up(&mut exchange, &body.to_string());
        assert_eq!(code(&answer), "invalid", "{customer:?}: {answer}");
        let order = json!({ "customer": customer, "item_id": "10" });
        let answer = exchange.ask(Reply::Queue, "order.place", &order);
        assert_eq!(code(&answer), "invalid", "{customer:?}: {answer}");
    }
    assert_eq!(account(&mut exchange, "한")["account"]["balance"], json!(4));
    assert!(exchange.parked().is_empty(), "who is answered needs no operator");
    exchange.workers.assert_none_has_ended();
}
