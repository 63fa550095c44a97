//! A lost view says so, and a rebuild leaves what the logs and live writes have named, and nothing else.

use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::events::{DepositKind, EventKind, OrderKind};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{Step, ViewWrite};
use skstore_domain::objects::{Order, OrderStatus, Payment};
use skstore_domain::time::Timestamp;
use skstore_workers::view::{OrderFilter, Rebuilds, Swept, ViewError};

use crate::adapters::Adapter;
use crate::builders::{
    PLENTY, account, apply, customer, delivering, everything, feed, finish, histories, ids, item, order,
    order_id, payment, place, step, then,
};
use crate::told::{beat, change};

pub(crate) async fn every_write_is_refused_until_a_rebuild_has_begun<A: Adapter>() {
    let view = A::lost(PLENTY).await;
    let write = [ViewWrite::Order(order("a", 1)), ViewWrite::Feed(feed("a"))];
    let snapshot = BreakerSnapshot::default();
    let tripped = change("order-1", 1, BreakerState::Closed, BreakerState::Open, snapshot);
    assert!(matches!(view.apply(&write).await, Err(ViewError::Empty)), "apply");
    assert!(matches!(view.beat(&beat("order-1", 1)).await, Err(ViewError::Empty)), "beat");
    assert!(matches!(view.breaker_changed(&tripped).await, Err(ViewError::Empty)), "breaker_changed");
    assert!(matches!(view.finish_rebuild(1).await, Err(ViewError::Empty)), "finish_rebuild");
    assert_eq!(ids(&view, &OrderFilter::default()).await, Vec::<String>::new(), "it can be read");
    assert_eq!(view.feed(0, 9).await.unwrap(), (Vec::new(), 0));
    view.begin_rebuild().await.unwrap();
    view.apply(&write).await.unwrap();
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["a"], "it shows what the rebuild has so far");
}

pub(crate) async fn a_view_tells_of_its_rebuilds<A: Adapter>() {
    let view = A::lost(PLENTY).await;
    assert_eq!(view.rebuilds().await.unwrap(), Rebuilds::default(), "none has begun");
    view.begin_rebuild().await.unwrap();
    let first = view.rebuilds().await.unwrap();
    assert!(first.last > 0 && first.is_running, "{first:?}");
    finish(&view).await;
    assert_eq!(view.rebuilds().await.unwrap(), Rebuilds { is_running: false, ..first });
    view.begin_rebuild().await.unwrap();
    let second = view.rebuilds().await.unwrap();
    assert!(second.last > first.last && second.is_running, "{second:?} after {first:?}");
}

pub(crate) async fn what_nothing_names_is_removed_at_the_end<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let named = [
        ViewWrite::Order(delivering("named", 1)),
        ViewWrite::Payment(payment("named", 1)),
        ViewWrite::Account(account("named", 5, 2)),
        ViewWrite::Item(item("named", 1, 2)),
    ];
    let unnamed = [
        ViewWrite::Order(order("unnamed", 2)),
        ViewWrite::Payment(payment("unnamed", 1)),
        ViewWrite::Step(order_id("unnamed"), step(EventKind::Order(OrderKind::Paying), 1, 1)),
        ViewWrite::Account(account("unnamed", 70, 1)),
        ViewWrite::Item(item("unnamed", 1, 1)),
    ];
    view.apply(&named).await.unwrap();
    let without = everything(&view).await;
    view.apply(&unnamed).await.unwrap();
    view.begin_rebuild().await.unwrap();
    view.apply(&named).await.unwrap();
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["unnamed", "named"], "until the end all is shown");
    finish(&view).await;
    assert_eq!(everything(&view).await, without);
    assert_eq!(view.counts().await.unwrap().balances, Won(5));
    let again = view.finish_rebuild(view.rebuilds().await.unwrap().last).await.unwrap();
    assert_eq!(
        (again, everything(&view).await),
        (Swept::Superseded, without),
        "a second end changes nothing"
    );
}

pub(crate) async fn live_writes_name_what_they_write<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let old = order("old", 1);
    place(&view, [old.clone(), order("gone", 2)]).await;
    view.begin_rebuild().await.unwrap();
    // A newer revision, a new order, and an older revision that the guard refuses.
    place(&view, [then(&old, OrderStatus::Placed), order("new", 3), old]).await;
    finish(&view).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["new", "old"]);
    assert_eq!(view.counts().await.unwrap().orders, [1, 1, 0, 0, 0]);
    place(&view, [order("later", 4)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["later", "new", "old"]);
}

pub(crate) async fn payments_and_steps_are_removed_on_their_own<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let id = order_id("a");
    let (paying, paid) =
        (step(EventKind::Order(OrderKind::Paying), 1, 1), step(EventKind::Deposit(DepositKind::Paid), 1, 2));
    let order_side = [ViewWrite::Order(order("a", 1)), ViewWrite::Step(id.clone(), paying.clone())];
    let deposit_side = [ViewWrite::Payment(payment("a", 1)), ViewWrite::Step(id.clone(), paid.clone())];
    view.apply(&order_side).await.unwrap();
    view.apply(&deposit_side).await.unwrap();
    view.begin_rebuild().await.unwrap();
    view.apply(&order_side).await.unwrap();
    finish(&view).await;
    let detail = view.order(&id).await.unwrap().unwrap();
    assert_eq!((detail.row.payment, detail.timeline), (None, vec![paying]), "Deposit knows of none");
    view.begin_rebuild().await.unwrap();
    view.apply(&deposit_side).await.unwrap();
    finish(&view).await;
    assert_eq!(view.order(&id).await.unwrap(), None, "Order knows of none");
    view.apply(&order_side[..1]).await.unwrap();
    let detail = view.order(&id).await.unwrap().unwrap();
    assert_eq!((detail.row.payment, detail.timeline), (Some(payment("a", 1)), vec![paid]));
}

pub(crate) async fn a_second_begin_starts_over<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    place(&view, [order("first", 1), order("second", 2)]).await;
    view.begin_rebuild().await.unwrap();
    place(&view, [order("first", 1)]).await;
    view.begin_rebuild().await.unwrap();
    place(&view, [order("second", 2)]).await;
    finish(&view).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["second"]);
}

pub(crate) async fn a_rebuild_of_everything_changes_nothing<A: Adapter>() {
    for seed in 0..10 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut writes = histories(&mut rng, 80);
        let view = A::ready(PLENTY).await;
        apply(&view, &mut rng, &writes).await;
        let before = everything(&view).await;
        view.begin_rebuild().await.unwrap();
        rng.shuffle(&mut writes);
        apply(&view, &mut rng, &writes).await;
        finish(&view).await;
        assert_eq!(everything(&view).await, before, "seed {seed}");
    }
}

pub(crate) async fn a_rebuild_puts_right_what_was_altered_at_the_same_revision<A: Adapter>() {
    let wrong = Order {
        status: OrderStatus::Placed,
        customer: customer("lee"),
        qty: 999,
        placed_at: Timestamp(99),
        ..delivering("a", 1)
    };
    let right = [
        ViewWrite::Order(delivering("a", 1)),
        ViewWrite::Payment(payment("a", 1)),
        ViewWrite::Step(order_id("a"), step(EventKind::Order(OrderKind::Paying), 1, 1)),
        ViewWrite::Account(account("kim", 5, 2)),
        ViewWrite::Item(item("10", 7, 2)),
    ];
    let altered = [
        ViewWrite::Order(wrong),
        ViewWrite::Payment(Payment { amount: Won(999), ..payment("a", 1) }),
        ViewWrite::Step(
            order_id("a"),
            Step { at: Timestamp(99), ..step(EventKind::Order(OrderKind::Paying), 1, 1) },
        ),
        ViewWrite::Account(account("kim", 999, 2)),
        ViewWrite::Item(item("10", 999, 2)),
    ];
    let view = A::ready(PLENTY).await;
    view.apply(&right).await.unwrap();
    let before = everything(&view).await;
    let view = A::ready(PLENTY).await;
    view.apply(&altered).await.unwrap();
    view.apply(&right).await.unwrap();
    assert_ne!(everything(&view).await, before, "what services repeat changes nothing");
    view.begin_rebuild().await.unwrap();
    view.apply(&right).await.unwrap();
    finish(&view).await;
    assert_eq!(everything(&view).await, before);
}

pub(crate) async fn a_rebuild_brings_back_what_was_forgotten<A: Adapter>() {
    let view = A::ready(2).await;
    place(&view, (1..=4).map(|n| delivering(&format!("o{n}"), n))).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["o4", "o3"]);
    view.begin_rebuild().await.unwrap();
    // The logs know of the old ones only.
    place(&view, (1..=2).map(|n| delivering(&format!("o{n}"), n))).await;
    finish(&view).await;
    place(&view, (1..=2).map(|n| delivering(&format!("o{n}"), n))).await;
    view.begin_rebuild().await.unwrap();
    place(&view, (1..=2).map(|n| delivering(&format!("o{n}"), n))).await;
    finish(&view).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["o2", "o1"]);
}

pub(crate) async fn an_order_that_a_rebuild_pushes_out_comes_back_with_its_log<A: Adapter>() {
    let view = A::ready(2).await;
    let old = order("old", 1);
    place(&view, [delivering("b", 2), delivering("c", 3)]).await;
    view.begin_rebuild().await.unwrap();
    // The log tells how the old order came about, which for that moment needs the place of an ended one.
    place(&view, [old.clone()]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["c", "old"]);
    place(&view, [then(&old, OrderStatus::Delivering), delivering("b", 2), delivering("c", 3)]).await;
    finish(&view).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["c", "b"]);
}

pub(crate) async fn what_was_removed_can_be_written_again<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    place(&view, [order("a", 1)]).await;
    view.begin_rebuild().await.unwrap();
    finish(&view).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, Vec::<String>::new());
    place(&view, [order("a", 1)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["a"]);
}

pub(crate) async fn a_rebuild_ends_only_itself<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    place(&view, [order("a", 1), order("b", 2)]).await;
    let first = view.begin_rebuild().await.unwrap();
    place(&view, [order("a", 1)]).await;
    let second = view.begin_rebuild().await.unwrap();
    assert!(second > first, "{second} after {first}");
    assert_eq!(view.finish_rebuild(first).await.unwrap(), Swept::Superseded);
    assert_eq!(view.rebuilds().await.unwrap(), Rebuilds { last: second, is_running: true });
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["b", "a"], "the second has yet to be told");
    place(&view, [order("b", 2)]).await;
    assert_eq!(view.finish_rebuild(second).await.unwrap(), Swept::Whole);
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["b"]);
}

pub(crate) async fn a_rebuild_replaces_revisions_that_no_log_has<A: Adapter>() {
    let logs = [
        ViewWrite::Order(delivering("a", 1)),
        ViewWrite::Payment(payment("a", 1)),
        ViewWrite::Step(order_id("a"), step(EventKind::Order(OrderKind::Paying), 1, 1)),
        ViewWrite::Account(account("kim", 5, 2)),
        ViewWrite::Item(item("10", 7, 2)),
    ];
    let forged = [
        ViewWrite::Order(Order { revision: u64::MAX, qty: 999, customer: customer("lee"), ..order("a", 1) }),
        ViewWrite::Payment(Payment { revision: u64::MAX, amount: Won(999), ..payment("a", 1) }),
        ViewWrite::Step(order_id("a"), step(EventKind::Order(OrderKind::Cancelled), u64::MAX, 9)),
        ViewWrite::Account(account("kim", 999, u64::MAX)),
        ViewWrite::Item(item("10", 999, u64::MAX)),
    ];
    let view = A::ready(PLENTY).await;
    view.apply(&logs).await.unwrap();
    let before = everything(&view).await;
    for (which, write) in forged.iter().enumerate() {
        view.apply(std::slice::from_ref(write)).await.unwrap();
        assert_ne!(everything(&view).await, before, "the forged write {which} is taken");
        let first = view.begin_rebuild().await.unwrap();
        view.apply(&logs).await.unwrap();
        let swept = view.finish_rebuild(first).await.unwrap();
        // A step that nobody told keeps out no other.
        let expected = if matches!(write, ViewWrite::Step(..)) { Swept::Whole } else { Swept::Disputed };
        assert_eq!(swept, expected, "forged write {which}");
        if swept == Swept::Disputed {
            assert!(
                view.rebuilds().await.unwrap().is_running,
                "it is not right before the logs are told again"
            );
            view.begin_rebuild().await.unwrap();
            view.apply(&logs).await.unwrap();
            finish(&view).await;
        }
        assert_eq!(everything(&view).await, before, "after the forged write {which}");
    }
}
