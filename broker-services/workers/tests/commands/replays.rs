//! What an operator replays reaches the workers as its sender meant it: with what the sender gave along, and without what
//! brokers and parking have added meanwhile.

use serde_json::{Value, json};
use skstore_domain::signals::Service;
use skstore_workers::bus::Bus;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::clock::Ids;
use skstore_workers::desk::{DeadLetter, Desk, Disposition, Which};
use skstore_workers::view::View;
use skstore_workers::view::redis::RedisView;

use super::foreign::Found;
use super::workers::At;
use super::{CommandExchange, Reply};

/// Makes no sense, so it is parked.
const NONSENSE: &[u8] = b"five apples";

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

async fn desk(at: &At) -> Desk {
    let bus = Bus::Amqp(AmqpBus::connect(&at.bus).await.expect("a bus"));
    let view = View::Redis(RedisView::new(&at.view, 1).expect("a URL"));
    Desk::open(&bus, view, Ids::random()).await.expect("a desk")
}

/// The only parked message.
fn parked(at: &At) -> DeadLetter {
    run(async {
        let page = desk(at).await.dead_letters(10).await.expect("they can be looked at");
        let [letter] = &page.letters[..] else { panic!("not one: {page:?}") };
        letter.clone()
    })
}

fn replay(at: &At, id: &str) {
    run(async {
        let told =
            |_: &DeadLetter, disposition: &Disposition| assert_eq!(*disposition, Disposition::Replayed);
        let summary = desk(at).await.replay_dead(&Which::One(id.to_owned()), false, told).await;
        assert_eq!(summary.expect("it can be replayed").done, 1);
    });
}

/// Ends Order, and takes what is replayed to it.
fn replayed_to_order(exchange: &mut CommandExchange, id: &str) -> Found {
    exchange.workers.end(Service::Order, "TERM");
    replay(&exchange.workers.at, id);
    exchange.client.take("order.commands").expect("it is there")
}

/// Its headers, without what the broker says of this very delivery.
fn sent_headers(found: &Found) -> Value {
    let mut headers = found.headers.clone();
    if headers["x-delivery-count"] == 0 {
        headers.as_object_mut().expect("headers").remove("x-delivery-count");
    }
    headers
}

/// With `headers` that the broker obeys, and some that are the sender's own.
fn tell_with(exchange: &mut CommandExchange, headers: &Value) {
    let properties =
        json!({ "message_id": "theirs", "priority": 7, "expiration": "60000", "headers": headers });
    exchange.client.tell("order.place", NONSENSE, &properties);
}

#[test]
fn what_a_worker_parked_waits_for_an_operator_and_is_replayed_as_its_sender_meant_it() {
    let mut exchange = CommandExchange::open();
    tell_with(&mut exchange, &json!({ "colour": "red" }));
    exchange.until_all_is_done();
    let found = exchange.client.take("skstore.dead").expect("it is parked");
    assert_eq!((&found.expiration, found.priority), (&None, None), "it neither expires nor overtakes");
    assert_eq!((found.header("sent_expiration_ms"), found.header("sent_priority")), ("60000", "7"));

    exchange.workers.end(Service::Order, "TERM");
    let headers = json!({
        "colour": "red",
        "count": 5,
        "basket": { "apples": [1, "two"] },
        // Goes there as well, and nobody cares; as a text a broker would refuse it.
        "CC": ["nobody"],
    });
    tell_with(&mut exchange, &headers);
    // Now the broker counts its deliveries.
    for _ in 0..3 {
        exchange.give_back("order.commands");
    }
    exchange.workers.start_one(Service::Order);
    exchange.ask(Reply::Direct, "order.query", &json!({ "order_id": "fence" }));
    let letter = parked(&exchange.workers.at);
    assert!(letter.reason.contains("not JSON"), "{letter:?}");
    let shown = serde_json::to_value(&letter).expect("JSON");
    let theirs = json!({ "colour": "red", "count": "5", "basket": r#"{"apples":[1,"two"]}"# });
    assert_eq!(shown["headers"], theirs, "{letter:?}");
    assert_eq!((&shown["expiration_ms"], &shown["priority"]), (&json!(60_000), &json!(7)));
    let replayed = replayed_to_order(&mut exchange, &letter.id);
    assert_eq!((&*replayed.body, sent_headers(&replayed)), (NONSENSE, theirs));
    assert_eq!((replayed.priority, replayed.message_id.as_deref()), (Some(7), Some("theirs")));
    assert_eq!(replayed.expiration, None, "its time is over, and somebody wants it to be heard");
}

#[test]
fn what_a_broker_gave_up_on_is_replayed_without_what_it_wrote() {
    let mut exchange = CommandExchange::open();
    exchange.workers.end(Service::Order, "TERM");
    let properties = json!({ "message_id": "theirs", "expiration": "1", "headers": { "colour": "red" } });
    exchange.client.tell("order.place", NONSENSE, &properties);
    let CommandExchange { client, workers } = &mut exchange;
    workers.wait_until("its broker gives up on it", |_| client.length("skstore.dead") == 1);
    let letter = parked(&workers.at);
    assert_eq!(letter.reason, "its queue gave up on it: expired");
    replay(&workers.at, &letter.id);
    let replayed = client.take("order.commands").expect("it is there");
    assert_eq!((&*replayed.body, sent_headers(&replayed)), (NONSENSE, json!({ "colour": "red" })));
    assert_eq!(replayed.message_id.as_deref(), Some("theirs"));
}
