//! Commands from outside mean one thing or are refused: a number is its digits, a member stands there once, and other
//! names of a member say the same.

use proptest::prelude::*;
use serde_json::{Value, json};
use skstore_domain::charges::ChargeCall;
use skstore_domain::commands::{
    Command, CommandKind, DepositCommand, DepositCommandKind, Invalid, ItemCommand, ItemCommandKind,
    ListItem, MAX_STOCK, OrderCommand, OrderCommandKind, Place, Replay, Restock, Settle, TopUp,
};
use skstore_domain::deposit::{ToppedUp, top_up};
use skstore_domain::events::Event;
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::money::Won;
use skstore_domain::objects::MAX_QTY;
use skstore_domain::signals::Control;
use skstore_domain::time::Timestamp;

use crate::build;

fn read(kind: CommandKind, body: &str) -> Result<Command, Invalid> {
    Command::from_json(kind, body.as_bytes())
}

fn why_not(kind: CommandKind, body: &str) -> String {
    read(kind, body)
        .map_or_else(|invalid| invalid.to_string(), |command| format!("it was taken for {command:?}"))
}

/// Whom a top-up of that `customer`, as it stands in the JSON, is for.
fn customer(written: &str) -> Result<String, Invalid> {
    match read(
        CommandKind::Deposit(DepositCommandKind::TopUp),
        &format!(r#"{{"customer":{written},"amount":1}}"#),
    )? {
        Command::Deposit(DepositCommand::TopUp(top_up)) => Ok(top_up.customer.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// What a top-up of that `amount`, as it stands in the JSON, comes to.
fn amount(written: &str) -> Result<Won, Invalid> {
    match read(
        CommandKind::Deposit(DepositCommandKind::TopUp),
        &format!(r#"{{"customer":"kim","amount":{written}}}"#),
    )? {
        Command::Deposit(DepositCommand::TopUp(top_up)) => Ok(top_up.amount),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_number_that_names_somebody_is_its_digits_or_refused() {
    let longest = "9".repeat(64);
    for written in [
        "0",
        "7",
        "10",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901",
        longest.as_str(),
    ] {
        assert_eq!(customer(written).as_deref(), Ok(written));
        assert_eq!(customer(&format!("\"{written}\"")).as_deref(), Ok(written), "as a text");
    }
    assert_ne!(customer("123456789012345678901"), customer("123456789012345678902"));
    for written in ["1e3", "1E3", "10.0", "1.5", "-0", "-1", "0.0", "1e400", "-1e400", "1e-400", "0e0"] {
        let expected = format!("deposit.topup: 'customer' must be a text or a whole number, not {written}");
        assert_eq!(customer(written).map_err(|why| why.to_string()), Err(expected));
    }
    let too_long = "9".repeat(65);
    let expected = "deposit.topup: 'customer' must have 1 to 64 characters";
    assert_eq!(customer(&too_long).map_err(|why| why.to_string()), Err(expected.to_owned()));
}

#[test]
fn a_number_that_counts_is_a_whole_one_or_refused() {
    for (written, won) in [("1", 1), ("\"700\"", 700), ("\" 7 \"", 7), ("1000000000000", 1_000_000_000_000)] {
        assert_eq!(amount(written), Ok(Won(won)), "{written}");
    }
    for written in [
        "0",
        "-0",
        "-1",
        "1.0",
        "1.5",
        "1e3",
        "1E0",
        "1e400",
        "1000000000001",
        "9e18",
        "18446744073709551616",
        "123456789012345678901",
        "\"1e3\"",
        "\"1.0\"",
        "\"+5\"",
        "\"-5\"",
        "\"\"",
        "\"5 5\"",
        "\"0x10\"",
        "true",
        "[1]",
        "{\"n\":1}",
    ] {
        let expected =
            format!("deposit.topup: 'amount' must be a whole number from 1 to 1000000000000, not {written}");
        assert_eq!(amount(written).map_err(|why| why.to_string()), Err(expected));
    }
}

#[test]
fn a_member_that_stands_there_twice_is_refused() {
    let table = [
        (
            CommandKind::Deposit(DepositCommandKind::TopUp),
            r#"{"customer":"kim","amount":1,"amount":1000000}"#,
            "amount",
        ),
        (
            CommandKind::Deposit(DepositCommandKind::TopUp),
            r#"{"customer":"kim","amount":1,"amount":1}"#,
            "amount",
        ),
        (
            CommandKind::Deposit(DepositCommandKind::TopUp),
            r#"{"customer":"kim","amount":null,"amount":1}"#,
            "amount",
        ),
        (
            CommandKind::Deposit(DepositCommandKind::TopUp),
            r#"{"customer":"kim","amount":1,"am\u006funt":2}"#,
            "amount",
        ),
        (
            CommandKind::Deposit(DepositCommandKind::TopUp),
            r#"{"customer":"kim","customer":"lee","amount":1}"#,
            "customer",
        ),
        (CommandKind::Order(OrderCommandKind::Place), r#"{"item_id":"10","item_id":"11"}"#, "item_id"),
        (CommandKind::Order(OrderCommandKind::Place), r#"{"productId":"10","productId":"11"}"#, "productId"),
        // Members that the command has no use for, or nobody.
        (CommandKind::Order(OrderCommandKind::Place), r#"{"item_id":"10","amount":1,"amount":2}"#, "amount"),
        (
            CommandKind::Order(OrderCommandKind::Place),
            r#"{"colour":1,"item_id":"10","size":1,"c\u006flour":2}"#,
            "colour",
        ),
        (CommandKind::Order(OrderCommandKind::Place), r#"{"item_id":"10","":1,"":1}"#, ""),
        (CommandKind::Order(OrderCommandKind::Cancel), r#"{"order_id":"a","order_id":"a"}"#, "order_id"),
        (CommandKind::Item(ItemCommandKind::Replay), r#"{"from_seq":1,"from_seq":2}"#, "from_seq"),
    ];
    for (kind, body, name) in table {
        let expected =
            format!("{kind}: '{name}' stands there twice, and it cannot be told which one is meant");
        assert_eq!(why_not(kind, body), expected, "for {body}");
    }
    let thousands: String = (0..5_000).map(|n| format!("\"m{n}\":0,")).collect();
    let body = format!("{{{thousands}\"item_id\":\"10\",\"m4999\":1}}");
    assert!(
        why_not(CommandKind::Order(OrderCommandKind::Place), &body).contains("'m4999' stands there twice")
    );
}

#[test]
fn other_names_of_a_member_say_the_same() {
    for body in [
        r#"{"item_id":"10","productId":"10"}"#,
        r#"{"item_id":"10","productId":10}"#,
        r#"{"productId":" 10 ","item_id":"10"}"#,
        r#"{"item_id":null,"productId":"10"}"#,
        r#"{"item_id":"10","productId":null}"#,
    ] {
        match read(CommandKind::Order(OrderCommandKind::Place), body) {
            Ok(Command::Order(OrderCommand::Place(place))) => {
                assert_eq!(place.item_id.as_str(), "10", "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    for kind in [
        CommandKind::Order(OrderCommandKind::Place),
        CommandKind::Item(ItemCommandKind::Restock),
        CommandKind::Item(ItemCommandKind::Query),
        CommandKind::Item(ItemCommandKind::List),
    ] {
        let body = r#"{"item_id":"10","productId":"11","qty":1,"name":"a","unit_price":1}"#;
        let expected =
            format!("{kind}: 'item_id' and 'productId' are one thing and say two; leave one of them out");
        assert_eq!(why_not(kind, body), expected);
    }
    // Neither is taken for the other where one of them is no id.
    let half = r#"{"item_id":"10","productId":[]}"#;
    assert_eq!(
        why_not(CommandKind::Order(OrderCommandKind::Place), half),
        "order.place: 'productId' must be a text"
    );
}

#[test]
fn what_looks_like_another_name_is_refused_in_every_command_that_takes_one() {
    let bodies = [
        (CommandKind::Order(OrderCommandKind::Place), json!({ "item_id": "10", "customer": "kim\u{3164}" })),
        (CommandKind::Order(OrderCommandKind::Place), json!({ "item_id": "10\u{3164}" })),
        (CommandKind::Deposit(DepositCommandKind::TopUp), json!({ "customer": "\u{3164}", "amount": 1 })),
        (CommandKind::Item(ItemCommandKind::Restock), json!({ "item_id": "10\u{200d}\u{3164}", "qty": 1 })),
        (
            CommandKind::Item(ItemCommandKind::List),
            json!({ "item_id": "\u{3164}", "name": "a", "unit_price": 1 }),
        ),
        (
            CommandKind::Item(ItemCommandKind::List),
            json!({ "item_id": "a", "name": "사과\u{3164}", "unit_price": 1 }),
        ),
        (
            CommandKind::Item(ItemCommandKind::List),
            json!({ "item_id": "a", "name": "a", "name_en": "\u{ad}", "unit_price": 1 }),
        ),
    ];
    for (kind, body) in bodies {
        let why = why_not(kind, &body.to_string());
        assert!(why.contains("which cannot be seen"), "{kind} {body}: {why}");
    }
    // As a phone writes it: an emoji with the selector that colours it.
    let heart = json!({ "item_id": "a", "name": " ❤\u{fe0f} \u{1112}\u{1161}\u{11ab}과 ", "unit_price": 1 });
    match read(CommandKind::Item(ItemCommandKind::List), &heart.to_string()) {
        Ok(Command::Item(ItemCommand::List(listing))) => assert_eq!(listing.name, "❤\u{fe0f} 한과"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_our_own_services_tell_each_other_is_held_to_the_same() {
    let charge =
        r#"{"deadline":"2026-01-02T03:04:05.678Z","charges":[{"order_id":"a","customer":"kim","amount":5}]}"#;
    assert!(serde_json::from_str::<ChargeCall>(charge).is_ok());
    for amount in ["5,\"amount\":6", "5.0", "5e0", "-0.0", "18446744073709551616", "\"5\""] {
        let charge = charge.replace("5}", &format!("{amount}}}"));
        assert!(serde_json::from_str::<ChargeCall>(&charge).is_err(), "{charge}");
    }
    let top_up = top_up(None, None, "t", &build::customer("kim"), Won(5), Timestamp(1));
    let Ok(ToppedUp::Done(done)) = top_up else { panic!("{top_up:?}") };
    let event = done.1.to_json();
    assert!(Event::from_json(&event).is_ok(), "{event}");
    for (member, again) in [("\"revision\":", "\"revision\":9,"), ("\"balance\":", "\"balance\":9,")] {
        assert!(event.contains(member), "{member}: {event}");
        let event = event.replacen(member, &format!("{again}{member}"), 1);
        assert!(Event::from_json(&event).is_err(), "{event}");
    }
    for wish in [
        r#"{"do":"breaker.force","mode":"open","mode":"closed"}"#,
        r#"{"do":"view.rebuild","do":"view.rebuild"}"#,
        r#"{"do":"fault.set","service":"order","service":"item","fault":{"kind":"none"}}"#,
        r#"{"do":"fault.set","service":"order","fault":{"kind":"slow","ms":1,"ms":2}}"#,
    ] {
        assert!(serde_json::from_str::<Control>(wish).is_err(), "{wish}");
    }
}

/// Any JSON value, not too deep.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    let known = [
        "item_id",
        "productId",
        "qty",
        "customer",
        "order_id",
        "unit_price",
        "amount",
        "topup_id",
        "restock_id",
        "name",
        "name_en",
        "from_seq",
        "to_seq",
        "after",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), any::<String>()]
}

/// `text` as JSON, some of its characters in escapes.
fn escaped(text: &str, escape: &[bool]) -> String {
    let mut escape = escape.iter().chain(std::iter::repeat(&false));
    let mut json = String::from("\"");
    for c in text.chars() {
        if *escape.next().unwrap_or(&false) || c.is_control() || c == '"' || c == '\\' {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| json.push_str(&format!("\\u{unit:04x}")));
        } else {
            json.push(c);
        }
    }
    json.push('"');
    json
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_whole_number_comes_out_digit_for_digit_or_not_at_all(digits in "0|[1-9][0-9]{0,79}") {
        match customer(&digits) {
            Ok(name) => prop_assert_eq!(name, digits),
            Err(_) => prop_assert!(digits.len() > 64, "{} was refused", digits),
        }
    }

    #[test]
    fn any_other_number_names_nobody_and_counts_nothing(
        number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
    ) {
        let is_whole = number.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert_eq!(customer(&number).is_ok(), is_whole, "{}", number);
        let won = number.parse().ok().filter(|won| is_whole && (1..=Won::MAX_INPUT.0).contains(won));
        prop_assert_eq!(amount(&number).ok(), won.map(Won), "{}", number);
    }

    #[test]
    fn a_member_that_stands_anywhere_twice_is_always_refused(
        members in prop::collection::btree_map(names(), values(), 0..8),
        twice in names(),
        (one, other) in (values(), values()),
        (at, then) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        escapes in prop::collection::vec(any::<bool>(), 0..8),
        kind in 0..CommandKind::all().count(),
    ) {
        let mut written: Vec<String> =
            members.iter().map(|(name, value)| format!("{}:{value}", escaped(name, &[]))).collect();
        written.insert(at.index(written.len() + 1), format!("{}:{one}", escaped(&twice, &[])));
        written.insert(then.index(written.len() + 1), format!("{}:{other}", escaped(&twice, &escapes)));
        let body = format!("{{{}}}", written.join(","));
        let why = why_not(CommandKind::all().nth(kind).expect("a kind"), &body);
        prop_assert!(why.contains("stands there twice"), "{}: {}", body, why);
    }

    #[test]
    fn members_that_nobody_knows_change_nothing(
        others in prop::collection::btree_map("[a-z]{8,12}", values(), 0..6),
        before in any::<bool>(),
    ) {
        let own = r#""item_id":"10","qty":3"#;
        let others: String = others.iter().map(|(name, value)| format!(",\"x{name}\":{value}")).collect();
        let body = match others.strip_prefix(',') {
            Some(others) if before => format!("{{{others},{own}}}"),
            _ => format!("{{{own}{others}}}"),
        };
        prop_assert_eq!(read(CommandKind::Order(OrderCommandKind::Place), &body), read(CommandKind::Order(OrderCommandKind::Place), &format!("{{{own}}}")));
    }

    #[test]
    fn a_text_says_the_same_whichever_of_it_stands_in_escapes(
        text in "[ -~가-힣😀-😎]{1,20}",
        escapes in prop::collection::vec(any::<bool>(), 0..20),
    ) {
        prop_assert_eq!(customer(&escaped(&text, &escapes)), customer(&escaped(&text, &[])));
    }
}

/// Any command that can be read.
fn commands() -> impl Strategy<Value = Command> {
    let key = "[A-Za-z0-9_-]{1,64}";
    let name = "[a-z0-9가-힣]{1,20}( [a-z가-힣]{1,20})?";
    let order = key.prop_map(|id| OrderId::new(&id).expect("its alphabet"));
    let request = proptest::option::of(key.prop_map(|id| RequestId::new(&id).expect("its alphabet")));
    let item = key.prop_map(|id| ItemId::new(&id).expect("its alphabet"));
    let customer = name.prop_map(|name| Customer::new(&name).expect("its alphabet"));
    let won = (1..=Won::MAX_INPUT.0).prop_map(Won);
    let seq = || 0..=i64::MAX;
    let replay = (seq(), prop::option::of(seq())).prop_map(|(from_seq, to_seq)| Replay { from_seq, to_seq });
    let place = (
        item.clone(),
        1..=MAX_QTY,
        proptest::option::of(customer.clone()),
        proptest::option::of(order.clone()),
        proptest::option::of(won.clone()),
    )
        .prop_map(|(item_id, qty, customer, order_id, unit_price)| {
            Command::from(OrderCommand::Place(Place { item_id, qty, customer, order_id, unit_price }))
        });
    let top_up = (customer.clone(), won.clone(), request.clone()).prop_map(|(customer, amount, topup_id)| {
        Command::from(DepositCommand::TopUp(TopUp { customer, amount, topup_id }))
    });
    let restock = (item.clone(), 1..=MAX_STOCK, request).prop_map(|(item_id, qty, restock_id)| {
        Command::from(ItemCommand::Restock(Restock { item_id, qty, restock_id }))
    });
    let list = (item.clone(), name, proptest::option::of(name), won).prop_map(
        |(item_id, name, name_en, unit_price)| {
            Command::from(ItemCommand::List(ListItem { item_id, name, name_en, unit_price }))
        },
    );
    let settle = (order.clone(), prop::option::of(customer.clone()), prop::option::of(item.clone()))
        .prop_map(|(order_id, customer, item_id)| {
            Command::from(OrderCommand::Settle(Settle { order_id, customer, item_id }))
        });
    prop_oneof![
        place,
        settle,
        top_up,
        restock,
        list,
        order.clone().prop_map(|order| OrderCommand::Cancel(order).into()),
        order.clone().prop_map(|order| OrderCommand::Query(order).into()),
        order.prop_map(|order| DepositCommand::QueryPayment(order).into()),
        customer.prop_map(|customer| DepositCommand::QueryAccount(customer).into()),
        item.prop_map(|item| ItemCommand::Query(item).into()),
        replay.clone().prop_map(|replay| OrderCommand::Replay(replay).into()),
        replay.clone().prop_map(|replay| DepositCommand::Replay(replay).into()),
        replay.prop_map(|replay| ItemCommand::Replay(replay).into()),
    ]
}

proptest! {
    #[test]
    fn a_command_is_read_as_it_was_written(command in commands()) {
        let body = command.to_json();
        prop_assert_eq!(read(command.kind(), &body), Ok(command), "{}", body);
    }
}
