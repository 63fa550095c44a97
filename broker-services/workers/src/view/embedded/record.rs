//! What is known of one order, in the few bytes that let a million of them be kept.

use std::borrow::Cow;
use std::sync::Arc;

use skstore_domain::events::EventKind;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{OrderRow, Step};
use skstore_domain::objects::{
    DeliveryStatus, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::time::Timestamp;

use super::compact::CompactId;
use super::epoch::{Epoch, Removed};
use crate::view::Cursor;
use crate::view::bounds::STEPS_PER_ORDER;
use crate::view::steps::{self, StepKey};

/// Everything about one order id. Payment and steps may be there before the order is.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: CompactId,
    pub(super) order: Option<StoredOrder>,
    pub(super) payment: Option<StoredPayment>,
    steps: Vec<StoredStep>,
    /// While there is no order: when the record came, counted in such records.
    pub(super) arrival: u64,
}

/// An order without its id, which the record has. Customer, item and name are shared with other orders.
#[derive(Debug)]
pub(super) struct StoredOrder {
    pub(super) customer: Customer,
    pub(super) item_id: ItemId,
    pub(super) item_name: Arc<str>,
    pub(super) placed_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) unit_price: Won,
    pub(super) amount: Won,
    pub(super) revision: u64,
    pub(super) qty: u32,
    pub(super) named: Epoch,
    pub(super) status: OrderStatus,
    pub(super) reason: Option<OrderReason>,
    pub(super) cancel_requested: bool,
    pub(super) payment: PaymentStatus,
    pub(super) delivery: DeliveryStatus,
}

/// A payment without its order's id.
#[derive(Debug)]
pub(super) struct StoredPayment {
    pub(super) customer: Customer,
    pub(super) amount: Won,
    pub(super) updated_at: Timestamp,
    pub(super) revision: u64,
    pub(super) named: Epoch,
    pub(super) status: PaymentStatus,
    pub(super) reason: Option<PaymentReason>,
}

/// A step whose reason costs nothing where it is one of the objects' words, and whose source is its kind's.
#[derive(Debug)]
struct StoredStep {
    at: Timestamp,
    revision: u64,
    reason: Option<Cow<'static, str>>,
    named: Epoch,
    kind: EventKind,
    /// In the room that is left beside the others; an order that waits for two weeks is counted no further.
    told_again: u16,
}

impl Record {
    pub(super) const fn new(id: CompactId, arrival: u64) -> Self {
        Self { id, order: None, payment: None, steps: Vec::new(), arrival }
    }

    /// The order's place among all orders, once it is there.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        let placed_at = self.order.as_ref()?.placed_at;
        Some(Cursor { placed_at, order_id: self.id.restore().ok()? })
    }

    /// The order as it is shown, once it is there.
    pub(super) fn row(&self) -> Option<OrderRow> {
        let id = self.id.restore().ok()?;
        let payment = self.payment.as_ref().map(|payment| payment.restore(&id));
        Some(OrderRow { order: self.order.as_ref()?.restore(id), payment })
    }

    /// Every step, by time.
    pub(super) fn timeline(&self) -> Vec<Step> {
        self.steps.iter().map(StoredStep::restore).collect()
    }

    /// Keeps the step unless it is there; `instead` of the one that is there. Whether it was taken, or was told again more
    /// often than the one that is there.
    pub(super) fn add_step(&mut self, step: &Step, epoch: Epoch, instead: bool) -> bool {
        let known = |kept: &StoredStep| (kept.kind.source(), kept.revision) == (step.source, step.revision);
        let mut step = StoredStep::store(step, epoch);
        if let Some(at) = self.steps.iter().position(known) {
            let kept = &mut self.steps[at];
            if !instead {
                kept.named = epoch;
                let more_often = step.told_again > kept.told_again;
                kept.told_again = kept.told_again.max(step.told_again);
                return more_often;
            }
            if kept.named == epoch {
                step.told_again = step.told_again.max(kept.told_again);
            }
            self.steps.remove(at);
        }
        let at = self.steps.partition_point(|kept| kept.key() < step.key());
        if self.steps.len() >= STEPS_PER_ORDER {
            if at == 0 {
                return false;
            }
            self.steps.insert(at, step);
            self.steps.remove(0);
            return true;
        }
        // One at a time: doubling would waste more than all the steps of most orders take.
        self.steps.reserve_exact(1);
        self.steps.insert(at, step);
        true
    }

    /// Drops the payment and the steps that were not told in `epoch`.
    pub(super) fn drop_untold_parts(&mut self, epoch: Epoch, removed: &mut Removed) {
        let before = self.steps.len();
        self.steps.retain(|step| step.named == epoch);
        removed.any |= self.steps.len() < before;
        if let Some(payment) = self.payment.take_if(|payment| payment.named != epoch) {
            removed.add(payment.named, epoch);
        }
    }

    /// Whether nothing is known of this order id any more.
    pub(super) const fn is_blank(&self) -> bool {
        self.order.is_none() && self.payment.is_none() && self.steps.is_empty()
    }
}

impl StoredOrder {
    /// `customer`, `item_id` and `item_name` are the order's own, shared where others have the same.
    pub(super) fn store(
        order: &Order,
        customer: Customer,
        item_id: ItemId,
        item_name: Arc<str>,
        named: Epoch,
    ) -> Self {
        Self {
            customer,
            item_id,
            item_name,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            unit_price: order.unit_price,
            amount: order.amount,
            revision: order.revision,
            qty: order.qty,
            named,
            status: order.status,
            reason: order.reason,
            cancel_requested: order.cancel_requested,
            payment: order.payment,
            delivery: order.delivery,
        }
    }

    fn restore(&self, order_id: OrderId) -> Order {
        Order {
            order_id,
            customer: self.customer.clone(),
            item_id: self.item_id.clone(),
            item_name: self.item_name.as_ref().to_owned(),
            qty: self.qty,
            unit_price: self.unit_price,
            amount: self.amount,
            status: self.status,
            reason: self.reason,
            cancel_requested: self.cancel_requested,
            payment: self.payment,
            delivery: self.delivery,
            placed_at: self.placed_at,
            updated_at: self.updated_at,
            revision: self.revision,
        }
    }
}

impl StoredPayment {
    pub(super) fn store(payment: &Payment, customer: Customer, named: Epoch) -> Self {
        Self {
            customer,
            amount: payment.amount,
            updated_at: payment.updated_at,
            revision: payment.revision,
            named,
            status: payment.status,
            reason: payment.reason,
        }
    }

    fn restore(&self, id: &OrderId) -> Payment {
        Payment {
            order_id: id.clone(),
            customer: self.customer.clone(),
            amount: self.amount,
            status: self.status,
            reason: self.reason,
            updated_at: self.updated_at,
            revision: self.revision,
        }
    }
}

impl StoredStep {
    fn store(step: &Step, named: Epoch) -> Self {
        let reason = step.reason.as_deref().map(|word| {
            let order = OrderReason::from_word(word).map(OrderReason::word);
            let known = order.or_else(|| PaymentReason::from_word(word).map(PaymentReason::word));
            known.map_or_else(|| Cow::Owned(word.to_owned()), Cow::Borrowed)
        });
        let told_again = u16::try_from(step.told_again).unwrap_or(u16::MAX);
        Self { at: step.at, revision: step.revision, reason, named, kind: step.kind, told_again }
    }

    fn restore(&self) -> Step {
        Step {
            source: self.kind.source(),
            revision: self.revision,
            kind: self.kind,
            at: self.at,
            reason: self.reason.as_deref().map(str::to_owned),
            told_again: u32::from(self.told_again),
        }
    }

    fn key(&self) -> StepKey {
        steps::place(self.at, self.kind, self.revision, self.kind.source())
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::events::{OrderKind, Source};

    use super::*;

    fn step(revision: u64, at: i64) -> Step {
        let kind = EventKind::Order(OrderKind::Noted);
        Step { source: Source::Order, revision, kind, at: Timestamp(at), reason: None, told_again: 0 }
    }

    #[test]
    fn a_broken_sender_cannot_fill_the_memory_with_steps_of_one_order() {
        let total = 3 * STEPS_PER_ORDER as u64;
        let mut record = Record::new(CompactId::new(&OrderId::new("a").unwrap()), 0);
        let mut reversed = Record::new(CompactId::new(&OrderId::new("a").unwrap()), 0);
        for revision in 1..=total {
            record.add_step(&step(revision, 5), 1, false);
            reversed.add_step(&step(total + 1 - revision, 5), 1, false);
        }
        let kept: Vec<u64> = record.timeline().iter().map(|step| step.revision).collect();
        let latest: Vec<u64> = (total - STEPS_PER_ORDER as u64 + 1..=total).collect();
        assert_eq!(kept, latest, "the latest steps are kept");
        assert_eq!(reversed.timeline(), record.timeline(), "whatever order they came in");
    }

    #[test]
    fn that_a_step_was_told_again_takes_no_room_of_its_own() {
        assert_eq!(size_of::<StoredStep>(), 48);
    }

    #[test]
    fn a_reason_is_kept_whether_or_not_it_is_a_known_word() {
        for word in ["sold_out", "insufficient_balance", "something else"] {
            let told = Step { reason: Some(word.to_owned()), ..step(1, 1) };
            assert_eq!(StoredStep::store(&told, 1).restore(), told);
        }
    }
}
