//! What the table of items has of its own.

use skstore_domain::objects::Item;
use skstore_workers::desk::view::OrderFilter;

use super::draw;
use crate::dashboard::message::{Found, Query};
use crate::dashboard::screens::by_name::ByName;
use crate::text::Text;

/// The screen of items.
pub(crate) static SCREEN: ByName<Item> = ByName {
    listing: |state| &state.items,
    listing_mut: |state| &mut state.items,
    query: |state| Query::Items(state.items.query()),
    answer: |query, found| match (query, found) {
        (Query::Items(query), Found::Items(found)) => Some((query.orders_of, found)),
        _ => None,
    },
    orders_of: |item| {
        let filter = OrderFilter { item_id: Some(item.item_id.clone()), ..OrderFilter::default() };
        (filter, Text::FieldItem, item.item_id.to_string())
    },
    // Items are few enough to be looked through.
    typed: |_| "",
    begin_with: |_, _| {},
    draw: draw::table,
    beside: draw::deliveries,
};
