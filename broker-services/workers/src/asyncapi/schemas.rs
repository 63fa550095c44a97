//! JSON schemas of what the messages carry. Words and bounds are those of the rules; a test holds every shape to what the
//! types write.

use serde_json::{Map, Value, json};
use skstore_domain::answers::ErrorCode;
use skstore_domain::breaker::{BreakerMode, BreakerState};
use skstore_domain::charges::{ChargeResult, MAX_CHARGES_PER_CALL};
use skstore_domain::commands::{
    CommandKind, DepositCommandKind, ItemCommandKind, MAX_ITEM_NAME_CHARS, MAX_STOCK, OrderCommandKind,
};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, TYPE_PREFIX};
use skstore_domain::ids::MAX_ID_CHARS;
use skstore_domain::money::Won;
use skstore_domain::objects::{
    DeliveryStatus, MAX_QTY, OrderReason, OrderStatus, PaymentReason, PaymentStatus,
};
use skstore_domain::signals::{MAX_PAST, Service};

/// What the letters of an id are.
pub(super) const ID_PATTERN: &str = "^[A-Za-z0-9_-]+$";
/// A number that is written as a text.
pub(super) const DIGITS_PATTERN: &str = "^\\s*[0-9]+\\s*$";
/// Digits that name somebody.
const DIGITS: &str = "digits";

/// A reference to the schema of that name.
pub(super) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object: its members, and those that are always there.
fn object(required: &[&str], members: Value) -> Value {
    let mut object = json!({ "type": "object", "required": required });
    object["properties"] = members;
    object
}

fn words(all: impl IntoIterator<Item = &'static str>) -> Value {
    json!({ "type": "string", "enum": all.into_iter().collect::<Vec<_>>() })
}

fn or_null(schema: Value) -> Value {
    let null = json!({ "type": "null" });
    json!({ "anyOf": Value::Array(vec![schema, null]) })
}

fn list(items: Value) -> Value {
    let mut list = json!({ "type": "array" });
    list["items"] = items;
    list
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// A whole number as commands may have it: in digits, also as a text. Of a text no schema can say how large it may be.
fn number(min: u64, max: u64) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": min, "maximum": max },
        { "type": "string", "pattern": DIGITS_PATTERN },
        { "type": "null" },
    ] })
}

/// A number that must be there.
fn some_number(min: u64, max: u64) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": min, "maximum": max },
        { "type": "string", "pattern": DIGITS_PATTERN },
    ] })
}

/// A name as commands may have it.
fn given(name: &str) -> Value {
    json!({ "anyOf": [of(name), of(DIGITS)] })
}

fn name(most: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most })
}

/// All schemas, by name.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (name, schema) in names().into_iter().chain(objects()).chain(answers()).chain(signals()) {
        schemas.insert(name.to_owned(), schema);
    }
    for kind in CommandKind::all() {
        schemas.insert(format!("command.{}", kind.word()), command(kind));
    }
    for kind in EventKind::all() {
        schemas.insert(format!("event.{}", kind.word()), event(kind));
    }
    schemas
}

fn names() -> Vec<(&'static str, Value)> {
    let id = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": ID_PATTERN });
    let seen = "White space around it is dropped, and composed and decomposed letters are the same; characters that cannot be \
                seen are invalid.";
    let with = |mut schema: Value, description: &str| {
        schema["description"] = json!(description);
        schema
    };
    vec![
        ("order_id", id.clone()),
        ("request_id", id),
        ("customer", with(name(MAX_ID_CHARS), seen)),
        ("item_id", with(name(MAX_ID_CHARS), seen)),
        ("item_name", with(name(MAX_ITEM_NAME_CHARS), seen)),
        (DIGITS, with(count(), "A number that names somebody, taken digit for digit.")),
        ("won", with(json!({ "type": "integer" }), "Whole won.")),
        ("time", json!({ "type": "string", "format": "date-time" })),
        (
            "revision",
            with(json!({ "type": "integer", "minimum": 1 }), "Counts the transitions of its object."),
        ),
    ]
}

fn objects() -> Vec<(&'static str, Value)> {
    let delivery = words(DeliveryStatus::ALL.iter().map(|word| word.word()));
    let status = words(PaymentStatus::ALL.iter().map(|word| word.word()));
    let order = object(
        &[
            "order_id",
            "customer",
            "item_id",
            "item_name",
            "qty",
            "unit_price",
            "amount",
            "status",
            "reason",
            "cancel_requested",
            "payment",
            "delivery",
            "placed_at",
            "updated_at",
            "revision",
        ],
        json!({
            "order_id": of("order_id"), "customer": of("customer"), "item_id": of("item_id"), "item_name": text(),
            "qty": { "type": "integer", "minimum": 1, "maximum": MAX_QTY },
            "unit_price": of("won"), "amount": of("won"),
            "status": words(OrderStatus::ALL.iter().map(|word| word.word())),
            "reason": or_null(words(OrderReason::ALL.iter().map(|word| word.word()))),
            "cancel_requested": { "type": "boolean" }, "payment": status, "delivery": delivery,
            "placed_at": of("time"), "updated_at": of("time"), "revision": of("revision"),
        }),
    );
    let payment = object(
        &["order_id", "customer", "amount", "status", "reason", "updated_at", "revision"],
        json!({
            "order_id": of("order_id"), "customer": of("customer"), "amount": of("won"), "status": status,
            "reason": or_null(words(PaymentReason::ALL.iter().map(|word| word.word()))),
            "updated_at": of("time"), "revision": of("revision"),
        }),
    );
    let account = object(
        &["customer", "balance", "revision"],
        json!({ "customer": of("customer"), "balance": of("won"), "revision": of("revision") }),
    );
    let item = object(
        &["item_id", "name", "unit_price", "stock", "revision"],
        json!({
            "item_id": of("item_id"), "name": text(), "name_en": text(), "unit_price": of("won"),
            "stock": { "type": "integer", "minimum": 0, "maximum": MAX_STOCK }, "revision": of("revision"),
        }),
    );
    vec![("order", order), ("payment", payment), ("account", account), ("item", item)]
}

fn answers() -> Vec<(&'static str, Value)> {
    let error = object(
        &["code", "message"],
        json!({
            "code": words(ErrorCode::ALL.iter().map(|word| word.word())), "message": text(), "retry_after_ms": count(),
        }),
    );
    let unknown = object(
        &["order_id", "status"],
        json!({ "order_id": of("order_id"), "status": { "const": PaymentStatus::None.word() } }),
    );
    let log_id = object(&["store", "incarnation"], json!({ "store": text(), "incarnation": text() }));
    let began = object(&["incarnation", "since_seq"], json!({ "incarnation": text(), "since_seq": count() }));
    let head = object(
        &["store", "incarnation", "since_seq", "last_seq", "sent_seq"],
        json!({
            "store": text(), "incarnation": text(), "since_seq": count(), "last_seq": count(), "sent_seq": count(),
            "earlier": list(began),
        }),
    );
    let catalog =
        object(&["items"], json!({ "items": list(of("item")), "next": of("item_id"), "log": log_id }));
    let replay = object(
        &["events", "last_seq"],
        json!({ "events": list(of("event")), "next_seq": count(), "last_seq": count(), "log": of("log_head") }),
    );
    let answer = object(
        &["ok"],
        json!({
            "ok": { "type": "boolean" }, "error": error, "order": of("order"),
            "payment": { "anyOf": [of("payment"), unknown] }, "account": of("account"), "item": of("item"),
            "catalog": catalog, "replay": replay,
        }),
    );
    let event: Vec<Value> = EventKind::all().map(|kind| of(&format!("event.{}", kind.word()))).collect();
    vec![("answer", answer), ("log_head", head), ("event", json!({ "anyOf": event }))]
}

fn command(kind: CommandKind) -> Value {
    let price = Won::MAX_INPUT.0.unsigned_abs();
    let last = i64::MAX.unsigned_abs();
    let of_item = |mut schema: Value| {
        schema["properties"]["item_id"] = or_null(given("item_id"));
        schema["properties"]["productId"] = or_null(given("item_id"));
        schema
    };
    let needs_item = |schema: Value| {
        let mut schema = of_item(schema);
        let has = |member: &str| object(&[member], json!({ member: given("item_id") }));
        schema["anyOf"] = json!([has("item_id"), has("productId")]);
        schema
    };
    let by_order = || object(&["order_id"], json!({ "order_id": given("order_id") }));
    let replay = || object(&[], json!({ "from_seq": number(0, last), "to_seq": number(0, last) }));
    match kind {
        CommandKind::Order(OrderCommandKind::Place) => needs_item(object(
            &[],
            json!({
                "qty": number(1, u64::from(MAX_QTY)), "customer": or_null(given("customer")),
                "order_id": or_null(given("order_id")), "unit_price": number(0, price),
            }),
        )),
        CommandKind::Order(OrderCommandKind::Cancel | OrderCommandKind::Query) => by_order(),
        CommandKind::Order(OrderCommandKind::Settle) => of_item(object(
            &["order_id"],
            json!({ "order_id": given("order_id"), "customer": or_null(given("customer")) }),
        )),
        CommandKind::Order(OrderCommandKind::Replay)
        | CommandKind::Deposit(DepositCommandKind::Replay)
        | CommandKind::Item(ItemCommandKind::Replay) => replay(),
        CommandKind::Deposit(DepositCommandKind::TopUp) => object(
            &["customer", "amount"],
            json!({
                "customer": given("customer"), "amount": some_number(1, price), "topup_id": or_null(given("request_id")),
            }),
        ),
        CommandKind::Deposit(DepositCommandKind::Query) => json!({ "anyOf": [
            by_order(),
            object(&["customer"], json!({ "customer": given("customer"), "order_id": { "type": "null" } })),
        ] }),
        CommandKind::Item(ItemCommandKind::Restock) => needs_item(object(
            &["qty"],
            json!({ "qty": some_number(1, MAX_STOCK), "restock_id": or_null(given("request_id")) }),
        )),
        CommandKind::Item(ItemCommandKind::Query) => needs_item(object(&[], json!({}))),
        CommandKind::Item(ItemCommandKind::List) => needs_item(object(
            &["name", "unit_price"],
            json!({
                "name": given("item_name"), "name_en": or_null(given("item_name")), "unit_price": some_number(0, price),
            }),
        )),
        CommandKind::Item(ItemCommandKind::Catalog) => {
            object(&[], json!({ "after": or_null(given("item_id")) }))
        }
    }
}

/// The members of an event's `data`: those that are always there, and those that may be.
const fn carried(kind: EventKind) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        EventKind::Order(OrderKind::Noted) => (&[], &["order", "order_id"]),
        EventKind::Order(OrderKind::Disowned) => (&["order_id"], &["customer", "item_id", "order"]),
        EventKind::Order(
            OrderKind::Paying
            | OrderKind::CancelRequested
            | OrderKind::Placed
            | OrderKind::Delivering
            | OrderKind::Rejected
            | OrderKind::Cancelled,
        ) => (&["order"], &[]),
        EventKind::Deposit(DepositKind::Paid | DepositKind::Refunded) => (&["payment", "account"], &[]),
        EventKind::Deposit(DepositKind::Declined | DepositKind::Voided) => (&["payment"], &[]),
        EventKind::Deposit(DepositKind::ToppedUp) => (&["account"], &[]),
        EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => (&["item"], &[]),
        EventKind::Item(ItemKind::DeliveryStarted | ItemKind::SoldOut) => (&["order_id", "item"], &[]),
        EventKind::Item(ItemKind::DeliveryCancelled) => (&["order_id"], &["item"]),
    }
}

fn event(kind: EventKind) -> Value {
    let (always, maybe) = carried(kind);
    let members: Map<String, Value> =
        always.iter().chain(maybe).map(|member| ((*member).to_owned(), of(member))).collect();
    let mut data = object(always, Value::Object(members));
    if kind == EventKind::Order(OrderKind::Noted) {
        data["anyOf"] = json!([{ "required": ["order"] }, { "required": ["order_id"] }]);
    }
    object(
        &["specversion", "id", "source", "type", "subject", "time", "revision", "data"],
        json!({
            "specversion": { "const": "1.0" }, "id": text(),
            "source": { "const": format!("/skstore/{}", kind.source()) },
            "type": { "const": format!("{TYPE_PREFIX}{}", kind.word()) },
            "subject": text(), "time": of("time"), "datacontenttype": { "const": "application/json" },
            "revision": of("revision"), "correlationid": of("order_id"), "traceparent": text(), "data": data,
        }),
    )
}

fn signals() -> Vec<(&'static str, Value)> {
    let charge = object(
        &["order_id", "customer", "amount"],
        json!({ "order_id": of("order_id"), "customer": of("customer"), "amount": of("won") }),
    );
    let charges =
        json!({ "type": "array", "items": charge, "minItems": 1, "maxItems": MAX_CHARGES_PER_CALL });
    let outcome = object(
        &["order_id", "result"],
        json!({
            "order_id": of("order_id"), "result": words(ChargeResult::ALL.iter().map(|word| word.word())),
        }),
    );
    let outcomes = json!({ "type": "array", "items": outcome, "maxItems": MAX_CHARGES_PER_CALL });
    let state = || words(BreakerState::ALL.iter().map(|word| word.word()));
    let changed = object(
        &["instance", "at", "from", "to", "why", "breaker"],
        json!({
            "instance": text(), "at": of("time"), "from": state(), "to": state(), "why": text(),
            "reason": breaker_reason(), "breaker": of("breaker"),
        }),
    );
    vec![
        ("charges", object(&["deadline", "charges"], json!({ "deadline": of("time"), "charges": charges }))),
        ("outcomes", object(&["outcomes"], json!({ "outcomes": outcomes }))),
        ("breaker", breaker()),
        ("breaker.changed", changed),
        ("service.beat", beat()),
        ("control", control()),
    ]
}

/// Why a breaker changed: what it is, and its numbers.
fn breaker_reason() -> Value {
    let numbers =
        ["calls", "within_ms", "limit", "part", "charges", "percent", "probes", "took_ms", "after_ms"];
    let mut members: Map<String, Value> = numbers.iter().map(|key| ((*key).to_owned(), count())).collect();
    members.insert("what".to_owned(), text());
    object(&["what"], Value::Object(members))
}

fn breaker() -> Value {
    let counts = object(
        &["calls", "ok", "failed", "slow", "refused"],
        json!({ "calls": count(), "ok": count(), "failed": count(), "slow": count(), "refused": count() }),
    );
    let settings = [
        "window_ms",
        "buckets",
        "slow_ms",
        "failed_percent",
        "slow_percent",
        "least_charges",
        "least_calls",
        "consecutive_failures",
        "open_ms",
        "probes",
        "probe_within_ms",
        "max_in_flight",
    ];
    let settings: Map<String, Value> = settings.iter().map(|key| ((*key).to_owned(), count())).collect();
    object(
        &["state", "mode", "for_ms", "in_flight", "max_in_flight", "window", "buckets"],
        json!({
            "state": or_null(words(BreakerState::ALL.iter().map(|word| word.word()))),
            "mode": or_null(words(BreakerMode::ALL.iter().map(|word| word.word()))),
            "for_ms": count(), "retry_after_ms": or_null(count()), "probes_ok": count(), "probes_in_flight": count(),
            "failed_in_a_row": count(), "in_flight": count(), "max_in_flight": count(), "window": counts.clone(),
            "buckets": list(counts), "failed_percent": count(), "slow_percent": count(), "least_charges": count(),
            "settings": { "type": "object", "properties": settings },
        }),
    )
}

fn beat() -> Value {
    let service = || words(Service::ALL.iter().map(|word| word.word()));
    let answers = object(
        &["answered", "refused", "per_second", "refused_per_second"],
        json!({
            "answered": count(), "refused": count(), "per_second": count(), "refused_per_second": count(),
            "p50_us": or_null(count()), "p99_us": or_null(count()),
        }),
    );
    let past = object(&["at", "what"], json!({ "at": of("time"), "what": text() }));
    let wait = object(
        &["what", "count", "since", "told_again"],
        json!({ "what": text(), "count": count(), "since": of("time"), "told_again": count() }),
    );
    let books = object(
        &["at", "read", "last", "sums", "breach"],
        json!({
            "at": of("time"), "read": count(), "last": count(),
            "sums": { "type": "object", "description": "By whose log it is, which `of` says." },
            "breach": or_null(object(&["kind", "id", "at"], json!({ "kind": text(), "id": text(), "at": of("time") }))),
        }),
    );
    let calls = object(
        &["began_at", "first", "entries", "image"],
        json!({
            "began_at": of("time"), "first": count(),
            "entries": { "type": "array", "description": "A call is a row of numbers; everything else has a name." },
            "image": { "type": "object", "description": "Where the breaker stands after the last entry." },
        }),
    );
    object(
        &[
            "service",
            "instance",
            "version",
            "started_at",
            "at",
            "number",
            "ready",
            "last_error",
            "handled",
            "per_second",
            "in_flight",
            "unsent",
            "fault",
            "breaker",
            "rebuilding",
        ],
        json!({
            "service": service(), "instance": text(), "version": text(), "started_at": of("time"), "at": of("time"),
            "number": count(), "clock_ahead_ms": { "type": "integer" }, "ready": { "type": "boolean" },
            "last_error": or_null(text()), "handled": count(), "per_second": count(), "in_flight": count(),
            "unsent": count(), "fault": or_null(text()), "fault_left_ms": count(),
            "takes_faults": { "type": "boolean" }, "breaker": or_null(of("breaker")),
            "rebuilding": or_null(json!({ "type": "integer", "minimum": 0, "maximum": 100 })),
            "unheard": list(service()), "answers": answers, "books": books, "log": of("log_head"),
            "warnings": list(text()),
            "past": { "type": "array", "items": past, "maxItems": MAX_PAST }, "waits": list(wait), "calls": calls,
        }),
    )
}

fn control() -> Value {
    let to_do = |what: &str, required: &[&str], mut members: Value| {
        members["do"] = json!({ "const": what });
        object(&[&["do"], required].concat(), members)
    };
    let fault = |kind: &str, required: &[&str], mut members: Value| {
        members["kind"] = json!({ "const": kind });
        object(&[&["kind"], required].concat(), members)
    };
    let mut faults: Vec<Value> = ["none", "stopped"].iter().map(|kind| fault(kind, &[], json!({}))).collect();
    faults.push(fault("slow", &["ms"], json!({ "ms": count() })));
    let percent = json!({ "type": "integer", "minimum": 0, "maximum": 100 });
    faults.push(fault("lost_replies", &[], json!({ "percent": percent })));
    let service = words(Service::ALL.iter().map(|word| word.word()));
    let mode = words(BreakerMode::ALL.iter().map(|word| word.word()));
    json!({ "anyOf": [
        to_do("breaker.force", &["mode"], json!({ "instance": or_null(text()), "mode": mode })),
        to_do(
            "fault.set",
            &["service", "fault"],
            json!({
                "service": service, "instance": or_null(text()), "fault": { "anyOf": faults }, "for_ms": count(),
            }),
        ),
        to_do("worker.crash", &["service"], json!({ "service": service, "instance": or_null(text()) })),
        to_do("view.rebuild", &[], json!({})),
    ] })
}
