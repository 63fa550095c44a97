//! Orders that wait for long: for what, how many, since when, and how often that was told again. For people.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::ids::OrderId;
use skstore_domain::objects::Order;
use skstore_domain::order::{Awaited, MAX_WAIT, Patience, awaited, times_told};
use skstore_domain::signals::Wait;
use skstore_domain::time::Timestamp;

/// What waits for so long is worth a person's attention: twice as long as what is told again for the first time.
const LONG: Duration = Duration::from_secs(10);
/// Orders that are kept in mind at most, a megabyte of them: by then nobody needs the exact number.
const MAX_NOTED: usize = 10_000;

/// The orders that were found to wait, until something is heard of them. Each is found only now and then: when it is told
/// again.
#[derive(Debug, Default)]
pub(super) struct Waits {
    noted: BTreeMap<OrderId, Noted>,
}

#[derive(Debug)]
struct Noted {
    what: Awaited,
    since: Timestamp,
    at: Timestamp,
}

impl Waits {
    /// This one waits. To say so twice is to say it once.
    pub(super) fn note(&mut self, order: &Order, now: Timestamp) {
        let is_full = self.noted.len() >= MAX_NOTED && !self.noted.contains_key(&order.order_id);
        if let Some(what) = awaited(order)
            && !is_full
        {
            let noted = Noted { what, since: order.updated_at, at: now };
            self.noted.insert(order.order_id.clone(), noted);
        }
    }

    /// Something has come that this one may have waited for.
    pub(super) fn heard_of(&mut self, order: &OrderId) {
        self.noted.remove(order);
    }

    /// Those that wait for long, by what they wait for. One that would have been told again by now, looked for so often,
    /// waits no more, or another process of this service looks after it.
    pub(super) fn long(
        &mut self,
        now: Timestamp,
        patience: Patience,
        looked_for_every: Duration,
    ) -> Vec<Wait> {
        let until_told = MAX_WAIT + 2 * looked_for_every;
        self.noted.retain(|_, noted| noted.at <= now && now.since(noted.at) <= until_told);
        let mut long: BTreeMap<Awaited, (u64, Timestamp)> = BTreeMap::new();
        for Noted { what, since, .. } in self.noted.values().filter(|noted| now.since(noted.since) >= LONG) {
            let (count, oldest) = long.entry(*what).or_insert((0, *since));
            (*count, *oldest) = (*count + 1, (*oldest).min(*since));
        }
        let wait = |(what, (count, since))| {
            let told_again = times_told(now.since(since), patience).max(1);
            Wait { what, count, since, told_again }
        };
        long.into_iter().map(wait).collect()
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
    const SWEEP: Duration = Duration::from_secs(5);

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

    fn wait(what: Awaited, count: u64, seconds_ago: u64, told_again: u32) -> Wait {
        Wait { what, count, since: NOW.before(Duration::from_secs(seconds_ago)), told_again }
    }

    #[test]
    fn what_waits_for_long_is_told_by_what_it_waits_for() {
        let mut waits = Waits::default();
        waits.note(&order("short", OrderStatus::Placed, 9), NOW);
        waits.note(&order("done", OrderStatus::Delivering, 99), NOW);
        assert_eq!(waits.long(NOW, PATIENCE, SWEEP), []);
        for again in ["a", "b", "a"] {
            waits.note(&order(again, OrderStatus::Placed, 40), NOW);
        }
        waits.note(&order("c", OrderStatus::Cancelled, 12), NOW);
        let expected = [wait(Awaited::Delivery, 2, 40, 4), wait(Awaited::Release, 1, 12, 2)];
        assert_eq!(waits.long(NOW, PATIENCE, SWEEP), expected);
    }

    #[test]
    fn it_is_told_from_one_time_that_it_is_told_again_to_the_next_unless_something_is_heard() {
        let mut waits = Waits::default();
        for id in ["a", "b"] {
            waits.note(&order(id, OrderStatus::Placed, 40), NOW);
        }
        let count = |waits: &mut Waits, seconds: u64| {
            let now = NOW.after(Duration::from_secs(seconds));
            waits.long(now, PATIENCE, SWEEP).iter().map(|wait| wait.count).sum::<u64>()
        };
        assert_eq!([0, 1, 20, 30].map(|seconds| count(&mut waits, seconds)), [2, 2, 2, 2]);
        waits.heard_of(&OrderId::new("a").expect("an id"));
        assert_eq!(count(&mut waits, 30), 1);
        assert_eq!(count(&mut waits, 31), 0, "it would have been told again");
        waits.note(&order("a", OrderStatus::Placed, 40), NOW.after(Duration::from_secs(3600)));
        assert_eq!(count(&mut waits, 0), 0, "the clock was set back");
    }

    #[test]
    fn however_many_wait_only_so_many_are_kept_in_mind() {
        let mut waits = Waits::default();
        for number in 0..=MAX_NOTED {
            waits.note(&order(&format!("o{number}"), OrderStatus::Placed, 40), NOW);
        }
        waits.note(&order("o0", OrderStatus::Placed, 60), NOW);
        let most = MAX_NOTED as u64;
        assert_eq!(waits.long(NOW, PATIENCE, SWEEP), [wait(Awaited::Delivery, most, 60, 5)]);
    }
}
