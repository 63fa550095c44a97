//! Commands are described as they are read and written.

use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use serde_json::Value;
use skstore_domain::commands::{
    Command, CommandKind, DepositCommand, ItemCommand, ListItem, OrderCommand, Place, Replay, Restock,
    Settle, TopUp,
};
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::money::Won;

use crate::document;

/// Bodies, and whether they are taken. What no schema can say is not in it: see `what_no_schema_can_say`.
const TABLE: &[(&str, &str, bool)] = &[
    ("order.place", r#"{"item_id":"10"}"#, true),
    ("order.place", r#"{"productId":"10","qty":"5"}"#, true),
    ("order.place", r#"{"item_id":10,"qty":5,"colour":"red"}"#, true),
    ("order.place", r#"{"item_id":"10","qty":1000,"unit_price":0,"customer":null,"order_id":null}"#, true),
    ("order.place", r#"{"item_id":"10","qty":1001}"#, false),
    ("order.place", r#"{"item_id":"10","qty":0}"#, false),
    ("order.place", r#"{"item_id":"10","qty":1.5}"#, false),
    ("order.place", r#"{"item_id":"10","qty":true}"#, false),
    ("order.place", r#"{"item_id":"10","qty":"five"}"#, false),
    ("order.place", r#"{"item_id":"10","unit_price":-1}"#, false),
    ("order.place", r#"{"item_id":"10","unit_price":1000000000001}"#, false),
    ("order.place", r#"{"item_id":"10","order_id":"a b"}"#, false),
    ("order.place", r#"{"item_id":"10","order_id":""}"#, false),
    ("order.place", r#"{"item_id":""}"#, false),
    ("order.place", r#"{"item_id":[1]}"#, false),
    ("order.place", r#"{"item_id":null}"#, false),
    ("order.place", "{}", false),
    ("order.place", "[]", false),
    ("order.cancel", r#"{"order_id":7}"#, true),
    ("order.cancel", r#"{"order_id":null}"#, false),
    ("order.query", "{}", false),
    ("order.settle", r#"{"order_id":"a","productId":"10"}"#, true),
    ("order.replay", "{}", true),
    ("order.replay", r#"{"from_seq":-1}"#, false),
    ("deposit.topup", r#"{"customer":"kim","amount":"100"}"#, true),
    ("deposit.topup", r#"{"customer":"kim","amount":0}"#, false),
    ("deposit.topup", r#"{"customer":"kim"}"#, false),
    ("deposit.query", r#"{"order_id":"a"}"#, true),
    ("deposit.query", r#"{"customer":"kim","order_id":null}"#, true),
    ("deposit.query", "{}", false),
    ("item.restock", r#"{"item_id":"10","qty":1000000000000}"#, true),
    ("item.restock", r#"{"item_id":"10","qty":1000000000001}"#, false),
    ("item.restock", r#"{"item_id":"10"}"#, false),
    ("item.list", r#"{"item_id":"10","name":"사과","unit_price":0}"#, true),
    ("item.list", r#"{"item_id":"10","name":"","unit_price":0}"#, false),
    ("item.query", r#"{"productId":"10"}"#, true),
    ("item.catalog", r#"{"after":"10"}"#, true),
    ("item.catalog", r#"{"after":{}}"#, false),
];

#[test]
fn what_is_taken_is_described_and_what_is_refused_is_not() {
    let document = document();
    for (kind, body, is_taken) in TABLE {
        let read = Command::from_json(CommandKind::from_word(kind).unwrap(), body.as_bytes());
        assert_eq!(read.is_ok(), *is_taken, "{kind} {body}: {read:?}");
        let value: Value = serde_json::from_str(body).unwrap();
        let described = document.check_message(kind, &value, false);
        assert_eq!(described.is_ok(), *is_taken, "{kind} {body}: {described:?}");
    }
    for (most, kind, member) in [
        (64, "order.cancel", r#""order_id":"?""#),
        (64, "order.place", r#""item_id":"?""#),
        (100, "item.list", r#""item_id":"10","unit_price":5,"name":"?""#),
    ] {
        for letters in [most, most + 1] {
            let body = format!("{{{}}}", member.replace('?', &"a".repeat(letters)));
            let read = Command::from_json(CommandKind::from_word(kind).unwrap(), body.as_bytes());
            let described = document.check_message(kind, &serde_json::from_str(&body).unwrap(), false);
            assert_eq!(
                (read.is_ok(), described.is_ok()),
                (letters == most, letters == most),
                "{kind} {body}"
            );
        }
    }
}

#[test]
fn what_no_schema_can_say() {
    let document = document();
    // How large a number in a text is, that a member stands there twice, and what two members say of each other.
    for (body, kind) in [
        (r#"{"item_id":"10","qty":"1001"}"#, "order.place"),
        (r#"{"item_id":"10","productId":"11"}"#, "order.place"),
        ("{\"customer\":\"k\u{200b}m\",\"amount\":5}", "deposit.topup"),
    ] {
        assert!(
            Command::from_json(CommandKind::from_word(kind).unwrap(), body.as_bytes()).is_err(),
            "{body}"
        );
        document.check_message(kind, &serde_json::from_str(body).unwrap(), false).unwrap();
    }
}

fn command() -> impl Strategy<Value = Command> {
    let id = || "[A-Za-z0-9_-]{1,64}";
    let order = || id().prop_map(|id| OrderId::new(&id).unwrap());
    let request = || proptest::option::of(id().prop_map(|id| RequestId::new(&id).unwrap()));
    let customer = || "[a-z가-힣]{1,20}".prop_map(|name| Customer::new(&name).unwrap());
    let item = || "[0-9a-z]{1,20}".prop_map(|name| ItemId::new(&name).unwrap());
    let won = |from: i64| (from..=Won::MAX_INPUT.0).prop_map(Won);
    let replay = (0..i64::MAX, proptest::option::of(0..i64::MAX));
    prop_oneof![
        (
            item(),
            1..=1000_u32,
            proptest::option::of(customer()),
            proptest::option::of(order()),
            proptest::option::of(won(0))
        )
            .prop_map(|(item_id, qty, customer, order_id, unit_price)| {
                OrderCommand::Place(Place { item_id, qty, customer, order_id, unit_price }).into()
            }),
        order().prop_map(|id| OrderCommand::Cancel(id).into()),
        order().prop_map(|id| OrderCommand::Query(id).into()),
        (order(), proptest::option::of(customer()), proptest::option::of(item())).prop_map(
            |(order_id, customer, item_id)| OrderCommand::Settle(Settle { order_id, customer, item_id })
                .into()
        ),
        (customer(), won(1), request()).prop_map(|(customer, amount, topup_id)| DepositCommand::TopUp(
            TopUp { customer, amount, topup_id }
        )
        .into()),
        order().prop_map(|id| DepositCommand::QueryPayment(id).into()),
        customer().prop_map(|customer| DepositCommand::QueryAccount(customer).into()),
        (item(), 1..=1_000_000_000_000_u64, request()).prop_map(|(item_id, qty, restock_id)| {
            ItemCommand::Restock(Restock { item_id, qty, restock_id }).into()
        }),
        item().prop_map(|id| ItemCommand::Query(id).into()),
        (item(), "[a-z가-힣]{1,100}", won(0), any::<bool>()).prop_map(
            |(item_id, name, unit_price, english)| {
                let name_en = english.then(|| "apple".to_owned());
                ItemCommand::List(ListItem { item_id, name, name_en, unit_price }).into()
            }
        ),
        proptest::option::of(item()).prop_map(|after| ItemCommand::Catalog(after).into()),
        replay.prop_map(|(from_seq, to_seq)| ItemCommand::Replay(Replay { from_seq, to_seq }).into()),
    ]
}

proptest! {
    #[test]
    fn whatever_command_is_written_is_as_described(command in command()) {
        let value: Value = serde_json::from_str(&command.to_json()).unwrap();
        let described = document().check_message(command.kind().word(), &value, true);
        assert_eq!(described, Ok(()), "{value}");
    }
}
