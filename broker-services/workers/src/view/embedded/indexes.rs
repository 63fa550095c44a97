//! The ways in to the orders: all, by status, by customer, by item; each sorted by time.

use std::collections::BTreeMap;

use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::objects::OrderStatus;

use super::compact::{CompactId, Place};
use super::record::StoredOrder;
use super::slab::Slot;

/// Orders by (`placed_at`, id), oldest first.
pub(super) type Index = BTreeMap<Place, Slot>;

/// Every order stands in `all` and in one index of each other kind.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    pub(super) all: Index,
    by_status: [Index; OrderStatus::ALL.len()],
    by_customer: BTreeMap<Customer, Index>,
    by_item: BTreeMap<ItemId, Index>,
}

impl Indexes {
    pub(super) const fn status(&self, status: OrderStatus) -> &Index {
        &self.by_status[status as usize]
    }

    pub(super) fn customer(&self, customer: &Customer) -> Option<&Index> {
        self.by_customer.get(customer)
    }

    pub(super) fn item(&self, item_id: &ItemId) -> Option<&Index> {
        self.by_item.get(item_id)
    }

    /// `customer`, in the memory that its other orders already use.
    pub(super) fn share_customer(&self, customer: &Customer) -> Customer {
        self.by_customer.get_key_value(customer).map_or(customer, |(shared, _)| shared).clone()
    }

    /// `item_id`, likewise.
    pub(super) fn share_item(&self, item_id: &ItemId) -> ItemId {
        self.by_item.get_key_value(item_id).map_or(item_id, |(shared, _)| shared).clone()
    }

    /// Enters an order that is nowhere yet.
    pub(super) fn add(&mut self, id: &CompactId, order: &StoredOrder, slot: Slot) {
        let place = Place { placed_at: order.placed_at, id: id.clone() };
        self.by_customer.entry(order.customer.clone()).or_default().insert(place.clone(), slot);
        self.by_item.entry(order.item_id.clone()).or_default().insert(place.clone(), slot);
        self.by_status[order.status as usize].insert(place.clone(), slot);
        self.all.insert(place, slot);
    }

    /// Removes an order from everywhere.
    pub(super) fn remove(&mut self, id: &CompactId, order: &StoredOrder) {
        let place = Place { placed_at: order.placed_at, id: id.clone() };
        self.all.remove(&place);
        self.by_status[order.status as usize].remove(&place);
        remove_from(&mut self.by_customer, &order.customer, &place);
        remove_from(&mut self.by_item, &order.item_id, &place);
    }

    /// Moves an order from where `old` stands to where `new` does. Only the status changes in practice; the
    /// rest is moved too, should a sender ever change it.
    pub(super) fn change(&mut self, id: &CompactId, old: &StoredOrder, new: &StoredOrder, slot: Slot) {
        let same_place =
            old.placed_at == new.placed_at && old.customer == new.customer && old.item_id == new.item_id;
        if !same_place {
            self.remove(id, old);
            self.add(id, new, slot);
        } else if old.status != new.status {
            let place = Place { placed_at: old.placed_at, id: id.clone() };
            self.by_status[old.status as usize].remove(&place);
            self.by_status[new.status as usize].insert(place, slot);
        }
    }

    /// The order that ended, and of those the one that was placed first.
    pub(super) fn oldest_ended(&self) -> Option<Slot> {
        let ended = OrderStatus::ALL.iter().filter(|status| status.is_ended());
        let firsts = ended.filter_map(|status| self.status(*status).first_key_value());
        firsts.min_by_key(|(place, _)| *place).map(|(_, slot)| *slot)
    }
}

fn remove_from<K: Ord>(indexes: &mut BTreeMap<K, Index>, key: &K, place: &Place) {
    if let Some(index) = indexes.get_mut(key) {
        index.remove(place);
        if index.is_empty() {
            indexes.remove(key);
        }
    }
}
