//! The public objects, as JSON Schema.

use serde_json::{Map, Value, json};
use skstore_domain::objects::{
    DeliveryStatus, MAX_QTY, OrderReason, OrderStatus, PaymentReason, PaymentStatus,
};

/// All of them, by their names.
pub(super) fn all() -> [(String, Value); 9] {
    let row = json!({ "order": of("Order"), "payment": or_null(&of("Payment")) });
    let detail = json!({
        "order": of("Order"), "payment": or_null(&of("Payment")), "timeline": { "type": "array", "items": of("Step") },
    });
    [
        ("Order", order()),
        ("Payment", object(&payment(), &[])),
        ("PaymentAnswer", json!({ "anyOf": [of("Payment"), object(&no_payment(), &[])] })),
        ("Account", object(&account(), &[])),
        ("Product", object(&product(), &["name_en"])),
        ("OrderRow", object(&row, &[])),
        ("OrderDetail", object(&detail, &[])),
        ("OrderAnswer", json!({ "anyOf": [of("OrderDetail"), of("Order")] })),
        ("Step", object(&step(), &["told_again"])),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
}

/// Where something of the document stands.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// An object of these members and no others, all of which are there but the `optional` ones.
pub(super) fn object(members: &Value, optional: &[&str]) -> Value {
    let names = members.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<&String> = names.filter(|name| !optional.contains(&name.as_str())).collect();
    json!({ "type": "object", "required": required, "properties": members, "additionalProperties": false })
}

pub(super) fn of(schema: &str) -> Value {
    reference("schemas", schema)
}

pub(super) fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

pub(super) fn words<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": words.collect::<Vec<_>>() })
}

pub(super) fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Whole won.
pub(super) fn won() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn order() -> Value {
    let reason = words(OrderReason::ALL.iter().map(|reason| reason.word()));
    let members = json!({
        "order_id": of("Id"),
        "customer": of("Name"),
        "item_id": of("Name"),
        "item_name": { "type": "string" },
        "qty": { "type": "integer", "minimum": 1, "maximum": MAX_QTY },
        "unit_price": won(),
        "amount": won(),
        "status": words(OrderStatus::ALL.iter().map(|status| status.word())),
        "reason": or_null(&reason),
        "cancel_requested": { "type": "boolean" },
        "payment": words(PaymentStatus::ALL.iter().map(|status| status.word())),
        "delivery": words(DeliveryStatus::ALL.iter().map(|status| status.word())),
        "placed_at": time(),
        "updated_at": time(),
        "revision": whole(),
    });
    object(&members, &[])
}

fn payment() -> Value {
    let reason = words(PaymentReason::ALL.iter().map(|reason| reason.word()));
    json!({
        "order_id": of("Id"),
        "customer": of("Name"),
        "amount": won(),
        "status": words(PaymentStatus::ALL.iter().map(|status| status.word())),
        "reason": or_null(&reason),
        "updated_at": time(),
        "revision": whole(),
    })
}

/// Of an order of which Deposit has never heard.
fn no_payment() -> Value {
    json!({ "order_id": of("Id"), "status": { "const": PaymentStatus::None.word() } })
}

fn account() -> Value {
    json!({ "customer": of("Name"), "balance": won(), "revision": whole() })
}

fn product() -> Value {
    json!({
        "item_id": of("Name"),
        "name": { "type": "string" },
        "name_en": { "type": "string" },
        "unit_price": won(),
        "stock": whole(),
        "revision": whole(),
    })
}

fn step() -> Value {
    json!({
        "source": { "enum": ["order", "deposit", "item"] },
        "revision": whole(),
        "kind": { "type": "string" },
        "at": time(),
        "reason": { "type": ["string", "null"] },
        "told_again": whole(),
    })
}
