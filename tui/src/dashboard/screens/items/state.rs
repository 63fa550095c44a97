//! By what items are listed and sorted.

use std::cmp::Ordering;

use skstore_domain::ids::ItemId;
use skstore_domain::objects::Item;

use crate::dashboard::table::listing::Named;
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
