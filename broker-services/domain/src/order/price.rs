//! What Order knows of prices: it takes orders while Item is down.

use serde::{Deserialize, Serialize};

use crate::ids::ItemId;
use crate::money::Won;
use crate::objects::Item;

/// An item's name and price, as Order last heard of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The item.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// Price of a unit.
    pub unit_price: Won,
    /// The item's revision that said so.
    pub revision: u64,
}

/// What Order knows of the item's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote<'a> {
    /// Its name and price.
    Listed(&'a Price),
    /// Other items are listed, this one is not.
    Unknown,
    /// Order has not heard of any item yet.
    NoCatalogue,
}

/// What `listed` makes of the price that Order knows: a newer one, or nothing new.
#[must_use]
pub fn hear_price(known: Option<&Price>, listed: &Item) -> Option<Price> {
    if known.is_some_and(|price| price.revision >= listed.revision) {
        return None;
    }
    Some(Price {
        item_id: listed.item_id.clone(),
        name: listed.name.clone(),
        unit_price: listed.unit_price,
        revision: listed.revision,
    })
}
