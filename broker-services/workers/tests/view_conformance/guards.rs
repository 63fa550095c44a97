//! Repeated, late and reordered writes change nothing; a batch is one.

use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind};
use skstore_domain::money::Won;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::OrderStatus;
use skstore_domain::time::Timestamp;
use skstore_workers::view::OrderFilter;

use crate::adapters::Adapter;
use crate::builders::{
    PLENTY, account, apply, customer, delivering, everything, expected, histories, ids, item, item_id, order,
    order_id, payment, place, step, then,
};

pub(crate) async fn any_order_of_arrival_with_repetitions_gives_the_same_view<A: Adapter>() {
    for seed in 0..40 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let count = rng.usize(1..60);
        let writes = histories(&mut rng, count);
        let mut arriving = writes.clone();
        arriving.extend(writes.iter().filter(|_| rng.u8(..) < 80).cloned().collect::<Vec<_>>());
        rng.shuffle(&mut arriving);
        let view = A::ready(PLENTY).await;
        apply(&view, &mut rng, &arriving).await;
        let shown = everything(&view).await;
        assert_eq!(shown, expected(&writes), "seed {seed}: the order of arrival shows");
    }
}

pub(crate) async fn a_batch_is_seen_whole_or_not_at_all<A: Adapter>() {
    const BATCHES: u64 = 2000;
    let view = A::ready(PLENTY).await;
    // Two orders always in opposite states, two accounts with always the same sum.
    let batch = |revision: u64| {
        let even = revision.is_multiple_of(2);
        let states = if even {
            [OrderStatus::Placed, OrderStatus::Delivering]
        } else {
            [OrderStatus::Delivering, OrderStatus::Placed]
        };
        let [mut one, mut other] = [order("one", 1), order("other", 2)];
        (one.status, other.status) = (states[0], states[1]);
        (one.revision, other.revision) = (revision, revision);
        let moved = i64::try_from(revision % 90).unwrap();
        [
            ViewWrite::Order(one),
            ViewWrite::Account(account("kim", 100 - moved, revision)),
            ViewWrite::Order(other),
            ViewWrite::Account(account("lee", moved, revision)),
        ]
    };
    view.apply(&batch(1)).await.unwrap();
    let (reader, done) = (view.clone(), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            crate::run(async {
                while !done.load(std::sync::atomic::Ordering::Acquire) {
                    let counts = reader.counts().await.unwrap();
                    assert_eq!(counts.orders, [0, 1, 1, 0, 0], "half a batch of orders was seen");
                    assert_eq!(counts.balances, Won(100), "half a batch of accounts was seen");
                }
            });
        });
        let writer = view.clone();
        threads
            .spawn(move || {
                crate::run(async move {
                    for revision in 2..=BATCHES {
                        writer.apply(&batch(revision)).await.unwrap();
                    }
                });
            })
            .join()
            .unwrap();
        done.store(true, std::sync::atomic::Ordering::Release);
        reading.join().unwrap();
    });
}

pub(crate) async fn an_object_is_replaced_only_by_a_higher_revision<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let at_revision = |revision: u64| {
        let mut order = order("a", 1);
        order.revision = revision;
        order.qty = u32::try_from(revision).unwrap();
        let mut payment = payment("a", revision);
        payment.amount = Won(i64::try_from(revision).unwrap());
        [
            ViewWrite::Order(order),
            ViewWrite::Payment(payment),
            ViewWrite::Account(account("kim", i64::try_from(revision).unwrap(), revision)),
            ViewWrite::Item(item("10", revision, revision)),
        ]
    };
    // A different content under the same revision cannot happen; if it did, the first one stays.
    let mut other = at_revision(3);
    if let ViewWrite::Order(order) = &mut other[0] {
        order.qty = 99;
    }
    for (writes, shown) in [(at_revision(3), 3), (at_revision(2), 3), (other, 3), (at_revision(4), 4)] {
        view.apply(&writes).await.unwrap();
        let row = view.order(&order_id("a")).await.unwrap().unwrap().row;
        assert_eq!((row.order.revision, row.order.qty), (shown, u32::try_from(shown).unwrap()), "order");
        assert_eq!(row.payment.unwrap().revision, shown, "payment");
        assert_eq!(view.accounts(None, 9).await.unwrap()[0].revision, shown, "account");
        assert_eq!(view.items(None, 9).await.unwrap()[0].revision, shown, "item");
        assert_eq!(view.counts().await.unwrap().balances, Won(i64::try_from(shown).unwrap()), "sum");
    }
}

pub(crate) async fn what_comes_before_its_order_is_shown_with_it<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let paid = step(EventKind::Deposit(DepositKind::Paid), 1, 5);
    let id = order_id("a");
    view.apply(&[ViewWrite::Payment(payment("a", 1)), ViewWrite::Step(id.clone(), paid.clone())])
        .await
        .unwrap();
    assert_eq!(view.order(&id).await.unwrap(), None, "there is no order yet");
    assert_eq!(ids(&view, &OrderFilter::default()).await, Vec::<String>::new());
    let prefix = OrderFilter { id_prefix: Some("a".to_owned()), ..OrderFilter::default() };
    assert_eq!(ids(&view, &prefix).await, Vec::<String>::new());
    assert_eq!(view.counts().await.unwrap().orders, [0; 5]);
    place(&view, [order("a", 1)]).await;
    let detail = view.order(&id).await.unwrap().unwrap();
    assert_eq!(detail.row.payment, Some(payment("a", 1)));
    assert_eq!(detail.timeline, [paid]);
}

pub(crate) async fn an_order_is_found_only_where_its_newest_revision_stands<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let before = order("a", 1);
    let mut after = then(&before, OrderStatus::Delivering);
    after.customer = customer("lee");
    after.item_id = item_id("20");
    after.placed_at = Timestamp(7);
    place(&view, [before.clone(), order("b", 5), after.clone()]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["a", "b"], "it is the newest now");
    for (order, found) in [(&before, &["b"][..]), (&after, &["a"][..])] {
        let by_status = OrderFilter { status: Some(order.status), ..OrderFilter::default() };
        let by_customer = OrderFilter { customer: Some(order.customer.clone()), ..OrderFilter::default() };
        let by_item = OrderFilter { item_id: Some(order.item_id.clone()), ..OrderFilter::default() };
        for filter in [by_status, by_customer, by_item] {
            assert_eq!(ids(&view, &filter).await, found, "{filter:?}");
        }
    }
}

pub(crate) async fn steps_of_one_instant_stand_in_the_order_of_cause<A: Adapter>() {
    let delivered = [
        (EventKind::Order(OrderKind::Paying), 1),
        (EventKind::Deposit(DepositKind::Paid), 1),
        (EventKind::Order(OrderKind::Placed), 2),
        (EventKind::Item(ItemKind::DeliveryStarted), 1),
        (EventKind::Order(OrderKind::Delivering), 3),
        (EventKind::Order(OrderKind::Cancelled), 4),
        (EventKind::Deposit(DepositKind::Refunded), 2),
        (EventKind::Item(ItemKind::DeliveryCancelled), 2),
        (EventKind::Order(OrderKind::Noted), 5),
        (EventKind::Order(OrderKind::Noted), 6),
    ];
    let cancelled_before_it_was_placed = [
        (EventKind::Order(OrderKind::Noted), 1),
        (EventKind::Order(OrderKind::Cancelled), 2),
        (EventKind::Deposit(DepositKind::Voided), 1),
    ];
    for chain in [&delivered[..], &cancelled_before_it_was_placed] {
        let steps: Vec<_> = chain.iter().map(|(kind, revision)| step(*kind, *revision, 5)).collect();
        for seed in 0..50 {
            let mut arriving = steps.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut arriving);
            let view = A::ready(PLENTY).await;
            place(&view, [delivering("a", 1)]).await;
            for step in arriving {
                view.apply(&[ViewWrite::Step(order_id("a"), step)]).await.unwrap();
            }
            let timeline = view.order(&order_id("a")).await.unwrap().unwrap().timeline;
            assert_eq!(timeline, steps, "seed {seed}");
        }
    }
    let view = A::ready(PLENTY).await;
    let (late, early) =
        (step(EventKind::Order(OrderKind::Paying), 1, 9), step(EventKind::Deposit(DepositKind::Paid), 1, 8));
    let writes = [late.clone(), early.clone()].map(|step| ViewWrite::Step(order_id("a"), step));
    view.apply(&writes).await.unwrap();
    place(&view, [order("a", 1)]).await;
    let timeline = view.order(&order_id("a")).await.unwrap().unwrap().timeline;
    assert_eq!(timeline, [late, early], "the cause comes first, whatever the clocks say");
}
