//! What a desk can tell of messages: how many wait in which queue, and which orders parked ones are about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bus::QueueDepth;
use crate::desk::Desk;

/// Parked messages that are looked through for the orders that they are about.
const MAX_PARKED: usize = 10_000;

/// What is known of messages. It changes while the audit waits, so it is asked for at the end.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Messages that wait, by queue; `None` if nobody can tell.
    pub waiting: Option<BTreeMap<String, usize>>,
    /// Orders that parked messages are about. They need not end: an operator sees them.
    pub parked: BTreeSet<String>,
}

impl Traffic {
    /// What `desk` sees now. What it cannot reach is not known.
    pub async fn seen_from(desk: &Desk) -> Self {
        let count = |depth: &QueueDepth| depth.ready + depth.unacked.unwrap_or(0);
        let depths = desk.queues().await.ok();
        let waiting =
            depths.map(|depths| depths.iter().map(|depth| (depth.name.to_string(), count(depth))).collect());
        let mut parked = BTreeSet::new();
        if let Ok(page) = desk.dead_letters(MAX_PARKED).await {
            for letter in page.letters {
                parked.extend(letter.properties.message_id);
                if let Ok(body) = serde_json::from_slice(&letter.body) {
                    add_orders(&body, &mut parked);
                }
            }
        }
        Self { waiting, parked }
    }
}

/// Adds every order that is named anywhere in `value`. serde_json bounds how deep it goes.
fn add_orders(value: &Value, orders: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(id) if name == "order_id" || name == "correlationid" => {
                        orders.insert(id.clone());
                    }
                    _ => add_orders(value, orders),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| add_orders(value, orders)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_found_wherever_a_message_names_them() {
        let body = serde_json::json!(
            [{"data": {"order": {"order_id": "a"}}, "correlationid": "b"}, {"order_id": 5, "id": "c"}]
        );
        let mut orders = BTreeSet::new();
        add_orders(&body, &mut orders);
        assert_eq!(orders, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    }
}
