//! All orders with their payments and steps: guarded by revision, indexed, and bounded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use skstore_domain::ids::{Customer, OrderId};
use skstore_domain::myinfo::Step;
use skstore_domain::objects::{Order, Payment};

use super::compact::CompactId;
use super::epoch::{Epoch, Removed, dispute};
use super::indexes::Indexes;
use super::newest::supersedes;
use super::record::{Record, StoredOrder, StoredPayment};
use super::slab::{Slab, Slot};
use crate::view::OrderDetail;
use crate::view::bounds::{FORGOTTEN_IDS, WAITING_ORDERS};
use crate::view::steps;

/// Orders, and what is known of orders that have not come yet.
#[derive(Debug)]
pub(super) struct Orders {
    pub(super) records: Slab<Record>,
    pub(super) by_id: BTreeMap<CompactId, Slot>,
    pub(super) indexes: Indexes,
    /// Records without an order, in the order in which they came.
    waiting: BTreeMap<u64, Slot>,
    arrivals: u64,
    forgotten: Forgotten,
    /// The order that was written last: an event's writes are to one order.
    last: Option<(CompactId, Slot)>,
    keep: usize,
    /// Always, but for a simulation that must notice what happens without.
    pub(super) is_guarded: bool,
}

impl Orders {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            records: Slab::new(),
            by_id: BTreeMap::new(),
            indexes: Indexes::default(),
            waiting: BTreeMap::new(),
            arrivals: 0,
            forgotten: Forgotten::default(),
            last: None,
            keep,
            is_guarded: true,
        }
    }

    pub(super) fn detail(&self, id: &OrderId) -> Option<OrderDetail> {
        let record = self.records.get(*self.by_id.get(&CompactId::new(id))?)?;
        Some(OrderDetail { row: record.row()?, timeline: steps::in_order(record.timeline()) })
    }

    /// Takes an order if it is newer than the one that is there; while a rebuild runs, also if it is as new. Whether it was
    /// taken.
    pub(super) fn put_order(&mut self, order: &Order, epoch: Epoch, rebuilding: bool) -> bool {
        let Some(slot) = self.slot_for(&order.order_id, rebuilding) else { return false };
        if let Some(old) = self.records.get_mut(slot).and_then(|record| record.order.as_mut())
            && !supersedes(order.revision, old.revision, rebuilding)
            && self.is_guarded
        {
            dispute(&mut old.named, epoch, rebuilding);
            return false;
        }
        let stored = self.store(order, slot, epoch);
        let Some(record) = self.records.get_mut(slot) else { return false };
        match &record.order {
            Some(old) => self.indexes.change(&record.id, old, &stored, slot),
            None => {
                self.waiting.remove(&record.arrival);
                self.indexes.add(&record.id, &stored, slot);
            }
        }
        record.order = Some(stored);
        self.forget_ended();
        true
    }

    /// Takes a payment likewise.
    pub(super) fn put_payment(&mut self, payment: &Payment, epoch: Epoch, rebuilding: bool) -> bool {
        let Some(slot) = self.slot_for(&payment.order_id, rebuilding) else { return false };
        let Some(record) = self.records.get_mut(slot) else { return false };
        if let Some(old) = &mut record.payment
            && !supersedes(payment.revision, old.revision, rebuilding)
        {
            dispute(&mut old.named, epoch, rebuilding);
            return false;
        }
        let customer =
            shared_with(record, payment).unwrap_or_else(|| self.indexes.share_customer(&payment.customer));
        record.payment = Some(StoredPayment::store(payment, customer, epoch));
        self.forget_waiting(rebuilding);
        true
    }

    /// Takes a step unless it is there; while a rebuild runs, instead of the one that is there. Whether it was taken.
    pub(super) fn put_step(&mut self, id: &OrderId, step: &Step, epoch: Epoch, rebuilding: bool) -> bool {
        let Some(slot) = self.slot_for(id, rebuilding) else { return false };
        let added = self.records.get_mut(slot).is_some_and(|record| record.add_step(step, epoch, rebuilding));
        self.forget_waiting(rebuilding);
        added
    }

    /// A rebuild tells everything again, also what was forgotten.
    pub(super) fn begin_rebuild(&mut self) {
        self.forgotten = Forgotten::default();
    }

    /// Removes what was not told in `epoch` from the `max` places from `from` on. What that was, and where to go on.
    pub(super) fn sweep(&mut self, from: usize, max: usize, epoch: Epoch) -> (Removed, Option<usize>) {
        let end = self.records.end().min(from.saturating_add(max));
        let mut removed = Removed::default();
        for slot in (from..end).filter_map(|slot| Slot::try_from(slot).ok()) {
            self.sweep_slot(slot, epoch, &mut removed);
        }
        (removed, (end < self.records.end()).then_some(end))
    }

    fn sweep_slot(&mut self, slot: Slot, epoch: Epoch, removed: &mut Removed) {
        let Some(record) = self.records.get_mut(slot) else { return };
        record.drop_untold_parts(epoch, removed);
        let had_order = record.order.is_some();
        if let Some(untold) = record.order.take_if(|order| order.named != epoch) {
            self.indexes.remove(&record.id, &untold);
            removed.add(untold.named, epoch);
        }
        if record.is_blank() {
            self.remove(slot);
        } else if had_order && record.order.is_none() {
            self.arrivals += 1;
            record.arrival = self.arrivals;
            self.waiting.insert(record.arrival, slot);
        }
    }

    /// Forgets at most `max` of the records without an order that are too many once a rebuild is over.
    /// Whether that was all.
    pub(super) fn trim_waiting(&mut self, max: usize) -> bool {
        for _ in 0..max {
            if self.waiting.len() <= WAITING_ORDERS {
                break;
            }
            self.forget_first_waiting();
        }
        self.waiting.len() <= WAITING_ORDERS
    }

    /// The place of an order id, made if there is none. None for an order that was forgotten. While a rebuild
    /// runs, logs tell again what a full view has just forgotten, so nothing is ignored then.
    fn slot_for(&mut self, id: &OrderId, rebuilding: bool) -> Option<Slot> {
        let id = CompactId::new(id);
        if let Some((last, slot)) = &self.last
            && *last == id
        {
            return Some(*slot);
        }
        if let Some(slot) = self.by_id.get(&id) {
            self.last = Some((id, *slot));
            return Some(*slot);
        }
        if !rebuilding && self.forgotten.contains(&id) {
            return None;
        }
        self.arrivals += 1;
        let slot = self.records.insert(Record::new(id.clone(), self.arrivals));
        self.by_id.insert(id.clone(), slot);
        self.last = Some((id, slot));
        self.waiting.insert(self.arrivals, slot);
        Some(slot)
    }

    /// The order as it is kept in `slot`, in memory shared with its older revision or with other orders.
    fn store(&self, order: &Order, slot: Slot, epoch: Epoch) -> StoredOrder {
        if let Some(old) = self.records.get(slot).and_then(|record| record.order.as_ref())
            && (&old.customer, &old.item_id, &*old.item_name)
                == (&order.customer, &order.item_id, order.item_name.as_str())
        {
            let (customer, item_id) = (old.customer.clone(), old.item_id.clone());
            return StoredOrder::store(order, customer, item_id, Arc::clone(&old.item_name), epoch);
        }
        let newest_of_item = self.indexes.item(&order.item_id).and_then(|index| index.last_key_value());
        let sibling = newest_of_item.and_then(|(_, slot)| self.records.get(*slot)?.order.as_ref());
        let item_name = sibling
            .filter(|sibling| *sibling.item_name == *order.item_name)
            .map_or_else(|| Arc::from(order.item_name.as_str()), |sibling| Arc::clone(&sibling.item_name));
        let customer = self.indexes.share_customer(&order.customer);
        StoredOrder::store(order, customer, self.indexes.share_item(&order.item_id), item_name, epoch)
    }

    /// Forgets ended orders, oldest first, while there are too many orders. Others are never forgotten.
    fn forget_ended(&mut self) {
        while self.indexes.all.len() > self.keep
            && let Some(slot) = self.indexes.oldest_ended()
        {
            let Some(record) = self.remove(slot) else { break };
            self.forgotten.remember(record.id);
        }
    }

    /// Forgets the longest waiting records without an order while there are too many. A rebuild may tell all
    /// payments before the first order, so that as many may wait then as there may be orders.
    fn forget_waiting(&mut self, rebuilding: bool) {
        let max = if rebuilding { WAITING_ORDERS.max(self.keep) } else { WAITING_ORDERS };
        while self.waiting.len() > max {
            self.forget_first_waiting();
        }
    }

    fn forget_first_waiting(&mut self) {
        if let Some((_, slot)) = self.waiting.pop_first() {
            self.remove(slot);
        }
    }

    fn remove(&mut self, slot: Slot) -> Option<Record> {
        let record = self.records.remove(slot)?;
        self.last.take_if(|(_, last)| *last == slot);
        self.by_id.remove(&record.id);
        match &record.order {
            Some(order) => self.indexes.remove(&record.id, order),
            None => {
                self.waiting.remove(&record.arrival);
            }
        }
        Some(record)
    }
}

/// The payment's customer in memory that the order or an earlier payment already uses.
fn shared_with(record: &Record, payment: &Payment) -> Option<Customer> {
    let of_order = record.order.as_ref().map(|order| &order.customer);
    let of_payment = record.payment.as_ref().map(|payment| &payment.customer);
    of_order.or(of_payment).filter(|customer| **customer == payment.customer).cloned()
}

/// The last ids that were forgotten.
#[derive(Debug, Default)]
struct Forgotten {
    ids: BTreeSet<CompactId>,
    by_age: VecDeque<CompactId>,
}

impl Forgotten {
    fn contains(&self, id: &CompactId) -> bool {
        self.ids.contains(id)
    }

    fn remember(&mut self, id: CompactId) {
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.by_age.push_back(id);
        if self.by_age.len() > FORGOTTEN_IDS
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::ids::ItemId;
    use skstore_domain::money::Won;
    use skstore_domain::objects::{DeliveryStatus, OrderStatus, PaymentStatus};
    use skstore_domain::time::Timestamp;

    use super::*;

    fn payment(n: usize) -> Payment {
        Payment {
            order_id: OrderId::new(&format!("o{n}")).unwrap(),
            customer: Customer::new("kim").unwrap(),
            amount: Won(1),
            status: PaymentStatus::Paid,
            reason: None,
            updated_at: Timestamp(1),
            revision: 1,
        }
    }

    fn has(orders: &Orders, n: usize) -> bool {
        orders.by_id.contains_key(&CompactId::new(&payment(n).order_id))
    }

    #[test]
    fn payments_whose_order_never_comes_do_not_fill_the_memory() {
        let mut orders = Orders::new(10);
        for n in 0..WAITING_ORDERS + 500 {
            orders.put_payment(&payment(n), 1, false);
        }
        assert_eq!((orders.by_id.len(), orders.waiting.len()), (WAITING_ORDERS, WAITING_ORDERS));
        assert_eq!(orders.records.end(), WAITING_ORDERS + 1, "places are used again");
        assert!(!has(&orders, 499) && has(&orders, 500), "the longest waiting are forgotten first");
    }

    #[test]
    fn an_order_that_has_come_waits_no_more() {
        let mut orders = Orders::new(10);
        let order = Order {
            order_id: payment(0).order_id,
            customer: payment(0).customer,
            item_id: ItemId::new("10").unwrap(),
            item_name: "apple".to_owned(),
            qty: 1,
            unit_price: Won(1),
            amount: Won(1),
            status: OrderStatus::Placed,
            reason: None,
            cancel_requested: false,
            payment: PaymentStatus::Paid,
            delivery: DeliveryStatus::None,
            placed_at: Timestamp(1),
            updated_at: Timestamp(1),
            revision: 1,
        };
        orders.put_payment(&payment(0), 1, false);
        orders.put_order(&order, 1, false);
        for n in 1..=WAITING_ORDERS + 1 {
            orders.put_payment(&payment(n), 1, false);
        }
        assert!(has(&orders, 0) && !has(&orders, 1), "it went in place of one that waits");
    }

    #[test]
    fn a_rebuild_may_tell_every_payment_before_the_first_order() {
        let keep = WAITING_ORDERS + 2000;
        let mut orders = Orders::new(keep);
        for n in 0..keep + 10 {
            orders.put_payment(&payment(n), 1, true);
        }
        assert_eq!(orders.waiting.len(), keep);
        assert!(!orders.trim_waiting(1500), "the rest is for the next time");
        assert!(orders.trim_waiting(1500));
        assert_eq!((orders.by_id.len(), orders.waiting.len()), (WAITING_ORDERS, WAITING_ORDERS));
    }

    #[test]
    fn forgotten_orders_are_remembered_for_a_while_only() {
        let mut forgotten = Forgotten::default();
        let ids: Vec<CompactId> =
            (0..FORGOTTEN_IDS + 5).map(|n| CompactId::new(&payment(n).order_id)).collect();
        for id in &ids {
            forgotten.remember(id.clone());
            forgotten.remember(id.clone());
        }
        assert_eq!((forgotten.ids.len(), forgotten.by_age.len()), (FORGOTTEN_IDS, FORGOTTEN_IDS));
        assert!(!forgotten.contains(&ids[4]) && forgotten.contains(&ids[5]));
    }
}
