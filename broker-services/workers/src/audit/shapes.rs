//! What the audit reads in JSON: only the parts that it judges by, in shapes of its own.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An event's envelope. `data` holds the objects as they were written.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) data: Data<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow, default)]
    pub(super) order: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) payment: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) account: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) item: Option<&'a RawValue>,
}

/// What Order stores under an order's id.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrderRecord<'a> {
    #[serde(borrow)]
    Order(&'a RawValue),
    #[serde(borrow)]
    Tombstone(&'a RawValue),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Tombstone {
    pub(super) revision: i64,
    /// What others held for it, if they were told to let go.
    #[serde(default)]
    pub(super) disowned: Option<serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) customer: String,
    pub(super) item_id: String,
    pub(super) qty: i64,
    pub(super) unit_price: i64,
    pub(super) amount: i64,
    pub(super) status: String,
    pub(super) payment: String,
    pub(super) delivery: String,
    pub(super) updated_at: String,
    pub(super) revision: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Payment {
    pub(super) order_id: String,
    pub(super) customer: String,
    pub(super) amount: i64,
    pub(super) status: String,
    pub(super) revision: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Delivery {
    pub(super) order_id: String,
    pub(super) item_id: String,
    pub(super) qty: i64,
    pub(super) status: String,
    pub(super) revision: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    pub(super) customer: String,
    pub(super) balance: i64,
    pub(super) revision: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Item {
    pub(super) item_id: String,
    pub(super) stock: i64,
    pub(super) revision: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct TopUp {
    pub(super) customer: String,
    pub(super) amount: i64,
    pub(super) account: Account,
}

#[derive(Debug, Deserialize)]
pub(super) struct Restock {
    pub(super) qty: i64,
    pub(super) item: Item,
}

/// Reads `text` as a `T`; the sentence says why not.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("it cannot be read: {error}"))
}

/// Whether two JSON texts say the same, whatever the order of their fields.
pub(super) fn say_the_same(one: &str, other: &str) -> bool {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || matches!((value(one), value(other)), (Some(one), Some(other)) if one == other)
}

/// At most this much of a text in a sentence, in characters.
const QUOTED_CHARS: usize = 200;

/// A text as a sentence quotes it.
pub(super) fn quote(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED_CHARS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}
