//! The items, and what was ordered of the selected one.

use skstore_domain::ids::ItemId;
use skstore_domain::objects::Item;
use skstore_workers::view::OrderPage;

use super::listing::{Listing, Named};
use crate::dashboard::message::{ItemsFound, ItemsQuery};

impl Named for Item {
    type Name = ItemId;

    fn name(&self) -> &ItemId {
        &self.item_id
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
    pub fn read(&mut self, of: Option<ItemId>, found: ItemsFound, shown: usize) {
        self.listing.read(found.items, found.has_more, shown);
        self.orders = of.map(|item| (item, found.orders));
    }

    /// The newest orders of the selected item, once they were read.
    #[must_use]
    pub fn orders_of_selected(&self) -> Option<&OrderPage> {
        let selected = &self.listing.selected_row()?.item_id;
        self.orders.as_ref().filter(|(item, _)| item == selected).map(|(_, page)| page)
    }
}
