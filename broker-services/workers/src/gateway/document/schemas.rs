//! What is sent and answered around the public objects, as JSON Schema: commands, pages, problems, parameters.

use serde_json::{Value, json};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{MAX_ITEM_NAME_CHARS, MAX_STOCK};
use skstore_domain::ids::MAX_ID_CHARS;
use skstore_domain::money::Won;
use skstore_domain::objects::{MAX_QTY, OrderStatus};
use skstore_domain::signals::Service;

use super::objects::{object, of, or_null, time, whole, won, words};

/// All of them, by their names.
pub(super) fn all() -> Vec<(String, Value)> {
    let page = |rows: &str, schema: &str| json!({ rows: { "type": "array", "items": of(schema) }, "next": { "type": ["string", "null"] } });
    let mut orders = page("orders", "OrderRow");
    orders["scanned"] = or_null(&whole());
    let schemas = [
        ("Id", json!({ "type": "string", "pattern": id_pattern() })),
        ("Name", name()),
        ("Place", place()),
        ("TopUp", command(&json!({ "amount": number(1, most_won()), "topup_id": id() }), &["amount"])),
        ("Restock", command(&json!({ "qty": number(1, MAX_STOCK), "restock_id": id() }), &["qty"])),
        ("List", list()),
        ("Orders", object(&orders, &[])),
        ("Accounts", object(&page("accounts", "Account"), &[])),
        ("Products", object(&page("products", "Product"), &[])),
        ("Counts", counts()),
        ("Status", status()),
        ("Events", json!({ "type": "string", "description": "Server-sent events: `data` is an Event" })),
        ("Document", json!({ "type": "object" })),
        ("Fault", fault()),
        ("Whom", object(&whom(), &["instance"])),
        ("Force", force()),
        ("Faults", faults()),
        ("Passed", passed()),
        ("Probe", object(&json!({ "status": { "type": "string" } }), &[])),
        ("Problem", problem()),
    ];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// What may stand in a path, behind the `?` or in a header.
pub(super) fn parameters() -> Value {
    let query = |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let path =
        |name: &str, schema: Value| json!({ "name": name, "in": "path", "required": true, "schema": schema });
    let header = |name: &str, schema: Value| json!({ "name": name, "in": "header", "schema": schema });
    json!({
        "id": path("id", of("Id")),
        "service": path("service", services()),
        "customer": path("customer", of("Name")),
        "item": path("item", of("Name")),
        "ask": query("ask", json!({ "type": "boolean", "description": "Whether Order itself shall answer" })),
        "status": query("status", words(OrderStatus::ALL.iter().map(|status| status.word()))),
        "by_customer": query("customer", of("Name")),
        "by_item": query("item", of("Name")),
        "prefix": query("prefix", of("Id")),
        "text": query("text", json!({ "type": "string" })),
        "before": query("before", json!({ "type": "string", "pattern": "^-?[0-9]{1,18}[.][A-Za-z0-9_-]{1,64}$" })),
        "after": query("after", of("Name")),
        "after_event": query("after", json!({ "type": "string", "pattern": "^(0|[1-9][0-9]*[.].+)$" })),
        "limit": query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200 })),
        "idempotency_key": header("Idempotency-Key", of("Id")),
        "last_event_id": header("Last-Event-ID", json!({ "type": "string" })),
    })
}

fn id_pattern() -> String {
    format!("^[A-Za-z0-9_-]{{1,{MAX_ID_CHARS}}}$")
}

fn name() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS,
        "description": "Letters that can be seen; blanks around them are dropped",
    })
}

/// A command: what it does not know, it ignores.
fn command(members: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": members, "required": required })
}

/// A whole number from `min`, which is 0 or 1, or its digits.
fn number(min: u64, max: u64) -> Value {
    let digits = if min == 0 { "^[0-9]{1,12}$" } else { "^0{0,3}[1-9][0-9]{0,11}$" };
    json!({ "anyOf": [
        { "type": "integer", "minimum": min, "maximum": max },
        { "type": "string", "pattern": digits },
    ] })
}

fn most_won() -> u64 {
    Won::MAX_INPUT.0.unsigned_abs()
}

/// An idempotency key, or its digits.
fn id() -> Value {
    json!({ "anyOf": [of("Id"), whole(), { "type": "null" }] })
}

/// A name, or its digits.
fn named() -> Value {
    json!({ "anyOf": [of("Name"), whole(), { "type": "null" }] })
}

fn place() -> Value {
    let members = json!({
        "item_id": named(),
        "productId": named(),
        "qty": or_null(&number(1, u64::from(MAX_QTY))),
        "customer": named(),
        "order_id": id(),
        "unit_price": or_null(&number(0, most_won())),
    });
    json!({
        "type": "object",
        "properties": members,
        "anyOf": [{ "required": ["item_id"] }, { "required": ["productId"] }],
        "example": { "productId": "10", "qty": "5" },
    })
}

fn list() -> Value {
    let name = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ITEM_NAME_CHARS });
    let members = json!({
        "name": { "anyOf": [name, whole()] },
        "name_en": { "anyOf": [name, whole(), { "type": "null" }] },
        "unit_price": number(0, most_won()),
    });
    command(&members, &["name", "unit_price"])
}

fn counts() -> Value {
    let by_status = OrderStatus::ALL.iter().map(|status| (status.word().to_owned(), whole()));
    let by_status = by_status.collect::<serde_json::Map<_, _>>();
    let members = json!({
        "orders": object(&by_status.into(), &[]), "accounts": whole(), "products": whole(), "balances": won(),
    });
    object(&members, &[])
}

fn status() -> Value {
    let beat = json!({
        "type": "object",
        "required": ["service", "instance", "ready", "at"],
        "properties": {
            "service": { "enum": ["order", "deposit", "item", "myinfo"] },
            "instance": { "type": "string" },
            "ready": { "type": "boolean" },
            "at": time(),
        },
    });
    let change = json!({
        "type": "object",
        "required": ["instance", "at", "from", "to", "why"],
        "properties": { "at": time() },
    });
    let members = json!({
        "services": { "type": "array", "items": beat },
        "breaker_changes": { "type": "array", "items": change },
        "is_rebuilding": { "type": "boolean" },
    });
    object(&members, &[])
}

fn services() -> Value {
    words(Service::ALL.iter().map(|service| service.word()))
}

fn whom() -> Value {
    json!({ "instance": { "type": ["string", "null"], "description": "One worker alone" } })
}

/// How workers misbehave on purpose.
fn fault() -> Value {
    let fault = json!({
        "type": "string",
        "pattern": "^(none|slow:([1-9][0-9]{0,3}|[1-5][0-9]{4}|60000)|lost-replies:([1-9][0-9]?|100)|silent|stopped)$",
    });
    let mut members = whom();
    members["fault"] = fault;
    members["for_ms"] = or_null(&json!({ "type": "integer", "minimum": 1, "maximum": 3_600_000 }));
    let mut fault = object(&members, &["for_ms", "instance"]);
    fault["example"] = json!({ "fault": "slow:400", "for_ms": 60_000 });
    fault
}

fn force() -> Value {
    let mut members = whom();
    members["mode"] = words(BreakerMode::ALL.iter().map(|mode| mode.word()));
    object(&members, &["instance"])
}

fn faults() -> Value {
    let one = json!({
        "service": services(),
        "instance": { "type": "string" },
        "fault": { "type": "string" },
        "left_ms": or_null(&whole()),
    });
    object(&json!({ "faults": { "type": "array", "items": object(&one, &[]) } }), &[])
}

/// What was passed on to workers.
fn passed() -> Value {
    let text = json!({ "type": "string" });
    let members = json!({ "service": services(), "fault": text, "for_ms": whole(), "mode": text });
    object(&members, &["fault", "for_ms", "mode"])
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    let members = json!({
        "type": text, "title": text, "status": { "type": "integer" }, "code": text, "detail": text, "order": of("Order"),
    });
    object(&members, &["order"])
}
