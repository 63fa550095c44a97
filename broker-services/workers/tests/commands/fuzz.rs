//! Random and mutated messages on every exchange and queue stop nobody, and cost nobody who sends sense anything.
//!
//! `SKSTORE_FUZZ_SEED` repeats a run, as far as threads and processes let it.

#![expect(clippy::print_stderr, reason = "the seed of a run that fails")]

mod ambiguous;

use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use lapin::options::{BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::{Value, json};
use skstore_domain::events::EventKind;
use skstore_domain::ids::{Customer, ItemId};
use skstore_workers::topology::{self, DEAD, DEFAULT, EXCHANGES};

use super::operators::rabbitmqadmin;
use super::{CommandExchange, Reply, code};

/// How many messages make no sense, or hardly any.
const MESSAGES: usize = 10_000;
/// How long the longest are, and how many of those there are.
const HUGE_BYTES: usize = 16 * 1024 * 1024;
const HUGE: usize = 12;
/// A direct reply address as RabbitMQ makes them, of a node that is in no cluster.
const OF_NO_NODE: &str = "amq.rabbitmq.reply-to.g1h2AAdyZXBseUA3AAAABQAAAAAAAAAB.AAECAwQFBgcICQoLDA0ODw==";
/// What says *without a queue* to a broker, which puts an address in its place.
const DIRECT: &str = "amq.rabbitmq.reply-to";
/// What the catalogue opens kim's account with.
const OPENING: i64 = 500_000_000;
/// The price of what is ordered meanwhile.
const PRICE: i64 = 1_000;

#[test]
fn ten_thousand_random_messages_everywhere_stop_nobody() {
    let seed = std::env::var("SKSTORE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("SKSTORE_FUZZ_SEED={seed}");
    let mut exchange = CommandExchange::open();
    let (url, queues) = (exchange.workers.at.bus.clone(), all_queues(&exchange));
    let done = AtomicBool::new(false);
    let mut placed = Vec::new();
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(publish_nonsense(&url, &queues, Rng::with_seed(seed)));
            done.store(true, Ordering::Release);
        });
        // Some who send sense go on all the time.
        while !done.load(Ordering::Acquire) && !publishing.is_finished() {
            placed.push(place(&mut exchange, placed.len()));
        }
    });
    let calm = json!({ "kind": "none" });
    for service in ["order", "deposit", "item", "myinfo"] {
        exchange.send_control(&json!({ "do": "fault.set", "service": service, "fault": calm }));
    }
    exchange.send_control(&json!({ "do": "breaker.force", "mode": "auto" }));
    placed.push(place(&mut exchange, placed.len()));

    let all = placed.len();
    for id in &placed {
        exchange.until_shown(&format!("order:{id}"), "status", "delivering");
    }
    let account = exchange.ask(Reply::Queue, "deposit.query", &json!({ "customer": "kim" }));
    let left = OPENING - PRICE * i64::try_from(all).expect("few");
    assert_eq!(account["account"]["balance"], json!(left), "{all} orders were paid, once each");
    let CommandExchange { client, workers } = &mut exchange;
    for queue in topology::queues().into_iter().filter(|queue| queue.name != DEAD) {
        workers.wait_until(&format!("{} is empty", queue.name), |_| client.length(&queue.name) == 0);
    }
    // The view's own rebuild has to get past the nonsense in its queue, too.
    exchange.workers.at.redis_cli(&["flushdb"]);
    for id in [&placed[0], &placed[all - 1]] {
        exchange.until_shown(&format!("order:{id}"), "status", "delivering");
    }
    assert_all_names_are_accepted(&exchange, seed);
    let words = exchange.workers.everything_said();
    // The last two: what goes to strangers is no matter of charges and events.
    for trouble in ["panicked", "starting again", "connection that publishes is lost", "cannot publish"] {
        let line = words.lines().find(|line| line.contains(trouble));
        assert_eq!(line, None, "seed {seed}");
    }
    exchange.workers.assert_none_has_ended();
}

/// Nothing ambiguous has become an account or an item: what the logs have is what the gate lets in, to the letter.
fn assert_all_names_are_accepted(exchange: &CommandExchange, seed: u64) {
    let names =
        |index: &str| exchange.workers.at.redis_cli(&["zrange", &format!("myinfo:{index}"), "0", "-1"]);
    for name in names("accounts") {
        let accepted = Customer::new(&name).is_ok_and(|customer| customer.as_str() == name);
        assert!(accepted, "seed {seed}: {name:?} has an account");
    }
    for name in names("items") {
        let accepted = ItemId::new(&name).is_ok_and(|item| item.as_str() == name);
        assert!(accepted, "seed {seed}: {name:?} is an item");
    }
}

fn place(exchange: &mut CommandExchange, number: usize) -> String {
    let id = format!("sense-{number}");
    let order = json!({ "item_id": "10", "customer": "kim", "order_id": id });
    let answer = exchange.ask(Reply::BOTH[number % 2], "order.place", &order);
    assert_eq!(code(&answer), "ok", "{answer}");
    id
}

/// Also those that belong to one worker alone.
fn all_queues(exchange: &CommandExchange) -> Vec<String> {
    let listed = rabbitmqadmin(&exchange.workers.at, &["--format=raw_json", "list", "queues", "name"]);
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("JSON");
    let names: Vec<String> =
        listed.iter().filter_map(|queue| queue["name"].as_str().map(str::to_owned)).collect();
    let is_there = |start: &str| names.iter().any(|name| name.starts_with(start));
    assert!(
        ["skstore.replies.order-", "skstore.control.item-", "myinfo.rebuild"]
            .iter()
            .all(|start| is_there(start))
    );
    names
}

async fn publish_nonsense(url: &str, queues: &[String], mut rng: Rng) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker");
    let channel = connection.create_channel().await.expect("a channel");
    // It listens for as long as this goes on.
    let (direct, _ear) = direct_address(&channel).await;
    for number in 0..MESSAGES {
        let (exchange, key) = target(&mut rng, queues);
        let mut body = body(&mut rng, &key);
        if number % (MESSAGES / HUGE) == 0 {
            body.resize(rng.usize(HUGE_BYTES / 2..=HUGE_BYTES), b' ');
        }
        let properties = properties(&mut rng, queues, &direct);
        let (exchange, key) = (ShortString::from(exchange), ShortString::from(key));
        let sent =
            channel.basic_publish(exchange, key, BasicPublishOptions::default(), &body, properties).await;
        sent.expect("the broker takes it");
    }
    // Answered once the broker has seen all of it.
    queue_length(&channel, DEAD).await;
}

/// Where answers to `channel` would go without a queue, as the broker tells it.
async fn direct_address(channel: &Channel) -> (String, lapin::Consumer) {
    let own = QueueDeclareOptions { exclusive: true, ..Default::default() };
    let own = channel.queue_declare("".into(), own, FieldTable::default()).await.expect("a queue");
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let listening = channel.basic_consume(DIRECT.into(), "".into(), options, FieldTable::default());
    let ear = listening.await.expect("the broker listens for it");
    let properties = BasicProperties::default().with_reply_to(DIRECT.into());
    let to_itself = BasicPublishOptions::default();
    let sent = channel.basic_publish(DEFAULT.into(), own.name().clone(), to_itself, b"?", properties).await;
    sent.expect("the broker takes it");
    loop {
        let options = BasicGetOptions { no_ack: true };
        if let Some(got) = channel.basic_get(own.name().clone(), options).await.expect("it is there") {
            let address = got.delivery.properties.reply_to().as_ref().expect("an address").to_string();
            return (address, ear);
        }
    }
}

/// Where answers are to go: a broker's own address, one of a node that is not there, one that is nearly right, somebody
/// else's queue or ours, or anything.
fn address(rng: &mut Rng, queues: &[String], direct: &str) -> ShortString {
    let spoilt = |rng: &mut Rng, address: &str| {
        let bytes = scratch(rng, address.as_bytes().to_vec());
        String::from_utf8_lossy(&bytes[..bytes.len().min(usize::from(u8::MAX))]).into_owned()
    };
    let name = match rng.u8(..8) {
        0 => "nobody".to_owned(),
        1 => queues[rng.usize(..queues.len())].clone(),
        2 => noise(rng, 60),
        3 => direct.to_owned(),
        4 => OF_NO_NODE.to_owned(),
        5 => spoilt(rng, direct),
        6 => spoilt(rng, OF_NO_NODE),
        _ => format!("{DIRECT}.{}", noise(rng, 40)),
    };
    ShortString::try_new(name).unwrap_or_default()
}

/// Somewhere, often where it is heard.
fn target(rng: &mut Rng, queues: &[String]) -> (String, String) {
    if rng.u8(..3) == 0 {
        return (DEFAULT.to_owned(), queues[rng.usize(..queues.len())].clone());
    }
    let exchange = EXCHANGES[rng.usize(..EXCHANGES.len())].name;
    let keys: Vec<&str> = topology::queues()
        .iter()
        .flat_map(|queue| queue.bindings.clone())
        .filter(|(from, _)| *from == exchange)
        .map(|(_, key)| key)
        .collect();
    let key = match rng.u8(..8) {
        0 => noise(rng, 40),
        _ if keys.is_empty() => queues[rng.usize(..queues.len())].clone(),
        _ => keys[rng.usize(..keys.len())].to_owned(),
    };
    (exchange.to_owned(), key)
}

fn body(rng: &mut Rng, key: &str) -> Vec<u8> {
    const LARGEST_BYTES: usize = 400 * 1024;
    match rng.u8(..20) {
        0 => Vec::new(),
        1 | 2 => (0..rng.usize(..2_000)).map(|_| rng.u8(..)).collect(),
        3 => value(rng, 4).to_string().into_bytes(),
        4 if rng.u8(..10) == 0 => vec![b'['; rng.usize(..LARGEST_BYTES)],
        4 | 5 => noise(rng, 300).into_bytes(),
        6..=10 => {
            let mut whole = template(rng, key);
            spoil(rng, &mut whole);
            whole.to_string().into_bytes()
        }
        11..=13 => {
            let whole = template(rng, key).to_string();
            ambiguous::doubled(rng, &whole).into_bytes()
        }
        14 | 15 => {
            let mut whole = template(rng, key);
            ambiguous::rename(rng, &mut whole);
            whole.to_string().into_bytes()
        }
        _ => {
            let whole = template(rng, key).to_string().into_bytes();
            scratch(rng, whole)
        }
    }
}

/// A message that makes sense at `key`, or at some other, about nobody and nothing that anybody knows.
fn template(rng: &mut Rng, key: &str) -> Value {
    let id = format!("fuzz-{}", rng.u16(..));
    let order = json!({
        "order_id": id, "customer": "fuzz", "item_id": "fuzz", "item_name": "f", "qty": 2, "unit_price": 3, "amount": 6,
        "status": "placed", "reason": null, "cancel_requested": false, "payment": "paid", "delivery": "none",
        "placed_at": "2026-01-02T03:04:05.678Z", "updated_at": "2026-01-02T03:04:05.678Z", "revision": 2,
    });
    let any = rng.usize(..EventKind::all().count());
    let kind = EventKind::from_word(key).or_else(|| EventKind::all().nth(any)).expect("a kind");
    let event = json!({
        "specversion": "1.0", "id": id, "source": format!("/skstore/{}", kind.source()),
        "type": format!("skstore.{kind}"), "subject": id, "time": "2026-01-02T03:04:05.678Z",
        "datacontenttype": "application/json", "revision": 2, "correlationid": id, "data": {
            "order": order,
            "payment": { "order_id": id, "customer": "fuzz", "amount": 6, "status": "paid", "reason": null,
                         "updated_at": "2026-01-02T03:04:05.678Z", "revision": 1 },
            "account": { "customer": "fuzz", "balance": 9, "revision": 4 },
            "item": { "item_id": "fuzz", "name": "f", "unit_price": 3, "stock": 5, "revision": 6 },
        },
    });
    match rng.u8(..10) {
        0 => json!({ "deadline": "2036-01-02T03:04:05.678Z",
                     "charges": [{ "order_id": id, "customer": "fuzz", "amount": 6 }] }),
        1 => json!({ "outcomes": [{ "order_id": id, "result": "paid" }] }),
        2 => json!({ "do": "fault.set", "service": "fuzz", "fault": { "kind": "none" } }),
        3 => json!({ "ok": true, "replay": { "events": [event], "last_seq": 3 } }),
        4 => {
            json!({ "service": "order", "instance": id, "version": "0", "started_at": "2026-01-02T03:04:05.678Z",
                     "at": "2026-01-02T03:04:05.678Z", "ready": true, "last_error": null, "handled": 1, "per_second": 1,
                     "in_flight": 1, "unsent": 1, "fault": null, "breaker": null, "rebuilding": null })
        }
        5 => json!({ "item_id": "fuzz", "qty": 2, "customer": "fuzz", "order_id": id, "unit_price": 3,
                     "amount": 4, "topup_id": id, "restock_id": id, "name": "f", "from_seq": 0 }),
        6 => json!([event, event]),
        _ => event,
    }
}

/// Puts something else in the place of one member, however deep, or takes it away.
fn spoil(rng: &mut Rng, whole: &mut Value) {
    let go_deeper = rng.bool();
    let other = value(rng, 2);
    match whole {
        Value::Object(map) if !map.is_empty() => {
            let name = map.keys().nth(rng.usize(..map.len())).cloned().unwrap_or_default();
            match map.get_mut(&name) {
                Some(inner @ (Value::Object(_) | Value::Array(_))) if go_deeper => spoil(rng, inner),
                _ if rng.u8(..4) == 0 => drop(map.remove(&name)),
                _ => drop(map.insert(name, other)),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = rng.usize(..list.len());
            spoil(rng, &mut list[at]);
        }
        plain => *plain = other,
    }
}

/// Changes, removes or doubles a few of its bytes.
fn scratch(rng: &mut Rng, mut body: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.usize(1..6) {
        if body.is_empty() {
            return body;
        }
        let at = rng.usize(..body.len());
        match rng.u8(..5) {
            0 => body[at] ^= 1 << rng.u8(..8),
            1 => body.truncate(at),
            2 => drop(body.remove(at)),
            3 => body.insert(at, rng.u8(..)),
            _ => {
                let end = body.len().min(at + rng.usize(1..40));
                let part = body[at..end].to_vec();
                body.splice(at..at, part);
            }
        }
    }
    body
}

fn value(rng: &mut Rng, depth: u32) -> Value {
    match rng.u8(..10) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(rng.u64(..)),
        4 => json!(rng.f64() * 1e300),
        5 => json!([-1, 0, 1, i64::MAX, i64::MIN][rng.usize(..5)]),
        6 if depth > 0 => (0..rng.usize(..4)).map(|_| value(rng, depth - 1)).collect(),
        7 if depth > 0 => {
            let members = (0..rng.usize(..4)).map(|_| (noise(rng, 8), value(rng, depth - 1)));
            Value::Object(members.collect())
        }
        _ => json!(noise(rng, 80)),
    }
}

/// Text of any characters, at most so many.
fn noise(rng: &mut Rng, max: usize) -> String {
    (0..rng.usize(..max))
        .map(|_| if rng.bool() { rng.char(' '..='~') } else { rng.char(..) })
        .collect::<String>()
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes < usize::from(u8::MAX)).then_some(c)
        })
        .collect()
}

fn properties(rng: &mut Rng, queues: &[String], direct: &str) -> BasicProperties {
    let mut properties = BasicProperties::default();
    if rng.u8(..8) < 3 {
        properties = properties.with_reply_to(address(rng, queues, direct));
    }
    if rng.u8(..4) == 0 {
        properties = properties.with_correlation_id(ShortString::from(noise(rng, 60)));
    }
    if rng.u8(..4) == 0 {
        properties = properties.with_message_id(ShortString::from(noise(rng, 60)));
    }
    if rng.u8(..4) == 0 {
        properties =
            properties.with_content_type(ShortString::from(noise(rng, 20))).with_priority(rng.u8(..));
    }
    if rng.u8(..10) == 0 {
        properties = properties.with_expiration("60000".into()).with_timestamp(rng.u64(..));
    }
    if rng.u8(..4) == 0 {
        let mut headers = FieldTable::default();
        headers.insert("traceparent".into(), AMQPValue::LongString(noise(rng, 60).into()));
        headers.insert("reason".into(), AMQPValue::LongLongInt(rng.i64(..)));
        headers.insert(ShortString::from(noise(rng, 60)), AMQPValue::Double(rng.f64()));
        headers.insert("deep".into(), AMQPValue::FieldTable(headers.clone()));
        properties = properties.with_headers(headers);
    }
    properties
}

/// Messages that wait in a queue.
async fn queue_length(channel: &Channel, queue: &str) -> u32 {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    channel
        .queue_declare(queue.into(), options, FieldTable::default())
        .await
        .expect("it is there")
        .message_count()
}
