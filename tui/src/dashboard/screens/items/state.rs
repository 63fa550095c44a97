//! The items, and what was ordered of the selected one.

use std::cmp::Ordering;

use skstore_domain::ids::ItemId;
use skstore_domain::objects::Item;
use skstore_workers::desk::view::OrderPage;

use crate::dashboard::message::{ItemsFound, ItemsQuery};
use crate::dashboard::table::listing::{Listing, Named};
use crate::dashboard::table::sort::{Column, Sort};
use crate::text::Language;
use crate::text::names::name_of;

/// A column of the table of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemColumn {
    /// Its id.
    Id,
    /// What it is called.
    Name,
    /// What a unit costs.
    Price,
    /// How many there are.
    Stock,
}

impl Column for ItemColumn {
    const ALL: &'static [Self] = &[Self::Id, Self::Name, Self::Price, Self::Stock];
    const BY_ITSELF: Sort<Self> = Sort { column: Self::Id, descending: false };
}

impl Named for Item {
    type Name = ItemId;
    type Column = ItemColumn;

    fn name(&self) -> &ItemId {
        &self.item_id
    }

    fn compare(column: ItemColumn, one: &Self, other: &Self, language: Language) -> Ordering {
        match column {
            ItemColumn::Id => one.item_id.cmp(&other.item_id),
            ItemColumn::Name => name_of(one, language).cmp(name_of(other, language)),
            ItemColumn::Price => one.unit_price.cmp(&other.unit_price),
            ItemColumn::Stock => one.stock.cmp(&other.stock),
        }
    }
}

/// A window over the items, and the newest orders of the selected one with their deliveries.
#[derive(Debug, Clone, Default)]
pub struct Items {
    /// The items.
    pub listing: Listing<Item>,
    /// Of what orders were read, and the newest of them.
    pub orders: Option<(ItemId, OrderPage)>,
}

impl Items {
    /// What is needed of the view.
    #[must_use]
    pub fn query(&self) -> ItemsQuery {
        ItemsQuery {
            after: self.listing.after.clone(),
            orders_of: self.listing.selected_row().map(|item| item.item_id.clone()),
        }
    }

    /// Takes what the view says, of which `shown` rows fit on the screen.
    pub fn read(&mut self, of: Option<ItemId>, found: ItemsFound, language: Language, shown: usize) {
        self.listing.read(found.items, found.has_more, language, shown);
        self.orders = of.map(|item| (item, found.orders));
    }

    /// The newest orders of the selected item, once they were read.
    #[must_use]
    pub fn orders_of_selected(&self) -> Option<&OrderPage> {
        let selected = &self.listing.selected_row()?.item_id;
        self.orders.as_ref().filter(|(item, _)| item == selected).map(|(_, page)| page)
    }
}
