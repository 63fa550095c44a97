//! Whether an order is what a filter asks for, so that every adapter finds the same.

use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::{OrderReason, OrderStatus};

use super::OrderFilter;

/// A filter made ready to be checked many times.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a OrderFilter,
    /// The id's beginning; empty for any.
    pub(super) prefix: &'a str,
    text: Option<String>,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// May be empty where [`Wanted::reads_id`] says so.
    pub(super) id: &'a str,
    pub(super) status: OrderStatus,
    pub(super) customer: &'a Customer,
    pub(super) item_id: &'a ItemId,
    pub(super) item_name: &'a str,
    pub(super) reason: Option<OrderReason>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(filter: &'a OrderFilter) -> Self {
        let text = filter.text.as_deref().filter(|text| !text.is_empty()).map(|text| lower(text).collect());
        Self { filter, prefix: filter.id_prefix.as_deref().unwrap_or_default(), text }
    }

    /// Whether it takes the id to answer.
    pub(super) const fn reads_id(&self) -> bool {
        !self.prefix.is_empty() || self.text.is_some()
    }

    pub(super) fn matches(&self, order: Candidate<'_>) -> bool {
        self.filter.status.is_none_or(|status| status == order.status)
            && self.filter.customer.as_ref().is_none_or(|customer| customer == order.customer)
            && self.filter.item_id.as_ref().is_none_or(|item_id| item_id == order.item_id)
            && order.id.starts_with(self.prefix)
            && self.text.as_ref().is_none_or(|text| {
                contains(order.id, text)
                    || contains(order.customer.as_str(), text)
                    || contains(order.item_id.as_str(), text)
                    || contains(order.item_name, text)
                    || order.reason.is_some_and(|reason| contains(reason.word(), text))
                    || self.filter.text_means.contains(order.item_id)
            })
    }
}

impl<'a> From<&'a OrderRow> for Candidate<'a> {
    fn from(OrderRow { order, .. }: &'a OrderRow) -> Self {
        Self {
            id: order.order_id.as_str(),
            status: order.status,
            customer: &order.customer,
            item_id: &order.item_id,
            item_name: &order.item_name,
            reason: order.reason,
        }
    }
}

/// Lower case letter by letter, so that a letter does not depend on its neighbours.
fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether `text` contains `part`, which is in lower case and not empty, in any case.
fn contains(text: &str, part: &str) -> bool {
    if !text.is_ascii() {
        return lower(text).collect::<String>().contains(part);
    }
    text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_any_case_and_script() {
        let table = [
            ("Kim Lee", "KIM", true),
            ("Kim Lee", "m l", true),
            ("Kim", "kims", false),
            ("빨간 사과", "사과", true),
            ("사과 Red", "rED", true),
            ("apple", "사과", false),
            ("ΟΔΟΣ", "σ", true),
            ("", "a", false),
        ];
        for (text, part, expected) in table {
            let part: String = lower(part).collect();
            assert_eq!(contains(text, &part), expected, "{part:?} in {text:?}");
        }
    }
}
