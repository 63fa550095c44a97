//! What an order waits for, when it is told again, and how many are at once.

use std::time::Duration;

use skstore_domain::events::OrderKind;
use skstore_domain::objects::{DeliveryStatus as D, Order, OrderStatus as S, PaymentStatus as P};
use skstore_domain::order::{
    Awaited, MAX_WAIT, OrderRecord, Overdue, Pace, Patience, awaited, overdue, times_told,
};
use skstore_domain::time::Timestamp;

use crate::build;

const NOW: Timestamp = Timestamp(1_000_000);
const PATIENCE: Patience =
    Patience { abort_after: Duration::from_secs(10), tell_again_after: Duration::from_secs(5) };

fn order(status: S, payment: P, delivery: D, seconds_ago: u64) -> Order {
    let at = NOW.before(Duration::from_secs(seconds_ago));
    Order { status, payment, delivery, placed_at: at, updated_at: at, ..build::order("o1", 1) }
}

#[test]
fn an_order_waits_until_its_money_and_its_units_are_where_its_end_says() {
    let table = [
        (S::Paying, P::None, D::None, Some(Awaited::Payment)),
        (S::Placed, P::Paid, D::None, Some(Awaited::Delivery)),
        (S::Delivering, P::Paid, D::Started, None),
        (S::Cancelled, P::Paid, D::None, Some(Awaited::Release)),
        (S::Cancelled, P::Refunded, D::Started, Some(Awaited::Release)),
        (S::Cancelled, P::Paid, D::SoldOut, Some(Awaited::Release)),
        (S::Cancelled, P::None, D::Cancelled, Some(Awaited::Release)),
        (S::Cancelled, P::Refunded, D::Cancelled, None),
        (S::Cancelled, P::Voided, D::SoldOut, None),
        (S::Rejected, P::None, D::None, Some(Awaited::Release)),
        (S::Rejected, P::Declined, D::None, None),
        (S::Rejected, P::Voided, D::None, None),
    ];
    for (status, payment, delivery, expected) in table {
        let order = order(status, payment, delivery, 0);
        assert_eq!(awaited(&order), expected, "{status} with payment {payment} and delivery {delivery}");
        let record = OrderRecord::Order(order);
        assert_eq!(record.waiting_since().is_some(), expected.is_some(), "{status}: the store finds it");
    }
}

#[test]
fn it_is_told_again_each_time_it_has_waited_twice_as_long() {
    let next = |seconds_ago| {
        let record = OrderRecord::Order(order(S::Placed, P::Paid, D::None, seconds_ago));
        match overdue(Some(&record), NOW, PATIENCE) {
            Overdue::TellAgain { kind: OrderKind::Placed, look, .. } => {
                look.since(NOW) + PATIENCE.tell_again_after
            }
            other => panic!("{seconds_ago} s: {other:?}"),
        }
    };
    let table = [(0, 5), (5, 5), (6, 6), (10, 10), (20, 20), (3600, 20)];
    for (ago, expected) in table {
        assert_eq!(next(ago), Duration::from_secs(expected), "after {ago} s");
    }
    assert_eq!(MAX_WAIT, Duration::from_secs(20));
}

#[test]
fn the_event_that_ended_it_is_what_is_told_again() {
    let kind = |status, payment, delivery| {
        let record = OrderRecord::Order(order(status, payment, delivery, 60));
        overdue(Some(&record), NOW, PATIENCE)
    };
    let told_again = |overdue| match overdue {
        Overdue::TellAgain { kind, times, .. } => (kind, times),
        other => panic!("{other:?}"),
    };
    assert_eq!(told_again(kind(S::Cancelled, P::Paid, D::None)), (OrderKind::Cancelled, 5));
    assert_eq!(told_again(kind(S::Rejected, P::None, D::None)), (OrderKind::Rejected, 5));
    assert_eq!(kind(S::Delivering, P::Paid, D::Started), Overdue::Nothing);
    assert_eq!(overdue(None, NOW, PATIENCE), Overdue::Nothing);
}

#[test]
fn a_payment_is_given_up_after_its_time_and_at_once_where_the_clock_was_set_back() {
    let after = |seconds_ago| {
        let record = OrderRecord::Order(order(S::Paying, P::None, D::None, seconds_ago));
        overdue(Some(&record), NOW, PATIENCE)
    };
    assert_eq!(after(9), Overdue::Nothing);
    assert_eq!(after(10), Overdue::GiveUp);
    let ahead =
        Order { placed_at: NOW.after(Duration::from_secs(3600)), ..order(S::Paying, P::None, D::None, 0) };
    let record = OrderRecord::Order(ahead);
    assert_eq!(overdue(Some(&record), NOW, PATIENCE), Overdue::GiveUp);
}

#[test]
fn few_are_told_again_while_nobody_answers_and_twice_as_many_each_time_they_do() {
    let mut pace = Pace::default();
    let mut tell = |answered: bool| {
        let count = pace.at_once();
        let orders: Vec<_> = (0..count).map(|number| build::order_id(&format!("o{number}"))).collect();
        pace.told(orders.iter().cloned());
        if answered {
            orders.iter().for_each(|order| pace.heard_of(order));
        }
        count
    };
    let told: Vec<usize> = [true, true, true, false, false, false, true].map(&mut tell).to_vec();
    assert_eq!(told, [16, 32, 64, 128, 64, 32, 16]);
    let max = (0..20).map(|_| tell(true)).max();
    assert_eq!(max, Some(4096), "there is an end to it");
}

#[test]
fn how_often_it_was_told_again_follows_from_how_long_it_has_waited() {
    let table = [(0, 0), (4, 0), (5, 1), (9, 1), (10, 2), (20, 3), (39, 3), (40, 4), (60, 5), (3_600, 182)];
    for (seconds, expected) in table {
        assert_eq!(times_told(Duration::from_secs(seconds), PATIENCE), expected, "after {seconds} s");
    }
    let at_once = Patience { tell_again_after: Duration::ZERO, ..PATIENCE };
    assert!(times_told(Duration::from_secs(1), at_once) > 0, "it ends");
}

#[test]
fn what_is_told_again_was_told_again_at_least_once_whatever_the_clock_says() {
    let mut ahead = order(S::Placed, P::Paid, D::None, 0);
    ahead.updated_at = NOW.after(Duration::from_secs(60));
    for order in [order(S::Placed, P::Paid, D::None, 4), ahead] {
        let found = overdue(Some(&OrderRecord::Order(order)), NOW, PATIENCE);
        assert!(matches!(found, Overdue::TellAgain { times: 1, .. }), "{found:?}");
    }
}
