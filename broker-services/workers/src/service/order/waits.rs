//! Orders that wait for long: for what, for whom, since when, and how often that was told again. For people.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::ids::OrderId;
use skstore_domain::objects::Order;
use skstore_domain::order::{Awaited, Patience, awaited, times_told};
use skstore_domain::time::Timestamp;

/// What waits for so long is worth a person's attention: twice as long as what is told again for the first time.
const LONG: Duration = Duration::from_secs(10);

/// The orders that were found to wait at one look.
#[derive(Debug, Default)]
pub(super) struct Waits {
    since: BTreeMap<OrderId, (Awaited, Timestamp)>,
}

impl Waits {
    /// This one waits. To say so twice is to say it once.
    pub(super) fn note(&mut self, order: &Order) {
        if let Some(what) = awaited(order) {
            self.since.insert(order.order_id.clone(), (what, order.updated_at));
        }
    }

    /// A sentence about those that wait for long.
    pub(super) fn sentence(&self, now: Timestamp, patience: Patience) -> Option<String> {
        let mut long: BTreeMap<Awaited, (usize, Timestamp)> = BTreeMap::new();
        for (what, since) in self.since.values().filter(|(_, since)| now.since(*since) >= LONG) {
            let (count, oldest) = long.entry(*what).or_insert((0, *since));
            (*count, *oldest) = (*count + 1, (*oldest).min(*since));
        }
        let parts: Vec<String> = long
            .into_iter()
            .map(|(what, (count, oldest))| {
                let whom = match what {
                    Awaited::Payment => "their payment (deposit)",
                    Awaited::Delivery => "their delivery (item)",
                    Awaited::Release => "their refund (deposit), or their units to be taken back (item)",
                };
                let times = times_told(now.since(oldest), patience);
                format!(
                    "{count} orders wait for {whom}, one since {oldest}, which was told again {times} times"
                )
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::ids::{Customer, ItemId};
    use skstore_domain::money::Won;
    use skstore_domain::objects::{DeliveryStatus, OrderStatus, PaymentStatus};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const PATIENCE: Patience =
        Patience { abort_after: Duration::from_secs(10), tell_again_after: Duration::from_secs(5) };

    fn order(id: &str, status: OrderStatus, seconds_ago: u64) -> Order {
        let at = NOW.before(Duration::from_secs(seconds_ago));
        Order {
            order_id: OrderId::new(id).expect("an id"),
            customer: Customer::new("kim").expect("a name"),
            item_id: ItemId::new("10").expect("an id"),
            item_name: "a".to_owned(),
            qty: 1,
            unit_price: Won(1),
            amount: Won(1),
            status,
            reason: None,
            cancel_requested: false,
            payment: PaymentStatus::Paid,
            delivery: DeliveryStatus::None,
            placed_at: at,
            updated_at: at,
            revision: 2,
        }
    }

    #[test]
    fn what_waits_for_long_is_told_by_whom_it_waits_for() {
        let mut waits = Waits::default();
        waits.note(&order("short", OrderStatus::Placed, 9));
        waits.note(&order("done", OrderStatus::Delivering, 99));
        assert_eq!(waits.sentence(NOW, PATIENCE), None);
        for again in ["a", "b", "a"] {
            waits.note(&order(again, OrderStatus::Placed, 40));
        }
        waits.note(&order("c", OrderStatus::Cancelled, 12));
        let told = waits.sentence(NOW, PATIENCE).expect("some wait");
        assert!(told.contains("2 orders wait for their delivery (item)"), "{told}");
        assert!(told.contains("told again 4 times"), "{told}");
        assert!(told.contains("1 orders wait for their refund"), "{told}");
    }
}
