//! What a parked message was, and what becomes of it.

use super::*;

const PLACE: &str = r#"{"item_id":"10","qty":1}"#;
const OWN_ID: &str = r#"{"item_id":"10","order_id":"mine"}"#;
const NEW: &str = "the item is not listed yet";
const OLD: &str = "the order has no id and may already have been placed";

/// A message as it lies in the queue of parked ones.
fn parked(queue: &str, key: &str, body: &str, reason: &str) -> Message {
    let headers = [
        (PARKED_ID, "p-1"),
        ("reason", reason),
        ("exchange", "skstore.commands"),
        ("routing_key", key),
        ("queue", queue),
        ("service", "order"),
        ("at", "2026-09-21T14:13:20.123Z"),
        ("traceparent", "00-1"),
    ];
    Message {
        exchange: topology::DEAD.to_owned(),
        routing_key: key.to_owned(),
        body: body.as_bytes().into(),
        properties: Properties {
            message_id: Some("p-1".to_owned()),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..Properties::default()
        },
    }
}

fn place(body: &str, reason: &str) -> Message {
    parked("order.commands", "order.place", body, reason)
}

#[test]
fn it_is_shown_as_it_was_sent() {
    let mut message = place(PLACE, NEW);
    message.properties.correlation_id = Some("c".to_owned());
    let letter = DeadLetter::of(&message);
    let shown = serde_json::to_value(&letter).unwrap();
    let expected = serde_json::json!({
        "id": "p-1", "reason": NEW, "exchange": "skstore.commands", "routing_key": "order.place",
        "queue": "order.commands", "service": "order", "at": "2026-09-21T14:13:20.123Z", "message_id": null,
        "correlation_id": "c", "reply_to": null, "content_type": null, "expiration_ms": null, "priority": null,
        "headers": {"traceparent": "00-1"},
        "body": PLACE, "outlook": "takes_effect",
    });
    assert_eq!(shown, expected);
    message.body = [0, 255].as_slice().into();
    let shown = serde_json::to_value(DeadLetter::of(&message)).unwrap();
    assert_eq!((&shown["body_hex"], &shown["outlook"]), (&"00ff".into(), &"refused".into()), "{shown}");
}

#[test]
fn what_its_queue_gave_up_on_tells_where_it_was() {
    let headers = [
        ("x-first-death-reason", "delivery_limit"),
        ("x-first-death-queue", "order.commands"),
        ("x-first-death-exchange", "skstore.commands"),
        ("x-last-death-queue", "order.commands"),
    ];
    let mut message = place(OWN_ID, "");
    message.properties.message_id = None;
    message.properties.headers = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    let letter = DeadLetter::of(&message);
    assert_eq!(letter.reason, "its queue gave up on it: delivery_limit");
    assert_eq!((&*letter.queue, &*letter.exchange), ("order.commands", "skstore.commands"));
    assert_eq!(letter.replay_check(), ReplayCheck::TakesEffect);
    assert!(letter.properties.headers.is_empty(), "{:?}", letter.properties.headers);
    // Without a name of its own it is named by what it carries.
    assert_eq!(DeadLetter::of(&message).id, letter.id);
    message.body = PLACE.as_bytes().into();
    let other = DeadLetter::of(&message);
    assert_ne!(other.id, letter.id);
    assert!(OrderId::new(&other.id).is_ok(), "{} is no id", other.id);
    assert_eq!(other.replay_check(), ReplayCheck::MayDouble, "nobody knows what became of it");
}

#[test]
fn a_name_that_is_none_is_not_taken_over() {
    let mut message = place(PLACE, NEW);
    message.properties.headers.insert(PARKED_ID.to_owned(), "p 1\u{1b}[2J".to_owned());
    let letter = DeadLetter::of(&message);
    assert!(letter.id.starts_with("h-"), "{}", letter.id);
}

#[test]
fn it_goes_where_it_came_from_and_nowhere_else() {
    let table = [
        ("order.commands", "order.place", Some(("skstore.commands", "order.place"))),
        ("skstore.unrouted", "order.steal", Some(("skstore.commands", "order.steal"))),
        ("deposit.payments", "whatever", Some(("skstore.payments", "charge"))),
        ("item.events", "order.placed", Some(("", "item.events"))),
        ("myinfo.signals", "service.beat", Some(("", "myinfo.signals"))),
        ("skstore.dead", "order.place", None),
        ("skstore.control.order-1", "", None),
        ("bank", "transfer", None),
        ("", "order.place", None),
    ];
    for (queue, key, expected) in table {
        let letter = DeadLetter::of(&parked(queue, key, PLACE, NEW));
        let expected = expected.map(|(exchange, key): (&'static str, &str)| (exchange, key.to_owned()));
        assert_eq!(letter.destination(), expected, "from '{queue}' with '{key}'");
    }
}

#[test]
fn a_dry_run_says_what_would_become_of_it() {
    let event = r#"{"specversion":"1.0"}"#;
    let reply = |mut message: Message, to: &str| {
        message.properties.reply_to = Some(to.to_owned());
        message
    };
    let named = |mut message: Message, id: &str| {
        message.properties.message_id = Some(id.to_owned());
        message
    };
    let table = [
        ("new, without an id", place(PLACE, NEW), "takes_effect", true),
        ("maybe done, without an id", place(PLACE, OLD), "may_double", false),
        ("maybe done, with an id in its body", place(OWN_ID, OLD), "takes_effect", true),
        ("maybe done, with an id as a message", named(place(PLACE, OLD), "m-1"), "takes_effect", true),
        ("maybe done, with an id that is none", named(place(PLACE, OLD), "m 1"), "may_double", false),
        (
            "a question",
            parked("order.commands", "order.query", r#"{"order_id":"a"}"#, OLD),
            "takes_effect",
            true,
        ),
        (
            "money, maybe paid in",
            parked("deposit.commands", "deposit.topup", r#"{"customer":"kim","amount":5}"#, OLD),
            "may_double",
            false,
        ),
        ("no JSON", place("{", NEW), "refused", false),
        ("no such command", parked("skstore.unrouted", "order.steal", "{}", NEW), "refused", false),
        ("answers to a queue of ours", reply(place(OWN_ID, NEW), "order.events"), "refused", false),
        ("answers to its sender", reply(place(OWN_ID, NEW), "desk.1"), "takes_effect", true),
        ("a bad event", parked("item.events", "order.placed", event, NEW), "refused", false),
        ("a bad call", parked("deposit.payments", "charge", "[]", NEW), "refused", false),
        ("from nowhere", parked("bank", "order.place", OWN_ID, NEW), "nowhere", false),
    ];
    for (what, message, replay_check, goes_with_all) in table {
        let letter = DeadLetter::of(&message);
        assert_eq!(letter.replay_check().word(), replay_check, "{what}: {:?}", letter.replay_check());
        assert_eq!(letter.replay(true).is_ok(), goes_with_all, "{what}, with all: {:?}", letter.replay(true));
        assert_eq!(letter.replay(false).is_ok(), replay_check != "nowhere", "{what}, by name");
    }
}

#[test]
fn it_is_sent_with_all_that_it_carried_but_its_expiration() {
    let mut message = place(OWN_ID, NEW);
    message.properties.message_id = Some("m-1".to_owned());
    message.properties.correlation_id = Some("c-1".to_owned());
    message.properties.reply_to = Some("desk.1".to_owned());
    message.properties.content_type = Some("text/plain".to_owned());
    let headers = &mut message.properties.headers;
    headers.insert("sent_expiration_ms".to_owned(), "300".to_owned());
    headers.insert("sent_priority".to_owned(), "7".to_owned());
    let letter = DeadLetter::of(&message);
    assert_eq!(letter.properties.expiration, Some(Duration::from_millis(300)));
    let sent = letter.replay(true).unwrap();
    assert_eq!((&*sent.exchange, &*sent.routing_key), ("skstore.commands", "order.place"));
    assert_eq!(sent.body, message.body);
    let headers = BTreeMap::from([("traceparent".to_owned(), "00-1".to_owned())]);
    // Its time is over, and somebody wants it to be heard all the same.
    assert_eq!(sent.properties, Properties { headers, priority: Some(7), ..message.properties });
}

#[test]
fn what_came_without_an_id_is_sent_under_that_of_the_parked_one() {
    for (reason, id) in [(NEW, "p-1"), (OLD, "p-1"), (OLD, "m 1")] {
        let mut message = place(PLACE, reason);
        message.properties.message_id = Some(id.to_owned());
        let sent = DeadLetter::of(&message).replay(false).unwrap();
        assert_eq!(sent.properties.message_id.as_deref(), Some("p-1"), "twice must be once: {reason}, {id}");
    }
}
